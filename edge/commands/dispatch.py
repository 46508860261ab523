"""Hands queued commands to devices the hub holds a conversation with, one at a time, in order.

The intent is committed before the first byte leaves; the outcome is judged by commands/model.py. A link that breaks
in the middle is the conversation's to report as an outcome: nothing here guesses.

A device may have several links at once, a cable and WiFi. Each has a worker, and all want the next command: the
commit of the intent decides, since only one of them finds the command still queued.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from typing import Any, Protocol

from tenacity import AsyncRetrying, retry_if_exception_type, wait_random_exponential

from edge.bus import Bus, Missed
from edge.clock import Clock
from edge.commands.commands import Commands
from edge.commands.events import CommandChanged
from edge.commands.model import Command, remaining_ms
from edge.devices.model import Device
from edge.devices.registry import Registry
from edge.errors import Conflict, OutpostError, StorageError
from edge.wire.commands import State
from edge.wire.orders import Order, Outcome, Verdict

log = logging.getLogger(__name__)

NOTHING_LEFT = Outcome(verdict=Verdict.NOT_SENT)
LOST = Outcome(verdict=Verdict.UNKNOWN, reason="The hub failed at handing it out; its log tells more.")
NOT_SENT_PAUSE_S = 0.5  # a port that takes no bytes for now is not asked again at once


CABLE = "serial "  # how the name of a cable's link begins: where there is one, it is the one to tell of
MayTake = Callable[[Command], bool]


class Deliverer(Protocol):
    """A live conversation that can carry an order."""

    async def deliver(self, order: Order) -> Outcome:
        """Try once; never raises for what the device or the link does."""


class Renderer(Protocol):
    """Turns a command into what its device's panel takes."""

    async def render(self, command: Command, device: Device) -> tuple[dict[str, Any], bytes]:
        """The order's arguments and blob. Raises BadInput when it cannot be shown on this panel."""


class _Link:
    """One way to a device, and what wakes its worker."""

    def __init__(self, deliverer: Deliverer, name: str, may_take: MayTake) -> None:
        self.deliverer, self.name, self.may_take = deliverer, name, may_take
        self.wake = asyncio.Event()


class Dispatcher:
    """One worker for each live conversation. `links` names the best link of each device that has one."""

    def __init__(self, commands: Commands, registry: Registry, renderer: Renderer, bus: Bus, clock: Clock) -> None:
        self._commands, self._registry, self._renderer = commands, registry, renderer
        self._bus, self._clock = bus, clock
        self.links: dict[str, str] = {}
        self._links: dict[str, list[_Link]] = {}
        self._workers: set[asyncio.Task[None]] = set()

    async def run(self) -> None:
        """Wake the worker whose device may have something to do; when cancelled, the workers end with it.

        The end of one command may free the next: it may have been an earlier conversation's that had it under way.
        """
        subscription = self._bus.subscribe()
        try:
            async for event in subscription:
                if isinstance(event, CommandChanged) and event.command.state is not State.SENT:
                    self.wake(event.command.device_id)
                elif isinstance(event, Missed):
                    for device_id in self._links:
                        self.wake(device_id)
        finally:
            subscription.close()
            workers = list(self._workers)
            for worker in workers:
                worker.cancel()
            await asyncio.gather(*workers, return_exceptions=True)

    def up(
        self, device_id: str, deliverer: Deliverer, link: str, *, may_take: MayTake = lambda command: True
    ) -> None:
        """Begin to serve a device over a conversation, which must not be up already; others of it may be.

        `may_take` says whether a command can leave over this link now; when that changes, call `wake`.
        """
        made = _Link(deliverer, link, may_take)
        self._links.setdefault(device_id, []).append(made)
        self._name(device_id)
        worker = asyncio.create_task(self._serve(device_id, made), name=f"dispatch-{device_id}")
        self._workers.add(worker)
        worker.add_done_callback(self._ended)

    def down(self, device_id: str, deliverer: Deliverer | None = None) -> None:
        """Stop handing out over this conversation, over all of the device's when none is named.

        What is under way ends with the conversation's own outcome.
        """
        links = self._links.pop(device_id, [])
        kept = [link for link in links if deliverer is not None and link.deliverer is not deliverer]
        if kept:
            self._links[device_id] = kept
        self._name(device_id)
        for link in links:
            link.wake.set()

    def wake(self, device_id: str) -> None:
        """Let the device's workers look for something to do."""
        for link in self._links.get(device_id, ()):
            link.wake.set()

    def names_of(self, device_id: str) -> list[str]:
        """The names of all its links, a cable's too."""
        return [link.name for link in self._links.get(device_id, ())]

    def _name(self, device_id: str) -> None:
        names = sorted(
            (link.name for link in self._links.get(device_id, ())), key=lambda name: not name.startswith(CABLE)
        )
        if names:
            self.links[device_id] = names[0]
        else:
            self.links.pop(device_id, None)

    def _ended(self, worker: asyncio.Task[None]) -> None:
        self._workers.discard(worker)
        if not worker.cancelled() and worker.exception() is not None:
            log.error("a device's dispatch ended by a fault", exc_info=worker.exception())

    async def _serve(self, device_id: str, link: _Link) -> None:
        while link in self._links.get(device_id, ()):
            link.wake.clear()
            command = self._commands.next_for(device_id)
            if command is None or not link.may_take(command):
                await link.wake.wait()
                continue
            try:
                outcome = await self._attempt(command, link)
            except OutpostError:
                log.exception("a command could not be handed out; trying again", extra={"command": command.id})
                outcome = NOTHING_LEFT
            except Exception:  # a fault of ours: it ends this command, never the device's whole queue
                log.exception("a command could not be handed out; it is given up", extra={"command": command.id})
                await self._end(command)
                outcome = NOTHING_LEFT
            if outcome is not None and outcome.verdict is Verdict.NOT_SENT:
                await asyncio.sleep(NOT_SENT_PAUSE_S)

    async def _attempt(self, command: Command, link: _Link) -> Outcome | None:
        device = self._registry.known(command.device_id)
        try:
            args, blob = await self._renderer.render(command, device)
        except OutpostError as error:
            await self._give_up(command, error)
            return None
        begun = await self._commands.begin(command, link.name)
        if begun is None or begun.seq is None:
            return None
        try:
            ttl_ms = max(1, remaining_ms(begun, self._clock.now()))
            order = Order(id=begun.id, seq=begun.seq, kind=begun.kind, ttl_ms=ttl_ms, args=args, blob=blob)
            outcome = await link.deliverer.deliver(order)
            await self._settle_surely(begun, outcome)
        except Exception:  # it may have left: only its device can tell
            log.exception("a command's end is not known", extra={"command": command.id})
            outcome = LOST
            await self._settle_surely(begun, outcome)
        return outcome

    async def _settle_surely(self, begun: Command, outcome: Outcome) -> None:
        async for attempt in AsyncRetrying(  # what the device did must get on disk, however long the disk takes
            retry=retry_if_exception_type(StorageError), wait=wait_random_exponential(multiplier=0.2, max=5.0)
        ):
            with attempt:
                await self._settle(begun, outcome)

    async def _settle(self, begun: Command, outcome: Outcome) -> None:
        try:
            await self._commands.settle(begun, outcome)
        except Conflict:  # the device's word came another way meanwhile, or a person's
            log.info("a command was settled before its link told its end", extra={"command": begun.id})

    async def _give_up(self, command: Command, error: OutpostError) -> None:
        try:
            await self._commands.cancel(command, f"It cannot be shown: {error.detail}")
        except Conflict:
            return  # it expired or was replaced in the same moment

    async def _end(self, command: Command) -> None:
        """Take back what a fault kept from leaving; when even that fails it is tried again, or expires."""
        try:
            await self._commands.cancel(command, "The hub failed at handing it out; its log tells more.")
        except Conflict:
            return  # it expired or was replaced in the same moment
        except Exception:  # the same fault again: the worker must live, and the command expires by itself
            log.exception("a command could not be taken back", extra={"command": command.id})
