"""A hub's writing, watched: `python -m tests.chaos.power_workload DIR ROUNDS [SYNCHRONOUS]`.

Real store, keys, registry and commands. Each fact is said on standard output, one system call a line, only after
the await that promised it has returned; so a trace of system calls tells what was promised when.
"""

from __future__ import annotations

import asyncio
import functools
import os
import random
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from edge.access.keys import Keys
from edge.bus import Bus
from edge.clock import SystemClock
from edge.commands.commands import Commands
from edge.commands.model import Command
from edge.devices.model import Device
from edge.devices.registry import Registry
from edge.store import database
from edge.store.backup import back_up
from edge.store.connection import SYNCHRONOUS
from edge.store.database import Store
from edge.wire.commands import State
from edge.wire.orders import Outcome, Verdict

DEVICES = 6
OUTCOMES = (Verdict.DONE, Verdict.DONE, Verdict.FAILED, Verdict.UNKNOWN, Verdict.NOT_SENT)
BACKUP = "backup.db"


def say(kind: str, subject: str) -> None:
    """Tell a promise, in one system call."""
    os.write(1, f"{kind} {subject}\n".encode())


async def as_given(args: Mapping[str, Any], device: Device) -> dict[str, Any]:
    """Arguments of any form: this is about the disk."""
    return dict(args)


class Site:
    """The parts a power cut could hurt."""

    def __init__(self, directory: Path) -> None:
        bus, clock = Bus(), SystemClock()
        self.store = Store(directory, bus, clock, free_floor_mb=0, ballast_mb=1)
        self.keys = Keys(self.store.hub, clock)
        self.registry = Registry(self.store.hub, bus, clock, auto_approve=True, reports_kept=10)
        self.commands = Commands(self.store, bus, clock, self.registry, queue_per_device=100, history_days=1)
        self.commands.prepare_with("display_qr", as_given)

    async def open(self) -> None:
        """As a hub starts."""
        await self.store.open()
        await self.keys.start(self.store.directory)
        await self.registry.start()
        await self.commands.start()

    async def close(self) -> None:
        """As a hub stops."""
        await self.store.close()


async def serve(site: Site, name: str, rounds: int, chance: random.Random) -> None:
    """One device's day: commands accepted, some replaced, begun, and settled in every way."""
    device = await site.registry.take_in("test", name, "native", facts={})
    assert device is not None
    say("device.registered", device.id)
    for number in range(rounds):
        said = {"payload": f"{name} {number} " + "x" * chance.randrange(300)}
        kind, args = chance.choice([("display_qr", said), ("stop_rotation", {})])
        command = await site.commands.accept(device, kind, args, actor="test", idempotency_key=f"{name}-{number}")
        say("command.queued", command.id)
        waiting = site.commands.next_for(device.id)
        if waiting is not None and chance.random() < 0.7:
            await attempt(site, waiting, chance)


async def attempt(site: Site, command: Command, chance: random.Random) -> None:
    """One try."""
    begun = await site.commands.begin(command, "test line")
    if begun is None:
        return
    say("command.sent", begun.id)
    settled = await site.commands.settle(begun, Outcome(verdict=chance.choice(OUTCOMES)))
    if settled.state is not State.QUEUED:  # back in the queue is no fact of its own
        say(f"command.{settled.state.value}", settled.id)
    if settled.state is State.IN_DOUBT:
        resolved = await site.commands.resolve(settled, chance.random() < 0.5, "looked", actor="test")
        say(f"command.{resolved.state.value}", resolved.id)


async def main(directory: Path, rounds: int) -> None:
    """The whole workload."""
    site = Site(directory)
    await site.open()
    try:
        await _work(site, rounds)
    finally:
        await site.close()


async def _work(site: Site, rounds: int) -> None:
    chance, directory = random.Random(rounds), site.store.directory
    say("key.created", next(key.id for key, _ in site.keys.listed()))
    async with asyncio.TaskGroup() as group:
        for number in range(DEVICES):
            group.create_task(serve(site, f"device-{number}", rounds, random.Random(chance.random())))
        await asyncio.to_thread(back_up, directory / "hub.db", directory / BACKUP)
        say("backup", BACKUP)


if __name__ == "__main__":
    synchronous = sys.argv[3] if len(sys.argv) > 3 else SYNCHRONOUS
    database.open_writer = functools.partial(database.open_writer, synchronous=synchronous)
    asyncio.run(main(Path(sys.argv[1]), int(sys.argv[2])))
