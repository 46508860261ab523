"""The only SQL for the pictures of tenants; their bytes are blobs."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from sqlalchemy import RowMapping, delete, func, select, tuple_
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncConnection

from cloud.db.content_models import PictureRow
from cloud.db.update_models import Blob

ROW = tuple(PictureRow.__table__.c)


async def page(
    connection: AsyncConnection, tenant_id: int, *, behind: tuple[int, str] | None, limit: int
) -> Sequence[RowMapping]:
    """Pictures, the newest first, behind that one."""
    query = select(*ROW).where(PictureRow.tenant_id == tenant_id)
    if behind is not None:
        query = query.where(tuple_(PictureRow.at_us, PictureRow.id) < tuple_(*behind))
    query = query.order_by(PictureRow.at_us.desc(), PictureRow.id.desc()).limit(limit)
    return (await connection.execute(query)).mappings().all()


async def one(connection: AsyncConnection, tenant_id: int, picture: str) -> RowMapping | None:
    """One picture."""
    query = select(*ROW).where(PictureRow.tenant_id == tenant_id, PictureRow.id == picture)
    return (await connection.execute(query)).mappings().first()


async def some(connection: AsyncConnection, tenant_id: int, pictures: Collection[str]) -> Sequence[RowMapping]:
    """Those of these pictures that are here."""
    if not pictures:
        return []
    query = select(*ROW).where(PictureRow.tenant_id == tenant_id, PictureRow.id.in_(sorted(pictures)))
    return (await connection.execute(query)).mappings().all()


async def count(connection: AsyncConnection, tenant_id: int) -> int:
    """How many there are."""
    query = select(func.count()).select_from(PictureRow).where(PictureRow.tenant_id == tenant_id)
    return int((await connection.execute(query)).scalar_one())


async def add(connection: AsyncConnection, **values: object) -> bool:
    """Keep one; False where it is here already."""
    insert = sqlite.insert if connection.dialect.name == "sqlite" else postgresql.insert
    statement = insert(PictureRow).values(**values).on_conflict_do_nothing().returning(PictureRow.id)
    return (await connection.execute(statement)).first() is not None


async def is_whole(connection: AsyncConnection, tenant_id: int, picture: str) -> bool:
    """Whether all its bytes are here; they stay until this transaction ends."""
    query = select(Blob.sha256).where(Blob.tenant_id == tenant_id, Blob.sha256 == picture, Blob.whole)
    return (await connection.execute(query.with_for_update())).first() is not None


async def remove(connection: AsyncConnection, tenant_id: int, picture: str) -> None:
    """Let go of one; its bytes are let go of behind it."""
    await connection.execute(delete(PictureRow).where(PictureRow.tenant_id == tenant_id, PictureRow.id == picture))
