"""The only SQL for receipts: what of a readings stream is here, by ranges."""

from __future__ import annotations

from collections.abc import Iterable

from sqlalchemy import ColumnElement, and_, bindparam, delete, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from cloud.db.models import Receipt
from cloud.sites.gate import HubCaller
from cloud.sync.receipts import Range, merged

_MINE = and_(
    Receipt.tenant_id == bindparam("of_tenant"),
    Receipt.site_id == bindparam("of_site"),
    Receipt.epoch_no == bindparam("of_epoch"),
)
_RANGES = select(Receipt.first, Receipt.last).where(_MINE).order_by(Receipt.first)
_LONGER = update(Receipt).where(_MINE, Receipt.first == bindparam("from_first")).values(last=bindparam("to_last"))


async def ranges(connection: AsyncConnection, site: HubCaller, epoch_no: int) -> list[Range]:
    """All of an epoch, in order."""
    return [(row.first, row.last) for row in await connection.execute(_RANGES, _key(site, epoch_no))]


async def elsewhere(
    connection: AsyncConnection, site: HubCaller, epoch_no: int, first: int, last: int
) -> list[int]:
    """Other epochs that have something from `first` to `last`."""
    query = (
        select(Receipt.epoch_no)
        .where(Receipt.tenant_id == site.tenant_id, Receipt.site_id == site.site_id)
        .where(Receipt.epoch_no != epoch_no, Receipt.first <= last, Receipt.last >= first)
        .distinct()
    )
    return list((await connection.execute(query)).scalars())


async def add(
    connection: AsyncConnection, site: HubCaller, epoch_no: int, there: Iterable[Range], first: int, last: int
) -> list[Range]:
    """Note that `first` to `last` is here too, where `there` is what was; returns all ranges now."""
    before = set(there)
    after = merged([*before, (first, last)])
    gone, new = before.difference(after), [each for each in after if each not in before]
    if len(gone) == 1 and [first for first, _ in gone] == [low for low, _ in new]:  # mostly: one that grows
        grown = {**_key(site, epoch_no), "from_first": new[0][0], "to_last": new[0][1]}
        await connection.execute(_LONGER, grown)
        return after
    if gone:
        firsts = [low for low, _ in gone]
        await connection.execute(delete(Receipt).where(_of(site, epoch_no), Receipt.first.in_(firsts)))
    await put(connection, site, epoch_no, new)
    return after


async def put(connection: AsyncConnection, site: HubCaller, epoch_no: int, new: Iterable[Range]) -> None:
    """Note ranges that touch none that are there."""
    rows = [
        {
            "tenant_id": site.tenant_id,
            "site_id": site.site_id,
            "epoch_no": epoch_no,
            "first": first,
            "last": last,
        }
        for first, last in new
    ]
    if rows:
        await connection.execute(insert(Receipt), rows)


def _key(site: HubCaller, epoch_no: int) -> dict[str, int]:
    return {"of_tenant": site.tenant_id, "of_site": site.site_id, "of_epoch": epoch_no}


def _of(site: HubCaller, epoch_no: int) -> ColumnElement[bool]:
    return and_(Receipt.tenant_id == site.tenant_id, Receipt.site_id == site.site_id, Receipt.epoch_no == epoch_no)
