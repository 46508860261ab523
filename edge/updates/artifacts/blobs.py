"""Files by their hash, in one folder: whole or not there, whatever is cut off when.

What comes is written beside them and renamed once it is on the disk. A file is hashed anew before it is handed out
for the first time after a start, since disks forget, and whenever it was written since; one that is not what its
name says is never handed out.
"""

from __future__ import annotations

import asyncio
import hashlib
import logging
import os
import secrets
from collections.abc import Iterable
from pathlib import Path
from typing import BinaryIO

import msgspec

from edge.errors import StorageDamaged
from edge.settle import sync
from edge.updates.signing.bundles import Part

log = logging.getLogger(__name__)

PIECE = 64 * 1024


class Blob(msgspec.Struct, frozen=True):
    """A file that is good to be handed out; what `edge.serving.downloads` sends."""

    path: Path
    sha256: str
    size: int

    @property
    def etag(self) -> str:
        """Its hash."""
        return self.sha256

    async def read(self, start: int, count: int) -> bytes:
        """So many bytes from `start` on. Raises StorageDamaged where the file ends before, or is gone."""
        data = await asyncio.to_thread(self._read, start, count)
        if len(data) != count:
            raise StorageDamaged(f"The file {self.sha256[:16]} of some firmware is cut off or gone.")
        return data

    def _read(self, start: int, count: int) -> bytes:
        try:
            with self.path.open("rb") as file:
                return os.pread(file.fileno(), count, start)
        except OSError:
            return b""


class Blobs:
    """The folder. `open` begins with what a power cut may have left."""

    def __init__(self, folder: Path) -> None:
        self._kept, self._coming = folder / "files", folder / "coming"
        self._good: dict[str, tuple[int, ...]] = {}  # those that were hashed, and how they lay on the disk then

    def open(self, wanted: Iterable[str]) -> None:
        """Make the folders, and remove all that nobody names any more."""
        for folder in (self._kept, self._coming):
            folder.mkdir(parents=True, exist_ok=True, mode=0o750)
        for draft in self._coming.iterdir():
            draft.unlink()
        named = set(wanted)
        orphans = [path for path in self._kept.iterdir() if path.name not in named]
        for orphan in orphans:
            orphan.unlink()
        if orphans:
            log.info("files of no firmware were removed", extra={"count": len(orphans)})

    def draft(self) -> Path:
        """Where to write something that is coming."""
        return self._coming / secrets.token_hex(8)

    def keep(self, source: BinaryIO, parts: Iterable[Part]) -> None:
        """Take files out of what came. When this returns they are on the disk. Raises OSError, StorageDamaged."""
        for part in parts:
            draft, hashed = self.draft(), hashlib.sha256()
            try:
                with draft.open("xb") as file:
                    source.seek(part.at)
                    left = part.file.size
                    while left and (piece := source.read(min(PIECE, left))):
                        hashed.update(piece)
                        file.write(piece)
                        left -= len(piece)
                    file.flush()
                    os.fsync(file.fileno())
                if hashed.hexdigest() != part.file.sha256:  # it was right when it was looked at
                    raise StorageDamaged("What came changed on the disk while it was put away.")
                draft.rename(self._kept / part.file.sha256)  # over the same, which may have been damaged since
            finally:
                draft.unlink(missing_ok=True)
            self._good[part.file.sha256] = _state(self._kept / part.file.sha256)
        sync(self._kept)

    def broken(self, parts: Iterable[Part]) -> list[Part]:
        """Those whose file is damaged or gone, by its bytes."""
        return [part for part in parts if _hash(self._kept / part.file.sha256) != part.file.sha256]

    def drop(self, names: Iterable[str]) -> None:
        """Remove files that nobody names any more."""
        for name in names:
            self._good.pop(name, None)
            (self._kept / name).unlink(missing_ok=True)

    async def get(self, sha256: str, size: int) -> Blob:
        """A file that is good. Raises StorageDamaged."""
        blob = Blob(self._kept / sha256, sha256, size)
        state = _state(blob.path)
        if not state or self._good.get(sha256) != state:
            if await asyncio.to_thread(_hash, blob.path) != sha256:
                raise StorageDamaged(
                    f"The file {sha256[:16]} of some firmware is damaged or gone, and is not handed out.",
                    hint="Upload the firmware again: that puts the file right. Then check the disk.",
                )
            self._good[sha256] = state
        return blob


def _state(path: Path) -> tuple[int, ...]:
    """What changes when a file is written; of none, nothing."""
    try:
        found = path.stat()
    except OSError:
        return ()
    return found.st_ino, found.st_size, found.st_mtime_ns


def _hash(path: Path) -> str:
    """The SHA-256 of a file; of none, no hash at all."""
    hashed = hashlib.sha256()
    try:
        with path.open("rb") as file:
            while piece := file.read(PIECE):
                hashed.update(piece)
    except OSError:
        return ""
    return hashed.hexdigest()
