"""The only SQL of the older systems' apps: things of one kind among all that hubs told of."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import RowMapping, func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from cloud.accounts.member import Member
from cloud.db.models import CommandRow, Site, StateRow
from cloud.fleet.state_store import SITE, STATE, reached
from edge.wire.commands import OPEN

VIEW_CHARS = 16 * 1024  # a device's has about one thousand; what is far longer is none of these


async def devices_where(
    connection: AsyncConnection, member: Member, field: str, value: str, limit: int, site: str = ""
) -> Sequence[RowMapping]:
    """Devices a caller reaches whose view says this of them, such as `kind` vending, by site and id."""
    query = (
        select(*STATE, *SITE)
        .join(Site, (Site.tenant_id == StateRow.tenant_id) & (Site.id == StateRow.site_id))
        .where(
            StateRow.tenant_id == member.tenant_id,
            StateRow.kind == "device",
            func.length(StateRow.view) <= VIEW_CHARS,
            StateRow.view.contains(f'"{field}":"{value}"', autoescape=True),
            *reached(member, site),
        )
        .order_by(StateRow.site_id, StateRow.id)
        .limit(limit)
    )
    return (await connection.execute(query)).mappings().all()


async def vends_under_way(connection: AsyncConnection, tenant_id: int, site_id: int, device: str) -> int:
    """How many vends of a machine have not ended yet, as far as is known here."""
    query = select(func.count()).where(
        CommandRow.tenant_id == tenant_id,
        CommandRow.site_id == site_id,
        CommandRow.device == device,
        CommandRow.kind == "vend",
        CommandRow.state.in_(sorted(OPEN)),
    )
    return int((await connection.execute(query)).scalar_one())
