"""Asks every source when its time has come: a worker each, at most AT_ONCE at the same time.

A source that fails is tried again after 30, 60, 120 … s, at last each hour, not before its server's Retry-After is
over, until it answers or its document changes. Times are spread at random, so that the hubs of many sites do not
all ask in the same second.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import random
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import msgspec
import tenacity

from edge.clock import Clock
from edge.content.sources.asking import Ask
from edge.content.sources.built_in import today
from edge.content.sources.fetching import Fetcher, Heard, Refusal, read
from edge.content.sources.sources import Sources

log = logging.getLogger(__name__)

AT_ONCE = 4
ASKED_NOW_S = 30.0  # for which a person waits who asked for it now; it goes on all the same
SPREAD = 0.1  # of the time between two fetches, at random on top, up to SPREAD_MAX_S
SPREAD_MAX_S = 60.0
_FAULT = "a fault inside the hub; its log has it"

Pause = Callable[[asyncio.Event, float], Awaitable[None]]


class Patience(msgspec.Struct, frozen=True):
    """How long is waited after a failure, the same doubled after the next."""

    first_s: float = 30.0
    longest_s: float = 3600.0
    spread_s: float = 10.0


async def pause(wake: asyncio.Event, seconds: float) -> None:
    """Wait so long, or until woken."""
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            await wake.wait()


class _Worker:
    """One source's: `wake` ends its pause; `asked` are those who want it fetched now."""

    def __init__(self, ask: Ask) -> None:
        self.key, self.every_s, self.wake = ask.key, ask.every_s, asyncio.Event()
        self.asked: list[asyncio.Future[None]] = []


class Keeper:
    """Keeps sources fresh. `zone`: whose days the built-in ones turn by."""

    def __init__(
        self,
        sources: Sources,
        fetcher: Fetcher,
        clock: Clock,
        zone: ZoneInfo,
        *,
        patience: Patience | None = None,
        pause: Pause = pause,
    ) -> None:
        self._sources, self._fetcher, self._clock, self._zone = sources, fetcher, clock, zone
        self._patience, self._pause = patience or Patience(), pause
        self._workers: dict[str, _Worker] = {}
        self._changed = asyncio.Event()
        self._room = asyncio.Semaphore(AT_ONCE)
        self.fetched = self.unchanged = self.failed = 0

    async def changed(self) -> None:
        """A source was published, or taken back."""
        await self._sources.refresh()
        self._changed.set()

    async def run(self) -> None:
        """A worker for each source; runs until cancelled."""
        tasks: dict[str, asyncio.Task[None]] = {}
        async with asyncio.TaskGroup() as group:
            while True:
                self._changed.clear()
                asks = self._sources.asks()
                for source_id, worker in list(self._workers.items()):
                    ask = asks.get(source_id)
                    if ask is None or ask.key != worker.key or tasks[source_id].done():
                        tasks.pop(source_id).cancel()
                        _let_go(self._workers.pop(source_id))
                    elif ask.every_s != worker.every_s:
                        worker.every_s = ask.every_s
                        worker.wake.set()
                for source_id, ask in asks.items():
                    if source_id not in self._workers:
                        worker = self._workers[source_id] = _Worker(ask)
                        name = f"source-{source_id}"
                        tasks[source_id] = group.create_task(self._serve(source_id, worker), name=name)
                await self._changed.wait()

    async def fetch_now(self, source_id: str) -> None:
        """Ask it now, and wait for what comes of that, at most ASKED_NOW_S. One that cannot be asked is not."""
        worker, ask = self._workers.get(source_id), self._sources.ask(source_id)
        if ask is None:
            return
        if worker is None or worker.key != ask.key:  # published a moment ago
            await self._once(source_id, _Worker(ask), ask)
            return
        done = asyncio.get_running_loop().create_future()
        worker.asked.append(done)
        worker.wake.set()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(ASKED_NOW_S):
                await done

    async def tried(self, ask: Ask) -> dict[str, str]:
        """What it says when it is asked once; nothing is kept. Raises Refusal."""
        heard = await self._heard(ask, "", "")
        return heard.values or {}

    async def _serve(self, source_id: str, worker: _Worker) -> None:
        while (ask := self._sources.ask(source_id)) is not None and ask.key == worker.key:
            wait_s = self._due_in_s(source_id, ask)
            self._sources.planned(source_id, wait_s)
            if not worker.asked and wait_s > 0:
                await self._pause(worker.wake, wait_s)
                if worker.wake.is_set():
                    worker.wake.clear()
                    continue  # woken: planned anew
            await self._until_heard(source_id, worker)

    async def _until_heard(self, source_id: str, worker: _Worker) -> None:
        """Try until it answers, or nobody asks for this any more."""

        def wait_s(state: tenacity.RetryCallState) -> float:
            refusal = state.outcome.result() if state.outcome else None
            wait = max(backoff(state), refusal.retry_after_s + random.uniform(0, 5) if refusal else 0.0)  # noqa: S311
            self._sources.planned(source_id, wait)
            return wait

        async def once() -> Refusal | None:
            worker.wake.clear()
            ask = self._sources.ask(source_id)
            if ask is None or ask.key != worker.key:
                return None
            return await self._once(source_id, worker, ask)

        patience = self._patience
        backoff = tenacity.wait_combine(
            tenacity.wait_exponential(multiplier=patience.first_s, max=patience.longest_s),
            tenacity.wait_random(0, patience.spread_s),
        )
        attempts = tenacity.AsyncRetrying(
            retry=tenacity.retry_if_result(lambda refusal: refusal is not None),
            wait=wait_s,
            sleep=lambda seconds: self._pause(worker.wake, float(seconds)),
        )
        await attempts(once)

    async def _once(self, source_id: str, worker: _Worker, ask: Ask) -> Refusal | None:
        """One attempt, written down; None when it answered."""
        asked, kept = list(worker.asked), self._sources.kept(source_id)
        etag, modified = (kept.etag, kept.modified) if kept and kept.at else ("", "")
        try:
            heard = await self._heard(ask, etag, modified)
        except Refusal as refusal:
            self.failed += 1
            await self._sources.failed(source_id, ask, refusal.reason)
            return refusal
        else:
            self.fetched, self.unchanged = self.fetched + 1, self.unchanged + (heard.values is None)
            await self._sources.heard(source_id, ask, heard)
            return None
        finally:
            worker.asked = [done for done in worker.asked if done not in asked]
            for done in asked:
                if not done.done():
                    done.set_result(None)

    async def _heard(self, ask: Ask, etag: str, modified: str) -> Heard:
        try:
            if ask.form == "built-in":
                return Heard(built_in(ask, self._local()))
            async with self._room:
                return await self._fetcher.fetch(ask, etag, modified)
        except Refusal:
            raise
        except Exception:  # the task's edge: one source's fault must not stop the others
            log.exception("a source could not be asked", extra={"preset": ask.preset})
            raise Refusal(_FAULT) from None

    def _due_in_s(self, source_id: str, ask: Ask) -> float:
        """How long until it is asked; 0 for now."""
        kept, age_s = self._sources.kept(source_id), self._sources.age_s(source_id)
        if kept is None or age_s is None or kept.problem:
            return 0.0
        wait_s = ask.every_s - age_s
        if wait_s <= 0:
            return 0.0
        if ask.form == "built-in":
            return min(wait_s, _to_midnight_s(self._local()))
        return wait_s + random.uniform(0, min(SPREAD_MAX_S, ask.every_s * SPREAD))  # noqa: S311 - no secret

    def _local(self) -> datetime:
        return datetime.fromtimestamp(self._clock.now().at_us / 1e6, self._zone)


def built_in(ask: Ask, now: datetime) -> dict[str, str]:
    """What a built-in source says on the day of `now`."""
    return read(ask, msgspec.json.encode(today(ask.preset, now.date())))


def _to_midnight_s(now: datetime) -> float:
    """How long this day still is; a second more, so that it is over."""
    tomorrow = (now + timedelta(days=1)).replace(hour=0, minute=0, second=0, microsecond=0)
    return tomorrow.timestamp() - now.timestamp() + 1.0


def _let_go(worker: _Worker) -> None:
    for done in worker.asked:
        if not done.done():
            done.set_result(None)
