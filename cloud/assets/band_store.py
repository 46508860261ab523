"""The only SQL that writes bands and their marks, and reads what is needed to go on from them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import islice
from typing import Any

import msgspec
from sqlalchemy import ColumnElement, and_, bindparam, delete, func, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from cloud.assets.definition_store import SiteKey
from cloud.db.asset_models import AssetBand, AssetMark
from edge.assets.model import Band, Past, State, Sums

ROWS_AT_ONCE = 1_000  # written: some 20 ms in which nobody else is served
SUMS = Sums.__struct_fields__
COLUMNS = tuple(
    getattr(AssetBand, name) for name in ("at_us", "state", "raw", "past", "began_us", "stopped_us", *SUMS, "anew")
)
WIDTH = len(COLUMNS)
_STATES, _PASTS = tuple(State), tuple(Past)


class Mark(msgspec.Struct, frozen=True, kw_only=True):
    """How far an asset's bands go, as the table has it."""

    asset: str
    number: int
    upto_us: int = 0
    evidence_us: int = 0
    raw: int = State.UNKNOWN
    alive_s: float | None = None
    look_us: int | None = None
    made_by: str = ""


def band(row: Sequence[Any]) -> Band:
    """A band from the values of `COLUMNS`."""
    at_us, state, raw, past, began_us, stopped_us, *sums, anew = row
    return Band(at_us, _STATES[state], _STATES[raw], _PASTS[past], began_us, stopped_us, Sums(*sums), bool(anew))


async def marks(connection: AsyncConnection, site: SiteKey) -> dict[str, Mark]:
    """The marks of a site, by asset."""
    columns = [getattr(AssetMark, name) for name in Mark.__struct_fields__]
    query = select(*columns).where(AssetMark.tenant_id == site[0], AssetMark.site_id == site[1])
    return {row.asset: Mark(**row._mapping) for row in await connection.execute(query)}


async def mark(connection: AsyncConnection, site: SiteKey, asset: str) -> Mark | None:
    """That of one asset; None where it has none."""
    columns = [getattr(AssetMark, name) for name in Mark.__struct_fields__]
    query = select(*columns).where(
        AssetMark.tenant_id == site[0], AssetMark.site_id == site[1], AssetMark.asset == asset
    )
    row = (await connection.execute(query)).first()
    return None if row is None else Mark(**row._mapping)


async def add_mark(connection: AsyncConnection, site: SiteKey, mark: Mark) -> None:
    """The mark of an asset that has none."""
    await connection.execute(
        insert(AssetMark).values(tenant_id=site[0], site_id=site[1], **msgspec.structs.asdict(mark))
    )


async def save_marks(connection: AsyncConnection, site: SiteKey, some: Sequence[Mark]) -> None:
    """Keep these marks as they are now."""
    if some:
        place = {"of_tenant": site[0], "of_site": site[1]}
        rows = [
            {**place, **{f"new_{name}": value for name, value in msgspec.structs.asdict(mark).items()}}
            for mark in some
        ]
        await connection.execute(_SAVE, rows)


async def forget(connection: AsyncConnection, site: SiteKey, gone: Sequence[Mark]) -> None:
    """Nothing tells of these assets any more. What was known of them stays, to be gone on from if they come back;
    a mark with no band goes."""
    await save_marks(connection, site, [msgspec.structs.replace(mark, look_us=None, made_by="") for mark in gone])
    for mark in gone:
        its = and_(AssetMark.tenant_id == site[0], AssetMark.site_id == site[1], AssetMark.asset == mark.asset)
        known = select(AssetBand.at_us).where(_of(site, mark.number)).exists()
        await connection.execute(delete(AssetMark).where(its, ~known))


async def last_before(connection: AsyncConnection, site: SiteKey, number: int, at_us: int) -> Band | None:
    """The last band of an asset that begins before a time."""
    query = select(*COLUMNS).where(_of(site, number), AssetBand.at_us < at_us)
    row = (await connection.execute(query.order_by(AssetBand.at_us.desc()).limit(1))).first()
    return None if row is None else band(row)


async def first_at(connection: AsyncConnection, site: SiteKey, number: int, from_us: int) -> int | None:
    """When an asset's first band that begins at a time or later does."""
    query = select(func.min(AssetBand.at_us)).where(_of(site, number), AssetBand.at_us >= from_us)
    at_us: int | None = (await connection.execute(query)).scalar_one()
    return at_us


async def all_bands(connection: AsyncConnection, site: SiteKey, number: int) -> list[Band]:
    """All bands of an asset, in order of time."""
    query = select(*COLUMNS).where(_of(site, number)).order_by(AssetBand.at_us)
    return [band(row) for row in await connection.execute(query)]


async def replace(
    connection: AsyncConnection, site: SiteKey, number: int, from_us: int, bands: Iterable[Band]
) -> None:
    """These are an asset's bands from a time on, whatever there was."""
    await connection.execute(delete(AssetBand).where(_of(site, number), AssetBand.at_us >= from_us))
    rest = iter(bands)
    while rows := [_row(site, number, one) for one in islice(rest, ROWS_AT_ONCE)]:
        await connection.execute(insert(AssetBand), rows)


def _row(site: SiteKey, number: int, one: Band) -> dict[str, Any]:
    return {
        "tenant_id": site[0],
        "site_id": site[1],
        "asset": number,
        "at_us": one.at_us,
        "state": int(one.state),
        "raw": int(one.raw),
        "past": int(one.past),
        "began_us": one.began_us,
        "stopped_us": one.stopped_us,
        **msgspec.structs.asdict(one.sums),
        "anew": one.anew,
    }


def _of(site: SiteKey, number: int) -> ColumnElement[bool]:
    return and_(AssetBand.tenant_id == site[0], AssetBand.site_id == site[1], AssetBand.asset == number)


_SAVE = (
    update(AssetMark)
    .where(
        AssetMark.tenant_id == bindparam("of_tenant"),
        AssetMark.site_id == bindparam("of_site"),
        AssetMark.asset == bindparam("new_asset"),
    )
    .values({name: bindparam(f"new_{name}") for name in Mark.__struct_fields__ if name not in ("asset", "number")})
)
