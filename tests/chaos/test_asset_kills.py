"""kill -9 while machines are followed: in the end the bands are those that all readings lead to, whatever had been
worked out by then, and none that were made aside are left behind."""

from __future__ import annotations

import asyncio
import random
from pathlib import Path

import aiohttp
import pytest

from edge.clock import ManualClock, SystemClock, iso
from tests.hub_process import HubProcess
from tests.tools import share
from tests.unit.assets.watched_site import watched

pytestmark = [pytest.mark.chaos, pytest.mark.timeout(1800)]

SECOND_US = 1_000_000
HOURS = 48
AT_ONCE = 200


async def test_bands_are_whole_whenever_the_hub_dies(tmp_path: Path) -> None:
    chance, hub = random.Random(7), HubProcess(tmp_path)
    await hub.start()
    async with hub.session() as session:
        device = await made(session, "/v1/devices", name="Hall", kind="logger", profile="native")
        assets = [
            await made(session, "/v1/assets", name=f"Press {n}", device=device, input=f"in{n}", at="-90d")
            for n in range(1, 4)
        ]
    for _ in range(share(2, 60)):
        saying = asyncio.create_task(said(hub, device, chance))
        await asyncio.sleep(chance.uniform(0.2, 1.5))  # the moment of the kill is what is random
        await hub.kill()
        await asyncio.gather(saying, return_exceptions=True)
        await hub.start()
    await hub.stop()
    clock = ManualClock(SystemClock().now().at_us)
    async with watched(tmp_path, clock) as site:
        await site.watch.catch_up()
        for asset in assets:
            kept = await site.kept(asset)
            assert kept == await site.from_scratch(asset)
            assert len(kept) > 10
        ((left,),) = await site.store.readings.read("SELECT COUNT(DISTINCT track) FROM asset_bands")
        assert left == len(assets)


async def made(session: aiohttp.ClientSession, path: str, **body: object) -> str:
    """The id of what is created."""
    async with session.post(path, json=body) as response:
        assert response.status == 201, await response.text()
        return str((await response.json())["id"])


async def said(hub: HubProcess, device: str, chance: random.Random) -> None:
    """Changes of the last two days in any order, many at once, until nobody answers."""
    now_us = SystemClock().now().at_us

    async def say(session: aiohttp.ClientSession) -> None:
        at = iso(now_us - chance.randrange(HOURS * 3600) * SECOND_US)
        values = {f"in{chance.randint(1, 3)}": chance.random() < 0.5, "alive": chance.randrange(1_000_000)}
        async with session.post(f"/v1/devices/{device}/readings", json={"values": values, "at": at}) as response:
            await response.read()

    async with hub.session() as session:
        while True:
            await asyncio.gather(*(say(session) for _ in range(AT_ONCE)))
