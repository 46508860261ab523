"""The only SQL that reads readings and rollups: a key of a device is all its series, over every epoch of its hub.

Times are corrected as they are read (times_store.py): each series is read in parts, those rows that own their time
and, for each boot put right, the few that do not; the parts are merged by time.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import msgspec
from sqlalchemy import ColumnElement, Integer, Row, Select, and_, case, func, literal, select, union_all
from sqlalchemy.ext.asyncio import AsyncConnection

from cloud.analytics.times_store import PUT_RIGHT, FixedBoot, owns_time
from cloud.db.models import Big
from cloud.db.reading_models import Reading, Rollup, Series

TEXT_KIND = 2
ADDED_MAX = 1e290  # what a number counts at the most in a sum: no sum of readings goes past a float then
Part = tuple[int, int, float, float, float]
"""When it begins, and count, sum, least and greatest of what is in it."""
Found = Row[int, int, int, float | None, str | None, int, int]
"""at_us, epoch_no, seq, num, text, kind, quality."""
Query = Select[*tuple[Any, ...]]


class Place(msgspec.Struct, frozen=True):
    """Where a series' rows lie: the site, and its number in one epoch of the site's readings."""

    tenant_id: int
    site_id: int
    epoch_no: int
    series: int

    @property
    def rows(self) -> ColumnElement[bool]:
        """All its readings."""
        return and_(
            Reading.tenant_id == self.tenant_id,
            Reading.site_id == self.site_id,
            Reading.epoch_no == self.epoch_no,
            Reading.series == self.series,
        )


class Start(msgspec.Struct, frozen=True, order=True):
    """The last row that was shown: by corrected time, epoch and number."""

    at_us: int
    epoch_no: int = -1
    seq: int = -1


async def series_of(
    connection: AsyncConnection, tenant_id: int, site_id: int, device: str, key: str = ""
) -> dict[str, list[Place]]:
    """Where the readings of each key of a device lie, or of one key."""
    query = select(Series.epoch_no, Series.number, Series.key).where(
        Series.tenant_id == tenant_id, Series.site_id == site_id, Series.device == device
    )
    if key:
        query = query.where(Series.key == key)
    found: dict[str, list[Place]] = {}
    for epoch_no, number, name in await connection.execute(query.order_by(Series.epoch_no)):
        found.setdefault(name, []).append(Place(tenant_id, site_id, epoch_no, number))
    return found


async def page(
    connection: AsyncConnection,
    places: Sequence[Place],
    boots: Sequence[FixedBoot],
    start: Start,
    to_us: int,
    limit: int,
) -> Sequence[Found]:
    """Readings behind `start`, before `to_us`, oldest first: at_us, epoch_no, seq, num, text, kind, quality."""
    parts = [part for place in places for part in _rows(place, _of(boots, place), start, to_us)]
    cut = [part.order_by("at_us", "seq").limit(limit).subquery() for part in parts]
    if not cut:
        return []
    merged = union_all(*(select(part) for part in cut)).subquery()
    query = select(merged).order_by(merged.c.at_us, merged.c.epoch_no, merged.c.seq).limit(limit)
    return (await connection.execute(query)).all()


async def first_at(
    connection: AsyncConnection,
    places: Sequence[Place],
    boots: Sequence[FixedBoot],
    from_us: int,
    to_us: int,
    *,
    rolled: bool,
) -> int | None:
    """When the first thing known in [from_us, to_us) is; rollups count when `rolled`."""
    firsts: list[Query] = []
    for place in places:
        parts = _rows(place, _of(boots, place), Start(from_us), to_us)
        rows = [part.order_by("at_us").limit(1).subquery() for part in parts]
        firsts += [select(func.min(part.c.at_us).label("at_us")) for part in rows]
        if rolled:
            hours = and_(_rollups(place), Rollup.hour_us >= from_us, Rollup.hour_us < to_us)
            firsts.append(select(func.min(Rollup.hour_us).label("at_us")).where(hours))
    merged = union_all(*firsts).subquery()
    at_us: int | None = (await connection.execute(select(func.min(merged.c.at_us)))).scalar_one()
    return at_us


async def raw_parts(
    connection: AsyncConnection,
    places: Sequence[Place],
    boots: Sequence[FixedBoot],
    window: tuple[int, int],
    *,
    width_us: int,
    offset_us: int,
) -> list[Part]:
    """Numbers in the window [from, to) by parts of that width, from the readings themselves."""
    width, offset = literal(width_us, Big), literal(offset_us, Big)
    rows = [
        part.where(Reading.kind < TEXT_KIND).subquery()
        for place in places
        for part in _rows(place, _of(boots, place), Start(window[0]), window[1])
    ]
    begun = [
        select(((row.c.at_us + offset) // width * width - offset).label("begin_us"), row.c.num) for row in rows
    ]
    merged = union_all(*begun).subquery()
    query = select(
        merged.c.begin_us, func.count(), sum_of(merged.c.num), func.min(merged.c.num), func.max(merged.c.num)
    ).group_by(merged.c.begin_us)
    return [_part(row) for row in (await connection.execute(query)).all()]


async def rolled_parts(connection: AsyncConnection, places: Sequence[Place], window: tuple[int, int]) -> list[Part]:
    """Numbers in the window [from, to) by hours, from the rollups."""
    columns = (Rollup.hour_us, Rollup.count, Rollup.sum, Rollup.min, Rollup.max)
    parts = [
        select(*columns).where(_rollups(place), Rollup.hour_us >= window[0], Rollup.hour_us < window[1])
        for place in places
    ]
    return [_part(row) for row in (await connection.execute(union_all(*parts))).all()]


def sum_of(number: ColumnElement[float]) -> ColumnElement[float]:
    """The sum of numbers; PostgreSQL ends a statement whose sum is past a float."""
    return func.sum(case((number > ADDED_MAX, ADDED_MAX), (number < -ADDED_MAX, -ADDED_MAX), else_=number))


def _rows(place: Place, boots: Sequence[FixedBoot], start: Start, to_us: int) -> Iterable[Query]:
    """A series' readings behind `start` and before `to_us`, in parts."""
    epoch, others = literal(place.epoch_no, Integer).label("epoch_no"), (Reading.num, Reading.text, Reading.kind)
    yield select(Reading.at_us, epoch, Reading.seq, *others, Reading.quality).where(
        place.rows,
        Reading.at_us >= start.at_us,
        Reading.at_us < to_us,
        _behind(Reading.__table__.c.at_us, start, place.epoch_no),
        owns_time(boots),
    )
    for boot in boots:
        at_us = boot.reading_at
        yield select(at_us, epoch, Reading.seq, *others, literal(PUT_RIGHT, Integer).label("quality")).where(
            place.rows,
            boot.in_window(start.at_us, to_us),
            _behind(at_us.element, start, place.epoch_no),
        )


def _behind(at_us: ColumnElement[int], start: Start, epoch_no: int) -> ColumnElement[bool]:
    """Whether a row at `at_us` of that epoch comes after the row `start`."""
    if epoch_no > start.epoch_no:
        return at_us >= start.at_us
    if epoch_no < start.epoch_no:
        return at_us > start.at_us
    return (at_us > start.at_us) | and_(at_us == start.at_us, Reading.seq > start.seq)


def _of(boots: Sequence[FixedBoot], place: Place) -> list[FixedBoot]:
    return [boot for boot in boots if boot.epoch_no == place.epoch_no]


def _rollups(place: Place) -> ColumnElement[bool]:
    return and_(
        Rollup.tenant_id == place.tenant_id,
        Rollup.site_id == place.site_id,
        Rollup.epoch_no == place.epoch_no,
        Rollup.series == place.series,
    )


def _part(row: Sequence[Any]) -> Part:
    return int(row[0]), int(row[1]), float(row[2]), float(row[3]), float(row[4])
