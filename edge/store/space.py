"""Disk space: a floor below which nothing new is taken, and a ballast to get out of a full disk.

On a full disk even DELETE fails, so a file of a few megabytes stands ready to be given up.
"""

from __future__ import annotations

import os
import shutil
import time
from pathlib import Path

from edge.errors import StorageFull

MB = 1024 * 1024
CHECK_S = 1.0  # statvfs is cheap, but not free at 10,000 requests/s


class Space:
    """Watches the free space of a directory's file system."""

    def __init__(self, directory: Path, *, free_floor_mb: int, ballast_mb: int) -> None:
        self._directory, self._floor, self._ballast_bytes = directory, free_floor_mb * MB, ballast_mb * MB
        self._ballast = directory / "ballast"
        self._checked_s = -CHECK_S
        self._free = 0

    def start(self) -> None:
        """Lay the ballast down again where there is room for it and for the floor."""
        room = self.free_bytes() > self._floor + self._ballast_bytes
        if room and self._ballast_bytes and not self._ballast.exists():
            fd = os.open(self._ballast, os.O_WRONLY | os.O_CREAT, 0o600)
            try:
                os.posix_fallocate(fd, 0, self._ballast_bytes)
            finally:
                os.close(fd)

    def free_ballast(self) -> None:
        """Give the ballast up, so that the database can breathe."""
        self._ballast.unlink(missing_ok=True)

    def free_bytes(self) -> int:
        """Free bytes of the file system now."""
        self._free = shutil.disk_usage(self._directory).free
        self._checked_s = time.monotonic()
        return self._free

    def spare_bytes(self) -> int:
        """Free bytes above twice the floor; below zero when the disk is about to count as full."""
        return self.free_bytes() - 2 * self._floor

    def low(self) -> bool:
        """Whether nothing new may be taken; looked up at most once a second."""
        if time.monotonic() - self._checked_s >= CHECK_S:
            self.free_bytes()
        return self._free < self._floor

    def require(self) -> None:
        """Raise StorageFull when space is short."""
        if self.low():
            raise StorageFull(f"Less than {self._floor // MB} MB are free on the hub's disk.")
