"""Availability of a large site: 200 machines, a year of them, over five million changes, asked through the hub's
API; and what following machines costs those who bring readings.

The year is written as bands (bands_fill.py). What is measured is the whole request, as the caller sees it.
"""

from __future__ import annotations

import asyncio
import contextlib
import statistics
import time
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from edge.assets.deriving import Asset
from edge.assets.model import SECOND_US
from edge.clock import SystemClock
from edge.wire.field import RECORDS_MAX, Readings
from tests.bench.bands_fill import asset, fill
from tests.bench.report import Report
from tests.hub_process import HubProcess
from tests.unit.assets.watched_site import KEEP, WatchedSite

pytestmark = [pytest.mark.bench, pytest.mark.timeout(1800)]

LOGGERS, INPUTS, LINES = 25, 8, 10
CHANGES_MIN = 5_000_000
DAY_S = 86_400
TRIES = 20
MB = 1024 * 1024
PATIENCE = aiohttp.ClientTimeout(total=120)

BATCHES, TURNS = 40, 5


async def test_a_year_of_two_hundred_machines(tmp_path: Path, report: Report) -> None:
    data = tmp_path / "data"
    now_us = time.time_ns() // 1000 // SECOND_US * SECOND_US
    year = now_us - 365 * DAY_S * SECOND_US, now_us
    hub = HubProcess(data, more={"OUTPOST_SITE__TIMEZONE": "UTC"})
    await hub.start()
    assets = await defined(hub, year[0])
    await hub.stop()
    began = time.perf_counter()
    changes = await asyncio.to_thread(fill, data, assets, year)
    filled_s = time.perf_counter() - began
    assert changes > CHANGES_MIN
    await hub.start()
    try:
        async with hub.session() as session:
            rows = [await asked(session, path, count, what) for path, count, what in asks(assets[0].id)]
            held_mb = (data / "readings.db").stat().st_size / MB
    finally:
        await hub.stop()
    report(
        f"{len(assets)} machines, a year, {changes:,} changes",
        [
            *rows,
            ("readings.db", f"{held_mb:.0f} MB, {held_mb * MB / changes:.0f} bytes a change"),
            ("start to ready", f"{hub.start_s:.2f} s"),
            ("bands laid and written", f"{changes / filled_s:,.0f}/s"),
        ],
    )


async def defined(hub: HubProcess, from_us: int) -> list[Asset]:
    """Loggers, and an asset for each input, on lines of 20."""
    made = []
    at = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(from_us // SECOND_US))
    async with hub.session() as session:
        for number in range(LOGGERS):
            device = (await post(session, "/v1/devices", name=f"Logger {number}", kind="logger", profile="native"))[
                "id"
            ]
            for input in range(1, INPUTS + 1):
                index = number * INPUTS + input - 1
                body = {"name": f"Machine {index}", "line": f"Line {index % LINES}", "device": device, "at": at}
                created = await post(session, "/v1/assets", input=f"in{input}", **body)
                made.append(asset(created["id"], device, f"in{input}", from_us))
    return made


async def post(session: aiohttp.ClientSession, path: str, **body: Any) -> dict[str, Any]:
    """What a POST answers."""
    async with session.post(path, json=body) as response:
        assert response.status == 201, await response.text()
        return dict(await response.json())


def asks(one: str) -> list[tuple[str, int, str]]:
    """Paths, how many items they shall answer (0: any number), and what that is."""
    line, last = "line=Line%203", "limit=500"
    return [
        (f"/v1/availability?{line}&from=-30d", 20, "a line of 20, a month"),
        ("/v1/availability?by=line&from=-30d", LINES, "all lines, a month"),
        (f"/v1/availability?from=-365d&{last}", LOGGERS * INPUTS, "each of all machines, a year"),
        ("/v1/availability?by=all&from=-365d", 1, "all machines together, a year"),
        (f"/v1/availability?{line}&by=day&from=-30d&{last}", 0, "a line by the day, a month"),
        (f"/v1/availability?{line}&by=day&from=-365d&{last}", 0, "a line by the day, a year"),
        (f"/v1/availability?by=day&from=-365d&{last}", 0, "all machines by the day, a year"),
        (f"/v1/pareto?{line}&from=-30d", 1, "reasons of a line, a month"),
        ("/v1/pareto?from=-365d", 1, "reasons of all machines, a year"),
        ("/v1/stops?from=-365d", 100, "the newest hundred stops of all"),
        (f"/v1/assets/{one}/timeline?from=-24h&{last}", 0, "a machine's day"),
    ]


async def asked(session: aiohttp.ClientSession, path: str, count: int, what: str) -> tuple[str, str]:
    """How long the answer takes, all of it read."""
    took = []
    for _ in range(TRIES):
        began = time.perf_counter()
        async with session.get(path, timeout=PATIENCE) as response:
            assert response.status == 200, await response.text()
            items = (await response.json())["items"]
        took.append(time.perf_counter() - began)
        assert not count or len(items) == count, (path, len(items))
    took.sort()
    p95 = took[int(0.95 * TRIES) - 1]
    return what, f"p50 {1000 * statistics.median(took):.1f} ms, p95 {1000 * p95:.1f} ms"


async def test_what_following_machines_costs_ingest(tmp_path: Path, report: Report) -> None:
    """Batches out of the buffers of 25 loggers, each record a change of one of 8 inputs; and without a watch."""
    async with (
        running(tmp_path / "plain", watch=False) as plain,
        running(tmp_path / "watched", watch=True) as watched,
    ):
        rates: dict[str, list[float]] = {"plain": [], "watched": []}
        behind = []
        for turn in range(TURNS):
            for kind, site in (("plain", plain), ("watched", watched)):
                rates[kind].append(await delivered(site, turn))
                if kind == "watched":
                    began = time.perf_counter()
                    await until(site)
                    behind.append(time.perf_counter() - began)
    ratios = [one / other for one, other in zip(rates["watched"], rates["plain"], strict=True)]
    report(
        f"Batches of {RECORDS_MAX} records from {LOGGERS} loggers of {LOGGERS * INPUTS} machines",
        [
            ("plain telemetry", f"{statistics.median(rates['plain']):,.0f} records/s"),
            ("with machines followed", f"{statistics.median(rates['watched']):,.0f} records/s"),
            ("of plain", f"{statistics.median(ratios):.2f} ({min(ratios):.2f} to {max(ratios):.2f})"),
            (f"behind after {BATCHES} batches of each", f"{statistics.median(behind):.2f} s"),
        ],
    )


async def until(site: WatchedSite) -> None:
    """Wait until bands lack nothing."""
    while site.watch.lag_s():  # noqa: ASYNC110 - it is looked at as a person would
        await asyncio.sleep(0.01)


@contextlib.asynccontextmanager
async def running(folder: Path, *, watch: bool):  # type: ignore[no-untyped-def]
    """A site with loggers and machines, and who follows them."""
    site = WatchedSite(folder, SystemClock(), KEEP)  # type: ignore[arg-type]  # a clock that is right
    await site.store.open()
    if not watch:
        site.telemetry.follow_with(lambda device_id, at_us, values, last: None)
    try:
        await site.start()
        for number in range(LOGGERS):
            device = await site.logger(f"Logger {number}")
            for input in range(1, INPUTS + 1):
                await site.machine(device, f"Machine {number} {input}", input=f"in{input}")
        tasks = [asyncio.create_task(site.watch.run())] if watch else []
        tasks.append(asyncio.create_task(site.folding.run()))
        yield site
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
    finally:
        await site.store.close()


async def delivered(site: WatchedSite, turn: int) -> float:
    """Records a second of a turn: every logger brings its batches, one after the other, all loggers at once."""
    now = site.clock.now()

    async def bring(device_id: str) -> None:
        device = site.registry.known(device_id)
        for number in range(BATCHES):
            await site.telemetry.ingest_batch(device, batch(turn * BATCHES + number, now.at_us), received=now)

    began = time.perf_counter()
    await asyncio.gather(*(bring(device.id) for device in site.registry.all()))
    return LOGGERS * BATCHES * RECORDS_MAX / (time.perf_counter() - began)


def batch(number: int, now_us: int) -> Readings:
    """The next records of a buffer: a change every 30 s, and a sign of life every 60 s."""
    first = number * RECORDS_MAX
    begin_us = now_us - BATCHES * TURNS * RECORDS_MAX * 30 * SECOND_US
    records = [
        (
            1,
            index * 30_000,
            begin_us + index * 30 * SECOND_US,
            {f"in{1 + index % INPUTS}": index // INPUTS % 2 == 0, **({} if index % 2 else {"alive": 30 * index})},
        )
        for index in range(first, first + RECORDS_MAX)
    ]
    uptime_ms = BATCHES * TURNS * RECORDS_MAX * 30_000
    return Readings(epoch="e1", first=first, boot=1, uptime_ms=uptime_ms, records=records)
