"""Artifacts of a tenant: taken in after the same checks as at a hub, listed, given out, let go of.

Nothing is changed once it is here: an artifact is its manifest, whose hash is its id.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Collection, Sequence
from datetime import UTC, datetime, timedelta
from typing import BinaryIO

import msgspec
from sqlalchemy import RowMapping
from sqlalchemy.ext.asyncio import AsyncConnection

from cloud.accounts import store as accounts_sql
from cloud.accounts.audit import record
from cloud.accounts.member import Member
from cloud.blobs.blobs import Blobs
from cloud.db.database import Database
from cloud.updates import artifact_store as sql
from cloud.updates import rollout_store
from cloud.updates.trusted import keys_of
from edge.clock import Clock, iso
from edge.errors import BadInput, Conflict, NotFound, OutpostError, StorageError
from edge.updates.examining import Examined, Said, Trusted, examine, is_version, manifest_of
from edge.wire.firmware import (
    SIGNATURES_MAX,
    Manifest,
    artifact_id,
    read_manifest,
    read_signatures,
    write_signatures,
)
from edge.wire.updates import NOTES_CHARS, ArtifactFile, ArtifactView

HINT = "`outpost firmware list` shows them."
ID_CHARS_MIN = 8  # of an id's begin that stands for it
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
VERSION_FORM = "%Y%m%d.%H%M%S"
ARTIFACTS_MAX = 500  # of a tenant


class Wanted(msgspec.Struct, frozen=True, kw_only=True):
    """What the sender says of a file; `version` and the like of a bare image, which does not say it itself."""

    target: str = ""
    chip: str = ""
    version: str = ""
    notes: str = ""


class Artifacts:
    """Those of all tenants. `store_bytes`: what all files of one tenant may come to; `legacy_slot`: how large an
    image for older devices may be."""

    def __init__(
        self, database: Database, clock: Clock, blobs: Blobs, *, store_bytes: int, legacy_slot: int
    ) -> None:
        self._db, self._clock, self._blobs = database, clock, blobs
        self._store_bytes, self._legacy_slot = store_bytes, legacy_slot

    async def upload(self, member: Member, file: BinaryIO, size: int, wanted: Wanted) -> tuple[ArtifactView, bool]:
        """Take a file in; the artifact, and whether it is new: the same content again is the same artifact.

        Raises BadFirmware, Unsigned, BadInput, Conflict, StorageFull, StorageError.
        """
        if len(wanted.notes) > NOTES_CHARS:
            raise BadInput(f"Notes have at most {NOTES_CHARS} characters.")
        if wanted.version and not is_version(wanted.version):
            raise BadInput("A version is YYYYMMDD.HHMMSS.", hint="Leave it out, and it is the time of now.")
        async with self._db.read() as connection:
            trusted = [Trusted(name, key) for name, key in await keys_of(connection, member.tenant_id)]
        said = Said(target=wanted.target, chip=wanted.chip)
        found = await asyncio.to_thread(examine, file, size, trusted, said, legacy_slot=self._legacy_slot)
        async with self._db.write() as connection:
            await accounts_sql.lock_tenant(connection, member.tenant_id)
            known = await self._known(connection, member, found, wanted)
            if known is None:
                await self._manifest(connection, member, found, wanted)
                files = {part.file.sha256: part.file.size for part in found.parts}
                await self._blobs.reserve(connection, member.tenant_id, files, self._store_bytes)
        if known is not None and not found.signatures:
            return (await self._views(member, [known]))[0], False
        try:
            for part in found.parts:
                await self._blobs.keep(member.tenant_id, part.file.sha256, part.file.size, file, part.at)
            async with self._db.write() as connection:
                await accounts_sql.lock_tenant(connection, member.tenant_id)
                row, new = await self._insert(connection, member, found, wanted)
        except OutpostError:
            with contextlib.suppress(StorageError):  # the sweep does it a day later
                await self._blobs.let_go(member.tenant_id, [part.file.sha256 for part in found.parts])
            raise
        return (await self._views(member, [row]))[0], new

    async def page(
        self, member: Member, *, target: str, kind: str, behind: tuple[int, str] | None, limit: int
    ) -> tuple[list[ArtifactView], tuple[int, str] | None]:
        """Artifacts, the newest first, and behind which one the next page begins."""
        async with self._db.read() as connection:
            rows = await sql.page(
                connection, member.tenant_id, target=target, kind=kind, behind=behind, limit=limit
            )
        more = (rows[-1]["created_us"], rows[-1]["id"]) if len(rows) == limit else None
        return await self._views(member, rows), more

    async def one(self, member: Member, named: str) -> ArtifactView:
        """One of them. Raises NotFound, Conflict."""
        async with self._db.read() as connection:
            row = await find(connection, member.tenant_id, named)
        return (await self._views(member, [row]))[0]

    async def files(self, member: Member, named: str) -> list[ArtifactFile]:
        """What it is made of. Raises NotFound, Conflict."""
        async with self._db.read() as connection:
            row = await find(connection, member.tenant_id, named)
            rows = await sql.files(connection, member.tenant_id, row["id"])
        return [ArtifactFile(path=row["path"], size=row["size"], sha256=row["sha256"]) for row in rows]

    async def remove(self, member: Member, named: str) -> None:
        """Let go of one. Raises NotFound, Conflict while a rollout uses it."""
        now_us = self._clock.now().at_us
        async with self._db.write() as connection:
            await accounts_sql.lock_tenant(connection, member.tenant_id)
            row = await find(connection, member.tenant_id, named)
            used = await rollout_store.uses(connection, member.tenant_id, [row["id"]])
            if used:
                raise Conflict(
                    "A rollout that is not over uses it.", hint="Abort it, or wait for its last devices."
                )
            files = await sql.files(connection, member.tenant_id, row["id"])
            await sql.remove(connection, member.tenant_id, row["id"])
            detail = {"target": row["target"], "version": row["version"]}
            await record(connection, member, "firmware.removed", at_us=now_us, subject=row["id"], detail=detail)
        with contextlib.suppress(StorageError):  # the sweep does it a day later
            await self._blobs.let_go(member.tenant_id, [file["sha256"] for file in files])

    # --- taking in

    async def _known(
        self, connection: AsyncConnection, member: Member, found: Examined, wanted: Wanted
    ) -> RowMapping | None:
        """The artifact that this file is already."""
        if found.manifest:
            return await sql.one(connection, member.tenant_id, artifact_id(found.manifest))
        row = await sql.with_image(connection, member.tenant_id, found.target, found.sha256)
        if row is not None and wanted.version and wanted.version != row["version"]:
            raise Conflict(f"This image is here already, as version {row['version']} of {found.target}.")
        return row

    async def _manifest(
        self, connection: AsyncConnection, member: Member, found: Examined, wanted: Wanted
    ) -> tuple[bytes, Manifest]:
        """That of an artifact to be, if nothing of this tenant stands in its way. Raises BadInput, Conflict."""
        raw = found.manifest
        if not raw:
            raw = manifest_of(found, await self._version(connection, member, found, wanted))
        manifest = read_manifest(raw)
        if wanted.version not in ("", manifest.version):
            raise BadInput(
                f"Its manifest says version {manifest.version}, which cannot be changed without its maker."
            )
        await self._require_new(connection, member, manifest)
        return raw, manifest

    async def _insert(
        self, connection: AsyncConnection, member: Member, found: Examined, wanted: Wanted
    ) -> tuple[RowMapping, bool]:
        """The row, and whether it is new. The tenant is locked, so no second one of a version can come between."""
        known = await self._known(connection, member, found, wanted)
        if known is not None:
            return await self._with_signatures(connection, member, known, found), False
        if await sql.lacks_blobs(connection, member.tenant_id, [part.file.sha256 for part in found.parts]):
            raise Conflict("The same file was just let go of.", hint="Send it again.")
        raw, manifest = await self._manifest(connection, member, found, wanted)
        now_us = self._clock.now().at_us
        values = {
            "tenant_id": member.tenant_id,
            "id": artifact_id(raw),
            "kind": manifest.kind.value,
            "target": manifest.target,
            "chip": manifest.chip,
            "version": manifest.version,
            "security": manifest.security,
            "size": manifest.size,
            "files": len(manifest.files),
            "sha256": found.sha256,
            "md5": found.md5,
            "manifest": raw,
            "signatures": found.signatures,
            "legacy_only": found.legacy_only,
            "notes": wanted.notes,
            "checks": msgspec.json.encode(found.checks).decode(),
            "created_us": now_us,
            "created_by": member.actor,
        }
        files = [
            {"path": part.file.path, "size": part.file.size, "sha256": part.file.sha256, "crc32": part.crc32}
            for part in found.parts
        ]
        await sql.insert_artifact(connection, values, files)
        detail = {"target": manifest.target, "version": manifest.version, "kind": manifest.kind.value}
        await record(connection, member, "firmware.added", at_us=now_us, subject=str(values["id"]), detail=detail)
        return await find(connection, member.tenant_id, str(values["id"])), True

    async def _with_signatures(
        self, connection: AsyncConnection, member: Member, known: RowMapping, found: Examined
    ) -> RowMapping:
        """The row, with signatures that the file has besides: hubs that trust another key take it too."""
        old = {one.key: one for one in read_signatures(known["signatures"])}
        new = {one.key: one for one in read_signatures(found.signatures) if one.key in found.signers}
        if set(new) <= set(old):
            return known
        signatures = write_signatures(tuple({**new, **old}.values())[:SIGNATURES_MAX])
        await sql.add_signatures(connection, member.tenant_id, known["id"], signatures)
        detail = {"keys": sorted(set(new) - set(old))}
        now_us = self._clock.now().at_us
        await record(connection, member, "firmware.signed", at_us=now_us, subject=known["id"], detail=detail)
        return await find(connection, member.tenant_id, known["id"])

    async def _require_new(self, connection: AsyncConnection, member: Member, manifest: Manifest) -> None:
        if await sql.count(connection, member.tenant_id) >= ARTIFACTS_MAX:
            raise Conflict(f"{ARTIFACTS_MAX} artifacts are held.", hint="Remove some: `outpost firmware list`.")
        of = manifest.kind.value, manifest.target, manifest.chip, manifest.version
        if await sql.of_version(connection, member.tenant_id, *of) is not None:
            raise Conflict(
                f"There is another version {manifest.version} of {manifest.target} already.",
                hint="Give each build its own version.",
            )

    async def _version(self, connection: AsyncConnection, member: Member, found: Examined, wanted: Wanted) -> str:
        """The one that was given, else the time of now, behind all others of the same. Raises BadInput."""
        if wanted.version:
            return wanted.version
        now = (EPOCH + timedelta(microseconds=self._clock.now().at_us)).strftime(VERSION_FORM)
        last = await sql.last_version(connection, member.tenant_id, found.kind.value, found.target, found.chip)
        if now > last:
            return now
        try:
            after = datetime.strptime(last, VERSION_FORM).replace(tzinfo=UTC) + timedelta(seconds=1)
        except (ValueError, OverflowError):
            raise BadInput(f"Version {last} is held, and no later one is known.", hint="Give a version.") from None
        return after.strftime(VERSION_FORM)

    # --- views

    async def _views(self, member: Member, rows: Sequence[RowMapping]) -> list[ArtifactView]:
        ids: Collection[str] = [row["id"] for row in rows]
        async with self._db.read() as connection:
            names = {key.id: name for name, key in await keys_of(connection, member.tenant_id)}
            uses = await rollout_store.uses(connection, member.tenant_id, ids) if ids else {}
        return [_view(row, names, uses.get(row["id"], 0)) for row in rows]


async def find(connection: AsyncConnection, tenant_id: int, named: str) -> RowMapping:
    """The artifact of this id, or of the id that begins so. Raises NotFound, Conflict."""
    row = await sql.one(connection, tenant_id, named)
    if row is not None:
        return row
    some = await sql.beginning_with(connection, tenant_id, named) if len(named) >= ID_CHARS_MIN else []
    if not some:
        raise NotFound(f"There is no artifact {named[:80]!r}.", hint=HINT)
    if len(some) > 1:
        raise Conflict(f"Several artifacts begin with {named!r}.", hint="Give more of the id.")
    return some[0]


def _view(row: RowMapping, names: dict[str, str], used_by: int) -> ArtifactView:
    signed = [names[one.key] for one in read_signatures(row["signatures"]) if one.key in names]
    return ArtifactView(
        id=row["id"],
        kind=row["kind"],
        target=row["target"],
        chip=row["chip"],
        version=row["version"],
        security=row["security"],
        size=row["size"],
        files=row["files"],
        sha256=row["sha256"],
        md5=row["md5"],
        signed_by=sorted(signed),
        legacy_only=bool(row["legacy_only"]),
        notes=row["notes"],
        checks=msgspec.json.decode(row["checks"], type=list[str]),
        created_at=iso(row["created_us"]),
        created_by=row["created_by"],
        used_by=used_by,
    )
