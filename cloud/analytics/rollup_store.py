"""The only SQL that makes rollups: which hours are due, what is in them now, and the rows that say so."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import msgspec
from sqlalchemy import ColumnElement, and_, delete, func, insert, literal, select, union_all, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncConnection

from cloud.analytics.history_store import TEXT_KIND, sum_of
from cloud.analytics.hours import Span
from cloud.analytics.times_store import FixedBoot, is_unset, owns_time
from cloud.db.models import Big, Site
from cloud.db.reading_models import Boot, ClockFix, Reading, Rollup, RollupDue, Series
from edge.serving.buckets import HOUR_US
from edge.wire.times import since

NUMBERS_EACH = 1000  # in one statement
NEVER = -1  # a boot that no fix tells of


class Due(msgspec.Struct, frozen=True):
    """Readings of an epoch came in from one time to before the other, as their rows have them."""

    n: int
    epoch_no: int
    from_us: int
    to_us: int

    @property
    def times(self) -> Span:
        """The same with both ends."""
        return self.from_us, self.to_us - 1


async def sites_due(connection: AsyncConnection) -> list[tuple[int, int]]:
    """The sites for which there is something to do."""
    query = select(RollupDue.tenant_id, RollupDue.site_id).distinct()
    return [(row[0], row[1]) for row in await connection.execute(query)]


async def due(connection: AsyncConnection, tenant_id: int, site_id: int, epoch_no: int | None = None) -> list[Due]:
    """What is due at a site, or in one epoch of it."""
    query = select(RollupDue.n, RollupDue.epoch_no, RollupDue.from_us, RollupDue.to_us).where(
        RollupDue.tenant_id == tenant_id, RollupDue.site_id == site_id
    )
    if epoch_no is not None:
        query = query.where(RollupDue.epoch_no == epoch_no)
    return [Due(*row) for row in await connection.execute(query)]


async def touched(
    connection: AsyncConnection, tenant_id: int, site_id: int, dues: Iterable[Due], boots: Sequence[FixedBoot]
) -> list[Span]:
    """The times whose hours the rows of `dues` count in, or counted in: their own, and where a fix puts them."""
    spans = [one.times for one in dues]
    mine = and_(Reading.tenant_id == tenant_id, Reading.site_id == site_id)
    for one in dues:
        for boot in boots:
            if boot.epoch_no == one.epoch_no:
                query = select(func.count(), func.min(Reading.mono_ms), func.max(Reading.mono_ms)).where(
                    mine, boot.rows, Reading.at_us.between(*one.times)
                )
                count, least_ms, greatest_ms = (await connection.execute(query)).one()
                if count:
                    spans.append((since(boot.began_us, least_ms), since(boot.began_us, greatest_ms)))
    return spans


async def queue_fixes(connection: AsyncConnection, tenant_id: int, site_id: int, boot_ids: Sequence[str]) -> None:
    """The readings of these boots are about to be put right, or anew: all hours they count in are made again.

    Call it before the fixes are kept, in their transaction.
    """
    mine = and_(Boot.tenant_id == tenant_id, Boot.site_id == site_id, Boot.boot_id.in_(boot_ids))
    same = and_(ClockFix.tenant_id == tenant_id, ClockFix.site_id == site_id, ClockFix.boot_id == Boot.boot_id)
    query = select(Boot.epoch_no, Boot.number, func.coalesce(ClockFix.began_us, NEVER)).outerjoin(ClockFix, same)
    for epoch_no, number, began_us in (await connection.execute(query.where(mine))).all():
        at_us, mono_ms = Reading.at_us, Reading.mono_ms
        rows = select(func.count(), func.min(at_us), func.max(at_us), func.min(mono_ms), func.max(mono_ms)).where(
            Reading.tenant_id == tenant_id,
            Reading.site_id == site_id,
            Reading.epoch_no == epoch_no,
            Reading.boot == -number,
            is_unset,
        )
        count, first_us, last_us, least_ms, greatest_ms = (await connection.execute(rows)).one()
        if not count:
            continue
        await _add_due(connection, tenant_id, site_id, epoch_no, (first_us, last_us))
        if began_us != NEVER:
            span = since(began_us, least_ms), since(began_us, greatest_ms)
            await _add_due(connection, tenant_id, site_id, epoch_no, span)


async def _add_due(connection: AsyncConnection, tenant_id: int, site_id: int, epoch_no: int, span: Span) -> None:
    """Under a number below zero, as those above are given by who stores readings; under the site's ledger lock."""
    mine = and_(RollupDue.tenant_id == tenant_id, RollupDue.site_id == site_id)
    least = (await connection.execute(select(func.min(RollupDue.n)).where(mine))).scalar_one()
    await connection.execute(
        insert(RollupDue).values(
            tenant_id=tenant_id,
            site_id=site_id,
            n=min(least or 0, 0) - 1,
            epoch_no=epoch_no,
            from_us=span[0],
            to_us=span[1] + 1,
        )
    )


async def zone_of(connection: AsyncConnection, tenant_id: int, site_id: int) -> tuple[str, int | None]:
    """The site's time zone, and how far the hours of its rollups begin behind those of UTC, once there are any."""
    query = select(Site.timezone, Site.rollup_offset_us).where(Site.tenant_id == tenant_id, Site.id == site_id)
    row = (await connection.execute(query)).first()
    return ("UTC", 0) if row is None else (row[0], row[1])


async def keep_offset(connection: AsyncConnection, tenant_id: int, site_id: int, offset_us: int) -> None:
    """From now on the site's hours begin there, whatever becomes of its zone: rollups never overlap."""
    mine = and_(Site.tenant_id == tenant_id, Site.id == site_id, Site.rollup_offset_us.is_(None))
    await connection.execute(update(Site).where(mine).values(rollup_offset_us=offset_us))


async def numbers_of(connection: AsyncConnection, tenant_id: int, site_id: int, epoch_no: int) -> list[int]:
    """The numbers of all series of an epoch."""
    query = select(Series.number).where(
        Series.tenant_id == tenant_id, Series.site_id == site_id, Series.epoch_no == epoch_no
    )
    return list((await connection.execute(query.order_by(Series.number))).scalars())


async def first_in(
    connection: AsyncConnection,
    site: tuple[int, int],
    epoch_no: int,
    series: Sequence[int],
    boots: Sequence[FixedBoot],
    span: Span,
) -> int | None:
    """When the first reading of these series in the span is; it may be one that a fix has put elsewhere."""
    mine = and_(Reading.tenant_id == site[0], Reading.site_id == site[1], Reading.epoch_no == epoch_no)
    first = (
        select(func.min(Reading.at_us))
        .where(mine, Reading.series == Series.number, Reading.at_us >= span[0], Reading.at_us < span[1])
        .correlate(Series)
        .scalar_subquery()
    )
    query = select(func.min(first)).where(
        Series.tenant_id == site[0],
        Series.site_id == site[1],
        Series.epoch_no == epoch_no,
        Series.number.in_(series),
    )
    found = [(await connection.execute(query)).scalar_one()]
    for boot in boots:
        if boot.epoch_no == epoch_no:
            fixed = select(func.min(boot.reading_at.element)).where(mine, boot.in_window(*span))
            found.append((await connection.execute(fixed)).scalar_one())
    return min((at_us for at_us in found if at_us is not None), default=None)


async def in_hours(
    connection: AsyncConnection,
    site: tuple[int, int],
    epoch_no: int,
    series: Sequence[int],
    boots: Sequence[FixedBoot],
    span: Span,
    offset_us: int,
) -> list[dict[str, Any]]:
    """What these series measured in each hour of the span, as rows of `rollups`."""
    mine = and_(
        Reading.tenant_id == site[0],
        Reading.site_id == site[1],
        Reading.epoch_no == epoch_no,
        Reading.series.in_(series),
        Reading.kind < TEXT_KIND,
    )
    fixed = [boot for boot in boots if boot.epoch_no == epoch_no]
    window = and_(Reading.at_us >= span[0], Reading.at_us < span[1])
    parts = [select(Reading.series, Reading.at_us, Reading.num).where(mine, window, owns_time(fixed))]
    parts += [
        select(Reading.series, boot.reading_at, Reading.num).where(mine, boot.in_window(*span)) for boot in fixed
    ]
    merged = union_all(*parts).subquery()
    width, offset = literal(HOUR_US, Big), literal(offset_us, Big)
    begun = select(
        merged.c.series, ((merged.c.at_us + offset) // width * width - offset).label("hour_us"), merged.c.num
    ).subquery()
    values = [
        each.label(name)
        for name, each in (
            ("count", func.count()),
            ("sum", sum_of(begun.c.num)),
            ("min", func.min(begun.c.num)),
            ("max", func.max(begun.c.num)),
        )
    ]
    query = select(begun.c.series, begun.c.hour_us, *values).group_by(begun.c.series, begun.c.hour_us)
    about = {"tenant_id": site[0], "site_id": site[1], "epoch_no": epoch_no}
    return [{**about, **row} for row in (await connection.execute(query)).mappings()]


async def replace(
    connection: AsyncConnection,
    site: tuple[int, int],
    epoch_no: int,
    series: Sequence[int],
    span: Span,
    rows: Sequence[dict[str, Any]],
) -> None:
    """These are the rollups of the series in the span, whatever there was."""
    await connection.execute(delete(Rollup).where(_rollups(site, epoch_no, series, span)))
    if rows:
        await connection.execute(insert(Rollup), list(rows))


async def add_missing(connection: AsyncConnection, rows: Sequence[dict[str, Any]]) -> None:
    """Add those hours of which nothing is known yet: of the others the readings may be gone already."""
    if rows:
        dialect = sqlite if connection.dialect.name == "sqlite" else postgresql
        await connection.execute(dialect.insert(Rollup).on_conflict_do_nothing(), list(rows))


async def done(connection: AsyncConnection, site: tuple[int, int], numbers: Sequence[int]) -> None:
    """These are due no more."""
    for first in range(0, len(numbers), NUMBERS_EACH):
        some = numbers[first : first + NUMBERS_EACH]
        await connection.execute(delete(RollupDue).where(_of(site), RollupDue.n.in_(some)))


async def merge(connection: AsyncConnection, site: tuple[int, int], dues: Sequence[Due]) -> None:
    """One row for all of these, which are of one epoch."""
    first, *others = dues
    span = min(one.from_us for one in dues), max(one.to_us for one in dues)
    kept = update(RollupDue).where(_of(site), RollupDue.n == first.n)
    await connection.execute(kept.values(from_us=span[0], to_us=span[1]))
    await done(connection, site, [one.n for one in others])


def _of(site: tuple[int, int]) -> ColumnElement[bool]:
    return and_(RollupDue.tenant_id == site[0], RollupDue.site_id == site[1])


def _rollups(site: tuple[int, int], epoch_no: int, series: Sequence[int], span: Span) -> ColumnElement[bool]:
    return and_(
        Rollup.tenant_id == site[0],
        Rollup.site_id == site[1],
        Rollup.epoch_no == epoch_no,
        Rollup.series.in_(series),
        Rollup.hour_us >= span[0],
        Rollup.hour_us < span[1],
    )
