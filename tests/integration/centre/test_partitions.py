"""Months of readings on PostgreSQL: there before their rows, made once, let go of whole."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import func, insert, select, text

from cloud.db import partitions
from cloud.db.database import Database
from cloud.db.partitions import Months
from cloud.db.reading_models import Reading
from edge.clock import ManualClock
from tests.running_centre import database_of

pytestmark = pytest.mark.both_engines

NOW_US = int(datetime(2026, 11, 21, tzinfo=UTC).timestamp()) * 1_000_000
DAY_US = 86_400_000_000


@pytest.fixture
async def db() -> AsyncIterator[Database]:
    """A prepared database of PostgreSQL."""
    async with database_of("postgresql", made=False) as url:
        opened = Database(url)
        await opened.prepare()
        yield opened
        await opened.close()


@pytest.fixture
def months(db: Database) -> Months:
    """Its months, on a November day."""
    return Months(db, ManualClock(NOW_US))


async def test_a_batch_finds_its_months(db: Database, months: Months) -> None:
    await months.ensure(NOW_US - 40 * DAY_US, NOW_US)
    await _put(db, NOW_US - 40 * DAY_US, NOW_US)
    assert await _rows(db) == {"readings_2026_10": 1, "readings_2026_11": 1}


async def test_odd_times_go_to_the_default(db: Database, months: Months) -> None:
    times = [0, -5, NOW_US + 400 * DAY_US, 2**62]
    await months.ensure(min(times), max(times))
    await _put(db, *times)
    found = await _rows(db)
    assert found["readings_other"] == 4
    assert min(found) == "readings_2020_01"
    assert max(name for name in found if name != "readings_other") == "readings_2027_01"


async def test_rows_move_when_their_month_comes(db: Database) -> None:
    clock = ManualClock(NOW_US)
    months = Months(db, clock)
    later_us = NOW_US + 120 * DAY_US
    await months.ensure(later_us, later_us)
    await _put(db, later_us)
    assert (await _rows(db))["readings_other"] == 1
    clock.advance(120 * 86_400)
    await months.ensure(later_us, later_us)
    assert await _rows(db) == {"readings_2027_03": 1}


async def test_many_make_the_same_month_once(db: Database) -> None:
    others = [Months(db, ManualClock(NOW_US)) for _ in range(8)]
    await asyncio.gather(*(each.ensure(NOW_US - 90 * DAY_US, NOW_US) for each in others))
    assert len(await _rows(db)) == 4


async def test_a_long_reader_holds_up_no_batch(
    db: Database, months: Months, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(partitions, "LOCK_WAIT_MS", 50)
    await _put(db, 0)
    async with db.read() as reader:
        await reader.execute(text("SELECT * FROM readings"))
        await months.ensure(NOW_US, NOW_US)
        await _put(db, NOW_US)
    assert await _rows(db) == {"readings_other": 2}
    await Months(db, ManualClock(NOW_US)).ensure(NOW_US, NOW_US)
    assert await _rows(db) == {"readings_2026_11": 1, "readings_other": 1}


async def test_whole_months_are_dropped(db: Database, months: Months) -> None:
    await months.ensure(NOW_US - 90 * DAY_US, NOW_US)
    await _put(db, NOW_US - 90 * DAY_US, NOW_US - 31 * DAY_US, NOW_US)
    assert await months.drop_before(NOW_US - 25 * DAY_US) == 2
    assert await _rows(db) == {"readings_2026_10": 1, "readings_2026_11": 1}
    await months.ensure(NOW_US - 90 * DAY_US, NOW_US)
    assert len(await _rows(db)) == 4


async def test_there_are_none_on_sqlite(tmp_path: Path) -> None:
    db = Database(f"sqlite:///{tmp_path / 'cloud.db'}")
    await db.prepare()
    months = Months(db, ManualClock(NOW_US))
    await months.prepare()
    await months.ensure(0, NOW_US)
    assert await months.drop_before(NOW_US) == 0
    await db.close()


async def _put(db: Database, *times: int) -> None:
    async with db.write() as connection:
        for seq, at_us in enumerate(times):
            await connection.execute(
                insert(Reading).values(
                    tenant_id=1,
                    site_id=1,
                    epoch_no=1,
                    series=1,
                    at_us=at_us,
                    seq=seq,
                    num=1.0,
                    kind=0,
                    quality=2,
                    late_us=0,
                    boot=1,
                    mono_ms=0,
                )
            )


async def _rows(db: Database) -> dict[str, int]:
    """Rows by table, the empty default left out."""
    async with db.read() as connection:
        found = await connection.execute(
            text("SELECT inhrelid::regclass::text FROM pg_inherits WHERE inhparent = 'readings'::regclass")
        )
        counts = {}
        for (name,) in found:
            query = select(func.count()).select_from(text(name))
            counts[name] = int((await connection.execute(query)).scalar_one())
    return {name: count for name, count in counts.items() if count or name != "readings_other"}
