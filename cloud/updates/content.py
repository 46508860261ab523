"""The bytes of artifacts as they are handed out to people and to hubs, read from the database a piece at a time."""

from __future__ import annotations

from cloud.blobs.blobs import Blobs
from cloud.blobs.content import BlobContent
from cloud.db.database import Database
from cloud.updates import artifact_store as sql
from cloud.updates.artifacts import find
from edge.errors import NotFound
from edge.serving.downloads import Content
from edge.updates.signing.bundle_content import BundleContent
from edge.wire.firmware import File


class Contents:
    """What there is of artifacts."""

    def __init__(self, database: Database, blobs: Blobs) -> None:
        self._db, self._blobs = database, blobs

    async def file(self, tenant_id: int, artifact: str, sha256: str) -> Content:
        """One file of an artifact. Raises NotFound."""
        async with self._db.read() as connection:
            size = await sql.has_file(connection, tenant_id, artifact, sha256)
        if size is None:
            raise NotFound(f"Firmware {artifact[:16]} has no file {sha256[:64]!r}.")
        return BlobContent(self._blobs, tenant_id, sha256, size)

    async def whole(self, tenant_id: int, named: str) -> tuple[Content, str, bool]:
        """All of an artifact as one file, what to call it, and whether it is a bare image. Raises NotFound,
        Conflict."""
        async with self._db.read() as connection:
            row = await find(connection, tenant_id, named)
            files = await sql.files(connection, tenant_id, row["id"])
        name = f"{row['target']}-{row['version']}"
        contents = {one["sha256"]: BlobContent(self._blobs, tenant_id, one["sha256"], one["size"]) for one in files}
        if row["legacy_only"]:
            return contents[files[0]["sha256"]], name, True
        laid = [(File(path=one["path"], size=one["size"], sha256=one["sha256"]), one["crc32"]) for one in files]
        return BundleContent(bytes(row["manifest"]), bytes(row["signatures"]), laid, contents), name, False
