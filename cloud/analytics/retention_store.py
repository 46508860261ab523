"""The only SQL that lets readings and rollups go, a slice at a time."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import and_, delete, not_, select, tuple_
from sqlalchemy.ext.asyncio import AsyncConnection

from cloud.analytics.hours import Span
from cloud.analytics.times_store import FixedBoot, is_unset
from cloud.db.reading_models import Reading, Rollup, Series

Slice = tuple[int, int, int, list[int]]
"""Series that are looked at together: tenant, site, epoch, and their numbers."""
SERIES_EACH = 100


async def slices(connection: AsyncConnection, behind: tuple[int, int, int, int]) -> list[Slice]:
    """The next series behind (tenant, site, epoch, number), those of one epoch together; none at the end."""
    key = (Series.tenant_id, Series.site_id, Series.epoch_no, Series.number)
    found: list[Slice] = []
    query = select(*key).order_by(*key).limit(SERIES_EACH)
    for tenant_id, site_id, epoch_no, number in await connection.execute(
        query.where(tuple_(*key) > tuple_(*behind))
    ):
        if not found or found[-1][:3] != (tenant_id, site_id, epoch_no):
            found.append((tenant_id, site_id, epoch_no, []))
        found[-1][3].append(number)
    return found


async def drop_readings(
    connection: AsyncConnection, some: Slice, span: Span, boots: Sequence[FixedBoot], before_us: int
) -> int:
    """Delete readings of the span; of those whose clock was not set only what a fix puts before `before_us`."""
    tenant_id, site_id, epoch_no, series = some
    mine = and_(
        Reading.tenant_id == tenant_id,
        Reading.site_id == site_id,
        Reading.epoch_no == epoch_no,
        Reading.series.in_(series),
    )
    window = and_(Reading.at_us >= span[0], Reading.at_us < span[1])
    gone = (await connection.execute(delete(Reading).where(mine, window, not_(is_unset)))).rowcount
    for boot in boots:
        if boot.epoch_no == epoch_no:
            done = await connection.execute(delete(Reading).where(mine, boot.in_window(0, before_us)))
            gone += done.rowcount
    return gone


async def drop_rollups(connection: AsyncConnection, some: Slice, before_us: int) -> int:
    """Delete the hours that began before then."""
    tenant_id, site_id, epoch_no, series = some
    done = await connection.execute(
        delete(Rollup).where(
            Rollup.tenant_id == tenant_id,
            Rollup.site_id == site_id,
            Rollup.epoch_no == epoch_no,
            Rollup.series.in_(series),
            Rollup.hour_us < before_us,
        )
    )
    return done.rowcount
