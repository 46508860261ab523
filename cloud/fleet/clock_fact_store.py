"""The only SQL that finds the facts of one boot."""

from __future__ import annotations

from sqlalchemy import and_, func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from cloud.db.models import FactRow
from cloud.fleet.command_model import FOLLOWED
from cloud.sites.gate import HubCaller
from edge.wire.ledger import Fact
from edge.wire.times import NONE

_FACT = tuple(getattr(FactRow, name) for name in Fact.__struct_fields__)


async def of_boot(
    connection: AsyncConnection, site: HubCaller, boot_id: str, before: int, limit: int
) -> list[Fact]:
    """Facts about commands and vends by the unset clock of a boot, the newest before number `before` first."""
    mine = and_(FactRow.tenant_id == site.tenant_id, FactRow.site_id == site.site_id, FactRow.seq < before)
    other = (
        select(FactRow.seq)
        .where(mine, FactRow.boot_id != boot_id, FactRow.skipped.is_(False))
        .order_by(FactRow.seq.desc())
        .limit(1)
    )
    first = (await connection.execute(select(func.coalesce(other.scalar_subquery(), 0)))).scalar_one()
    query = (
        select(*_FACT)
        .where(mine, FactRow.seq > first, FactRow.quality == NONE, FactRow.kind.in_(sorted(FOLLOWED)))
        .order_by(FactRow.seq.desc())
        .limit(limit)
    )
    return [Fact(*row) for row in await connection.execute(query)]
