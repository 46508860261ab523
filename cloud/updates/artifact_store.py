"""The only SQL for artifacts and the files they are made of."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import RowMapping, delete, func, insert, select, tuple_, update
from sqlalchemy.ext.asyncio import AsyncConnection

from cloud.db.update_models import Artifact, ArtifactPart, Blob

VIEW = (
    Artifact.id,
    Artifact.kind,
    Artifact.target,
    Artifact.chip,
    Artifact.version,
    Artifact.security,
    Artifact.size,
    Artifact.files,
    Artifact.sha256,
    Artifact.md5,
    Artifact.manifest,
    Artifact.signatures,
    Artifact.legacy_only,
    Artifact.notes,
    Artifact.checks,
    Artifact.created_us,
    Artifact.created_by,
)


async def page(
    connection: AsyncConnection,
    tenant_id: int,
    *,
    target: str = "",
    kind: str = "",
    behind: tuple[int, str] | None = None,
    limit: int,
) -> Sequence[RowMapping]:
    """Artifacts of a tenant, the newest first."""
    query = select(*VIEW).where(Artifact.tenant_id == tenant_id)
    if target:
        query = query.where(Artifact.target == target)
    if kind:
        query = query.where(Artifact.kind == kind)
    if behind is not None:
        query = query.where(tuple_(Artifact.created_us, Artifact.id) < tuple_(*behind))
    query = query.order_by(Artifact.created_us.desc(), Artifact.id.desc()).limit(limit)
    return (await connection.execute(query)).mappings().all()


async def one(connection: AsyncConnection, tenant_id: int, artifact: str) -> RowMapping | None:
    """The artifact of this id."""
    query = select(*VIEW).where(Artifact.tenant_id == tenant_id, Artifact.id == artifact)
    return (await connection.execute(query)).mappings().first()


async def beginning_with(connection: AsyncConnection, tenant_id: int, begin: str) -> Sequence[RowMapping]:
    """Up to two artifacts whose id begins so."""
    query = select(*VIEW).where(Artifact.tenant_id == tenant_id, Artifact.id.startswith(begin, autoescape=True))
    return (await connection.execute(query.limit(2))).mappings().all()


async def of_version(
    connection: AsyncConnection, tenant_id: int, kind: str, target: str, chip: str, version: str
) -> RowMapping | None:
    """The artifact that has this version already."""
    query = select(*VIEW).where(
        Artifact.tenant_id == tenant_id,
        Artifact.kind == kind,
        Artifact.target == target,
        Artifact.chip == chip,
        Artifact.version == version,
    )
    return (await connection.execute(query)).mappings().first()


async def last_version(connection: AsyncConnection, tenant_id: int, kind: str, target: str, chip: str) -> str:
    """The highest version there is of the same; '' for none."""
    mine = Artifact.tenant_id == tenant_id, Artifact.kind == kind, Artifact.target == target, Artifact.chip == chip
    return (await connection.execute(select(func.max(Artifact.version)).where(*mine))).scalar_one() or ""


async def count(connection: AsyncConnection, tenant_id: int) -> int:
    """How many a tenant has."""
    query = select(func.count()).select_from(Artifact).where(Artifact.tenant_id == tenant_id)
    return int((await connection.execute(query)).scalar_one())


async def with_image(connection: AsyncConnection, tenant_id: int, target: str, sha256: str) -> RowMapping | None:
    """The unsigned artifact that is this image already."""
    query = select(*VIEW).where(
        Artifact.tenant_id == tenant_id, Artifact.target == target, Artifact.sha256 == sha256, Artifact.legacy_only
    )
    return (await connection.execute(query.limit(1))).mappings().first()


async def insert_artifact(
    connection: AsyncConnection, values: Mapping[str, Any], files: Sequence[Mapping[str, Any]]
) -> None:
    """Add one with its files, of which each is a blob that is here."""
    await connection.execute(insert(Artifact).values(**values))
    rows = [{"tenant_id": values["tenant_id"], "artifact": values["id"], **file} for file in files]
    await connection.execute(insert(ArtifactPart), rows)


async def add_signatures(connection: AsyncConnection, tenant_id: int, artifact: str, signatures: bytes) -> None:
    """Set the signatures of one."""
    mine = Artifact.tenant_id == tenant_id, Artifact.id == artifact
    await connection.execute(update(Artifact).where(*mine).values(signatures=signatures))


async def lacks_blobs(connection: AsyncConnection, tenant_id: int, files: Sequence[str]) -> bool:
    """Whether any of these files is not here, whole. Those that are stay until this transaction ends."""
    query = select(Blob.sha256).where(Blob.tenant_id == tenant_id, Blob.sha256.in_(sorted(files)), Blob.whole)
    found = (await connection.execute(query.with_for_update())).scalars().all()
    return len(found) < len(set(files))


async def remove(connection: AsyncConnection, tenant_id: int, artifact: str) -> None:
    """Let go of one; its files are let go of behind it, but for those that others have too."""
    mine = ArtifactPart.tenant_id == tenant_id, ArtifactPart.artifact == artifact
    await connection.execute(delete(ArtifactPart).where(*mine))
    await connection.execute(delete(Artifact).where(Artifact.tenant_id == tenant_id, Artifact.id == artifact))


async def files(connection: AsyncConnection, tenant_id: int, artifact: str) -> Sequence[RowMapping]:
    """The files of one, in the manifest's order."""
    part = ArtifactPart
    query = select(part.path, part.size, part.sha256, part.crc32)
    query = query.where(part.tenant_id == tenant_id, part.artifact == artifact).order_by(part.path)
    return sorted((await connection.execute(query)).mappings().all(), key=lambda row: row["path"])


async def has_file(connection: AsyncConnection, tenant_id: int, artifact: str, sha256: str) -> int | None:
    """How long that file of the artifact is; None where it is none of it."""
    part = ArtifactPart
    query = select(part.size).where(part.tenant_id == tenant_id, part.artifact == artifact, part.sha256 == sha256)
    return (await connection.execute(query.limit(1))).scalar_one_or_none()
