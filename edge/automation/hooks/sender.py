"""Sends what waits in the outbox: each hook's messages in order, one at a time, until its receiver takes them.

A message is taken when the answer is 2xx within ATTEMPT_S. Redirects are not followed, and of an answer only its
status is looked at: neither its size nor its slowness costs anything, and nothing of it is kept or shown.
"""

from __future__ import annotations

import asyncio
import logging
import ssl

import aiohttp
import msgspec
import tenacity

from edge.automation.hooks import store as sql
from edge.automation.hooks.hooks import HookChanged, Hooks
from edge.automation.hooks.model import Delivery, Hook, signature
from edge.bus import Bus
from edge.clock import Clock
from edge.errors import BadInput, StorageError
from edge.outbound import NotPublic, Outbound, checked_url, session_to
from edge.store.database import Database

log = logging.getLogger(__name__)

ATTEMPT_S = 10.0  # resolving, connecting, sending, and the head of the answer
IDLE_S = 60.0  # how late a message may be found that nothing has announced
STORAGE_S = 5.0  # before an outcome that could not be written is tried anew


class Patience(msgspec.Struct, frozen=True):
    """How often and how long a message is tried: after 2, 4, 8 … s, then each hour, for about a day."""

    attempts: int = 34
    first_s: float = 2.0
    longest_s: float = 3600.0
    spread_s: float = 5.0  # at random on top, so that hooks of many hubs do not come at once


class _Signals:
    """What wakes a hook's worker: `news` when something new waits, `hurry` to end also a pause between attempts."""

    def __init__(self) -> None:
        self.news, self.hurry = asyncio.Event(), asyncio.Event()


class Refusal(Exception):
    """An attempt that failed: why, in our words, and what the receiver answered."""

    def __init__(self, reason: str, status: int | None = None) -> None:
        super().__init__(reason)
        self.reason, self.status = reason, status


class Sender:
    """A worker for each hook."""

    def __init__(
        self,
        hooks: Hooks,
        database: Database,
        outbound: Outbound,
        bus: Bus,
        clock: Clock,
        *,
        user_agent: str,
        patience: Patience | None = None,
    ) -> None:
        self._hooks, self._db, self._outbound, self._bus, self._clock = hooks, database, outbound, bus, clock
        self._user_agent, self._patience = user_agent, patience or Patience()
        self._signals: dict[str, _Signals] = {}
        self._changed = asyncio.Event()
        self.sent = self.failed = 0
        hooks.wake_with(self.wake)

    def wake(self, hook_id: str, *, hurry: bool = False) -> None:
        """Something new waits for this hook; with `hurry`, it has changed or somebody wants it tried now.

        What is new alone ends no pause: else a busy hook would use up its attempts in no time.
        """
        signals = self._signals.get(hook_id)
        if signals is not None:
            signals.news.set()
            if hurry:
                signals.hurry.set()
        self._changed.set()

    async def run(self) -> None:
        """Keep a worker for every hook; runs until cancelled."""
        workers: dict[str, asyncio.Task[None]] = {}
        async with asyncio.TaskGroup() as group:
            while True:
                self._changed.clear()
                for hook in self._hooks.all():
                    if hook.id not in workers:
                        self._signals[hook.id] = _Signals()
                        workers[hook.id] = group.create_task(self._serve(hook.id), name=f"hook-{hook.id}")
                for hook_id in [hook_id for hook_id in workers if self._hooks.find(hook_id) is None]:
                    workers.pop(hook_id).cancel()
                    del self._signals[hook_id]
                await self._changed.wait()

    async def _serve(self, hook_id: str) -> None:
        signals = self._signals[hook_id]
        while True:
            signals.news.clear()
            hook = self._hooks.find(hook_id)
            waiting = await self._next(hook) if hook is not None and hook.enabled else None
            if hook is None or waiting is None:
                await _wait(signals.news, IDLE_S)
                continue
            try:
                await self._send(hook, waiting, signals.hurry)
            except StorageError:  # what waits stays; a full disk must not end the hub over a webhook
                log.warning("a webhook's outcome could not be written; it is tried again")
                await asyncio.sleep(STORAGE_S)

    async def _next(self, hook: Hook) -> Delivery | None:
        rows = await self._db.read(sql.NEXT, (hook.id,))
        return sql.delivery(rows[0]) if rows else None

    async def _send(self, hook: Hook, delivery: Delivery, hurry: asyncio.Event) -> None:
        """Try one message until it is taken, dead or gone, or its hook is off."""
        patience = self._patience
        attempts = tenacity.AsyncRetrying(
            retry=tenacity.retry_if_result(lambda again: bool(again)),
            wait=tenacity.wait_exponential(multiplier=patience.first_s, max=patience.longest_s)
            + tenacity.wait_random(0, patience.spread_s),
            stop=tenacity.stop_after_attempt(max(1, patience.attempts - delivery.attempts)),
            sleep=lambda seconds: _wait(hurry, float(seconds)),
            retry_error_callback=lambda state: None,
        )
        attempt = delivery

        async def once() -> bool:
            nonlocal attempt
            hurry.clear()
            now = self._hooks.find(hook.id)
            if now is None or not now.enabled:
                return False
            attempt, again = await self._attempt(now, attempt)
            return again

        await attempts(once)

    async def _attempt(self, hook: Hook, delivery: Delivery) -> tuple[Delivery, bool]:
        """One attempt, written down; and whether the message is still to be sent."""
        try:
            status = await self._post(hook, delivery)
            tried = msgspec.structs.replace(delivery, state="delivered", status=status, reason="")
            self.sent += 1
        except Refusal as refusal:
            state = "dead" if delivery.attempts + 1 >= self._patience.attempts else "waiting"
            tried = msgspec.structs.replace(delivery, state=state, status=refusal.status, reason=refusal.reason)
            self.failed += 1
        except Exception:  # the task's edge: one message's fault must not stop the others
            log.exception("a webhook's message could not be sent", extra={"delivery": delivery.id})
            state = "dead" if delivery.attempts + 1 >= self._patience.attempts else "waiting"
            tried = msgspec.structs.replace(delivery, state=state, reason="a fault inside the hub; its log has it")
            self.failed += 1
        ended_us = None if tried.state == "waiting" else self._clock.now().at_us
        tried = msgspec.structs.replace(tried, attempts=delivery.attempts + 1, ended_us=ended_us)
        is_there = await self._db.write(lambda tx: sql.attempted(tx, tried))
        self._bus.publish(HookChanged(hook_id=hook.id))
        return tried, is_there and tried.state == "waiting"

    async def _post(self, hook: Hook, delivery: Delivery) -> int:
        """The status of a 2xx answer. Raises Refusal."""
        body = delivery.body or b""
        headers = {
            "Content-Type": "application/json",
            "User-Agent": self._user_agent,
            "X-Outpost-Delivery": delivery.id,
            "X-Outpost-Event": delivery.event,
            **signature(body, self._clock.now().at_us // 1_000_000, self._hooks.secrets(hook)),
        }
        try:
            async with asyncio.timeout(ATTEMPT_S):
                target = checked_url(hook.url)
                address = await self._outbound.vetted(target)
                async with (
                    session_to(address) as session,
                    session.post(target, data=body, headers=headers, allow_redirects=False) as response,
                ):
                    status = response.status
                    response.close()
        except NotPublic:
            raise Refusal("its address is private, and hooks.allow does not name its network") from None
        except BadInput as error:
            raise Refusal(error.detail) from None
        except TimeoutError:
            raise Refusal(f"no answer within {ATTEMPT_S:g} s") from None
        except (ssl.SSLError, aiohttp.ClientSSLError):
            raise Refusal("its certificate is not good for this address") from None
        except (aiohttp.ClientError, OSError, ValueError):
            raise Refusal("it does not answer") from None
        if 300 <= status < 400:
            raise Refusal(f"it answered {status}, and redirects are not followed", status)
        if not 200 <= status < 300:
            raise Refusal(f"it answered {status}", status)
        return status


async def _wait(wake: asyncio.Event, seconds: float) -> None:
    """Wait so long, or until woken."""
    try:
        async with asyncio.timeout(seconds):
            await wake.wait()
    except TimeoutError:
        pass
