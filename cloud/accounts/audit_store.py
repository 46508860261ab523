"""The only SQL that writes the audit; cloud/api/audit_store.py reads it."""

from __future__ import annotations

from sqlalchemy import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from cloud.db.models import Audit


async def insert_change(connection: AsyncConnection, **values: object) -> None:
    """Add one row."""
    await connection.execute(insert(Audit).values(**values))
