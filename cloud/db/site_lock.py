"""One instance at a time makes what follows from a site's rows: its rollups, the bands of its assets."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator
from enum import IntEnum

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from cloud.db.database import Database

_TRY = text("SELECT pg_try_advisory_xact_lock(:work, :site)")


class Work(IntEnum):
    """What is made, as the lock knows it; its other half is the site's number."""

    ROLLUPS = 0x726F_6C6C
    BANDS = 0x6173_7365


@contextlib.asynccontextmanager
async def locked(db: Database, work: Work, site_id: int) -> AsyncIterator[AsyncConnection | None]:
    """A connection that reads while nobody else does this work for this site; None when somebody does.

    On SQLite there is nobody else, and reading does not hold up those who write.
    """
    async with db.read() if db.sqlite else db.write() as connection:
        yield connection if await alone(db, connection, work, site_id) else None


@contextlib.asynccontextmanager
async def to_write(db: Database, reading: AsyncConnection) -> AsyncIterator[AsyncConnection]:
    """Where to write what was read with `locked`: on PostgreSQL under the same lock."""
    if not db.sqlite:
        yield reading
        return
    async with db.write() as connection:
        yield connection


async def alone(db: Database, connection: AsyncConnection, work: Work, site_id: int) -> bool:
    """Until the transaction ends nobody else does this work for this site; False when somebody does."""
    if db.sqlite:
        return True
    return bool((await connection.execute(_TRY, {"work": int(work), "site": site_id})).scalar_one())
