"""Asking a hub that holds a million readings: the newest values, and a day of one key, through its API.

Five devices with four keys each, a reading of every key in ten seconds: nearly six days of them. A day of one key
is 8,640 readings, here answered in one page.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

import aiohttp
import pytest

from edge.bus import Bus
from edge.clock import SystemClock, site_zone
from edge.devices.registry import Registry
from edge.store.database import Store
from edge.telemetry.folding import Folding, Keep
from edge.telemetry.telemetry import Telemetry
from edge.wire.field import RECORDS_MAX, Readings
from tests.bench.report import Report
from tests.hub_process import HubProcess

pytestmark = [pytest.mark.bench, pytest.mark.timeout(900)]

DEVICES, KEYS, EACH, EVERY_S = 5, 4, 50_000, 10
TRIES = 40
DAY_S = 86_400
MB = 1024 * 1024


async def test_a_million_readings(tmp_path: Path, report: Report) -> None:
    data = tmp_path / "data"
    began = time.perf_counter()
    device = await filled(data)
    filled_s = time.perf_counter() - began
    size = (data / "readings.db").stat().st_size
    hub = HubProcess(data)
    await hub.start()
    start_s = hub.start_s
    try:
        async with hub.session() as session:
            rows = [
                await asked(session, f"/v1/devices/{device}/{path}", count, what) for path, count, what in asks()
            ]
    finally:
        await hub.stop()
    count = DEVICES * KEYS * EACH
    report(
        f"{count:,} readings of {DEVICES * KEYS} keys stored",
        [
            *rows,
            ("readings.db", f"{size / MB:.0f} MB, {size / count:.0f} bytes a reading"),
            ("start to ready", f"{start_s:.2f} s"),
            ("filled in batches, history and rollups too", f"{count / filled_s:,.0f} readings/s"),
        ],
    )


def asks() -> list[tuple[str, int, str]]:
    """Paths, how many items they shall answer, and what that is."""
    begin = int(time.time()) // DAY_S * DAY_S - 3 * DAY_S
    day = f"key=key_0&from={stamp(begin)}&to={stamp(begin + DAY_S)}"
    return [
        ("latest", KEYS, "the newest value of each key"),
        (f"readings?{day}&limit=10000", DAY_S // EVERY_S, "a day of one key, all 8,640 readings"),
        (f"readings?{day}&bucket=1m&limit=10000", 1440, "the same by the minute, from the readings"),
        (f"readings?{day}&bucket=1h", 24, "the same by the hour, from the rollups"),
        (
            f"readings?key=key_0&from={stamp(begin - 30 * DAY_S)}&to={stamp(begin)}&bucket=1d",
            0,
            "a month by the day",
        ),
    ]


def stamp(second: int) -> str:
    """A time as the API takes it."""
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(second))


async def asked(session: aiohttp.ClientSession, path: str, count: int, what: str) -> tuple[str, str]:
    """How long the answer takes, as the caller sees it, all of it read."""
    took = [await seconds(lambda: whole(session, path, count)) for _ in range(TRIES)]
    took.sort()
    return what, f"{1000 * statistics.median(took):.1f} ms (worst of {TRIES}: {1000 * took[-1]:.1f})"


async def seconds(work: Callable[[], Awaitable[None]]) -> float:
    """How long it takes."""
    began = time.perf_counter()
    await work()
    return time.perf_counter() - began


async def whole(session: aiohttp.ClientSession, path: str, count: int) -> None:
    """The whole answer, which has so many items (0: any number)."""
    async with session.get(path) as response:
        assert response.status == 200, await response.text()
        raw = await response.read()
    assert not count or raw.count(b'"key":') == count, raw[:200]


async def filled(data: Path) -> str:
    """Store them as devices deliver their buffers, oldest first; the id of one of them."""
    bus, clock = Bus(), SystemClock()
    store = Store(data, bus, clock, free_floor_mb=64, ballast_mb=8)
    await store.open()
    try:
        registry = Registry(store.hub, bus, clock, auto_approve=False, reports_kept=100)
        telemetry = Telemetry(store, bus, clock, site_zone("UTC"))
        await telemetry.start()
        keep = Keep(readings_days=31, rollups_days=365, readings_mb=2048)
        folding = Folding(telemetry, store, clock, site_zone("UTC"), keep)
        devices = [
            (await registry.add(f"sensor {n}", "display", "native", actor="bench"))[0] for n in range(DEVICES)
        ]
        last_us = clock.now().at_us
        for first in range(0, EACH, RECORDS_MAX):
            for device in devices:
                await telemetry.ingest_batch(device, batch(first, last_us), received=clock.now())
            await folding.fold_due()
        while telemetry.unfolded:
            await folding.fold()
        return devices[0].id
    finally:
        await store.close()


def batch(first: int, last_us: int) -> Readings:
    """Records `first` and following, every ten seconds, the last of all at about `last_us`."""
    records = []
    for number in range(first, min(EACH, first + RECORDS_MAX)):
        at_us = (last_us // (EVERY_S * 1_000_000) - (EACH - number)) * EVERY_S * 1_000_000
        records.append((1, number, at_us, {f"key_{key}": 20 + (number % 977) / 37 for key in range(KEYS)}))
    return Readings(epoch="e1", first=first, boot=1, uptime_ms=EACH * EVERY_S * 1000, records=records)
