"""A file that comes over a line that is cut now and then: what is here of it stays, and the rest is asked for.

What is on the disk is never believed: once all of it is here its hash says whether it is the file that was wanted.
"""

from __future__ import annotations

import asyncio
import errno
import hashlib
import os
import time
from collections.abc import Awaitable, Callable, Collection, Iterable
from pathlib import Path

from edge.errors import OutpostError, StorageError, StorageFull
from edge.sync.session import Session
from edge.wire.firmware import File

SUFFIX = ".part"
READ_BYTES = 256 * 1024
KEPT_S = 7 * 86_400.0  # a part of a file that nobody went on with for so long is deleted
FOLDER_MODE, FILE_MODE = 0o750, 0o640


class WrongFile(OutpostError):
    """What came is not the file that was wanted: all of it is fetched anew."""

    code = "wrong-file"
    status = 502
    retryable = True


class Partials:
    """The files that are on their way, in a folder of their own. `arrived(count)` is called for every piece, before
    the next is asked for: whoever bounds the line waits there."""

    def __init__(self, folder: Path, arrived: Callable[[int], Awaitable[None]]) -> None:
        self._folder, self._arrived = folder, arrived

    def tidy(self, wanted: Collection[str] = (), kept_s: float = KEPT_S) -> None:
        """Make the folder, and delete what nobody went on with for so long, but for the files that are `wanted`.
        Raises StorageError."""
        try:
            self._folder.mkdir(mode=FOLDER_MODE, exist_ok=True)
            old_s = time.time() - kept_s
            for path in self._folder.iterdir():
                if path.stem not in wanted and path.stat().st_mtime < old_s:
                    path.unlink()
        except OSError as error:
            raise _told(error) from error

    def drop(self, files: Iterable[str]) -> None:
        """Delete what is here of these files. Raises StorageError."""
        try:
            for sha256 in files:
                (self._folder / f"{sha256}{SUFFIX}").unlink(missing_ok=True)
        except OSError as error:
            raise _told(error) from error

    def others(self, files: Collection[str]) -> int:
        """Bytes of all files that are on their way but these. Raises StorageError."""
        try:
            return sum(path.stat().st_size for path in self._folder.iterdir() if path.stem not in files)
        except FileNotFoundError:
            return 0
        except OSError as error:
            raise _told(error) from error

    async def fetch(self, session: Session, path: str, wanted: File) -> Path:
        """The whole file, right by its hash. Where it fails, what came so far is kept for the next try.

        Raises Unreachable and CentreSaid of the line, WrongFile, StorageError.
        """
        here = self._folder / f"{wanted.sha256}{SUFFIX}"
        have = await asyncio.to_thread(_size, here)
        if have != wanted.size:
            await self._rest(session, path, wanted, here, have if 0 < have < wanted.size else 0)
        if await asyncio.to_thread(_hash, here) != wanted.sha256:
            await asyncio.to_thread(here.unlink, missing_ok=True)
            raise WrongFile("What the centre sent is not the file that the manifest names.")
        return here

    async def _rest(self, session: Session, path: str, wanted: File, here: Path, have: int) -> None:
        async with session.fetch(path, start=have) as arriving:
            if arriving.size != wanted.size or arriving.start not in (0, have):
                raise WrongFile("The file at the centre has another length than its manifest says.")
            file = await asyncio.to_thread(_opened, here, arriving.start)
            try:
                async for piece in arriving.pieces:
                    await asyncio.to_thread(_write, file, piece)
                    await self._arrived(len(piece))
            finally:
                await asyncio.to_thread(_closed, file)


def _size(path: Path) -> int:
    """Of the file, -1 where there is none."""
    try:
        return path.stat().st_size
    except OSError:
        return -1


def _opened(path: Path, start: int) -> int:
    """The file's descriptor, to write from `start` on, where it ends now."""
    try:
        path.parent.mkdir(mode=FOLDER_MODE, exist_ok=True)
        file = os.open(path, os.O_WRONLY | os.O_CREAT, FILE_MODE)
        os.ftruncate(file, start)
        os.lseek(file, start, os.SEEK_SET)
    except OSError as error:
        raise _told(error) from error
    return file


def _write(file: int, piece: bytes) -> None:
    view = memoryview(piece)
    try:
        while view:
            view = view[os.write(file, view) :]
    except OSError as error:
        raise _told(error) from error


def _closed(file: int) -> None:
    try:
        os.fsync(file)
    except OSError as error:
        raise _told(error) from error
    finally:
        os.close(file)


def _hash(path: Path) -> str:
    digest = hashlib.sha256()
    try:
        with path.open("rb") as file:
            while piece := file.read(READ_BYTES):
                digest.update(piece)
    except OSError as error:
        raise _told(error) from error
    return digest.hexdigest()


def _told(error: OSError) -> StorageError:
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return StorageFull("There is no space for what is fetched from the centre.")
    return StorageError(f"What is fetched from the centre cannot be kept: {error.strerror}.")
