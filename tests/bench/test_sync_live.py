"""How soon head office sees what a site does, and the site what head office asks, while a million rows catch up.

A device posts one reading after another at the hub; the clock runs from before the post to the central API's answer
that holds it, the hub's own FULL commit, its coalescing of states and the asking included. The other way a command
is given at the centre until the hub has it on disk. Both again with nothing to catch up.
"""

from __future__ import annotations

import asyncio
import itertools
import os
import statistics
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import aiohttp
import pytest

from tests.bench.readings_fill import Plan, filled
from tests.bench.report import Report
from tests.bench.test_sync_catch_up import a_database, is_behind
from tests.centre_process import CentreProcess
from tests.hub_process import HubProcess

pytestmark = [pytest.mark.bench, pytest.mark.timeout(1800)]

PLAN = Plan(devices=5, keys=4, each=int(os.environ.get("SYNC_BENCH_EACH", "50000")))
LOOK_S = 0.005
BETWEEN_S = 0.02
QUIET = 100  # tries with nothing to catch up
SEEN_S = 30.0

Probe = Callable[[], Awaitable[None]]


@pytest.mark.parametrize("engine", ["sqlite", "postgresql"])
async def test_the_present_goes_first(engine: str, tmp_path: Path, report: Report) -> None:
    data = tmp_path / "hub"
    device = (await filled(data, PLAN))[0].id
    async with a_database(engine) as url:
        centre, hub = CentreProcess(tmp_path / "centre", database=url), HubProcess(data)
        await centre.start()
        await hub.start()
        try:
            async with centre.session() as office, hub.session() as desk:
                site = await enrolled(office, desk, centre.url)
                await until_seen(office, f"/v1/devices/{device}?site={site}")
                seen, asked = probes(office, desk, device, site)
                while_behind = await asyncio.gather(*(tried(probe, rounds(desk)) for probe in (seen, asked)))
                quiet = await asyncio.gather(*(tried(probe, times(QUIET)) for probe in (seen, asked)))
        finally:
            await hub.stop()
            await centre.stop()
    rows = []
    for when, took in (("while a million rows catch up", while_behind), ("nothing to catch up", quiet)):
        for column, what in enumerate(("post to seen at the centre", "given at the centre to the hub's disk")):
            rows.append((f"{what}, {when}", shown(took[column])))
    report(f"Live, {engine}", rows)


def shown(took: list[float]) -> str:
    """p50, p99 and how many."""
    took = sorted(took)
    p99 = took[min(len(took) - 1, int(len(took) * 0.99))]
    return f"p50 {1000 * statistics.median(took):.0f} ms  p99 {1000 * p99:.0f} ms  ({len(took)} times)"


async def rounds(desk: aiohttp.ClientSession) -> AsyncIterator[None]:
    """One after the other until the hub has caught up."""
    while True:
        async with desk.get("/v1/sync") as response:
            if not is_behind(await response.json(), PLAN.count):
                return
        yield


async def times(count: int) -> AsyncIterator[None]:
    """So often."""
    for _ in range(count):
        yield


async def tried(probe: Probe, often: AsyncIterator[None]) -> list[float]:
    """The seconds that each try took."""
    took = []
    async for _ in often:
        began = time.perf_counter()
        await probe()
        took.append(time.perf_counter() - began)
        await asyncio.sleep(BETWEEN_S)
    return took


async def enrolled(office: aiohttp.ClientSession, desk: aiohttp.ClientSession, url: str) -> str:
    """The site's id."""
    async with office.post("/v1/sites", json={"name": "Live"}) as response:
        made = await response.json()
    async with desk.post("/v1/sync/enrol", json={"code": made["code"], "url": url}) as response:
        assert response.status in (200, 201), await response.text()
    return str(made["site"])


async def until_seen(session: aiohttp.ClientSession, path: str) -> None:
    """Ask until it is there."""
    async with asyncio.timeout(SEEN_S):
        while True:
            async with session.get(path) as response:
                if response.status == 200:
                    return
            await asyncio.sleep(LOOK_S)


def probes(
    office: aiohttp.ClientSession, desk: aiohttp.ClientSession, device: str, site: str
) -> tuple[Probe, Probe]:
    """One reading's way to the centre, one command's way to the hub."""
    numbers = itertools.count(1)

    async def seen() -> None:
        number = next(numbers)
        async with desk.post(f"/v1/devices/{device}/readings", json={"values": {"live": number}}) as response:
            assert response.status == 200, await response.text()
        async with asyncio.timeout(SEEN_S):
            while True:
                async with office.get(f"/v1/devices/{device}/latest?site={site}") as response:
                    items = (await response.json()).get("items", [])
                if any(item["key"] == "live" and item["value"] >= number for item in items):
                    return
                await asyncio.sleep(LOOK_S)

    async def asked() -> None:
        body = {"kind": "stop_rotation", "args": {}}
        async with office.post(f"/v1/devices/{device}/commands?site={site}", json=body) as response:
            assert response.status == 201, await response.text()
            given = (await response.json())["id"]
        await until_seen(desk, f"/v1/commands/{given}")
        async with desk.post(f"/v1/commands/{given}/cancel") as response:
            await response.read()

    return seen, asked
