"""The only SQL for what people said of stops."""

from __future__ import annotations

import asyncio
import functools
from collections.abc import Collection, Sequence
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, bindparam, func, insert, or_, select, tuple_
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlalchemy.orm import InstrumentedAttribute, aliased

from cloud.db.asset_models import AssetExplanation
from cloud.db.reading_models import ClockFix
from edge.assets.answers.asking import Explanation
from edge.assets.model import Span
from edge.wire.times import NONE, since

BETWEEN_BREATHS = 500  # rows made in one go: some 5 ms
NAMED_MOST = 100  # assets in one statement; of more, all of their sites are looked at
Key = tuple[int, str]
"""A site by its number, and an asset by its id there."""


async def add(connection: AsyncConnection, rows: Sequence[dict[str, Any]]) -> None:
    """Keep what was said."""
    await connection.execute(insert(AssetExplanation), list(rows))


async def of(
    connection: AsyncConnection, tenant_id: int, keys: Sequence[Key], span: Span
) -> list[Explanation[Key]]:
    """What was said of these assets' times that overlap the span, in the order in which it was said; with the times
    that it is really of. Of what was said of one and the same time only the last is there: it alone counts."""
    few = len(keys) <= NAMED_MOST
    asked: dict[str, Any] = {"tenant": tenant_id, "from_us": span[0], "to_us": span[1]}
    asked["sites"] = sorted({site_id for site_id, _ in keys})
    if few:
        asked["keys"] = list(keys)
    rows = await connection.execute(_said(few=few), asked)
    wanted: Collection[Key] = set(keys)
    found: list[Explanation[Key]] = []
    for number, row in enumerate(rows.all(), 1):
        one = _explanation(row._mapping, row[-2], row[-1])
        if one.key in wanted and one.from_us < span[1] and one.to_us > span[0]:
            found.append(one)
        if number % BETWEEN_BREATHS == 0:
            await asyncio.sleep(0)  # others are served meanwhile
    return found


@functools.cache
def _said(*, few: bool) -> Select[*tuple[Any, ...]]:
    """The statement of `of`, for assets that are named, or for all of some sites."""
    said, clock, said_clock = AssetExplanation, aliased(ClockFix), aliased(ClockFix)
    told = and_(said.boot_id == "", said.to_us > bindparam("from_us"), said.from_us < bindparam("to_us"))
    there = said.tenant_id == bindparam("tenant"), said.site_id.in_(bindparam("sites", expanding=True))
    which = [*there]
    if few:
        which.append(tuple_(said.site_id, said.asset).in_(bindparam("keys", expanding=True)))
    which.append(or_(told, said.boot_id != ""))
    same = said.site_id, said.asset, said.boot_id, said.mono_ms, said.from_us, said.to_us
    last = select(func.max(said.number)).where(*which).group_by(*same).correlate(None)
    return (
        select(said, clock.began_us, said_clock.began_us)
        .outerjoin(clock, _fix(clock, said.boot_id))
        .outerjoin(said_clock, and_(_fix(said_clock, said.said_boot_id), said.said_quality == NONE))
        .where(*there, said.number.in_(last))
        .order_by(said.number)
    )


def _explanation(row: Any, began_us: int | None, said_began_us: int | None) -> Explanation[Key]:
    from_us = row["from_us"] if began_us is None else since(began_us, row["mono_ms"])
    return Explanation(
        key=(row["site_id"], row["asset"]),
        from_us=from_us,
        to_us=row["to_us"] + from_us - row["from_us"],
        reason=row["reason"],
        reason_name=row["reason_name"],
        note=row["note"],
        by=row["actor"],
        said_us=row["said_us"] if said_began_us is None else since(said_began_us, row["said_mono_ms"]),
    )


def _fix(clock: Any, boot_id: InstrumentedAttribute[str]) -> ColumnElement[bool]:
    said = AssetExplanation
    return and_(clock.tenant_id == said.tenant_id, clock.site_id == said.site_id, clock.boot_id == boot_id)
