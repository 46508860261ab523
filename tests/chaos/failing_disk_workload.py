"""A hub's writing on a disk that fails now and then: `python -m tests.chaos.failing_disk_workload DIR ROUNDS`.

Says each promise kept (`KIND SUBJECT`), each refusal (`refused`), and in the end whether what the hub holds in
memory is what the file holds (`memory agrees`, or what differs).
"""

from __future__ import annotations

import asyncio
import random
import sys
from pathlib import Path

from edge.devices.model import Device
from edge.errors import StorageError
from tests.chaos.power_workload import Site, attempt, say


async def main(directory: Path, rounds: int) -> None:
    """The whole workload."""
    site = Site(directory)
    await site.open()
    try:
        devices = [await site.registry.take_in("test", f"device-{n}", "native", facts={}) for n in range(3)]
        async with asyncio.TaskGroup() as group:
            for device in devices:
                assert device is not None
                group.create_task(serve(site, device, rounds))
        say("memory", await difference(site) or "agrees")
    finally:
        await site.close()


async def serve(site: Site, device: Device, rounds: int) -> None:
    """One device's day, whatever the disk does."""
    chance = random.Random(device.name)
    for number in range(rounds):
        try:
            command = await site.commands.accept(device, "display_qr", {"payload": str(number)}, actor="test")
            say("command.queued", command.id)
            waiting = site.commands.next_for(device.id)
            if waiting is not None:
                await attempt(site, waiting, chance)
        except StorageError:
            say("refused", str(number))


async def difference(site: Site) -> str:
    """How memory and file differ, "" when they don't."""
    rows = await site.store.hub.read("SELECT id, state FROM commands WHERE ended_us IS NULL")
    file = {id_: state for id_, state in rows}
    memory = {command.id: command.state.value for command in site.commands.open()}
    return "" if file == memory else f"file {file} memory {memory}"


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1]), int(sys.argv[2])))
