"""A hub's queue with real parts and a clock moved by hand, and a conversation that says what a test tells it to."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from edge.bus import Bus
from edge.clock import ManualClock
from edge.commands.commands import Commands
from edge.commands.dispatch import Dispatcher
from edge.commands.events import CommandChanged
from edge.commands.model import Command
from edge.devices.model import Device
from edge.devices.registry import Registry
from edge.errors import BadPicture
from edge.store.database import Store
from edge.wire.commands import State
from edge.wire.orders import Order, Outcome, Verdict

DONE = Outcome(verdict=Verdict.DONE)
NOT_SENT = Outcome(verdict=Verdict.NOT_SENT)
UNKNOWN = Outcome(verdict=Verdict.UNKNOWN, reason="No word came back.")
DEADLINE_S = 60.0


class QueueSite:
    """One running hub's devices and commands; opened again on the same files it is a restart of the hub."""

    def __init__(self, directory: Path, clock: ManualClock, *, queue_per_device: int = 100) -> None:
        self.clock, self.bus = clock, Bus()
        self.store = Store(directory, self.bus, clock, free_floor_mb=1, ballast_mb=0)
        self.registry = Registry(self.store.hub, self.bus, clock, auto_approve=False, reports_kept=10)
        self.commands = Commands(
            self.store, self.bus, clock, self.registry, queue_per_device=queue_per_device, history_days=1
        )
        for kind in ("display_qr", "store_picture", "erase_picture"):
            self.commands.prepare_with(kind, as_given)

    async def start(self) -> None:
        """Open the store and load everything."""
        await self.store.open()
        await self.registry.start()
        await self.commands.start()

    async def stop(self) -> None:
        """Close it, as a restart of the hub does."""
        await self.store.close()

    async def display(self, name: str = "Desk", profile: str = "native") -> Device:
        """An approved display."""
        device, _ = await self.registry.add(name, "display", profile, actor="tess")
        return device

    async def qr(self, device: Device, payload: str = "pay:1") -> Command:
        """A code for a display."""
        return await self.commands.accept(device, "display_qr", {"payload": payload}, actor="ann")

    async def state(self, command: Command) -> State:
        """A command's state as the file has it."""
        rows = await self.store.hub.read("SELECT state FROM commands WHERE id = ?", (command.id,))
        return State(rows[0][0])

    async def ends_as(self, command: Command, state: State) -> Command:
        """Wait until a command has this state."""
        return await self.until(lambda now: now.id == command.id and now.state is state)

    async def until(self, wanted: Callable[[Command], bool]) -> Command:
        """Wait for a change that is `wanted`, or a command that is so already."""
        subscription = self.bus.subscribe()
        try:
            async with asyncio.timeout(DEADLINE_S):
                rows = await self.store.hub.read("SELECT id FROM commands")
                for row in rows:
                    known = await self.commands.get(row[0])
                    if wanted(known):
                        return known
                async for event in subscription:
                    if isinstance(event, CommandChanged) and wanted(event.command):
                        return event.command
        finally:
            subscription.close()
        raise AssertionError("the bus ended")


@asynccontextmanager
async def queue_site(directory: Path, clock: ManualClock | None = None, **limits: int) -> AsyncIterator[QueueSite]:
    """A site that is open for a while."""
    site = QueueSite(directory, clock or ManualClock(), **limits)
    await site.start()
    try:
        yield site
    finally:
        await site.stop()


@asynccontextmanager
async def dispatching(site: QueueSite, renderer: Plain | None = None) -> AsyncIterator[Dispatcher]:
    """A dispatcher over the site's queue, running."""
    dispatcher = Dispatcher(site.commands, site.registry, renderer or Plain(), site.bus, site.clock)
    running = asyncio.create_task(dispatcher.run())
    await asyncio.sleep(0)  # it listens from here on
    try:
        yield dispatcher
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)


class Plain:
    """Renders nothing: the arguments as they are. A payload of "unreadable" cannot be shown."""

    async def render(self, command: Command, device: Device) -> tuple[dict[str, Any], bytes]:
        """The order's arguments and an empty blob."""
        if (command.args or {}).get("payload") == "unreadable":
            raise BadPicture("the code is unreadable.")
        return dict(command.args or {}), b""


class Scripted:
    """A conversation whose device answers as the script says, then DONE. `hold` keeps an answer back."""

    def __init__(self, *outcomes: Outcome, hold: bool = False) -> None:
        self.orders: list[Order] = []
        self.under_way = self.most_under_way = 0
        self._outcomes = list(outcomes)
        self._asked = asyncio.Semaphore(0)
        self._may_answer = asyncio.Event()
        if not hold:
            self._may_answer.set()

    async def deliver(self, order: Order) -> Outcome:
        """Note the order, wait if held, answer by the script."""
        self.orders.append(order)
        self.under_way += 1
        self.most_under_way = max(self.most_under_way, self.under_way)
        self._asked.release()
        await self._may_answer.wait()
        self.under_way -= 1
        return self._outcomes.pop(0) if self._outcomes else DONE

    async def asked(self) -> Order:
        """Wait until one more order has come; returns the newest."""
        async with asyncio.timeout(DEADLINE_S):
            await self._asked.acquire()
        return self.orders[-1]

    def answer(self) -> None:
        """Let held answers go."""
        self._may_answer.set()


async def as_given(args: Mapping[str, Any], device: Device) -> dict[str, Any]:
    """A preparer that takes everything."""
    return dict(args)
