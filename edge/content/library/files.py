"""The files of pictures, each under its hash in one folder: whole or not there, whatever is cut off when.

What comes is written beside them and renamed once it is on the disk. A file is hashed whenever it is read, since
disks forget; one that is not what its name says is never handed out.

A file that the database does not name is set aside, not removed: the database may be an older one, from a backup,
and the right one may follow.
"""

from __future__ import annotations

import errno
import hashlib
import logging
import os
import re
import time
from collections.abc import Callable, Iterable
from pathlib import Path

from edge.errors import StorageDamaged, StorageError, StorageFull
from edge.settle import settle

log = logging.getLogger(__name__)

FOLDER = "pictures"  # in the data directory
ASIDE = "unnamed"  # the folder within, for what nothing names
ASIDE_S = 30 * 86_400  # how long it stays there
_NO_ROOM = (errno.ENOSPC, errno.EDQUOT)
_NAME = re.compile(r"[0-9a-f]{64}\Z")
_DRAFT = re.compile(r"[0-9a-f]{64}\.new\Z")


class PictureFiles:
    """The folder. `open` begins with what a power cut may have left."""

    def __init__(self, folder: Path) -> None:
        self._folder, self._aside = folder, folder / ASIDE

    def open(self, wanted: Iterable[str]) -> set[str]:
        """Make the folder, and set aside what nobody names; gives those that are named and not there. What is not
        a picture of ours (a disk's own folders) is left alone, and a disk that lets nothing be moved too."""
        self._folder.mkdir(parents=True, exist_ok=True, mode=0o750)
        named = set(wanted)
        aside, found = _matching(self._aside, _NAME), _matching(self._folder, _NAME)
        back, orphans, drafts = named & aside - found, found - named, _matching(self._folder, _DRAFT)
        _each(back, lambda name: (self._aside / name).rename(self._folder / name))
        _each(orphans, self._set_aside)
        _each(drafts, lambda name: (self._folder / name).unlink())
        _each(aside - back, self._forget_old)
        if orphans or back:
            log.warning(
                "pictures that nothing names were set aside", extra={"set": len(orphans), "back": len(back)}
            )
        return named - _matching(self._folder, _NAME)

    def _set_aside(self, name: str) -> None:
        self._aside.mkdir(exist_ok=True, mode=0o750)
        os.utime(self._folder / name)  # it stays there from now on
        (self._folder / name).rename(self._aside / name)

    def _forget_old(self, name: str) -> None:
        if time.time() - (self._aside / name).stat().st_mtime > ASIDE_S:
            (self._aside / name).unlink()

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


def _matching(folder: Path, form: re.Pattern[str]) -> set[str]:
    """The names of the files in a folder that have this form; none where there is no such folder."""
    if not folder.is_dir():
        return set()
    return {path.name for path in folder.iterdir() if form.match(path.name) and path.is_file()}


def _each(names: Iterable[str], do: Callable[[str], object]) -> None:
    for name in names:
        try:
            do(name)
        except OSError as error:
            log.warning("a picture's file was left where it is", extra={"file": name, "why": error.strerror})
