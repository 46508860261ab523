"""One database behind the centre: SQLite in the data directory, or PostgreSQL shared by several instances.

Both are used through SQLAlchemy in the same way: `write()` is a transaction that is on disk when it ends, `read()`
sees the last commit. On SQLite one connection writes, as it locks the whole file anyway; on PostgreSQL rows are
locked by those who need them.
"""

from __future__ import annotations

import asyncio
import contextlib
import threading
import time
import weakref
from collections.abc import AsyncIterator
from typing import Any

import aiosqlite
from sqlalchemy import event, text
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError, DBAPIError, InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine
from sqlalchemy.pool import NullPool

from cloud.db import version
from edge.errors import ConfigError, StorageDamaged, StorageError, StorageFull

READERS = 4  # connections of SQLite that only read
POOL = 10  # of PostgreSQL, and as many again when there is much to do
POOL_WAIT_S = 10.0
BUSY_MS = 10_000  # for a lock of SQLite: another process may be making a backup
STATEMENT_MS = 60_000  # PostgreSQL gives up what takes longer
CLOSE_S = 5.0  # for what a connection still does when it is given up
PROVE_S = 10.0
DISK_FULL = "53100"
PASSING = ("08", "40", "53", "57", "58", "55P03")  # PostgreSQL: lost, deadlock, resources, shut down, a lock
ENGINES = ("sqlite", "postgresql")
SEQUENCES = ("arrival", "change", "command", "asset")  # what `numbers` may be asked for

_NEXT_OF_SEQUENCE = text("SELECT nextval(:sequence) FROM generate_series(1, :count)")
_NEXT_OF_COUNTER = text(
    "INSERT INTO counters(name, value) VALUES (:name, :count)"
    " ON CONFLICT(name) DO UPDATE SET value = value + :count RETURNING value"
)
_TRANSACTION_ID = text("SELECT pg_current_xact_id()::text::bigint")


class Database:
    """`url` as SQLAlchemy has it. Raises ConfigError for an engine that is not known."""

    def __init__(self, url: str) -> None:
        try:
            parsed = make_url(url)
        except ArgumentError:  # its text would bring the password into the log
            raise ConfigError("centre.database is no database URL.", hint=_HINT) from None
        self.url = parsed
        self.engine_name = parsed.get_backend_name()
        if self.engine_name not in ENGINES:
            raise ConfigError(f"The centre does not run on {self.engine_name}.", hint=_HINT)
        if self.sqlite:
            parsed = parsed.set(drivername="sqlite+aiosqlite")
            opened: dict[str, Any] = {"async_creator": self._connecting, "max_overflow": 0}
            self._writer = create_async_engine(parsed, pool_size=1, **opened)
            self._readers = create_async_engine(parsed, pool_size=READERS, **opened)
            event.listen(self._writer.sync_engine, "connect", _prepare_writer)
            event.listen(self._readers.sync_engine, "connect", _prepare_reader)
            event.listen(self._writer.sync_engine, "begin", _begin_immediate)
        else:
            parsed = parsed.set(drivername="postgresql+asyncpg")
            self._writer = self._readers = create_async_engine(
                parsed,
                pool_size=POOL,
                max_overflow=POOL,
                pool_timeout=POOL_WAIT_S,
                pool_pre_ping=True,
                connect_args={"server_settings": {"statement_timeout": str(STATEMENT_MS)}},
            )
        self._workers: weakref.WeakSet[threading.Thread] = weakref.WeakSet()
        self._writing = asyncio.Lock()  # SQLite alone: waiting here is fair, waiting at its lock is not

    @property
    def sqlite(self) -> bool:
        """Whether it is the embedded one."""
        return self.engine_name == "sqlite"

    @property
    def writer(self) -> AsyncEngine:
        """The engine that writes: for migrations and for what needs a connection of its own."""
        return self._writer

    @contextlib.asynccontextmanager
    async def write(self) -> AsyncIterator[AsyncConnection]:
        """A transaction; on disk when the block ends, undone when it raises. Raises StorageError."""
        alone = self._writing if self.sqlite else contextlib.nullcontext()
        async with alone, _told(), self._writer.begin() as connection:
            yield connection

    @contextlib.asynccontextmanager
    async def read(self) -> AsyncIterator[AsyncConnection]:
        """A connection for reading. Raises StorageError."""
        async with _told(), self._readers.connect() as connection:
            yield connection

    async def numbers(self, connection: AsyncConnection, name: str, count: int) -> range | list[int]:
        """So many new numbers of a sequence, rising; on PostgreSQL others may get some in between."""
        assert name in SEQUENCES
        if not self.sqlite:
            rows = await connection.execute(
                _NEXT_OF_SEQUENCE,
                {"sequence": f"{name}_numbers", "count": count},
            )
            return [int(row[0]) for row in rows]
        row = await connection.execute(
            _NEXT_OF_COUNTER,
            {"name": name, "count": count},
        )
        last = int(row.scalar_one())
        return range(last - count + 1, last + 1)

    async def transaction_id(self, connection: AsyncConnection) -> int:
        """Of the transaction that runs, to be kept with rows that others read by number; 0 on SQLite."""
        if self.sqlite:
            return 0
        row = await connection.execute(_TRANSACTION_ID)
        return int(row.scalar_one())

    async def settled_before(self, connection: AsyncConnection) -> int:
        """Rows with a smaller `txid` are all there are: no transaction that could add one still runs."""
        if self.sqlite:
            return 1
        row = await connection.execute(text("SELECT pg_snapshot_xmin(pg_current_snapshot())::text::bigint"))
        return int(row.scalar_one())

    def engine_of_its_own(self) -> AsyncEngine:
        """Another engine, whose connections are outside the pool and of no transaction (PostgreSQL)."""
        return create_async_engine(
            self._writer.url,
            poolclass=NullPool,
            isolation_level="AUTOCOMMIT",
            connect_args={"timeout": POOL_WAIT_S},
        )

    async def prove(self) -> bool:
        """Whether a commit goes through; also True while PostgreSQL itself is away, since a new start here would
        not bring it back."""
        try:
            async with asyncio.timeout(PROVE_S), self.write() as connection:
                await connection.execute(_ALIVE, {"now": time.time_ns() // 1000})
        except StorageFull:
            return True  # told and refused with 507; starting anew would free nothing
        except (StorageError, TimeoutError):
            return not self.sqlite and not await self._server_answers()
        return True

    async def _server_answers(self) -> bool:
        engine = self.engine_of_its_own()
        try:
            async with asyncio.timeout(PROVE_S), engine.connect() as connection:
                await connection.execute(text("SELECT 1"))
        except (DBAPIError, OSError, TimeoutError):
            return False
        finally:
            await engine.dispose()
        return True

    async def check(self) -> None:
        """Look through a file of SQLite, which takes time in proportion to its size. Raises StorageDamaged."""
        if not self.sqlite:
            return
        async with self.read() as connection:
            verdict = (await connection.execute(text("PRAGMA quick_check(1)"))).scalar_one()
        if verdict != "ok":
            raise StorageDamaged(f"The central database is damaged: {verdict}.")

    async def prepare(self) -> None:
        """Make the tables, or bring them to this version. Raises StorageError, and ConfigError for a database of a
        newer version or of somebody else."""
        async with self.write() as connection:
            if not await connection.run_sync(version.is_newest):
                from cloud.db import schema  # here: what makes tables takes long to load

                await connection.run_sync(schema.upgrade)

    async def look(self) -> tuple[int, int]:
        """Its size in bytes, and how many steps its tables are behind this version; nothing is changed. Raises
        StorageError, and ConfigError for a database of a newer version."""
        from cloud.db import schema

        async with self.read() as connection:
            size = (await connection.execute(_SIZE[self.engine_name])).scalar_one()
            return int(size), await connection.run_sync(schema.lacking)

    async def close(self) -> None:
        """Close every connection."""
        await self._writer.dispose()
        if self._readers is not self._writer:
            await self._readers.dispose()
        # one whose user was cancelled is given up without waiting, and its thread still has a word for this loop
        for worker in [each for each in self._workers if each.is_alive()]:
            await asyncio.to_thread(worker.join, CLOSE_S)

    def _connecting(self) -> aiosqlite.Connection:
        """A connection of SQLite yet to be opened; its thread is noted before, so that it is waited for even where
        nobody waited for its opening."""
        connection = aiosqlite.connect(str(self.url.database or ":memory:"))
        connection._thread.daemon = True
        self._workers.add(connection._thread)
        return connection


_SIZE = {
    "sqlite": text("SELECT page_count * page_size FROM pragma_page_count(), pragma_page_size()"),
    "postgresql": text("SELECT pg_database_size(current_database())"),
}
_ALIVE = text(
    "INSERT INTO counters(name, value) VALUES ('alive_us', :now) ON CONFLICT(name) DO UPDATE SET value = :now"
)
_HINT = "For example sqlite:///FILE or postgresql+asyncpg://USER:PASSWORD@HOST/NAME."


@contextlib.asynccontextmanager
async def _told() -> AsyncIterator[None]:
    """A database that is away, full, damaged, or will not take it now, as a StorageError; mistakes as they are."""
    try:
        yield
    except DBAPIError as error:
        told = _storage_error(error)
        if told is None:
            raise
        raise told from error
    except (TimeoutError, OSError, PoolTimeout) as error:
        raise StorageError(f"The central database does not answer: {_first_line(error)}.") from error


def _storage_error(error: DBAPIError) -> StorageError | None:
    state = str(getattr(error.orig, "sqlstate", None) or "")
    said = _first_line(error)
    if state == DISK_FULL or said.endswith("database or disk is full"):
        return StorageFull("The central database has no space for anything new.")
    if said.endswith(("malformed", "is not a database")):
        return StorageDamaged(f"The central database is damaged: {said}.")
    if state.startswith(PASSING) or error.connection_invalidated:
        return StorageError(f"The central database does not take it now: {said}.")
    if not state and isinstance(error, OperationalError | InterfaceError):
        return StorageError(f"The central database does not answer: {said}.")
    return None


def _first_line(error: BaseException) -> str:
    """What it is about; the drivers' own words begin with the name of their class."""
    line = (str(getattr(error, "orig", None) or error) or type(error).__name__).split("\n", 1)[0]
    return line.rpartition(">: ")[2].rstrip(".")


def _prepare_writer(raw: Any, _: object) -> None:
    raw.isolation_level = None  # transactions begin as _begin_immediate says
    cursor = raw.cursor()
    for pragma in ("journal_mode = WAL", "synchronous = FULL", f"busy_timeout = {BUSY_MS}", "trusted_schema = OFF"):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def _prepare_reader(raw: Any, _: object) -> None:
    cursor = raw.cursor()
    for pragma in (f"busy_timeout = {BUSY_MS}", "query_only = ON", "trusted_schema = OFF"):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def _begin_immediate(connection: Any) -> None:
    connection.exec_driver_sql("BEGIN IMMEDIATE")
