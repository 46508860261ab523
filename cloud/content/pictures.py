"""Pictures of a tenant: taken in as at a hub, in a process of their own, and kept once each in the database."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import io
from collections.abc import Awaitable, Callable, Collection, Sequence

import msgspec
from sqlalchemy import RowMapping
from sqlalchemy.ext.asyncio import AsyncConnection

from cloud.accounts import store as accounts_sql
from cloud.accounts.audit import record
from cloud.accounts.member import Member
from cloud.blobs.blobs import Blobs
from cloud.blobs.content import BlobContent
from cloud.content import document_store, picture_store
from cloud.db.database import Database
from edge.clock import Clock, iso
from edge.content.documents import model
from edge.content.intake.normal import Kept
from edge.content.library.pixels import decoded, thumbnail
from edge.content.render.scene import Pictures as ByHash
from edge.errors import BadInput, Conflict, NotFound, OutpostError, StorageError
from edge.wire.content import DocumentKind, PictureView
from edge.wire.layouts import NAME_CHARS

PICTURES_MAX = 2000  # of a tenant
Normalise = Callable[[bytes], Awaitable[Kept]]
"""A file of any kind that is taken, as it is kept. Raises BadPicture, TooLarge, Unreachable."""


class Pictures:
    """Those of all tenants. `store_bytes`: what all firmware and pictures of one tenant may come to;
    `normalised` opens strangers' files."""

    def __init__(
        self, database: Database, clock: Clock, blobs: Blobs, normalised: Normalise, *, store_bytes: int
    ) -> None:
        self._db, self._clock, self._blobs = database, clock, blobs
        self._normalised, self._store_bytes = normalised, store_bytes

    async def upload(self, member: Member, data: bytes, name: str) -> tuple[PictureView, bool]:
        """Take a picture in; its view, and whether it is new: the same picture again is the same.

        Raises BadPicture, TooLarge, Busy, Unreachable, BadInput, Conflict, StorageFull, StorageError.
        """
        name = check_name(name)
        kept = await self._normalised(data)
        sha256 = hashlib.sha256(kept.data).hexdigest()
        async with self._db.write() as connection:
            await accounts_sql.lock_tenant(connection, member.tenant_id)
            if await picture_store.one(connection, member.tenant_id, sha256) is None:
                if await picture_store.count(connection, member.tenant_id) >= PICTURES_MAX:
                    raise Conflict(f"There are {PICTURES_MAX} pictures.", hint="Remove some that nothing shows.")
                files = {sha256: len(kept.data)}
                await self._blobs.reserve(connection, member.tenant_id, files, self._store_bytes)
        try:
            await self._blobs.keep(member.tenant_id, sha256, len(kept.data), io.BytesIO(kept.data), 0)
            async with self._db.write() as connection:
                new = await self._insert(connection, member, sha256, name, kept)
        except OutpostError:
            with contextlib.suppress(StorageError):  # the sweep does it a day later
                await self._blobs.let_go(member.tenant_id, [sha256])
            raise
        return await self.one(member, sha256), new

    async def page(
        self, member: Member, *, behind: tuple[int, str] | None, limit: int
    ) -> tuple[list[PictureView], tuple[int, str] | None]:
        """Pictures, the newest first, and behind which one the next page begins."""
        async with self._db.read() as connection:
            rows = await picture_store.page(connection, member.tenant_id, behind=behind, limit=limit)
            uses = await _uses(connection, member.tenant_id)
        more = (rows[-1]["at_us"], rows[-1]["id"]) if len(rows) == limit else None
        return [_view(row, uses.get(row["id"], 0)) for row in rows], more

    async def one(self, member: Member, picture: str) -> PictureView:
        """One of them. Raises NotFound."""
        async with self._db.read() as connection:
            row = await _find(connection, member.tenant_id, picture)
            uses = await _uses(connection, member.tenant_id)
        return _view(row, uses.get(row["id"], 0))

    async def remove(self, member: Member, picture: str) -> None:
        """Let go of one here; sites keep theirs. Raises NotFound, Conflict while a document shows it."""
        now_us = self._clock.now().at_us
        async with self._db.write() as connection:
            await accounts_sql.lock_tenant(connection, member.tenant_id)
            row = await _find(connection, member.tenant_id, picture)
            if (await _uses(connection, member.tenant_id)).get(picture):
                raise Conflict("A document shows it.", hint="Take it out of the document first.")
            await picture_store.remove(connection, member.tenant_id, picture)
            detail = {"name": row["name"]}
            await record(connection, member, "picture.removed", at_us=now_us, subject=picture, detail=detail)
        with contextlib.suppress(StorageError):  # the sweep does it a day later
            await self._blobs.let_go(member.tenant_id, [picture])

    async def content(self, tenant_id: int, picture: str) -> BlobContent:
        """Its bytes, to be handed out. Raises NotFound."""
        async with self._db.read() as connection:
            row = await _find(connection, tenant_id, picture)
        return BlobContent(self._blobs, tenant_id, picture, row["size"])

    async def data(self, tenant_id: int, picture: str) -> bytes:
        """Its bytes at once: a few megabytes at most. Raises NotFound."""
        content = await self.content(tenant_id, picture)
        return await content.read(0, content.size)

    async def images(self, tenant_id: int, pictures: Collection[str]) -> ByHash:
        """Those of these pictures that are here, as pixels. What is kept was written here."""
        found = {}
        for picture in pictures:
            with contextlib.suppress(NotFound):
                found[picture] = await asyncio.to_thread(decoded, await self.data(tenant_id, picture))
        return found.get

    async def thumb(self, tenant_id: int, picture: str, width: int) -> bytes:
        """It as a PNG that wide and high at most. Raises NotFound."""
        data = await self.data(tenant_id, picture)
        return await asyncio.to_thread(thumbnail, data, width)

    async def _insert(
        self, connection: AsyncConnection, member: Member, sha256: str, name: str, kept: Kept
    ) -> bool:
        """The row; False where somebody was there before. Raises Conflict where its bytes went meanwhile."""
        now_us = self._clock.now().at_us
        if not await picture_store.is_whole(connection, member.tenant_id, sha256):
            raise Conflict("The same picture was just let go of.", hint="Send it again.")
        new = await picture_store.add(
            connection,
            tenant_id=member.tenant_id,
            id=sha256,
            name=name,
            width=kept.width,
            height=kept.height,
            size=len(kept.data),
            colour=kept.colour,
            notes=msgspec.json.encode(kept.notes).decode(),
            at_us=now_us,
            by=member.actor,
        )
        if new:
            detail = {"name": name, "size": len(kept.data)}
            await record(connection, member, "picture.added", at_us=now_us, subject=sha256, detail=detail)
        return new


def check_name(name: str) -> str:
    """What a picture is called: one line. Raises BadInput."""
    name = " ".join(name.split())
    if len(name) > NAME_CHARS or not name.isprintable():
        raise BadInput(f"A picture's name has at most {NAME_CHARS} characters, all of them printable.")
    return name


async def _find(connection: AsyncConnection, tenant_id: int, picture: str) -> RowMapping:
    row = await picture_store.one(connection, tenant_id, picture)
    if row is None:
        raise NotFound(f"There is no picture {picture[:64]!r} here.")
    return row


async def _uses(connection: AsyncConnection, tenant_id: int) -> dict[str, int]:
    """How many drafts and published versions show each."""
    counts: dict[str, int] = {}
    for kind, body in await document_store.bodies(connection, tenant_id):
        for picture in _named(kind, body):
            counts[picture] = counts.get(picture, 0) + 1
    return counts


def _named(kind: str, body: str) -> Sequence[str]:
    try:
        return sorted(model.named(model.decode(DocumentKind(kind), body)).pictures)
    except BadInput:  # written by another version of Outpost
        return []


def _view(row: RowMapping, used_by: int) -> PictureView:
    return PictureView(
        id=row["id"],
        name=row["name"],
        width=row["width"],
        height=row["height"],
        size=row["size"],
        colour=bool(row["colour"]),
        notes=msgspec.json.decode(row["notes"], type=list[str]),
        at=iso(row["at_us"]),
        by=row["by"],
        used_by=used_by,
    )
