"""A copy of hub.db, or of a centre's cloud.db, that can be trusted, and the way back from it.

The copy is made by SQLite itself while the hub goes on, checked, and put in place whole or not at all. A restored
hub.db begins a new epoch: it cannot know what happened after it was copied. A restored cloud.db needs none: hubs
see what it has, and send it the rest.
"""

from __future__ import annotations

import contextlib
import os
import secrets
import sqlite3
from pathlib import Path

from edge.bus import Bus
from edge.clock import Clock
from edge.directory_lock import DirectoryLock
from edge.errors import BadInput, StorageError
from edge.settle import settle, sync
from edge.store.connection import open_writer, quick_check
from edge.store.migrations import migrate
from edge.store.transaction import Transaction
from edge.store.writer import Writer

RESTORED = "restored"  # in meta: nobody has judged yet what was under way in this file


def back_up(database: Path, target: Path) -> None:
    """Copy `database` to `target`. Raises BadInput when there is nothing to copy or `target` exists."""
    if not database.exists():
        raise BadInput(f"There is no database at {database}.", hint="Name the hub's --data-dir.")
    if target.exists():
        raise BadInput(f"{target} exists already; a backup never overwrites one.")
    draft = target.with_name(target.name + ".part")
    draft.unlink(missing_ok=True)
    os.close(os.open(draft, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
    try:
        source = sqlite3.connect(f"file:{database}?mode=ro", uri=True)
        copy = sqlite3.connect(draft)
        try:
            source.backup(copy)
            copy.execute("PRAGMA journal_mode = DELETE")
        finally:
            copy.close()
            source.close()
        quick_check(draft)
    except (sqlite3.Error, StorageError):
        draft.unlink(missing_ok=True)
        raise
    settle(draft, target)


async def restore(source: Path, directory: Path, bus: Bus, clock: Clock) -> Path | None:
    """Put `source` in the place of hub.db; returns where the old file was set aside.

    Raises Busy while a hub runs, BadInput or StorageDamaged when `source` is no usable backup.
    """
    if not source.is_file():
        raise BadInput(f"There is no backup at {source}.")
    quick_check(source)
    directory.mkdir(parents=True, exist_ok=True, mode=0o750)
    lock = DirectoryLock(directory)
    lock.acquire()
    try:
        draft = directory / "hub.restore"
        draft.unlink(missing_ok=True)
        copy_in(source, draft)
        await _new_epoch(draft, source.name, bus, clock)
        aside = _set_aside(directory / "hub.db", clock)
        settle(draft, directory / "hub.db")
    finally:
        lock.release()
    return aside


def restore_centre(source: Path, directory: Path, clock: Clock) -> Path | None:
    """Put `source` in the place of cloud.db, which the centre brings to its version when it starts; returns where
    the old file was set aside. Raises as `restore` does.
    """
    if not source.is_file():
        raise BadInput(f"There is no backup at {source}.")
    quick_check(source)
    directory.mkdir(parents=True, exist_ok=True, mode=0o750)
    lock = DirectoryLock(directory)
    lock.acquire()
    try:
        draft = directory / "cloud.restore"
        draft.unlink(missing_ok=True)
        draft.touch(mode=0o600)
        _copy(source, draft, of="a centre", table="alembic_version")
        aside = _set_aside(directory / "cloud.db", clock)
        settle(draft, directory / "cloud.db")
    finally:
        lock.release()
    return aside


def is_of_centre(source: Path) -> bool:
    """Whether this is a centre's backup."""
    try:
        with contextlib.closing(sqlite3.connect(f"file:{source}?mode=ro", uri=True)) as backup:
            return _has(backup, "alembic_version")
    except sqlite3.Error:
        return False


def copy_in(source: Path, draft: Path) -> None:
    """Copy a hub's backup byte by byte through SQLite and bring it to this version's schema."""
    _copy(source, draft, of="a hub", table="ledger")
    migrate(draft, "hub")


def _copy(source: Path, draft: Path, *, of: str, table: str) -> None:
    """Copy through SQLite what has this table. Raises BadInput for what has not."""
    backup, copy = sqlite3.connect(f"file:{source}?mode=ro", uri=True), sqlite3.connect(draft)
    try:
        if not _has(backup, table):
            raise BadInput(f"{source} is no backup of {of}.")
        backup.backup(copy)
    except sqlite3.Error as error:
        raise BadInput(f"{source} is no backup of {of}: {error}.") from error
    finally:
        copy.close()
        backup.close()


def _has(database: sqlite3.Connection, table: str) -> bool:
    return database.execute("SELECT 1 FROM sqlite_schema WHERE name = ?", (table,)).fetchone() is not None


async def _new_epoch(draft: Path, source: str, bus: Bus, clock: Clock) -> None:
    writer = Writer(lambda: open_writer(draft), bus, clock, ledger=True)
    await writer.start()

    def work(tx: Transaction) -> None:
        epoch = secrets.token_hex(8)
        tx.execute("INSERT OR REPLACE INTO meta(key, value) VALUES ('epoch', ?)", (epoch,))
        tx.execute("INSERT OR REPLACE INTO meta(key, value) VALUES (?, ?)", (RESTORED, epoch))
        tx.fact("hub.restored", epoch, source=source)

    await writer.submit(work)
    await writer.stop()


def _set_aside(current: Path, clock: Clock) -> Path | None:
    """Keep the old file under another name too. It keeps its own until the new one takes its place in one step, so
    that no power cut leaves a hub without a database, which would start as an empty one."""
    if not current.exists():
        return None
    _fold_wal_in(current)
    aside = current.with_name(f"{current.stem}.replaced-{clock.now().at_us}.db")
    for suffix in ("-wal", "-shm"):  # left by a file too damaged to open; beside the new one they would ruin it
        part = current.with_name(current.name + suffix)
        if part.exists():
            part.rename(aside.with_name(aside.name + suffix))
    os.link(current, aside)
    sync(current.parent)
    return aside


def _fold_wal_in(database: Path) -> None:
    """Let SQLite move the WAL into the file, as the last connection does when it closes."""
    with contextlib.suppress(sqlite3.DatabaseError):
        raw = sqlite3.connect(database)
        try:
            raw.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        finally:
            raw.close()
