"""The only SQL that reads facts for people: all sites of a caller, in the one order that readers go by.

That order is (transaction, arrival): a fact committed later never comes before one that a reader has had, also
where several instances write at once. Only what is settled is read: no transaction still runs that could add a fact
before.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import ColumnElement, RowMapping, Select, and_, select, tuple_, update
from sqlalchemy.ext.asyncio import AsyncConnection

from cloud.accounts.member import Member
from cloud.analytics.times_store import FACT_FIX, fact_at, fact_quality
from cloud.db.database import Database
from cloud.db.models import Epoch, FactRow, Site, StateRow, Tenant
from cloud.db.reading_models import ClockFix
from cloud.fleet.state_store import reached
from cloud.sync.plain_json import plain_object
from edge.clock import iso
from edge.wire.centre import SiteFact

Position = tuple[int, int]
"""Transaction and arrival."""
BEGIN: Position = (-1, 0)
RECENT_US = 60_000_000
_EPOCH = and_(
    Epoch.tenant_id == FactRow.tenant_id,
    Epoch.site_id == FactRow.site_id,
    Epoch.stream == "ledger",
    Epoch.epoch_no == FactRow.epoch_no,
)


async def behind(
    database: Database,
    connection: AsyncConnection,
    member: Member,
    position: Position,
    limit: int,
    *,
    site: str = "",
    sites: Sequence[str] | None = None,
    window: tuple[int, int] | None = None,
) -> Sequence[RowMapping]:
    """The next settled facts behind a position; of `site`, of `sites`, and of [from, to) where these are given."""
    horizon = await database.settled_before(connection)
    query = (
        _facts(member, site)
        .where(tuple_(FactRow.txid, FactRow.arrival) > tuple_(*position), FactRow.txid < horizon)
        .order_by(FactRow.txid, FactRow.arrival)
        .limit(limit)
    )
    if sites is not None:
        query = query.where(Site.slug.in_(sites))
    if window is not None:
        query = query.where(fact_at.element >= window[0], fact_at.element < window[1])
    return (await connection.execute(query)).mappings().all()


async def newest(
    database: Database,
    connection: AsyncConnection,
    member: Member,
    limit: int,
    *,
    site: str,
    before: Position | None,
) -> Sequence[RowMapping]:
    """The last settled facts, or those before a position, the newest first; of `site` where it is given."""
    horizon = await database.settled_before(connection)
    query = (
        _facts(member, site)
        .where(FactRow.txid < horizon)
        .order_by(FactRow.txid.desc(), FactRow.arrival.desc())
        .limit(limit)
    )
    if before is not None:
        query = query.where(tuple_(FactRow.txid, FactRow.arrival) < tuple_(*before))
    return (await connection.execute(query)).mappings().all()


async def head(database: Database, connection: AsyncConnection, tenant_id: int) -> tuple[Position, bool]:
    """Where the newest settled fact of a tenant is, and whether others wait behind it to be settled."""
    horizon = await database.settled_before(connection)
    mine = FactRow.tenant_id == tenant_id
    newest = select(FactRow.txid, FactRow.arrival).where(mine, FactRow.txid < horizon)
    order = FactRow.txid.desc(), FactRow.arrival.desc()
    row = (await connection.execute(newest.order_by(*order).limit(1))).first()
    waiting = select(FactRow.arrival).where(mine, FactRow.txid >= horizon).limit(1)
    waits = (await connection.execute(waiting)).first() is not None
    return (BEGIN if row is None else (row[0], row[1])), waits


async def position_of(database: Database, connection: AsyncConnection, member: Member, arrival: int) -> Position:
    """Where a reader goes on who has the fact of this number. A number that none has stands for the place before
    the first fact with a greater one: he may get some again, and misses none."""
    mine = FactRow.tenant_id == member.tenant_id
    query = select(FactRow.txid).where(mine, FactRow.arrival == arrival)
    txid = (await connection.execute(query)).scalar_one_or_none()
    if txid is not None:
        return txid, arrival
    settled, _ = await head(database, connection, member.tenant_id)
    later = select(FactRow.txid).where(mine, FactRow.arrival > arrival).order_by(FactRow.txid).limit(1)
    first = (await connection.execute(later)).scalar_one_or_none()
    if first is None:
        return settled
    return min(settled, (first, arrival) if database.sqlite else (first - 1, arrival))


async def settle_restored(database: Database, now_us: int) -> None:
    """What comes from another PostgreSQL, by a restore, has transactions this one has not reached yet: they are
    settled, and count as the oldest. Those of the last minute may be of another instance at work."""
    if database.sqlite:
        return
    async with database.write() as connection:
        now = await database.transaction_id(connection)
        tenants = (await connection.execute(select(Tenant.id))).scalars().all()
        for table in (FactRow, StateRow):
            for tenant_id in tenants:
                old = and_(table.tenant_id == tenant_id, table.txid > now, table.received_us < now_us - RECENT_US)
                await connection.execute(update(table).where(old).values(txid=0))


def fact_view(row: RowMapping) -> SiteFact:
    """A row as the API shows it."""
    return SiteFact(
        id=row["arrival"],
        site=row["slug"],
        epoch=row["epoch"] or "",
        received_at=iso(row["received_us"]),
        seq=row["seq"],
        kind=row["kind"],
        subject=row["subject"],
        at=iso(row["at_us"]),
        quality=row["quality"],
        body=plain_object(row["body"]),
        hash=row["hash"].hex(),
    )


def _facts(member: Member, site: str) -> Select[*tuple[Any, ...]]:
    columns = (
        FactRow.arrival,
        FactRow.txid,
        FactRow.seq,
        FactRow.kind,
        FactRow.subject,
        FactRow.device,
        FactRow.body,
        FactRow.hash,
        FactRow.received_us,
        fact_at,
        fact_quality,
        Site.slug,
        Epoch.epoch,
    )
    return (
        select(*columns)
        .join(Site, _is_of())
        .outerjoin(ClockFix, FACT_FIX)
        .outerjoin(Epoch, _EPOCH)
        .where(FactRow.tenant_id == member.tenant_id, FactRow.skipped.is_(False), *reached(member, site))
    )


def _is_of() -> ColumnElement[bool]:
    return and_(Site.tenant_id == FactRow.tenant_id, Site.id == FactRow.site_id)
