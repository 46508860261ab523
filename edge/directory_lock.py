"""One process to a data directory."""

from __future__ import annotations

import fcntl
import os
from pathlib import Path

from edge.errors import Busy


class DirectoryLock:
    """Says that this process alone writes in a data directory, until it ends however it ends."""

    def __init__(self, directory: Path) -> None:
        self._path = directory / "writer.lock"
        self._fd: int | None = None

    def acquire(self) -> None:
        """Take the lock. Raises Busy naming the holder's process id."""
        fd = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            holder = os.pread(fd, 32, 0).decode("ascii", "replace").strip() or "unknown"
            os.close(fd)
            raise Busy(
                f"Another Outpost process (pid {holder}) already uses {self._path.parent}.",
                hint="Stop it first, or give another --data-dir.",
            ) from error
        os.ftruncate(fd, 0)
        os.pwrite(fd, f"{os.getpid()}\n".encode(), 0)
        self._fd = fd

    def release(self) -> None:
        """Give the lock up; the file stays, since removing it would race with the next holder."""
        if self._fd is not None:
            os.close(self._fd)
            self._fd = None
