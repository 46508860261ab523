"""The only SQL that finds the facts of one boot."""

from __future__ import annotations

from sqlalchemy import ColumnElement, and_, func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from cloud.db.models import FactRow
from cloud.fleet.command_model import FOLLOWED
from cloud.sites.gate import HubCaller
from edge.wire.ledger import Fact
from edge.wire.times import NONE

_FACT = tuple(getattr(FactRow, name) for name in Fact.__struct_fields__)


async def begin_of_boot(connection: AsyncConnection, site: HubCaller, boot_id: str, before: int) -> int:
    """The number of the newest fact of another boot before number `before`; 0 where there is none."""
    other = (
        select(FactRow.seq)
        .where(_mine(site), FactRow.seq < before, FactRow.boot_id != boot_id, FactRow.skipped.is_(False))
        .order_by(FactRow.seq.desc())
        .limit(1)
    )
    return int((await connection.execute(select(func.coalesce(other.scalar_subquery(), 0)))).scalar_one())


async def unset(connection: AsyncConnection, site: HubCaller, after: int, before: int, limit: int) -> list[Fact]:
    """Facts about commands and vends by an unset clock between these numbers, the newest first."""
    query = (
        select(*_FACT)
        .where(
            _mine(site),
            FactRow.seq > after,
            FactRow.seq < before,
            FactRow.quality == NONE,
            FactRow.kind.in_(sorted(FOLLOWED)),
        )
        .order_by(FactRow.seq.desc())
        .limit(limit)
    )
    return [Fact(*row) for row in await connection.execute(query)]


def _mine(site: HubCaller) -> ColumnElement[bool]:
    return and_(FactRow.tenant_id == site.tenant_id, FactRow.site_id == site.site_id)
