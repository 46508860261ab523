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

from tests.bench.readings_fill import Plan, filled
from tests.bench.report import Report
from tests.hub_process import HubProcess

pytestmark = [pytest.mark.bench, pytest.mark.timeout(900)]

EVERY_S = 10
PLAN = Plan(devices=5, keys=4, each=50_000, every_s=EVERY_S)
TRIES = 40
DAY_S = 86_400
MB = 1024 * 1024


async def test_a_million_readings(tmp_path: Path, report: Report) -> None:
    data = tmp_path / "data"
    began = time.perf_counter()
    device = (await filled(data, PLAN))[0].id
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
    count = PLAN.count
    report(
        f"{count:,} readings of {PLAN.devices * PLAN.keys} keys stored",
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
        ("latest", PLAN.keys, "the newest value of each key"),
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
