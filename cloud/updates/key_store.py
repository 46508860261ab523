"""The only SQL for the keys whose signatures on firmware a tenant trusts."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import RowMapping, delete, insert, or_, select
from sqlalchemy.ext.asyncio import AsyncConnection

from cloud.db.update_models import FirmwareKey

VIEW = FirmwareKey.id, FirmwareKey.name, FirmwareKey.pem, FirmwareKey.created_us, FirmwareKey.created_by


async def keys(connection: AsyncConnection, tenant_id: int) -> Sequence[RowMapping]:
    """All of them, the oldest first."""
    query = select(*VIEW).where(FirmwareKey.tenant_id == tenant_id)
    query = query.order_by(FirmwareKey.created_us, FirmwareKey.id)
    return (await connection.execute(query)).mappings().all()


async def insert_key(connection: AsyncConnection, **values: object) -> None:
    """Add one."""
    await connection.execute(insert(FirmwareKey).values(**values))


async def remove(connection: AsyncConnection, tenant_id: int, named: str) -> tuple[str, str] | None:
    """Let go of one, by its id or name: its id and name, None where there is none."""
    of = FirmwareKey.tenant_id == tenant_id, or_(FirmwareKey.id == named, FirmwareKey.name == named)
    row = (
        await connection.execute(delete(FirmwareKey).where(*of).returning(FirmwareKey.id, FirmwareKey.name))
    ).first()
    return None if row is None else (row[0], row[1])
