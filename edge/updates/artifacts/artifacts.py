"""The firmware this hub holds: looked at before it is taken, kept by its hash, handed out only while it is whole.

All of it is in memory but the files. A change is one transaction with its fact. Files come before the row that
names them and go after it, so a power cut leaves at most a file that nobody names; the next start removes it.
"""

from __future__ import annotations

import asyncio
import contextlib
import re
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Protocol

import msgspec

from edge.clock import Clock
from edge.errors import (
    BadInput,
    Busy,
    Conflict,
    NotFound,
    Rejected,
    StorageDamaged,
    StorageError,
    StorageFull,
    TooLarge,
)
from edge.store.database import Store
from edge.store.transaction import Transaction
from edge.updates.artifacts import store as sql
from edge.updates.artifacts.blobs import Blob, Blobs
from edge.updates.artifacts.events import ArtifactChanged
from edge.updates.artifacts.keys import TrustedKeys
from edge.updates.artifacts.model import Artifact
from edge.updates.examining import Examined, Said, examine, is_version, manifest_of
from edge.updates.signing.bundle_content import BundleContent
from edge.wire.firmware import SIGNATURES_MAX, artifact_id, read_manifest, read_signatures, write_signatures
from edge.wire.updates import NOTES_CHARS

ARTIFACTS_MAX = 500
COMING_MAX = 4  # uploads at once
MB = 1024 * 1024
PREFIX_CHARS = 8  # of an id that people may leave it at
_ID = re.compile(r"[0-9a-f]{8,64}\Z")
_VERSION_FORM = "%Y%m%d.%H%M%S"


class Uses(Protocol):
    """Who still needs an artifact: rollouts that are not over."""

    def open_of(self, artifact_id: str) -> int:
        """How many."""

    def open_in(self, tx: Transaction, artifact_id: str) -> int:
        """How many, by the database as this transaction sees it."""


class Offered(msgspec.Struct, frozen=True):
    """What somebody sends: the pieces, and what he says of it. `version` and `target` of a bare image. `exact`: it
    is kept under this very version, though it is held under another: head office names it by that."""

    pieces: AsyncIterator[bytes]
    target: str = ""
    chip: str = ""
    version: str = ""
    notes: str = ""
    exact: bool = False


class Artifacts:
    """All of them. `zone_now` is the time at the site, which versions are made of."""

    def __init__(
        self,
        store: Store,
        clock: Clock,
        keys: TrustedKeys,
        *,
        zone_now: Callable[[], datetime],
        artifact_mb: int,
        store_mb: int,
        legacy_slot: int,
    ) -> None:
        self._db, self._space, self._clock, self._keys = store.hub, store.space, clock, keys
        self._blobs = Blobs(store.directory / "firmware")
        self._zone_now = zone_now
        self.largest = artifact_mb * MB
        self._room, self._legacy_slot = store_mb * MB, legacy_slot
        self._all: dict[str, Artifact] = {}
        self._uses: Uses | None = None
        self._coming = 0
        self._coming_bytes = 0
        self._changing = asyncio.Lock()
        self._damaged: dict[str, str] = {}  # file to what it belongs to

    async def start(self) -> None:
        """Load all, and remove what a power cut has left."""
        self._all = {one.id: one for one in await self._db.write(sql.load)}
        names = [file.sha256 for one in self._all.values() for file in one.files]
        await asyncio.to_thread(self._blobs.open, names)

    def ask_uses(self, uses: Uses) -> None:
        """Ask `uses` before an artifact is removed."""
        self._uses = uses

    def all(self) -> list[Artifact]:
        """All, newest first."""
        return sorted(self._all.values(), key=lambda one: (one.created_us, one.id), reverse=True)

    def find(self, artifact: str) -> Artifact | None:
        """By its id, or a begin of it that fits no other; None when there is none."""
        if found := self._all.get(artifact):
            return found
        near = [one for one in self._all.values() if _ID.match(artifact) and one.id.startswith(artifact)]
        return near[0] if len(near) == 1 else None

    def get(self, artifact: str) -> Artifact:
        """As `find`. Raises NotFound."""
        found = self.find(artifact)
        if found is None:
            raise NotFound(
                f"There is no firmware {artifact[:64]!r} here.", hint="`outpost firmware list` shows what there is."
            )
        return found

    def used_by(self, artifact: Artifact) -> int:
        """How many rollouts that are not over need it."""
        return self._uses.open_of(artifact.id) if self._uses else 0

    def trusted(self, artifact: Artifact) -> bool:
        """Whether it may be offered: somebody trusted now has signed it, or it is for older devices alone."""
        return artifact.legacy_only or any(self._keys.has(signer) for signer in artifact.signers)

    def manifest_bytes(self, artifact: str) -> bytes:
        """What a device reads and checks. Raises NotFound."""
        return self.get(artifact).manifest

    def signature_bytes(self, artifact: str) -> bytes:
        """Its signatures, a line each. Raises NotFound."""
        return self.get(artifact).signatures

    async def open(self, artifact: str, sha256: str) -> Blob:
        """One file, whole. Raises NotFound, StorageDamaged."""
        found = self.get(artifact)
        file = next((file for file in found.files if file.sha256 == sha256), None)
        if file is None:
            raise NotFound(f"Firmware {found.id[:16]} has no file {sha256[:64]!r}.")
        try:
            blob = await self._blobs.get(sha256, file.size)
        except StorageDamaged:
            if sha256 not in self._damaged:
                self._damaged[sha256] = found.id
                await self._db.write(lambda tx: sql.damaged(tx, found, file.path))
            raise
        self._damaged.pop(sha256, None)
        return blob

    async def whole(self, artifact: str) -> Blob | BundleContent:
        """All of it as one file: what was uploaded. Raises NotFound, StorageDamaged."""
        found = self.get(artifact)
        blobs = [await self.open(found.id, file.sha256) for file in found.files]
        if found.legacy_only:
            return blobs[0]
        crcs = {row[0]: row[1] for row in await self._db.read(sql.CRCS, (found.id,))}
        files = [(file, crcs[file.path]) for file in found.files]
        return BundleContent(found.manifest, found.signatures, files, {blob.sha256: blob for blob in blobs})

    async def add(self, offered: Offered, *, actor: str) -> tuple[Artifact, bool]:
        """Take firmware in; whether it is new. The same content again is what there is.

        Raises BadFirmware, Unsigned, TooLarge, BadInput, Conflict, StorageFull.
        """
        if len(offered.notes) > NOTES_CHARS:
            raise BadInput(f"Notes have at most {NOTES_CHARS} characters.")
        if offered.version and not is_version(offered.version):
            raise BadInput("A version is YYYYMMDD.HHMMSS.", hint="Leave it out, and it is the time of now.")
        async with self._receiving(offered) as draft:
            size = draft.stat().st_size
            said, trusted = Said(offered.target, offered.chip), self._keys.trusted()
            with draft.open("rb") as file:
                examined = await asyncio.to_thread(
                    examine, file, size, trusted, said, legacy_slot=self._legacy_slot
                )
                async with self._changing:
                    known = self._same(examined, offered)
                    if known is not None:
                        await self._mend(draft, examined)
                        return await self._signed_too(known, examined, actor), False
                    new = self._new(examined, offered, actor)
                    await asyncio.to_thread(self._blobs.keep, file, examined.parts)
                    await self._insert_or_drop(new, examined)
        return new, True

    async def remove(self, artifact: str, *, actor: str) -> None:
        """Remove one with its files. Raises NotFound, Conflict while a rollout needs it."""
        async with self._changing:
            found = self.get(artifact)

            def work(tx: Transaction) -> None:
                if self._uses is not None and (open_ := self._uses.open_in(tx, found.id)):
                    count = "A rollout needs" if open_ == 1 else f"{open_} rollouts need"
                    raise Conflict(
                        f"{count} this firmware and {'is' if open_ == 1 else 'are'} not over.",
                        hint="Wait for the end, or abort: `outpost firmware rollout abort ID`.",
                    )
                sql.remove(tx, found, actor)
                tx.after(lambda: self._forget(found))
                tx.tell(ArtifactChanged(artifact_id=found.id))

            await self._db.write(work)
            needed = {file.sha256 for one in self._all.values() for file in one.files}
            gone = {file.sha256 for file in found.files} - needed
            await asyncio.to_thread(self._blobs.drop, gone)

    def stored_bytes(self) -> int:
        """What all files take on the disk; each content once."""
        return sum({file.sha256: file.size for one in self._all.values() for file in one.files}.values())

    def require_room_for(self, count: int) -> None:
        """For bytes that are to be fetched. Raises Rejected where all firmware may not take so many more, and
        StorageFull while the disk has no room."""
        self._space.require()
        if self.stored_bytes() + self._coming_bytes + count > self._room:
            raise Rejected(
                f"All firmware together may take {self._room // MB} MB at this hub (updates.store_mb).",
                hint="Remove what no device needs: `outpost firmware list`, `outpost firmware remove ID`.",
            )
        if 2 * (self._coming_bytes + count) > self._space.spare_bytes():
            raise StorageFull("The hub's disk has no room for it.")

    def problems(self) -> list[str]:
        """Firmware whose files are damaged."""
        return [
            f"A file of firmware {self._all[owner].version} ({owner[:16]}) is damaged and is not handed out. Upload"
            " that firmware again, and check the disk."
            for owner in sorted(set(self._damaged.values()))
            if owner in self._all
        ]

    @contextlib.asynccontextmanager
    async def _receiving(self, offered: Offered) -> AsyncIterator[Path]:
        """What was sent, on disk, until it was dealt with. Raises TooLarge, StorageFull, Conflict."""
        if self._coming >= COMING_MAX:
            raise Busy(f"{COMING_MAX} uploads are under way.", hint="Wait for one of them to end.")
        draft, took, held = self._blobs.draft(), 0, self.stored_bytes()
        self._coming += 1
        try:
            with draft.open("xb") as file:
                async for piece in offered.pieces:
                    took += len(piece)
                    self._coming_bytes += len(piece)
                    if took > self.largest:
                        raise TooLarge(f"Firmware has at most {self.largest} bytes.")
                    self._require_room(held)
                    await asyncio.to_thread(file.write, piece)
            yield draft
        finally:
            self._coming -= 1
            self._coming_bytes -= took
            draft.unlink(missing_ok=True)

    def _require_room(self, held: int) -> None:
        """Raise StorageFull where it does not fit; the disk needs it twice, as it is put away from there."""
        self._space.require()
        if held + self._coming_bytes > self._room:
            raise StorageFull(
                f"All firmware together may take {self._room // MB} MB (updates.store_mb).",
                hint="Remove what no device needs: `outpost firmware list`, `outpost firmware remove ID`.",
            )
        if 2 * self._coming_bytes > self._space.spare_bytes():
            raise StorageFull("The hub's disk has no room for it.")

    def _same(self, examined: Examined, offered: Offered) -> Artifact | None:
        """What is held with this content. Raises Conflict where it is held under another version."""
        if examined.manifest:
            return self._all.get(artifact_id(examined.manifest))
        same = (examined.sha256, examined.target)
        held = [one for one in self._all.values() if one.legacy_only and (one.sha256, one.target) == same]
        named = [one for one in held if offered.version in ("", one.version)]
        if held and not named and not offered.exact:
            raise Conflict(f"This image is held already, as version {held[0].version}.")
        return named[0] if named else None

    async def _mend(self, draft: Path, examined: Examined) -> None:
        """Put files right that are damaged or gone, whether somebody has asked for them since or not."""
        broken = await asyncio.to_thread(self._blobs.broken, examined.parts)
        if broken:
            with draft.open("rb") as file:
                await asyncio.to_thread(self._blobs.keep, file, broken)
        for part in examined.parts:
            self._damaged.pop(part.file.sha256, None)

    async def _signed_too(self, known: Artifact, examined: Examined, actor: str) -> Artifact:
        """What is held, with the signatures that it came with this time besides."""
        if set(examined.signers) <= set(known.signers):
            return known
        fresh = {one.key: one for one in read_signatures(examined.signatures) if one.key in examined.signers}
        older = {one.key: one for one in read_signatures(known.signatures)}
        signatures = tuple({**fresh, **older}.values())[:SIGNATURES_MAX]
        signers = tuple(dict.fromkeys((*known.signers, *examined.signers)))
        better = msgspec.structs.replace(known, signatures=write_signatures(signatures), signers=signers)

        def work(tx: Transaction) -> None:
            sql.sign(tx, better, actor)
            tx.after(lambda: self._remember(better))
            tx.tell(ArtifactChanged(artifact_id=better.id))

        await self._db.write(work)
        return better

    def _new(self, examined: Examined, offered: Offered, actor: str) -> Artifact:
        """The artifact to be. Raises Conflict, BadInput."""
        if len(self._all) >= ARTIFACTS_MAX:
            raise Conflict(
                f"{ARTIFACTS_MAX} artifacts are held.", hint="Remove some: `outpost firmware remove ID`."
            )
        version = offered.version or self._next_version(examined)
        manifest = examined.manifest or manifest_of(examined, version)
        read = read_manifest(manifest)
        if examined.manifest and offered.version not in ("", read.version):
            raise BadInput(f"Its manifest says version {read.version}, which cannot be changed without its maker.")
        same = (read.kind, read.target, read.chip, read.version)
        if other := next((o for o in self._all.values() if (o.kind, o.target, o.chip, o.version) == same), None):
            raise Conflict(
                f"Version {read.version} for {read.target} is held with another content ({other.id[:16]}).",
                hint="Two contents never share a version: build or upload it under another.",
            )
        return Artifact(
            id=artifact_id(manifest),
            manifest=manifest,
            read=read,
            signatures=examined.signatures,
            signers=examined.signers,
            legacy_only=examined.legacy_only,
            sha256=examined.sha256,
            md5=examined.md5,
            notes=offered.notes,
            checks=examined.checks,
            created_us=self._clock.now().at_us,
            created_by=actor,
        )

    def _next_version(self, examined: Examined) -> str:
        """The site's time of now, and behind all others of the same: a clock that went back makes no older one."""
        now = self._zone_now().strftime(_VERSION_FORM)
        mine = (examined.kind, examined.target, examined.chip)
        last = max((o.version for o in self._all.values() if (o.kind, o.target, o.chip) == mine), default="")
        if now > last:
            return now
        try:
            after = datetime.strptime(last, _VERSION_FORM).replace(tzinfo=UTC) + timedelta(seconds=1)
        except (ValueError, OverflowError):
            raise BadInput(f"Version {last} is held, and no later one is known.", hint="Give a version.") from None
        return after.strftime(_VERSION_FORM)

    async def _insert_or_drop(self, new: Artifact, examined: Examined) -> None:
        """Its files go again where the row cannot be written."""
        try:
            await self._insert(new, examined)
        except StorageError:
            needed = {file.sha256 for one in self._all.values() for file in one.files}
            await asyncio.to_thread(self._blobs.drop, {file.sha256 for file in new.files} - needed)
            raise

    async def _insert(self, new: Artifact, examined: Examined) -> None:
        def work(tx: Transaction) -> None:
            sql.insert(tx, new, [(part.file, part.crc32) for part in examined.parts])
            tx.after(lambda: self._remember(new))
            tx.tell(ArtifactChanged(artifact_id=new.id))

        await self._db.write(work)

    def _remember(self, artifact: Artifact) -> None:
        self._all[artifact.id] = artifact

    def _forget(self, artifact: Artifact) -> None:
        self._all.pop(artifact.id, None)
