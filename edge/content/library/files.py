"""The files of pictures, each under its hash in one folder: whole or not there, whatever is cut off when.

What comes is written beside them and renamed once it is on the disk. A file is hashed whenever it is read, since
disks forget; one that is not what its name says is never handed out.
"""

from __future__ import annotations

import errno
import hashlib
import logging
from collections.abc import Iterable
from pathlib import Path

from edge.errors import StorageDamaged, StorageError, StorageFull
from edge.settle import settle

log = logging.getLogger(__name__)

_NO_ROOM = (errno.ENOSPC, errno.EDQUOT)


class PictureFiles:
    """The folder. `open` begins with what a power cut may have left."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def open(self, wanted: Iterable[str]) -> set[str]:
        """Make the folder, and remove all that nobody names any more; gives those that are named and not there."""
        self._folder.mkdir(parents=True, exist_ok=True, mode=0o750)
        named, found = set(wanted), {path.name for path in self._folder.iterdir()}
        for orphan in found - named:
            (self._folder / orphan).unlink()
        if found - named:
            log.info("files of no picture were removed", extra={"count": len(found - named)})
        return named - found

    def put(self, sha256: str, data: bytes) -> None:
        """Keep `data` under its hash, over what may be there. When this returns it is on the disk.

        Raises StorageFull, StorageError; then nothing of it is kept.
        """
        draft = self._folder / f"{sha256}.new"
        try:
            draft.write_bytes(data)
            settle(draft, self._folder / sha256)
        except OSError as error:
            draft.unlink(missing_ok=True)
            if error.errno in _NO_ROOM:
                raise StorageFull("The hub's disk has no room for the picture.") from error
            raise StorageError(f"The picture could not be written: {error.strerror}.") from error

    def read(self, sha256: str) -> bytes:
        """A file that is what its name says. Raises StorageDamaged."""
        try:
            data = (self._folder / sha256).read_bytes()
        except OSError:
            data = b""
        if hashlib.sha256(data).hexdigest() != sha256:
            raise StorageDamaged(
                f"The picture {sha256[:16]} is damaged or gone, and is not shown.",
                hint="Upload it again: that puts it right. Then check the disk.",
            )
        return data

    def drop(self, sha256: str) -> None:
        """Remove a file that nobody names any more."""
        (self._folder / sha256).unlink(missing_ok=True)
