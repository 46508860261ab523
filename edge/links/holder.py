"""Which process has a serial port: by the lock it took on it, else by its open files where they can be seen."""

from __future__ import annotations

import os
from pathlib import Path

import msgspec

PROC = Path("/proc")
LOCK_FIELDS = 6  # "1: FLOCK ADVISORY WRITE 812 00:1b:5 0 EOF": pid is the fifth, device and inode the sixth


class Holder(msgspec.Struct, frozen=True):
    """A process that has the port."""

    pid: int
    program: str

    def __str__(self) -> str:
        return "this hub itself" if self.pid == os.getpid() else f"pid {self.pid} {self.program}"


def find_holder(path: str) -> Holder | None:
    """Who has locked or opened `path`, this process last; None when nobody is seen. Reads /proc: blocks for ms."""
    pids = [*_lockers(path), *_openers(path)]
    others = [pid for pid in pids if pid != os.getpid()]
    pid = next(iter(others or pids), None)
    return None if pid is None else Holder(pid, _program(pid))


def _lockers(path: str) -> list[int]:
    try:
        file = Path(path).stat()
        locks = (PROC / "locks").read_text().splitlines()
    except OSError:
        return []
    name = f"{os.major(file.st_dev):02x}:{os.minor(file.st_dev):02x}:{file.st_ino}"
    rows = [line.split() for line in locks]
    pids = [int(row[4]) for row in rows if len(row) >= LOCK_FIELDS and row[5] == name]
    return [pid for pid in pids if pid > 0]  # zero or less: a process of another container


def _openers(path: str) -> list[int]:
    real = os.path.realpath(path)
    return [int(entry.name) for entry in PROC.iterdir() if entry.name.isdigit() and _has_open(entry, real)]


def _has_open(process: Path, real: str) -> bool:
    try:
        return any(os.readlink(fd) == real for fd in (process / "fd").iterdir())  # noqa: PTH115 a Path per link is slow
    except OSError:
        return False  # it ended, or belongs to somebody else


def _program(pid: int) -> str:
    try:
        return (PROC / str(pid) / "comm").read_text().strip()
    except OSError:
        return "?"
