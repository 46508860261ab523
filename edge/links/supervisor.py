"""All serial ports of the hub: one owner for each, and what a person may do to them by hand."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Iterable, Mapping
from pathlib import Path

from edge.clock import Clock
from edge.errors import Busy, Conflict, LinkError, NotFound
from edge.links.conversation import Conversation, Openers
from edge.links.detect import Way, first_baud
from edge.links.monitor import Monitor
from edge.links.port_owner import PortOwner
from edge.links.port_status import ABSENT, RELEASED, TAKEN, WATCHED, Note, PortState, lent_to
from edge.links.ports import DEV, PortWatcher, Sighting
from edge.links.serial_port import Lines, SerialPort
from edge.links.spec import PortSpec
from edge.wire.views import PortView

OnUp = Callable[[Conversation], None]
OnDown = Callable[[Conversation, str], None]
OnPort = Callable[[PortView], None]

PULSED = "the reset line was pulsed; the board starts anew"
NO_LINE = "this port has no reset line (it is a pseudo-terminal); nothing was done"


class Supervisor:
    """Owns the configured ports, there or not, and with `scan` every USB serial port that appears.

    Configure it, then `run` it in a task. Callbacks come in the event loop and must not block: `on_up` with a live
    conversation, `on_down` once for each with the reason, `on_port` with each change of a port. A scanned port that
    goes away is told as absent and then forgotten.
    """

    def __init__(
        self,
        specs: Iterable[PortSpec],
        *,
        openers: Openers,
        clock: Clock,
        on_up: OnUp,
        on_down: OnDown,
        on_port: OnPort = lambda view: None,
        scan: bool = True,
        lines: Lines = Lines.KEEP,
        dev: Path = DEV,
    ) -> None:
        self.clock, self.openers, self.lines = clock, openers, lines
        self._on_up, self._on_down, self._on_port = on_up, on_down, on_port
        self._specs = {spec.path: spec for spec in specs}
        self.ways: dict[str, Way] = {}
        self._watcher = PortWatcher(self._specs, scan=scan, dev=dev)
        self._owners: dict[str, PortOwner] = {}
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._released: set[str] = set()
        self._lent: dict[str, str] = {}  # path to what it is lent to
        self._live: dict[str, Conversation] = {}
        self._group: asyncio.TaskGroup | None = None

    async def run(self) -> None:
        """Watch and own until cancelled; every port is closed then."""
        async with asyncio.TaskGroup() as group:
            self._group = group
            try:
                async for seen in self._watcher.looks():
                    await self._follow(seen)
            finally:
                self._group = None

    def views(self) -> list[PortView]:
        """Every port, as it is now."""
        return [self._owners[path].status.view() for path in sorted(self._owners)]

    def failures(self) -> list[str]:
        """Ports that a device should be at and is not, and why, in sentences; none that a technician has taken."""
        views = [view for view in self.views() if view.state == PortState.FAILED]
        return [f"The port {view.path} does not work: {view.detail}." for view in views if view.owner not in TAKEN]

    # -- by hand

    async def release(self, path: str) -> None:
        """Give a port up, for another program; it stays given up until `own`. Raises NotFound, Busy."""
        owner = self._free(path)
        self._released.add(path)
        await self._stop(path)
        owner.status.show(RELEASED)

    async def own(self, path: str) -> None:
        """Take a port again, and one that was left alone once more. Raises NotFound, Busy."""
        owner = self._free(path)
        self._released.discard(path)
        await self._stop(path)
        self._start(owner)

    async def reset(self, path: str) -> str:
        """Pulse the board's reset line; says what was done. Raises NotFound, LinkError, Busy."""
        owner = self._free(path)
        if owner.port is not None:
            return PULSED if await owner.port.reset() else NO_LINE
        async with self._opened(owner) as port:
            return PULSED if await port.reset() else NO_LINE

    @contextlib.asynccontextmanager
    async def lent(self, path: str, to: str) -> AsyncIterator[PortSpec]:
        """Leave a port to another part of the hub, or to a program it runs, while the block lasts.

        `to` says for what, as in "setting up its WiFi". The port is closed when the block begins; who had it before
        has it again after it, whatever happened in between. Raises NotFound, Busy while it is lent already.
        """
        owner = self._free(path)
        self._lent[path] = to
        try:
            await self._stop(path)
            owner.status.show(lent_to(to))
            yield owner.spec
        finally:
            del self._lent[path]
            if path in self._released:
                owner.status.show(RELEASED)
            elif self._group is not None and self._owners.get(path) is owner:
                owner.status.show(Note(state=PortState.OPENING))
                self._start(owner)

    @contextlib.asynccontextmanager
    async def monitor(self, path: str) -> AsyncIterator[Monitor]:
        """Watch a port's bytes: `async with … as monitor`, then `async for direction, data in monitor`.

        A port the hub owns goes on working meanwhile; one that was released is opened for the watching. Raises
        NotFound, LinkError, Busy.
        """
        owner = self._owner(path)
        monitor = Monitor()
        owner.monitors.add(monitor)
        try:
            if path not in self._released:
                yield monitor
                return
            async with self._opened(owner) as port, asyncio.TaskGroup() as group:
                owner.status.show(WATCHED)
                reading = group.create_task(_read_away(port, monitor))
                yield monitor
                reading.cancel()
        finally:
            owner.monitors.discard(monitor)
            monitor.close()
            if path in self._released:
                owner.status.show(RELEASED)

    # -- what owners tell

    def up(self, owner: PortOwner, conversation: Conversation) -> None:
        """A device is there. Raises Conflict when another port has it."""
        other = self._live.get(conversation.identity)
        if other is not None:
            raise Conflict(
                f"the device {conversation.identity} is already there on {other.port_path}",
                hint="Unplug one of the two. Bridges without serial numbers are told apart by their USB socket.",
            )
        self._on_up(conversation)
        self._live[conversation.identity] = conversation

    def down(self, conversation: Conversation, reason: str) -> None:
        """It is gone."""
        del self._live[conversation.identity]
        self._on_down(conversation, reason)

    def changed(self, view: PortView) -> None:
        """A port's state is another."""
        self._on_port(view)

    # -- owners and their tasks

    async def _follow(self, seen: Mapping[str, Sighting | None]) -> None:
        """Let owners know what is at their paths; begin and end owners. What is configured is not scanned too."""
        for path, spec in self._specs.items():
            if path not in self._owners:
                self._begin(spec)
            self._owners[path].saw(seen.get(path))
        configured = {self._owners[path].real for path in self._specs}
        others = {path: sighting for path, sighting in seen.items() if path not in self._specs}
        scanned = {path for path, sighting in others.items() if sighting and sighting.real not in configured}
        for path in set(self._owners) - set(self._specs):
            self._owners[path].saw(seen.get(path))
            if path not in scanned and path not in self._lent:
                await self._forget(path)
        for path in sorted(scanned - set(self._owners)):
            self._begin(PortSpec(path))

    def _begin(self, spec: PortSpec) -> None:
        owner = self._owners[spec.path] = PortOwner(spec, self)
        self._start(owner)

    async def _forget(self, path: str) -> None:
        await self._stop(path)
        self._released.discard(path)
        owner = self._owners.pop(path)
        owner.status.show(ABSENT)

    def _start(self, owner: PortOwner) -> None:
        if self._group is None:
            raise LinkError("the serial ports are being closed")
        self._tasks[owner.spec.path] = self._group.create_task(owner.run(), name=f"port {owner.spec.path}")

    async def _stop(self, path: str) -> None:
        task = self._tasks.pop(path, None)
        if task is not None:
            task.cancel()
            await asyncio.wait({task})

    def _owner(self, path: str) -> PortOwner:
        owner = self._owners.get(path)
        if owner is None:
            raise NotFound(f"there is no serial port {path}", hint="GET /v1/ports lists them.")
        return owner

    def _free(self, path: str) -> PortOwner:
        """The owner of a port that is not lent. Raises NotFound, Busy."""
        owner = self._owner(path)
        if path in self._lent:
            hint = "Wait until that has ended, or cancel it; then try again."
            raise Busy(f"{path} is in use: {self._lent[path]}", hint=hint)
        return owner

    @contextlib.asynccontextmanager
    async def _opened(self, owner: PortOwner) -> AsyncIterator[SerialPort]:
        """Open a port nobody converses on, for a moment."""
        path = owner.spec.path
        port = await SerialPort.open(path, baud=first_baud(owner.spec), lines=self.lines, tap=owner.tap)
        try:
            yield port
        finally:
            await port.close()


async def _read_away(port: SerialPort, monitor: Monitor) -> None:
    """The tap shows what is read; nobody else wants it."""
    try:
        while True:
            await port.read()
    except LinkError:
        monitor.close()
