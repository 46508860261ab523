"""How bands are asked: one statement a question, however many assets and times it names.

Assets go by the numbers of their marks here. Whoever asks has been given them by `numbers`, for his tenant alone.
"""

from __future__ import annotations

import functools
from collections.abc import Sequence
from typing import Any

import msgspec
from sqlalchemy import (
    ColumnElement,
    Select,
    TextClause,
    and_,
    bindparam,
    func,
    or_,
    select,
    text,
    tuple_,
    union_all,
)
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlalchemy.orm import aliased

from cloud.assets.band_store import COLUMNS, band
from cloud.db.asset_models import AssetBand, AssetMark
from edge.assets.model import Band, Span

LONG_US = 3 * 86_400_000_000  # a time that has so many ends of stops that they are not all looked at
ONE_BY_ONE = 20  # assets whose newest stops are looked up each by itself; of more, all stops are gone through
Key = tuple[int, str]
"""A site by its number, and an asset by its id there."""
Numbered = tuple[int, int]
"""A site by its number, and an asset by that of its mark."""
Stop = tuple[int, int, int | None, Band]
"""The asset's number, when the stop began, when it ended, and the band that ended it, or the last there is."""
_ENDS = "{0}.began_us > 0 AND ({0}.state = 1 OR {0}.anew)"  # as the index of such bands has it, to the letter


async def numbers(connection: AsyncConnection, tenant_id: int, sites: Sequence[int]) -> dict[Key, int]:
    """The numbers of the assets of these sites."""
    rows = await connection.execute(_NUMBERS, {"tenant": tenant_id, "sites": sorted(sites)})
    return {(row[0], row[1]): row[2] for row in rows.all()}


async def edges(
    connection: AsyncConnection, tenant_id: int, assets: Sequence[int], times: Sequence[int]
) -> dict[tuple[int, int], Band]:
    """The last band of each asset that begins before each time, by both; none where there is none."""
    asked = {"tenant": tenant_id, **_lists(connection, assets=assets, times=times)}
    rows = await connection.execute(_statement(_EDGES, connection.dialect.name), asked)
    return {(row[0], row[1]): band(row[2:]) for row in rows.all()}


async def ends(
    connection: AsyncConnection, tenant_id: int, assets: Sequence[int], spans: Sequence[Span]
) -> dict[tuple[int, Span], tuple[int, int]]:
    """The longest stop of each asset that began and ended within each span, and that which began before and ended
    within."""
    asked = {"tenant": tenant_id, **_lists(connection, assets=assets)}
    if len(spans) == 1 and spans[0][1] - spans[0][0] >= LONG_US:
        sql, asked["from_us"], asked["to_us"] = _ENDED_LONG, *spans[0]
    else:
        sql = _ENDED
        asked |= _spans(connection, spans)
    rows = await connection.execute(_statement(sql, connection.dialect.name), asked)
    return {(row[0], (row[1], row[2])): (row[3], row[4]) for row in rows.all()}


async def between(
    connection: AsyncConnection, tenant_id: int, asset: Numbered, span: Span, limit: int
) -> list[Band]:
    """Bands of an asset that begin in the span, in order of time."""
    asked = {"tenant": tenant_id, "site": asset[0], "number": asset[1], "from_us": span[0], "to_us": span[1]}
    rows = await connection.execute(_BETWEEN, {**asked, "most": limit})
    return [band(row) for row in rows.all()]


async def stops(
    connection: AsyncConnection,
    tenant_id: int,
    assets: Sequence[Numbered],
    span: Span,
    before: tuple[int, Key] | None,
    limit: int,
) -> list[Stop]:
    """Stops that count from a moment in the span on, by that, site and asset, greatest first; behind `before`."""
    if not assets:
        return []
    asked: dict[str, Any] = {"tenant": tenant_id, "from_us": span[0], "to_us": span[1], "most": limit}
    few = len(assets) if len(assets) <= ONE_BY_ONE else 0
    for number, of in enumerate(assets[:few]):
        asked[f"site_{number}"], asked[f"number_{number}"] = of
    if not few:
        asked["numbers"] = [number for _, number in assets]
    if before is not None:
        asked["before_us"], (asked["before_site"], asked["before_asset"]) = before
    rows = await connection.execute(_stops(few, goes_on=before is not None), asked)
    return [(row[0], row[1], row[2], band(row[3:])) for row in rows.all()]


@functools.cache
def _stops(few: int, *, goes_on: bool) -> Select[*tuple[Any, ...]]:
    """The statement of `stops`, for so many assets, 0 for many: to put it together takes longer than to run it."""
    tenant: Any = bindparam("tenant")
    begins = _newest(few, goes_on=goes_on).subquery("begun")
    end, last, one = (aliased(AssetBand, name=name) for name in ("x", "l", "b"))
    ended = (
        select(end.at_us)
        .where(_of(end, tenant, begins.c.site_id, begins.c.number), end.at_us > begins.c.began_us)
        .where(text(_ENDS.format("x")))
        .order_by(end.at_us)
        .limit(1)
        .correlate(begins)
        .scalar_subquery()
    )
    newest = (
        select(last.at_us)
        .where(_of(last, tenant, begins.c.site_id, begins.c.number))
        .order_by(last.at_us.desc())
        .limit(1)
        .correlate(begins)
        .scalar_subquery()
    )
    found = select(begins, ended.label("ended_us"), newest.label("newest_us")).subquery("found")
    return (
        select(found.c.number, found.c.began_us, found.c.ended_us, *_columns(one))
        .join(
            one,
            and_(
                _of(one, tenant, found.c.site_id, found.c.number),
                one.at_us == func.coalesce(found.c.ended_us, found.c.newest_us),
            ),
        )
        .order_by(found.c.began_us.desc(), found.c.site_id.desc(), found.c.asset.desc())
    )


def _newest(few: int, *, goes_on: bool) -> Select[*tuple[Any, ...]]:
    """When the newest stops began: of few assets each one's are looked up, of many all of the tenant's are gone
    through in order of time."""
    if not few:
        return _begun(goes_on=goes_on).where(AssetBand.asset.in_(bindparam("numbers", expanding=True)))
    parts = [
        _begun(goes_on=goes_on).where(
            AssetBand.site_id == bindparam(f"site_{number}"), AssetBand.asset == bindparam(f"number_{number}")
        )
        for number in range(few)
    ]
    each = union_all(*(select(part.subquery()) for part in parts)).subquery()
    order = each.c.began_us.desc(), each.c.site_id.desc(), each.c.asset.desc()
    return select(each).order_by(*order).limit(bindparam("most"))


def _begun(*, goes_on: bool) -> Select[*tuple[Any, ...]]:
    query = (
        select(
            AssetBand.site_id,
            AssetMark.asset,
            AssetMark.number,
            AssetBand.at_us.label("began_us"),
        )
        .join(AssetMark, and_(AssetMark.tenant_id == AssetBand.tenant_id, AssetMark.number == AssetBand.asset))
        .where(
            AssetBand.tenant_id == bindparam("tenant"),
            AssetBand.at_us >= bindparam("from_us"),
            AssetBand.at_us < bindparam("to_us"),
            AssetBand.began_us == AssetBand.at_us,
        )
        .order_by(AssetBand.at_us.desc(), AssetBand.site_id.desc(), AssetMark.asset.desc())
        .limit(bindparam("most"))
    )
    if not goes_on:
        return query
    before_us: Any = bindparam("before_us")
    last: Any = tuple_(bindparam("before_site"), bindparam("before_asset"))
    key = tuple_(AssetBand.site_id, AssetMark.asset) < last
    return query.where(
        or_(AssetBand.at_us < before_us, and_(AssetBand.at_us == before_us, key)), AssetBand.at_us <= before_us
    )


def _columns(of: Any) -> list[Any]:
    return [getattr(of, each.key) for each in COLUMNS]


def _of(bands: Any, tenant_id: Any, site_id: Any, number: Any) -> ColumnElement[bool]:
    return and_(bands.tenant_id == tenant_id, bands.site_id == site_id, bands.asset == number)


_NUMBERS = select(AssetMark.site_id, AssetMark.asset, AssetMark.number).where(
    AssetMark.tenant_id == bindparam("tenant"), AssetMark.site_id.in_(bindparam("sites", expanding=True))
)
_BETWEEN = (
    select(*COLUMNS)
    .where(
        _of(AssetBand, bindparam("tenant"), bindparam("site"), bindparam("number")),
        AssetBand.at_us >= bindparam("from_us"),
        AssetBand.at_us < bindparam("to_us"),
    )
    .order_by(AssetBand.at_us)
    .limit(bindparam("most"))
)


def _lists(connection: AsyncConnection, **numbers: Sequence[int]) -> dict[str, Any]:
    """Numbers as the parameters of a statement that takes each list as one."""
    if connection.dialect.name == "sqlite":
        return {name: msgspec.json.encode(list(some)).decode() for name, some in numbers.items()}
    return {name: list(some) for name, some in numbers.items()}


def _spans(connection: AsyncConnection, spans: Sequence[Span]) -> dict[str, Any]:
    """Spans as the parameters of a statement that takes their list."""
    if connection.dialect.name == "sqlite":
        return {"spans": msgspec.json.encode(spans).decode()}
    return {"begins": [begin_us for begin_us, _ in spans], "ends": [end_us for _, end_us in spans]}


@functools.cache
def _statement(sql: str, engine: str) -> TextClause:
    """A statement in the words of an engine. It says itself in which order to look, since SQLite would begin with
    whatever table it thinks is small."""
    one, spans, index = _WORDS[engine]
    lists = {name: one.format(name) for name in ("assets", "times")}
    return text(sql.format(**lists, spans=spans, ends=index.format("ends"), longest=index.format("longest")))


_WORDS = {
    "sqlite": (
        "json_each(:{0}) AS {0}",
        "SELECT json_extract(value, '$[0]') AS from_us, json_extract(value, '$[1]') AS to_us"
        " FROM json_each(:spans)",
        "INDEXED BY ix_asset_bands_{0}",
    ),
    "postgresql": (
        "unnest(CAST(:{0} AS bigint[])) AS {0}(value)",
        "SELECT * FROM unnest(CAST(:begins AS bigint[]), CAST(:ends AS bigint[])) AS u(from_us, to_us)",
        "",
    ),
}
_ASKED = "{assets} CROSS JOIN asset_marks AS m"
_IS_ASKED = "m.tenant_id = :tenant AND m.number = assets.value"
_IS_OF = "{0}.tenant_id = :tenant AND {0}.site_id = m.site_id AND {0}.asset = m.number"
_EDGES = f"""
SELECT m.number, times.value, {", ".join(f"b.{column.key}" for column in COLUMNS)}
FROM {_ASKED} CROSS JOIN {{times}} CROSS JOIN asset_bands AS b
WHERE {_IS_ASKED} AND {_IS_OF.format("b")} AND b.at_us = (
    SELECT e.at_us FROM asset_bands AS e
    WHERE {_IS_OF.format("e")} AND e.at_us < times.value ORDER BY e.at_us DESC LIMIT 1
)"""
_IS_END = f"{_IS_OF.format('b')} AND b.at_us > {{0}} AND b.at_us < {{1}} AND {_ENDS.format('b')}"
_EACH_SPAN = "spans.from_us", "spans.to_us"
_ONE_SPAN = "CAST(:from_us AS bigint)", "CAST(:to_us AS bigint)"
# The first end within a span may be that of a stop that began before it; no other is.
_ENDED_FIRST = f"""COALESCE((
    SELECT CASE WHEN b.began_us < {{0}} THEN b.stopped_us ELSE 0 END
    FROM asset_bands AS b {{{{ends}}}} WHERE {_IS_END} ORDER BY b.at_us LIMIT 1
), 0)"""
_ENDED = f"""
WITH spans AS MATERIALIZED ({{spans}})
SELECT m.number, spans.from_us, spans.to_us, COALESCE((
    SELECT MAX(CASE WHEN b.began_us >= spans.from_us THEN b.stopped_us END)
    FROM asset_bands AS b {{ends}} WHERE {_IS_END.format(*_EACH_SPAN)}
), 0), {_ENDED_FIRST.format(*_EACH_SPAN)}
FROM {_ASKED} CROSS JOIN spans
WHERE {_IS_ASKED}"""
# In a long time there are very many: each asset's are looked through from the longest on until one is of that time.
# PostgreSQL does so where it knows how long the time is, so it is no list.
_ENDED_LONG = f"""
SELECT m.number, {", ".join(_ONE_SPAN)}, COALESCE((
    SELECT b.stopped_us FROM asset_bands AS b {{longest}}
    WHERE {_IS_END.format(*_ONE_SPAN)} AND b.began_us >= {_ONE_SPAN[0]} ORDER BY b.stopped_us DESC LIMIT 1
), 0), {_ENDED_FIRST.format(*_ONE_SPAN)}
FROM {_ASKED}
WHERE {_IS_ASKED}"""
