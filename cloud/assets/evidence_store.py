"""The only SQL that looks for one reading, the last before a time; whole spans are read as history is."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Integer, literal, select, union_all
from sqlalchemy.ext.asyncio import AsyncConnection

from cloud.analytics.history_store import Place
from cloud.analytics.times_store import FixedBoot, owns_time
from cloud.db.reading_models import Reading

_LONG_AGO_US = -(2**62)


async def last_before(
    connection: AsyncConnection, places: Sequence[Place], boots: Sequence[FixedBoot], before_us: int
) -> tuple[int, float | None] | None:
    """When the last reading of these series before a time was, and its number; of several at once the one that
    arrived last."""
    parts = []
    for place in places:
        epoch = literal(place.epoch_no, Integer).label("epoch_no")
        mine = [boot for boot in boots if boot.epoch_no == place.epoch_no]
        own = select(Reading.at_us, epoch, Reading.seq, Reading.num).where(
            place.rows, Reading.at_us < before_us, owns_time(mine)
        )
        parts.append(own.order_by(Reading.at_us.desc(), Reading.seq.desc()).limit(1).subquery())
        for boot in mine:
            fixed = select(boot.reading_at, epoch, Reading.seq, Reading.num).where(
                place.rows, boot.in_window(_LONG_AGO_US, before_us)
            )
            parts.append(fixed.order_by(Reading.mono_ms.desc(), Reading.seq.desc()).limit(1).subquery())
    if not parts:
        return None
    merged = union_all(*(select(part) for part in parts)).subquery()
    columns = merged.c
    query = select(columns.at_us, columns.num).order_by(
        columns.at_us.desc(), columns.epoch_no.desc(), columns.seq.desc()
    )
    row = (await connection.execute(query.limit(1))).first()
    return None if row is None else (row[0], row[1])
