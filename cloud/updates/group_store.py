"""The only SQL for groups of devices."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from sqlalchemy import delete, func, insert, select
from sqlalchemy.ext.asyncio import AsyncConnection

from cloud.db.update_models import DeviceGroup, GroupMember


async def names(connection: AsyncConnection, tenant_id: int) -> list[str]:
    """All groups."""
    query = select(DeviceGroup.name).where(DeviceGroup.tenant_id == tenant_id).order_by(DeviceGroup.name)
    return list((await connection.execute(query)).scalars())


async def all_members(connection: AsyncConnection, tenant_id: int) -> Sequence[tuple[str, int, str]]:
    """Group, site and device of all members."""
    of = GroupMember
    query = select(of.name, of.site_id, of.device).where(of.tenant_id == tenant_id)
    rows = await connection.execute(query.order_by(of.name, of.device, of.site_id))
    return [(row[0], row[1], row[2]) for row in rows]


async def members(connection: AsyncConnection, tenant_id: int, name: str) -> set[tuple[int, str]] | None:
    """Site and device of a group's members; None where there is no such group."""
    group = DeviceGroup.tenant_id == tenant_id, DeviceGroup.name == name
    if (await connection.execute(select(func.count()).where(*group))).scalar_one() == 0:
        return None
    of = GroupMember
    query = select(of.site_id, of.device).where(of.tenant_id == tenant_id, of.name == name)
    return {(row[0], row[1]) for row in await connection.execute(query)}


async def insert_group(connection: AsyncConnection, **values: object) -> None:
    """Add one without members."""
    await connection.execute(insert(DeviceGroup).values(**values))


async def set_members(
    connection: AsyncConnection,
    tenant_id: int,
    name: str,
    *,
    removed: Collection[tuple[int, str]],
    added: Collection[tuple[int, str]],
) -> None:
    """Take members out and in."""
    of = GroupMember
    for site_id, device in sorted(removed):
        mine = of.tenant_id == tenant_id, of.name == name, of.site_id == site_id, of.device == device
        await connection.execute(delete(of).where(*mine))
    rows = [
        {"tenant_id": tenant_id, "name": name, "site_id": site_id, "device": device}
        for site_id, device in sorted(added)
    ]
    if rows:
        await connection.execute(insert(of), rows)


async def remove(connection: AsyncConnection, tenant_id: int, name: str) -> None:
    """Let go of a group with its members."""
    for table in (GroupMember, DeviceGroup):
        await connection.execute(delete(table).where(table.tenant_id == tenant_id, table.name == name))
