"""The only SQL for the bytes of files: each file once for a tenant, by its hash, in pieces of PIECE_BYTES.

No row holds more than a piece, so neither taking a file in nor giving it out needs more memory than that.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence

from sqlalchemy import ColumnElement, delete, exists, func, or_, select, tuple_, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncConnection

from cloud.db.content_models import PictureRow
from cloud.db.update_models import ArtifactPart, Blob, BlobPiece

PIECE_BYTES = 256 * 1024


async def begin(connection: AsyncConnection, tenant_id: int, sha256: str, size: int, now_us: int) -> bool:
    """Note that this file is wanted now, so that it is not swept away; whether all of it is here already."""
    upsert = sqlite.insert if connection.dialect.name == "sqlite" else postgresql.insert
    statement = upsert(Blob).values(tenant_id=tenant_id, sha256=sha256, size=size, touched_us=now_us, whole=False)
    key = [Blob.tenant_id, Blob.sha256]
    statement = statement.on_conflict_do_update(index_elements=key, set_={"touched_us": now_us})
    return bool((await connection.execute(statement.returning(Blob.whole))).scalar_one())


async def bytes_kept(connection: AsyncConnection, tenant_id: int) -> int:
    """Bytes of all files of a tenant, each once: those too that are only coming, or that nothing has."""
    query = select(func.coalesce(func.sum(Blob.size), 0)).where(Blob.tenant_id == tenant_id)
    return int((await connection.execute(query)).scalar_one())


async def known(connection: AsyncConnection, tenant_id: int, files: Collection[str]) -> set[str]:
    """Which of these files are counted already."""
    query = select(Blob.sha256).where(Blob.tenant_id == tenant_id, Blob.sha256.in_(sorted(files)))
    return set((await connection.execute(query)).scalars())


async def put(
    connection: AsyncConnection, tenant_id: int, sha256: str, pieces: Sequence[tuple[int, bytes]]
) -> None:
    """Keep these pieces, each with its number from 0; one that is here stays, as its bytes are the same."""
    insert = sqlite.insert if connection.dialect.name == "sqlite" else postgresql.insert
    rows = [{"tenant_id": tenant_id, "sha256": sha256, "number": number, "data": data} for number, data in pieces]
    if rows:
        await connection.execute(insert(BlobPiece).on_conflict_do_nothing(), rows)


async def finish(connection: AsyncConnection, tenant_id: int, sha256: str) -> None:
    """All pieces are here."""
    mine = Blob.tenant_id == tenant_id, Blob.sha256 == sha256
    await connection.execute(update(Blob).where(*mine).values(whole=True))


async def size_of(connection: AsyncConnection, tenant_id: int, sha256: str) -> int | None:
    """How many bytes the file has; None where not all of it is here."""
    query = select(Blob.size).where(Blob.tenant_id == tenant_id, Blob.sha256 == sha256, Blob.whole)
    return (await connection.execute(query)).scalar_one_or_none()


async def piece(connection: AsyncConnection, tenant_id: int, sha256: str, number: int) -> bytes | None:
    """One piece; None where it is not here any more."""
    query = select(BlobPiece.data).where(
        BlobPiece.tenant_id == tenant_id, BlobPiece.sha256 == sha256, BlobPiece.number == number
    )
    data = (await connection.execute(query)).scalar_one_or_none()
    return None if data is None else bytes(data)


async def unused(connection: AsyncConnection, before_us: int, limit: int) -> list[tuple[int, str]]:
    """Files that nothing has, and that nobody wanted since then: tenant and hash."""
    query = select(Blob.tenant_id, Blob.sha256).where(Blob.touched_us < before_us, ~_used()).limit(limit)
    return [(row[0], row[1]) for row in await connection.execute(query)]


async def sweep(connection: AsyncConnection, files: Sequence[tuple[int, str]], before_us: int) -> int:
    """Let go of those among these files that nothing has still; how many."""
    if not files:
        return 0
    gone = await connection.execute(
        delete(Blob)
        .where(tuple_(Blob.tenant_id, Blob.sha256).in_(files), Blob.touched_us < before_us, ~_used())
        .returning(Blob.tenant_id, Blob.sha256)
    )
    keys = [(row[0], row[1]) for row in gone]
    if keys:
        await connection.execute(delete(BlobPiece).where(tuple_(BlobPiece.tenant_id, BlobPiece.sha256).in_(keys)))
    return len(keys)


def _used() -> ColumnElement[bool]:
    return or_(
        exists().where(ArtifactPart.tenant_id == Blob.tenant_id, ArtifactPart.sha256 == Blob.sha256),
        exists().where(PictureRow.tenant_id == Blob.tenant_id, PictureRow.id == Blob.sha256),
    )
