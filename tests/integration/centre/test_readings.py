"""History at head office: over epochs, with clocks put right, from readings and from rollups."""

from __future__ import annotations

import random
from typing import Any

import msgspec
import pytest
from sqlalchemy import func, select

from cloud.analytics import rollups
from cloud.analytics.retention import Retention
from cloud.analytics.rollup_store import queue_fixes
from cloud.analytics.rollups import Rollups
from cloud.db.reading_models import Reading, Rollup, RollupDue
from cloud.settings import Retention as Keep
from cloud.sync.traffic import Traffic
from edge.clock import ManualClock, iso
from tests.filled_centre import HOUR_US, NOW_US, Filled
from tests.running_centre import RunningCentre

MINUTE_US = 60_000_000
DAY_US = 24 * HOUR_US
START_US = (NOW_US - 40 * HOUR_US) // HOUR_US * HOUR_US
SPAN = f"from={iso(START_US - DAY_US)}&to={iso(NOW_US + HOUR_US)}"


@pytest.fixture(autouse=True)
def quiet(monkeypatch: pytest.MonkeyPatch) -> None:
    """The centre's own background leaves these tests alone."""
    monkeypatch.setattr(rollups, "LOOK_S", 3600.0)


@pytest.fixture
async def filled(centre: RunningCentre) -> Filled:
    """A site with a device that measures `t`."""
    filled = Filled(centre.centre.db)
    await filled.site(1, "pune")
    await filled.device(1, "d1")
    await filled.series(1, 1, "d1", "t")
    return filled


async def all_of(centre: RunningCentre, query: str) -> list[Any]:
    """Every page of the history of d1."""
    told: list[Any] = []
    cursor: str | None = ""
    while cursor is not None:
        answer = await centre.get(f"/v1/devices/d1/readings?{query}&cursor={cursor}")
        assert answer.status == 200, answer.body
        told += answer.body["items"]
        cursor = answer.body["next"]
    return told


async def make_rollups(filled: Filled, now_us: int = NOW_US) -> Rollups:
    """What the background does."""
    made = Rollups(filled.db, ManualClock(now_us), Traffic(lambda: 0.0), readings_days=400)
    await made.turn()
    return made


async def test_pages_of_readings_in_order_over_epochs(centre: RunningCentre, filled: Filled) -> None:
    await filled.series(1, 7, "d1", "t", epoch=2)
    await filled.series(1, 8, "d1", "word", epoch=2)
    await filled.readings(1, 1, [(seq, START_US + seq * MINUTE_US, seq) for seq in range(10)])
    await filled.readings(1, 7, [(seq, START_US + seq * MINUTE_US + 1, seq) for seq in range(5, 15)], epoch=2)
    await filled.readings(1, 8, [(30, START_US, "on")], epoch=2)
    for limit in (1, 3, 1000):
        told = await all_of(centre, f"{SPAN}&limit={limit}")
        assert [one["value"] for one in told] == [*sorted([*range(10), *range(5, 15)]), "on"]
        assert {one["quality"] for one in told} == {"ntp"}
    only = await all_of(centre, f"{SPAN}&key=word")
    assert [(one["key"], one["at"]) for one in only] == [("word", iso(START_US))]
    assert await all_of(
        centre, f"from={iso(START_US + 3 * MINUTE_US)}&to={iso(START_US + 5 * MINUTE_US)}&key=t"
    ) == [{"at": iso(START_US + n * MINUTE_US), "key": "t", "value": float(n), "quality": "ntp"} for n in (3, 4)]


async def test_readings_of_an_unset_clock_are_told_at_their_real_time(
    centre: RunningCentre, filled: Filled
) -> None:
    """Their own time says 2017; the boot really began two hours after START."""
    began_us, label_us = START_US + 2 * HOUR_US, 1_500_000_000_000_000
    rows = [(seq, label_us + seq * MINUTE_US, seq) for seq in range(100, 200)]
    mono = [seq * 60_000 for seq in range(100)]
    await filled.readings(1, 1, rows, quality=0, boot=-4, mono_ms=mono)
    await filled.readings(1, 1, [(seq, START_US + seq * 5 * MINUTE_US, seq) for seq in range(60)])
    assert len(await all_of(centre, SPAN)) == 60
    await make_rollups(filled)
    async with filled.db.write() as connection:
        await queue_fixes(connection, 1, 1, ["boot"])  # not known yet: nothing to do
    await filled.fixed(1, 4, "boot", began_us)
    async with filled.db.write() as connection:  # as if it had been known before and were told anew
        await queue_fixes(connection, 1, 1, ["boot"])
    for limit in (7, 1000):
        told = await all_of(centre, f"{SPAN}&limit={limit}")
        assert [one["at"] for one in told] == sorted(one["at"] for one in told)
        moved = [one for one in told if one["quality"] == "fixed"]
        assert [one["value"] for one in moved] == list(range(100, 200))
        assert moved[0]["at"] == iso(began_us)
        assert len(told) == 160
    assert await all_of(centre, f"from={iso(label_us)}&to={iso(label_us + DAY_US)}") == []
    assert len(await all_of(centre, f"from={iso(began_us)}&to={iso(began_us + 10 * MINUTE_US)}")) == 10 + 2
    before = await all_of(centre, f"{SPAN}&bucket=1h")
    await make_rollups(filled)
    assert await all_of(centre, f"{SPAN}&bucket=1h") == before
    assert sum(one["count"] for one in before) == 160
    async with filled.db.read() as connection:
        assert (await connection.execute(select(func.min(Rollup.hour_us)))).scalar_one() == START_US


def slow(rows: list[tuple[int, int, float]], width_us: int, offset_us: int) -> list[tuple[str, int, float]]:
    """Buckets made in the plainest way: begin, count and sum."""
    found: dict[int, list[float]] = {}
    for _, at_us, value in rows:
        found.setdefault((at_us + offset_us) // width_us * width_us - offset_us, []).append(value)
    return [(iso(begin), len(found[begin]), sum(found[begin])) for begin in sorted(found)]


@pytest.mark.parametrize("zone", ["UTC", "Asia/Kolkata"])
async def test_rollups_are_the_sums_however_late_and_often_readings_come(centre: RunningCentre, zone: str) -> None:
    filled, chance, offset_us = Filled(centre.centre.db), random.Random(4), 5 * HOUR_US + HOUR_US // 2
    await filled.site(1, "pune", timezone=zone)
    await filled.device(1, "d1")
    await filled.series(1, 1, "d1", "t")
    rows = [(seq, START_US + chance.randrange(40 * HOUR_US), float(chance.randrange(1000))) for seq in range(250)]
    parts = [rows[first : first + 50] for first in range(0, 250, 50)]
    for part in parts:
        await filled.readings(1, 1, part)
        if chance.random() < 0.5:
            await make_rollups(filled)
        here = [row for one in parts[: parts.index(part) + 1] for row in one]
        for width, bucket in ((HOUR_US, "1h"), (6 * HOUR_US, "6h"), (15 * MINUTE_US, "15m")):
            told = await all_of(centre, f"{SPAN}&bucket={bucket}&limit=9")
            expected = slow(here, width, offset_us if zone != "UTC" else 0)
            assert [(one["at"], one["count"], round(one["value"] * one["count"])) for one in told] == expected
    await make_rollups(filled, NOW_US + 2 * HOUR_US)
    async with filled.db.read() as connection:
        assert (await connection.execute(select(func.count()).select_from(RollupDue))).scalar_one() == 0
        assert (await connection.execute(select(func.sum(Rollup.count)))).scalar_one() == 250
    days = await all_of(centre, f"{SPAN}&bucket=1d")
    assert sum(one["count"] for one in days) == 250


async def test_the_running_hour_waits_and_is_put_together(centre: RunningCentre, filled: Filled) -> None:
    for seq in range(120):
        await filled.readings(1, 1, [(seq, NOW_US - 1000 + seq, seq)])
    await make_rollups(filled)
    async with filled.db.read() as connection:
        assert (await connection.execute(select(func.count()).select_from(RollupDue))).scalar_one() == 1
    (hour,) = await all_of(centre, f"{SPAN}&bucket=1h")
    assert (hour["count"], hour["min"], hour["max"]) == (120, 0.0, 119.0)


async def test_years_without_a_reading_cost_nothing(centre: RunningCentre, filled: Filled) -> None:
    await filled.readings(1, 1, [(1, 1000, 1.0), (2, START_US, 2.0)])
    assert (await make_rollups(filled)).made == 2


async def test_old_readings_go_and_their_rollups_stay(centre: RunningCentre, filled: Filled) -> None:
    old_us = START_US - 100 * DAY_US
    await filled.readings(1, 1, [(seq, old_us + seq * MINUTE_US, seq) for seq in range(120)])
    await filled.readings(1, 1, [(seq, START_US + seq * MINUTE_US, seq) for seq in range(200, 260)])
    await filled.readings(1, 1, [(300, 1000, 1.0)], quality=0, boot=-9)
    background = Rollups(filled.db, ManualClock(NOW_US), Traffic(lambda: 0.0), readings_days=30)
    await background.turn()
    keep = Keep(readings_days=30, rollups_days=200)
    retention = Retention(filled.db, centre.centre.months, ManualClock(NOW_US), keep)
    await retention.turn()
    async with filled.db.read() as connection:
        left = (await connection.execute(select(Reading.seq).order_by(Reading.seq))).scalars().all()
    if filled.db.sqlite:  # PostgreSQL lets whole months go
        assert left == [*range(200, 260), 300]
        assert retention.expired == 120
    span = f"from={iso(old_us - DAY_US)}&to={iso(NOW_US)}"
    assert [one["count"] for one in await all_of(centre, f"{span}&bucket=1h")] == [60, 60, 40, 20]
    await filled.readings(1, 1, [(400, old_us + 1, 5.0), (401, old_us - HOUR_US, 5.0)])  # late by months
    await background.turn()
    assert sum(one["count"] for one in await all_of(centre, f"{span}&bucket=1d")) == 181
    gone = Retention(
        filled.db, centre.centre.months, ManualClock(NOW_US), msgspec.structs.replace(keep, rollups_days=20)
    )
    await gone.turn()
    assert sum(one["count"] for one in await all_of(centre, f"{span}&bucket=1d")) >= 60
    async with filled.db.read() as connection:
        least = (await connection.execute(select(func.min(Rollup.hour_us)))).scalar_one()
    assert least == START_US + 3 * HOUR_US


async def test_csv_has_all_of_it_and_no_formulas(centre: RunningCentre, filled: Filled) -> None:
    await filled.series(1, 2, "d1", "word")
    await filled.readings(1, 1, [(seq, START_US + seq * 1000, seq) for seq in range(2500)])
    await filled.readings(1, 2, [(9000, START_US, "=cmd()")])
    answer = await centre.get(f"/v1/devices/d1/readings.csv?{SPAN}")
    lines = answer.body.decode().splitlines()
    assert len(lines) == 1 + 2500 + 1
    assert lines[-1] == f"{iso(START_US)},word,'=cmd(),ntp"


async def test_questions_that_make_no_sense_are_refused(centre: RunningCentre, filled: Filled) -> None:
    for query in ("from=yesterday", "bucket=x", "limit=0", "cursor=1.2", "cursor=a.b.c.d", "from=-1h&to=-2h"):
        assert (await centre.get(f"/v1/devices/d1/readings?{query}")).status == 400, query
