"""The only SQL that follows rollouts as they change, in the order it settles."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import RowMapping, select, tuple_
from sqlalchemy.ext.asyncio import AsyncConnection

from cloud.db.database import Database
from cloud.db.models import Site
from cloud.db.update_models import Rollout, RolloutDeviceRow

Position = tuple[int, int]
"""Transaction and number of a change."""
SITES_TOLD = 200  # of one rollout


async def newest(database: Database, connection: AsyncConnection, tenant_id: int) -> Position:
    """Where the newest settled change of a tenant is."""
    horizon = await database.settled_before(connection)
    query = select(Rollout.txid, Rollout.change).where(Rollout.tenant_id == tenant_id, Rollout.txid < horizon)
    order = Rollout.txid.desc(), Rollout.change.desc()
    row = (await connection.execute(query.order_by(*order).limit(1))).first()
    return (0, 0) if row is None else (row[0], row[1])


async def changed(
    database: Database, connection: AsyncConnection, tenant_id: int, position: Position, limit: int
) -> tuple[Sequence[RowMapping], bool]:
    """The next settled changes behind a position; and whether others wait to settle."""
    horizon = await database.settled_before(connection)
    mine, at = Rollout.tenant_id == tenant_id, tuple_(Rollout.txid, Rollout.change)
    told = Rollout.id, Rollout.name, Rollout.artifact, Rollout.state, Rollout.reason, Rollout.devices
    query = (
        select(*told, Rollout.txid, Rollout.change)
        .where(mine, at > tuple_(*position), Rollout.txid < horizon)
        .order_by(Rollout.txid, Rollout.change)
        .limit(limit)
    )
    rows = (await connection.execute(query)).mappings().all()
    waiting = select(Rollout.change).where(mine, Rollout.txid >= horizon).limit(1)
    return rows, (await connection.execute(waiting)).first() is not None


async def slugs(connection: AsyncConnection, tenant_id: int, rollout: str) -> Sequence[str]:
    """The sites that a rollout has devices at."""
    row = RolloutDeviceRow
    same = (Site.tenant_id == row.tenant_id) & (Site.id == row.site_id)
    query = select(Site.slug).join(row, same).where(row.tenant_id == tenant_id, row.rollout == rollout)
    return (await connection.execute(query.distinct().order_by(Site.slug).limit(SITES_TOLD))).scalars().all()
