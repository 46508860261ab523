"""Firmware that head office lets devices of this site run: fetched once over the line, whatever happens to it.

One artifact at a time: its manifest, who signed it, then those of its files that are not here yet. It is verified
by the keys that this hub trusts before any file is asked for, so that a centre alone cannot bring anything here;
images that nobody signs only where this hub's settings allow that.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Protocol

import msgspec

from edge.bus import Bus, Event
from edge.errors import OutpostError
from edge.store.database import Database
from edge.sync.fetching import FetchLane, Wanted
from edge.sync.partial import WrongFile
from edge.sync.session import Session
from edge.sync.share import Share
from edge.wire.firmware import MANIFEST_MAX, File, Manifest, artifact_id

FOLDER = "fetching"  # in the data directory
SIGNATURES_BYTES = 4096
SHOW_S = 1.0  # how often it is told how many bytes are here
UNFETCHED = "firmware.unfetched"  # the fact: why an artifact cannot be had


class Shelf(Protocol):
    """The hub's artifacts, as far as fetching needs them."""

    def has(self, artifact: str) -> bool:
        """Whether all of it is here."""

    async def lacking(self, manifest: bytes, signatures: bytes) -> tuple[Manifest, list[File]]:
        """What it says, and those of its files that are not here. Raises OutpostError for one that this hub would
        not take from anybody, such as one that nobody it trusts has signed."""

    def require_room(self, count: int) -> None:
        """Raise OutpostError where so many bytes more cannot be kept."""

    async def put(self, manifest: bytes, signatures: bytes, files: Mapping[str, Path], *, actor: str) -> None:
        """Take it in with its new files, by their hashes; they may be moved. Raises OutpostError."""


class FetchChanged(Event, frozen=True):
    """What is being fetched stands otherwise."""


class Fetching(msgspec.Struct, frozen=True, kw_only=True):
    """How it goes: `done` of `size` bytes are here; `problem`: why it does not go on now, '' while it does."""

    artifact: str
    done: int = 0
    size: int = 0
    problem: str = ""


class ArtifactLane(FetchLane):
    """Fetches artifacts. `have` is for those who carry out orders of the centre."""

    def __init__(self, shelf: Shelf, database: Database, bus: Bus, directory: Path, share: Share) -> None:
        super().__init__(directory / FOLDER, share)
        self._shelf, self._db, self._bus = shelf, database, bus
        self.now: Fetching | None = None
        self._shown_s = 0.0

    async def have(self, artifact: str, actor: str) -> None:
        """Wait until this artifact is here, however long the line is away; `actor`: who at the centre wants it.

        Raises OutpostError when it cannot be had: the centre has it no more, or this hub does not take it.
        """
        await self._have(artifact, actor)

    # --- inside

    def _is_here(self, name: str) -> bool:
        return self._shelf.has(name)

    async def _fetch(self, session: Session, name: str, wanted: Wanted) -> None:
        self._show(Fetching(artifact=name))
        path = f"/sync/v1/artifacts/{name}"
        raw = await _whole(session, f"{path}/manifest", MANIFEST_MAX)
        if artifact_id(raw) != name:
            raise WrongFile("The centre sent another manifest than the one that was wanted.")
        signatures = await _whole(session, f"{path}/signatures", SIGNATURES_BYTES)
        manifest, lacking = await self._shelf.lacking(raw, signatures)
        wanted.files = {file.sha256 for file in lacking}
        await self._require_room(wanted, lacking)
        here = manifest.size - sum(file.size for file in lacking)
        self._show(Fetching(artifact=name, done=here, size=manifest.size))
        files = {}
        for file in {file.sha256: file for file in lacking}.values():
            files[file.sha256] = await self._partials.fetch(session, f"{path}/files/{file.sha256}", file)
            await self._require_room(wanted, lacking)
        await self._shelf.put(raw, signatures, files, actor=wanted.actor)
        for part in files.values():
            await asyncio.to_thread(part.unlink, missing_ok=True)

    async def _require_room(self, wanted: Wanted, lacking: list[File]) -> None:
        """For all of it, beside what else is on its way. Raises Rejected, StorageError."""
        own = sum({file.sha256: file.size for file in lacking}.values())
        try:
            self._shelf.require_room(own + await asyncio.to_thread(self._partials.others, wanted.files))
        except OutpostError:  # what nobody wants any more makes room first
            await asyncio.to_thread(self._partials.tidy, self._all_files() | wanted.files, 0.0)
            self._shelf.require_room(own)

    async def _arrived(self, count: int) -> None:
        if self.now is not None:
            self._show(msgspec.structs.replace(self.now, done=self.now.done + count, problem=""))
        await super()._arrived(count)

    def _waits(self, name: str, error: OutpostError) -> None:
        standing = self.now or Fetching(artifact=name)
        self._show(msgspec.structs.replace(standing, problem=error.detail))

    async def _cannot_be(self, name: str, error: OutpostError) -> None:
        """Why stands in the ledger too."""
        why = error.detail
        await self._db.write(lambda tx: tx.fact(UNFETCHED, name, reason=why))

    def _look(self) -> None:
        if self.now is not None and self.now.artifact not in self._wanted:
            self._show(None)

    def _stopped(self) -> None:
        self._show(None)

    def _show(self, now: Fetching | None) -> None:
        """Tell how it goes; of bytes alone now and then."""
        before, self.now = self.now, now
        if now == before:
            return
        bytes_alone = now is not None and before is not None and now.problem == before.problem and now.done > 0
        if not bytes_alone or time.monotonic() - self._shown_s >= SHOW_S:
            self._shown_s = time.monotonic()
            self._bus.publish(FetchChanged())


async def _whole(session: Session, path: str, most: int) -> bytes:
    """A small file, in one go. Raises WrongFile for one that is longer than it may be."""
    async with session.fetch(path) as arriving:
        if arriving.size > most:
            raise WrongFile(f"The centre sent more than {most} bytes where a few were wanted.")
        return b"".join([piece async for piece in arriving.pieces])
