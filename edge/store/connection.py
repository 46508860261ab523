"""SQLite connections, the way Outpost needs them: WAL, every commit on disk, one writer.

The one place that touches `sqlite3` and aiosqlite. `WriterConnection.run` hands a whole batch to aiosqlite's
thread in a single call, because each call changes threads twice and a batch has hundreds of statements.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import sqlite3
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import aiosqlite

from edge.errors import StorageDamaged, StorageError, StorageFull

T = TypeVar("T")

BUSY_TIMEOUT_S = 5.0
ASIDE_NICE = 15  # of a check while the hub serves
WAL_CHECKPOINT_PAGES = 1000  # 4 MB: SQLite's own default, stated because the power-cut test depends on it
SYNCHRONOUS = "FULL"  # the WAL is synced at each commit; NORMAL loses acknowledged rows in a power cut


class RawConnection(aiosqlite.Connection):
    """A connection whose thread takes a whole piece of work in one call."""

    async def run(self, work: Callable[[sqlite3.Connection], T]) -> T:
        """Run `work` with the raw connection on this connection's thread."""
        result: T = await self._execute(work, self._conn)  # type: ignore[no-untyped-call]  # aiosqlite leaves it untyped
        return result


class WriterConnection(RawConnection):
    """The only connection of a file that writes and checkpoints."""


async def open_writer(path: Path, *, synchronous: str = SYNCHRONOUS) -> WriterConnection:
    """Open `path` for writing, creating it. `synchronous` differs only in the test that proves FULL is needed."""

    def connect() -> sqlite3.Connection:
        raw = sqlite3.connect(path, timeout=BUSY_TIMEOUT_S, isolation_level=None, cached_statements=512)
        try:
            _prepare(raw, synchronous)
        except sqlite3.DatabaseError as error:
            raw.close()
            raise trouble(path, error) from error
        return raw

    connection = WriterConnection(connect, iter_chunk_size=64)
    await connection
    return connection


async def open_reader(path: Path) -> aiosqlite.Connection:
    """Open `path` read-only; long reads on it never block the writer.

    It reads at once, and so holds SQLite's index of the WAL. While a reader holds it, a writer that reopens after a
    failed sync finds the WAL as it was before; else SQLite would recover it from the file, and a commit whose
    failure everybody was told of would come true after all.
    """
    connection = await aiosqlite.connect(
        f"file:{path}?mode=ro", uri=True, timeout=BUSY_TIMEOUT_S, isolation_level=None
    )
    await connection.execute("PRAGMA query_only = ON")
    await connection.execute_fetchall("SELECT COUNT(*) FROM sqlite_schema")
    connection.row_factory = aiosqlite.Row
    return connection


async def open_bulk_reader(path: Path) -> RawConnection:
    """Open `path` read-only for work that reads very many rows, as plain tuples, without holding anybody up."""

    def connect() -> sqlite3.Connection:
        raw = sqlite3.connect(f"file:{path}?mode=ro", uri=True, timeout=BUSY_TIMEOUT_S, isolation_level=None)
        raw.execute("PRAGMA query_only = ON")
        return raw

    connection = RawConnection(connect, iter_chunk_size=64)
    await connection
    return connection


def quick_check(path: Path) -> None:
    """Raise StorageDamaged when SQLite finds `path` inconsistent. Takes time in proportion to its size."""
    try:
        raw = sqlite3.connect(path, timeout=BUSY_TIMEOUT_S)
        try:
            (verdict,) = raw.execute("PRAGMA quick_check(1)").fetchone()
        finally:
            raw.close()
    except sqlite3.DatabaseError as error:
        raise trouble(path, error) from error
    if verdict != "ok":
        raise StorageDamaged(f"{path.name} is damaged: {verdict}.")


async def check_aside(path: Path) -> None:
    """`quick_check` on a thread of its own, behind all else this process does, that no stop has to wait for."""
    loop = asyncio.get_running_loop()
    outcome: asyncio.Future[StorageError | None] = loop.create_future()

    def tell(error: StorageError | None) -> None:
        if not outcome.done():
            outcome.set_result(error)

    def check() -> None:
        if sys.platform == "linux":  # where a thread has a niceness of its own
            os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), ASIDE_NICE)
        found = None
        try:
            quick_check(path)
        except StorageError as error:
            found = error
        with contextlib.suppress(RuntimeError):  # the loop is gone
            loop.call_soon_threadsafe(tell, found)

    threading.Thread(target=check, name=f"check-{path.name}", daemon=True).start()
    error = await outcome
    if error is not None:
        raise error


def trouble(path: Path, error: sqlite3.DatabaseError) -> StorageError:
    """What SQLite's error means: the disk's trouble may pass (it is an OperationalError), damage does not."""
    if not isinstance(error, sqlite3.OperationalError):
        return StorageDamaged(f"{path.name} is damaged: {error}.")
    if "full" in str(error):
        return StorageFull(f"There is no space to open {path.name}.")
    return StorageError(
        f"{path.name} cannot be opened: {error}.", hint="Check the disk: `outpost doctor`, `dmesg`."
    )


def _prepare(raw: sqlite3.Connection, synchronous: str) -> None:
    raw.execute("PRAGMA journal_mode = WAL")
    raw.execute(f"PRAGMA synchronous = {synchronous}")
    raw.execute("PRAGMA foreign_keys = ON")
    raw.execute("PRAGMA secure_delete = ON")  # erased names and pictures are overwritten, not just unlinked
    raw.execute(f"PRAGMA wal_autocheckpoint = {WAL_CHECKPOINT_PAGES}")
    raw.execute("PRAGMA trusted_schema = OFF")
    (mode,) = raw.execute("PRAGMA journal_mode").fetchone()
    (level,) = raw.execute("PRAGMA synchronous").fetchone()
    assert mode == "wal" and level == {"OFF": 0, "NORMAL": 1, "FULL": 2}[synchronous], (mode, level)  # noqa: PT018
