"""A hub with a fleet, in a process of its own that may be killed at any time: JSON lines in, JSON lines out."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec

from edge.clock import ManualClock
from edge.wire.native import Running
from edge.wire.updates import Heard, Offer, Plan, Step
from tests.unit.updates.rollouts.fleet import Said
from tests.unit.updates.rollouts.update_site import Shelf, UpdateSite, firmware

BROKEN = firmware("for the fleet")


class Near:
    """The hub in this process."""

    def __init__(self, site: UpdateSite) -> None:
        self.site = site

    async def offers(self, devices: Sequence[str]) -> dict[str, Offer]:
        """What stands for each."""
        found = {device: self.site.offers.for_device(device) for device in devices}
        return {device: offer for device, offer in found.items() if offer is not None}

    async def tell(self, said: Sequence[Said]) -> list[Heard]:
        """All at once."""
        return list(await asyncio.gather(*map(self._tell, said)))

    async def _tell(self, one: Said) -> Heard:
        offers = self.site.offers
        if one.told.step in (Step.TESTING, Step.CONFIRMED):
            trial = one.told.step is Step.TESTING
            await offers.runs(one.device, Running(app=one.told.artifact, version="new", trial=trial))
            self.site.presences.seen(one.device, "hello")
            offers.reported(one.device)
        return await offers.tell(one.device, one.told)


async def serve(folder: Path, at_us: int, mono_s: float) -> None:
    """Answer requests until the input ends. `at_us`, `mono_s`: the clock, which goes on over kills."""
    clock, shelf = ManualClock(at_us), Shelf()
    clock.advance(mono_s - clock.mono_s())
    clock.at_us = at_us
    shelf.put(BROKEN)
    site = UpdateSite(folder, clock, shelf)
    await site.start()
    near = Near(site)
    loop = asyncio.get_running_loop()
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    while line := await loop.run_in_executor(None, sys.stdin.readline):
        asked = msgspec.json.decode(line)
        sys.stdout.write(msgspec.json.encode(await _answer(site, near, asked)).decode() + "\n")
        sys.stdout.flush()
    await site.store.close()


async def _answer(site: UpdateSite, near: Near, asked: dict[str, Any]) -> Any:
    do = asked["do"]
    if do == "offers":
        return await near.offers(asked["devices"])
    if do == "tell":
        return await near.tell(msgspec.convert(asked["said"], list[Said]))
    if do == "after":
        await site.after(asked["seconds"])
        return None
    if do == "begin":
        devices = await site.fleet(asked["count"])
        rollout = await site.begin(BROKEN, plan=msgspec.convert(asked["plan"], Plan))
        return [rollout.id, [device.id for device in devices]]
    rollout = await site.rollouts.get(asked["rollout"])
    return [rollout.state, {one.device: [one.step, one.wave] for one in await site.targets(rollout)}]


if __name__ == "__main__":
    asyncio.run(serve(Path(sys.argv[1]), int(sys.argv[2]), float(sys.argv[3])))
