"""The only SQL that follows what hubs tell of their things, in the order it settles."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import RowMapping, and_, func, select, tuple_
from sqlalchemy.ext.asyncio import AsyncConnection

from cloud.analytics.fact_store import BEGIN, Position
from cloud.db.database import Database
from cloud.db.models import Site, StateRow
from cloud.fleet.state_store import SITE, STATE, fitting


async def newest(database: Database, connection: AsyncConnection, tenant_id: int) -> Position:
    """Where the newest settled change of a tenant is."""
    horizon = await database.settled_before(connection)
    query = select(StateRow.txid, StateRow.change).where(StateRow.tenant_id == tenant_id, StateRow.txid < horizon)
    order = StateRow.txid.desc(), StateRow.change.desc()
    row = (await connection.execute(query.order_by(*order).limit(1))).first()
    return BEGIN if row is None else (row[0], row[1])


async def changed(
    database: Database, connection: AsyncConnection, tenant_id: int, position: Position, limit: int
) -> tuple[Sequence[RowMapping], bool]:
    """The next settled changes behind a position, what is gone with an empty view, as many as one page holds; and
    whether others are there or wait to be settled."""
    horizon = await database.settled_before(connection)
    mine = StateRow.tenant_id == tenant_id
    behind = and_(mine, tuple_(StateRow.txid, StateRow.change) > tuple_(*position), StateRow.txid < horizon)
    order = StateRow.txid, StateRow.change
    sizes = select(func.length(StateRow.view)).where(behind).order_by(*order).limit(limit)
    chars = (await connection.execute(sizes)).scalars().all()
    query = (
        select(*STATE, StateRow.txid, StateRow.change, *SITE)
        .join(Site, (Site.tenant_id == StateRow.tenant_id) & (Site.id == StateRow.site_id))
        .where(behind)
        .order_by(*order)
        .limit(fitting(chars))
    )
    rows = (await connection.execute(query)).mappings().all() if chars else []
    if len(rows) < len(chars):
        return rows, True
    waiting = select(StateRow.change).where(mine, StateRow.txid >= horizon).limit(1)
    return rows, (await connection.execute(waiting)).first() is not None
