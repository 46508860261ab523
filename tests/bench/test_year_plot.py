"""A year of readings as a plot: the device page, and what it asks the API, with a reading in ten seconds stored.

3,153,600 readings of one key in the centre's database, rolled up by the centre itself. Times are those of a whole
request, as a browser waits for it: the page with its picture, read to the end.
"""

from __future__ import annotations

import asyncio
import gzip
import statistics
import time
from pathlib import Path

import msgspec
import pytest
from sqlalchemy import BigInteger, bindparam, func, insert, select, text

from cloud.db.reading_models import Reading, RollupDue
from edge.clock import iso
from tests.bench.report import Report
from tests.filled_centre import HOUR_US, Filled
from tests.running_centre import ENGINES, RunningCentre, database_of, started

pytestmark = [pytest.mark.bench, pytest.mark.timeout(1800)]

EVERY_US = 10_000_000
COUNT = 365 * 24 * 3600 // 10
TRIES = 20
ROLLED_S = 1200.0
SPANS = ("1h", "24h", "7d", "30d", "1y")
SQLITE_ROWS = "WITH RECURSIVE numbers(n) AS (SELECT 0 UNION ALL SELECT n + 1 FROM numbers WHERE n + 1 < :count)"
COLUMNS = "tenant_id, site_id, epoch_no, series, at_us, seq, num, text, kind, quality, late_us, boot, mono_ms"
VALUES = "1, 1, 1, 1, :from_us + n * :every_us, n, 20 + (n % 8640) / 1000.0 + n % 101 / 100.0, NULL, 0, 2"
BIG = [bindparam(name, type_=BigInteger) for name in ("from_us", "every_us")]


@pytest.mark.parametrize("engine", ENGINES)
async def test_a_year_plots(engine: str, tmp_path: Path, report: Report) -> None:
    async with database_of(engine) as url, started(tmp_path / "centre", database=url) as centre:
        began = time.perf_counter()
        await fill(centre, engine)
        filled_s = time.perf_counter() - began
        before_s, _ = await asked(centre, "/office/sites/pune/devices/s1?range=1y")
        began = time.perf_counter()
        await rolled(centre)
        rolled_s = time.perf_counter() - began
        rows = [
            await figure(centre, f"page, {span}", f"/office/sites/pune/devices/s1?range={span}") for span in SPANS
        ]
        year = f"/v1/devices/s1/readings?key=t&from={iso(now_us(centre) - COUNT * EVERY_US)}&bucket=1d"
        rows.append(await figure(centre, "the API alone, a year by the day", year))
        _, page = await asked(centre, "/office/sites/pune/devices/s1?range=1y")
    assert page.count(b'class="line"') == 1
    report(
        f"{COUNT:,} readings of one key, {engine}",
        [
            *rows,
            ("page, 1y, while nothing is rolled up", f"{before_s:.2f} s"),
            ("page, 1y", f"{len(page) / 1000:.1f} kB, {len(gzip.compress(page)) / 1000:.1f} kB compressed"),
            ("filled in", f"{filled_s:.0f} s, rolled up in {rolled_s:.0f} s"),
        ],
    )


async def fill(centre: RunningCentre, engine: str) -> None:
    """A device that measured `t` for a year, up to now."""
    filled, now = Filled(centre.centre.db), now_us(centre)
    first_us = now - COUNT * EVERY_US
    await centre.centre.months.ensure(first_us, now)
    await filled.site(1, "pune", seen_us=now, timezone="Europe/Paris")
    await filled.device(1, "s1", name="Cold room", kind="sensor", at_us=now)
    latest = [{"key": "t", "value": 21.5, "at": iso(now), "age_s": 1.0, "quality": "ntp"}]
    await filled.state(1, "latest", "s1", latest, at_us=now)
    await filled.series(1, 1, "s1", "t")
    made = (
        f"INSERT INTO readings ({COLUMNS}) {SQLITE_ROWS} SELECT {VALUES}, 0, -1, 0 FROM numbers"
        if engine == "sqlite"
        else f"INSERT INTO readings ({COLUMNS}) SELECT {VALUES}, 0, -1, 0 FROM generate_series(0, :count - 1) AS n"
    )
    async with centre.centre.db.write() as connection:
        numbers = {"count": COUNT, "from_us": first_us, "every_us": EVERY_US}
        await connection.execute(text(made).bindparams(*BIG), numbers)
        over_us = now // HOUR_US * HOUR_US - 1  # the running hour is not rolled up before it is over
        due = {"tenant_id": 1, "site_id": 1, "n": 1, "epoch_no": 1, "from_us": first_us, "to_us": over_us}
        await connection.execute(insert(RollupDue).values(**due))
        stored = (await connection.execute(select(func.count()).select_from(Reading))).scalar_one()
        assert stored == COUNT


async def rolled(centre: RunningCentre) -> None:
    """Wait until nothing is due any more."""
    async with asyncio.timeout(ROLLED_S):
        while True:
            async with centre.centre.db.read() as connection:
                waiting = (await connection.execute(select(func.count()).select_from(RollupDue))).scalar_one()
            if not waiting:
                return
            await asyncio.sleep(1)


async def figure(centre: RunningCentre, what: str, path: str) -> tuple[str, str]:
    """How long it takes: the middle of several, and the longest."""
    took = sorted([(await asked(centre, path))[0] for _ in range(TRIES)])
    return what, f"{1000 * statistics.median(took):.0f} ms (worst of {TRIES}: {1000 * took[-1]:.0f})"


async def asked(centre: RunningCentre, path: str) -> tuple[float, bytes]:
    """Seconds, and what came."""
    began = time.perf_counter()
    answer = await centre.get(path)
    took = time.perf_counter() - began
    assert answer.status == 200, answer.body
    return took, answer.body if isinstance(answer.body, bytes) else msgspec.json.encode(answer.body)


def now_us(centre: RunningCentre) -> int:
    """By the centre's clock."""
    return centre.centre.clock.now().at_us
