"""The only SQL for the documents of tenants and their versions."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from sqlalchemy import ColumnElement, RowMapping, delete, func, insert, select, tuple_, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncConnection

from cloud.db.content_models import DocumentRow, DocumentVersion

Key = tuple[str, str]  # kind and id
ALL = tuple(DocumentRow.__table__.c)
HEAD = tuple(column for column in ALL if column.name != "body")  # without the draft


async def listed(connection: AsyncConnection, tenant_id: int, kind: str = "") -> Sequence[RowMapping]:
    """Documents by kind and id, without their drafts."""
    query = select(*HEAD).where(DocumentRow.tenant_id == tenant_id, ~DocumentRow.removed)
    if kind:
        query = query.where(DocumentRow.kind == kind)
    return (await connection.execute(query.order_by(DocumentRow.kind, DocumentRow.id))).mappings().all()


async def drafts(connection: AsyncConnection, tenant_id: int) -> Sequence[RowMapping]:
    """Kind, id and body of every draft."""
    of = DocumentRow.kind, DocumentRow.id, DocumentRow.body
    query = select(*of).where(DocumentRow.tenant_id == tenant_id, ~DocumentRow.removed)
    return (await connection.execute(query)).mappings().all()


async def one(
    connection: AsyncConnection, tenant_id: int, kind: str, document: str, *, locked: bool = False
) -> RowMapping | None:
    """A document with its draft, also one that was removed."""
    query = select(*ALL).where(*_of(tenant_id, kind, document))
    if locked:
        query = query.with_for_update()
    return (await connection.execute(query)).mappings().first()


async def count(connection: AsyncConnection, tenant_id: int) -> int:
    """How many documents there are."""
    query = select(func.count()).select_from(DocumentRow)
    query = query.where(DocumentRow.tenant_id == tenant_id, ~DocumentRow.removed)
    return int((await connection.execute(query)).scalar_one())


async def put(connection: AsyncConnection, tenant_id: int, key: Key, values: Mapping[str, object]) -> None:
    """Keep what a document is now: every column but its key."""
    upsert = sqlite.insert if connection.dialect.name == "sqlite" else postgresql.insert
    statement = upsert(DocumentRow).values(tenant_id=tenant_id, kind=key[0], id=key[1], **values)
    columns = [DocumentRow.tenant_id, DocumentRow.kind, DocumentRow.id]
    await connection.execute(statement.on_conflict_do_update(index_elements=columns, set_=values))


async def remove(connection: AsyncConnection, tenant_id: int, kind: str, document: str, **values: object) -> None:
    """Let go of a document's versions; its row stays, with these values."""
    mine = DocumentVersion.tenant_id == tenant_id, DocumentVersion.kind == kind, DocumentVersion.id == document
    await connection.execute(delete(DocumentVersion).where(*mine))
    await connection.execute(update(DocumentRow).where(*_of(tenant_id, kind, document)).values(**values))


async def add_version(connection: AsyncConnection, **values: object) -> None:
    """Keep a version."""
    await connection.execute(insert(DocumentVersion).values(**values))


async def versions(connection: AsyncConnection, tenant_id: int, kind: str, document: str) -> Sequence[RowMapping]:
    """A document's versions, the newest first, without their bodies."""
    table = DocumentVersion
    columns = [column for column in table.__table__.c if column.name != "body"]
    query = select(*columns).where(table.tenant_id == tenant_id, table.kind == kind, table.id == document)
    return (await connection.execute(query.order_by(table.version.desc()))).mappings().all()


async def version(
    connection: AsyncConnection, tenant_id: int, kind: str, document: str, number: int
) -> RowMapping | None:
    """One version."""
    table = DocumentVersion
    query = select(*table.__table__.c).where(
        table.tenant_id == tenant_id, table.kind == kind, table.id == document, table.version == number
    )
    return (await connection.execute(query)).mappings().first()


async def drop_versions(
    connection: AsyncConnection, tenant_id: int, kind: str, document: str, numbers: Collection[int]
) -> None:
    """Let go of these versions."""
    if not numbers:
        return
    table = DocumentVersion
    mine = table.tenant_id == tenant_id, table.kind == kind, table.id == document
    await connection.execute(delete(table).where(*mine, table.version.in_(sorted(numbers))))


async def published(
    connection: AsyncConnection, tenant_id: int, wanted: Collection[Key] | None = None
) -> Sequence[RowMapping]:
    """The published versions of these documents, or of all."""
    if wanted is not None and not wanted:
        return []
    row, version = DocumentRow, DocumentVersion
    same = (
        (version.tenant_id == row.tenant_id)
        & (version.kind == row.kind)
        & (version.id == row.id)
        & (version.version == row.version)
    )
    query = select(*version.__table__.c).join_from(row, version, same)
    query = query.where(row.tenant_id == tenant_id, ~row.removed)
    if wanted is not None:
        query = query.where(tuple_(row.kind, row.id).in_(sorted(wanted)))
    return (await connection.execute(query)).mappings().all()


async def bodies(connection: AsyncConnection, tenant_id: int) -> Sequence[tuple[str, str]]:
    """Kind and body of every draft and every published version: what names something."""
    mine = DocumentRow.tenant_id == tenant_id, ~DocumentRow.removed
    drafts = (await connection.execute(select(DocumentRow.kind, DocumentRow.body).where(*mine))).all()
    rows = await published(connection, tenant_id)
    return [*((kind, body) for kind, body in drafts), *((row["kind"], row["body"]) for row in rows)]


def _of(tenant_id: int, kind: str, document: str) -> tuple[ColumnElement[bool], ...]:
    return DocumentRow.tenant_id == tenant_id, DocumentRow.kind == kind, DocumentRow.id == document
