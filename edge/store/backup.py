"""A copy of hub.db that can be trusted, and the way back from it.

The copy is made by SQLite itself while the hub goes on, checked, and put in place whole or not at all. A restored
database begins a new epoch: it cannot know what happened after it was copied.
"""

from __future__ import annotations

import contextlib
import os
import secrets
import sqlite3
from pathlib import Path

from edge.bus import Bus
from edge.clock import Clock
from edge.errors import BadInput, StorageError
from edge.store.connection import DirectoryLock, open_writer, quick_check
from edge.store.migrations import migrate
from edge.store.settle import settle, sync
from edge.store.transaction import Transaction
from edge.store.writer import Writer


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
        aside = _set_aside(directory, clock)
        settle(draft, directory / "hub.db")
    finally:
        lock.release()
    return aside


def copy_in(source: Path, draft: Path) -> None:
    """Copy a backup byte by byte through SQLite and bring it to this version's schema."""
    backup, copy = sqlite3.connect(f"file:{source}?mode=ro", uri=True), sqlite3.connect(draft)
    try:
        backup.backup(copy)
    except sqlite3.Error as error:
        raise BadInput(f"{source} is no backup of a hub: {error}.") from error
    finally:
        copy.close()
        backup.close()
    migrate(draft, "hub")


async def _new_epoch(draft: Path, source: str, bus: Bus, clock: Clock) -> None:
    writer = Writer(lambda: open_writer(draft), bus, clock, ledger=True)
    await writer.start()

    def work(tx: Transaction) -> None:
        epoch = secrets.token_hex(8)
        tx.execute("INSERT OR REPLACE INTO meta(key, value) VALUES ('epoch', ?)", (epoch,))
        tx.fact("hub.restored", epoch, source=source)

    await writer.submit(work)
    await writer.stop()


def _set_aside(directory: Path, clock: Clock) -> Path | None:
    """Keep the old file under another name too. It stays hub.db until the new one takes its place in one step, so
    that no power cut leaves a hub without a database, which would start as an empty one."""
    current = directory / "hub.db"
    if not current.exists():
        return None
    _fold_wal_in(current)
    aside = directory / f"hub.replaced-{clock.now().at_us}.db"
    for suffix in ("-wal", "-shm"):  # left by a file too damaged to open; beside the new one they would ruin it
        part = current.with_name(current.name + suffix)
        if part.exists():
            part.rename(aside.with_name(aside.name + suffix))
    os.link(current, aside)
    sync(directory)
    return aside


def _fold_wal_in(database: Path) -> None:
    """Let SQLite move the WAL into the file, as the last connection does when it closes."""
    with contextlib.suppress(sqlite3.DatabaseError):
        raw = sqlite3.connect(database)
        try:
            raw.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        finally:
            raw.close()
