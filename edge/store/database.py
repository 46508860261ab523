"""The hub's two database files, opened, checked, migrated and owned.

`hub.db` is small and precious; `readings.db` is large and replaceable. Each has one writer and an epoch, a random
id made with the file. No fact spans both. A damaged readings file is set aside, told and started anew; a damaged
hub.db stops the start, because what it held must come from a backup. Both are looked through before anything is
served, but a large readings file while it is served: the site does not wait for what can be replaced.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import secrets
import sqlite3
from collections.abc import AsyncIterator, Callable, Mapping
from pathlib import Path
from typing import Any

import aiosqlite

from edge.bus import Bus
from edge.clock import Clock
from edge.directory_lock import DirectoryLock
from edge.errors import StorageDamaged, StorageError
from edge.store import boots_store
from edge.store.boots import Boots
from edge.store.connection import check_aside, open_reader, open_writer, quick_check, trouble
from edge.store.migrations import migrate
from edge.store.space import Space
from edge.store.transaction import Transaction, Value
from edge.store.writer import T, Work, Writer

log = logging.getLogger(__name__)

CHECK_FIRST_BYTES = 64 * 1024 * 1024  # of readings.db: a larger one is checked while it is served
READERS = 2  # one for a long export, one for everybody else


class Database:
    """One file: a writer and a few readers. `boots` knows what times its rows are really of. `instance` names the
    file for good, `epoch` its rows until they part from those that others know."""

    def __init__(self, path: Path, name: str, bus: Bus, clock: Clock, space: Space, boots: Boots) -> None:
        self.path, self._name, self.boots = path, name, boots
        self.writer = Writer(
            lambda: open_writer(path), bus, clock, ledger=name == "hub", on_full=space.free_ballast
        )
        self._readers: asyncio.Queue[aiosqlite.Connection] = asyncio.Queue()
        self.epoch = self.instance = ""

    async def open(self, *, check: bool = True) -> None:
        """Check, migrate and open. Raises StorageDamaged."""
        if not self.path.exists():
            self.path.touch(mode=0o600)  # SQLite gives its other files the mode of the first
        elif check:
            await asyncio.to_thread(quick_check, self.path)
        try:
            await asyncio.to_thread(migrate, self.path, self._name)
        except sqlite3.DatabaseError as error:
            raise trouble(self.path, error) from error
        await self.writer.start()
        for _ in range(READERS):
            self._readers.put_nowait(await open_reader(self.path))
        self.epoch, self.instance = await self.write(lambda tx: (_epoch(tx), _instance(tx)))

    async def close(self) -> None:
        """Commit what waits and close every connection; the writer last, so that it checkpoints the WAL."""
        while not self._readers.empty():
            await self._readers.get_nowait().close()
        await self.writer.stop()

    async def write(self, work: Work[T]) -> T:
        """Run `work` in the next commit; see Writer.submit."""
        return await self.writer.submit(work)

    async def new_epoch(self, note: Callable[[Transaction, str], None] = lambda tx, parent: None) -> str:
        """Begin another epoch: these are no longer just the rows that somebody else knows. `note` runs in the same
        commit, with the epoch that ends."""
        self.epoch = await self.write(lambda tx: _new_epoch(tx, note))
        return self.epoch

    async def prove(self) -> None:
        """Commit one small write: afterwards the disk is known to take them. Raises as `write` does."""
        await self.write(_mark_alive)

    async def read(self, sql: str, values: tuple[Value, ...] | Mapping[str, Value] = ()) -> list[aiosqlite.Row]:
        """All rows of a SELECT, by name or position, from the last commit."""
        async with self._reader() as reader:
            rows: Any = await reader.execute_fetchall(sql, values)
            return list(rows)

    @contextlib.asynccontextmanager
    async def _reader(self) -> AsyncIterator[aiosqlite.Connection]:
        reader = await self._readers.get()
        try:
            yield reader
        finally:
            self._readers.put_nowait(reader)


class Store:
    """A data directory: the lock, `hub` and `readings`, and the space they live in."""

    def __init__(self, directory: Path, bus: Bus, clock: Clock, *, free_floor_mb: int, ballast_mb: int) -> None:
        self.directory = directory
        self.space = Space(directory, free_floor_mb=free_floor_mb, ballast_mb=ballast_mb)
        self._lock = DirectoryLock(directory)
        self._clock = clock
        self._unchecked = False
        self.boots = Boots()
        self.hub = Database(directory / "hub.db", "hub", bus, clock, self.space, self.boots)
        self.readings = Database(directory / "readings.db", "readings", bus, clock, self.space, self.boots)

    async def open(self) -> None:
        """Raises Busy when another process has the directory, StorageDamaged when hub.db is damaged."""
        self.directory.mkdir(parents=True, exist_ok=True, mode=0o750)
        self._lock.acquire()
        try:
            self.space.start()
            await self.hub.open()
            for boot_id, began_us in await self.hub.read(boots_store.KNOWN):
                self.boots.keep(boot_id, began_us)
            await self._open_readings()
        except BaseException:
            await self.close()  # a connection left open is a thread that keeps the process from ending
            raise

    async def close(self) -> None:
        """Close what is open of both files, and give the directory up."""
        try:
            await self.readings.close()
            await self.hub.close()
        finally:
            self._lock.release()

    async def check_readings(self) -> None:
        """Look through readings.db where it was too large to do so before the start; others are served meanwhile.

        Raises StorageDamaged once it is noted that the next start sets the file aside; it must come at once.
        """
        if not self._unchecked:
            return
        try:
            await check_aside(self.readings.path)
        except StorageDamaged as damage:
            why = damage.detail
            await self.hub.write(lambda tx: _note_damage(tx, why))
            raise StorageDamaged(why, hint="Start again: the file is set aside, and a new one begun.") from damage
        except StorageError as error:
            log.warning("readings.db could not be checked: %s", error.detail)
        self._unchecked = False

    async def _open_readings(self) -> None:
        path, noted = self.readings.path, await self.hub.read(_DAMAGE)
        self._unchecked = path.exists() and path.stat().st_size > CHECK_FIRST_BYTES
        try:
            if noted:
                raise StorageDamaged(noted[0][0])
            await self.readings.open(check=not self._unchecked)
        except StorageDamaged as damage:
            aside, why = self._set_aside(path), damage.detail
            await self.hub.write(lambda tx: _note_gap(tx, why, aside.name))
            self._unchecked = False
            await self.readings.open()

    def _set_aside(self, path: Path) -> Path:
        aside = path.with_name(f"{path.stem}.damaged-{self._clock.now().at_us}{path.suffix}")
        for suffix in ("", "-wal", "-shm"):
            part = path.with_name(path.name + suffix)
            if part.exists():
                part.rename(aside.with_name(aside.name + suffix))
        return aside


def _epoch(tx: Transaction) -> str:
    """The file's epoch, made when it has none."""
    row = tx.one("SELECT value FROM meta WHERE key = 'epoch'")
    if row:
        return str(row[0])
    epoch = secrets.token_hex(8)
    tx.execute("INSERT INTO meta(key, value) VALUES ('epoch', ?)", (epoch,))
    return epoch


def _instance(tx: Transaction) -> str:
    """The file's own id: its epoch of when this was first asked."""
    tx.execute("INSERT OR IGNORE INTO meta(key, value) SELECT 'instance', value FROM meta WHERE key = 'epoch'")
    row = tx.one("SELECT value FROM meta WHERE key = 'instance'")
    assert row is not None
    return str(row[0])


def _new_epoch(tx: Transaction, note: Callable[[Transaction, str], None]) -> str:
    parent, epoch = _epoch(tx), secrets.token_hex(8)
    tx.execute("UPDATE meta SET value = ? WHERE key = 'epoch'", (epoch,))
    note(tx, parent)
    return epoch


_DAMAGE = "SELECT value FROM meta WHERE key = 'readings_damaged'"


def _note_damage(tx: Transaction, why: str) -> None:
    tx.execute("INSERT OR REPLACE INTO meta(key, value) VALUES ('readings_damaged', ?)", (why,))


def _note_gap(tx: Transaction, why: str, aside: str) -> None:
    tx.fact("gap", "readings", why=why, file=aside, stream="readings")
    tx.execute("DELETE FROM meta WHERE key = 'readings_damaged'")


def _mark_alive(tx: Transaction) -> None:
    tx.execute(
        "INSERT INTO meta(key, value) VALUES ('alive_us', ?) ON CONFLICT(key) DO UPDATE SET value = excluded.value",
        (str(tx.stamp.at_us),),
    )
