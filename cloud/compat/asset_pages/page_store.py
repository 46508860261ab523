"""The only SQL of the asset logger's pages: loggers and machines as their hubs last told of them."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from sqlalchemy import RowMapping, func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from cloud.accounts.member import Member
from cloud.compat.store import VIEW_CHARS, devices_where
from cloud.db.models import Site, StateRow
from cloud.fleet.state_store import SITE, STATE, reached

LOGGERS_MAX = 1_000  # that one person is shown
MACHINES_MAX = 4_000
ASSET, RULES = "asset", "asset_rules"


async def loggers(connection: AsyncConnection, member: Member, field: str, value: str) -> Sequence[RowMapping]:
    """Devices he reaches whose view says this of them."""
    return await devices_where(connection, member, field, value, LOGGERS_MAX)


async def machines(connection: AsyncConnection, member: Member, devices: Collection[str]) -> Sequence[RowMapping]:
    """Assets that these devices, by their ids, tell of now, at whatever site he reaches."""
    query = (
        select(*STATE, *SITE)
        .join(Site, (Site.tenant_id == StateRow.tenant_id) & (Site.id == StateRow.site_id))
        .where(
            StateRow.tenant_id == member.tenant_id,
            StateRow.kind == ASSET,
            StateRow.device.in_(sorted(devices)),
            func.length(StateRow.view).between(1, VIEW_CHARS),
            *reached(member),
        )
        .order_by(StateRow.site_id, StateRow.id)
        .limit(MACHINES_MAX)
    )
    return (await connection.execute(query)).mappings().all()


async def rules(connection: AsyncConnection, member: Member, sites: Collection[int]) -> Sequence[RowMapping]:
    """What holds for the assets of these sites, of those he reaches."""
    query = (
        select(StateRow.site_id, StateRow.view)
        .join(Site, (Site.tenant_id == StateRow.tenant_id) & (Site.id == StateRow.site_id))
        .where(
            StateRow.tenant_id == member.tenant_id,
            StateRow.kind == RULES,
            StateRow.view != "",
            StateRow.site_id.in_(sorted(sites)),
            *reached(member),
        )
    )
    return (await connection.execute(query)).mappings().all()
