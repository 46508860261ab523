"""The months of `readings` on PostgreSQL: each is a table of its own, so that a month is let go of at once.

A month is made before its first row is inserted. Rows of other times, and those that come while a month cannot be
made, go to the default partition and move when their month is made. On SQLite all of this does nothing.
"""

from __future__ import annotations

import asyncio
import logging
import re
from collections.abc import Iterator
from datetime import UTC, date, datetime

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from cloud.db.database import Database
from cloud.db.reading_models import Reading
from edge.clock import Clock
from edge.errors import StorageError

log = logging.getLogger(__name__)

FIRST_MONTH = date(2020, 1, 1)  # a hub whose clock is older than that has none
MONTHS_AHEAD = 2
LOCK = 0x6F757470_6D6F6E74  # any number, of this alone
LOCK_WAIT_MS = 2_000  # a long reader holds the tables; a row in the default partition is as good meanwhile
RETRY_S = 60.0
PREPARE_S = 3600.0
TABLE = Reading.__tablename__
OTHER = f"{TABLE}_other"
_LOCK_NOT_AVAILABLE = ("55P03", "40P01")  # given up waiting, and given up for another that waits for us
_NAME = re.compile(rf"{TABLE}_(\d{{4}})_(\d{{2}})")


class Months:
    """Which months there are. One instance of it serves all who write readings."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._db, self._clock = database, clock
        self._known: set[date] = set()
        self._not_before_s = 0.0  # monotonic, after a month could not be made

    async def ensure(self, from_us: int, to_us: int) -> None:
        """Make the months of these times, ends included. Call it before the transaction that inserts, not in it.

        Raises StorageError when the database is away.
        """
        if self._db.sqlite:
            return
        wanted = [month for month in self._between(from_us, to_us) if month not in self._known]
        if wanted and self._clock.mono_s() >= self._not_before_s:
            await self._make(wanted)

    async def prepare(self) -> None:
        """Make this month and the next ones, so that hardly a batch waits for it."""
        now_us = self._clock.now().at_us
        await self.ensure(now_us, now_us + 40 * MONTHS_AHEAD * 86_400_000_000)

    async def keep(self) -> None:
        """Prepare the next months from time to time, until cancelled."""
        while True:
            await asyncio.sleep(PREPARE_S)
            try:
                await self.prepare()
            except StorageError as error:
                log.warning("the months of readings could not be looked after: %s", error.detail)

    async def drop_before(self, before_us: int) -> int:
        """Drop the months that lie wholly before `before_us`; how many. Older rows elsewhere (in the default
        partition, on SQLite) stay: they are deleted as rows are. Raises StorageError when the database is away.
        """
        if self._db.sqlite:
            return 0
        dropped = 0
        for month in await self._there():
            if _us(_next(month)) <= before_us:
                dropped += await self._drop(month)
        return dropped

    def _between(self, from_us: int, to_us: int) -> Iterator[date]:
        today = datetime.fromtimestamp(self._clock.now().at_us / 1e6, UTC).date()
        last = today.replace(day=1)
        for _ in range(MONTHS_AHEAD):
            last = _next(last)
        month = max(FIRST_MONTH, _month(max(from_us, _us(FIRST_MONTH))))
        while month <= last and _us(month) <= to_us:
            yield month
            month = _next(month)

    async def _make(self, months: list[date]) -> None:
        try:
            async with self._db.write() as connection:
                await _alone(connection)
                there = await _months(connection)
                for month in months:
                    if month not in there:
                        await _make_month(connection, month)
        except StorageError as error:
            if not _gave_up(error):
                raise
            log.warning("no month of readings could be made now, a reader holds the table; tried again soon")
            self._not_before_s = self._clock.mono_s() + RETRY_S
            return
        self._known.update(months)

    async def _there(self) -> list[date]:
        async with self._db.read() as connection:
            return sorted(await _months(connection))

    async def _drop(self, month: date) -> bool:
        try:
            async with self._db.write() as connection:
                await _alone(connection)
                await connection.execute(text(f"DROP TABLE IF EXISTS {_name(month)}"))
        except StorageError as error:
            if not _gave_up(error):
                raise
            return False  # retention comes again
        self._known.discard(month)
        return True


async def _alone(connection: AsyncConnection) -> None:
    """One instance at a time, which does not stand in the way of others for long."""
    await connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": LOCK})
    await connection.execute(text(f"SET LOCAL lock_timeout = {LOCK_WAIT_MS}"))


async def _months(connection: AsyncConnection) -> set[date]:
    rows = await connection.execute(
        text("SELECT inhrelid::regclass::text FROM pg_inherits WHERE inhparent = to_regclass(:table)"),
        {"table": TABLE},
    )
    found = (_NAME.fullmatch(row[0]) for row in rows)
    return {date(int(name[1]), int(name[2]), 1) for name in found if name}


async def _make_month(connection: AsyncConnection, month: date) -> None:
    """Make it beside the table, move there what the default partition has of it, and put it in.

    ATTACH, unlike CREATE … PARTITION OF, lets others write to all other months meanwhile.
    """
    name, bounds = _name(month), {"first": _us(month), "end": _us(_next(month))}
    await connection.execute(text(f"LOCK TABLE {OTHER} IN ACCESS EXCLUSIVE MODE"))
    await connection.execute(text(f"CREATE TABLE {name} (LIKE {TABLE} INCLUDING ALL)"))
    await connection.execute(
        text(
            f"WITH moved AS (DELETE FROM {OTHER} WHERE at_us >= :first AND at_us < :end RETURNING *)"  # noqa: S608 - our own names
            f" INSERT INTO {name} SELECT * FROM moved"
        ),
        bounds,
    )
    await connection.execute(
        text(f"ALTER TABLE {TABLE} ATTACH PARTITION {name} FOR VALUES FROM ({_us(month)}) TO ({_us(_next(month))})")
    )


def _gave_up(error: StorageError) -> bool:
    return getattr(getattr(error.__cause__, "orig", None), "sqlstate", None) in _LOCK_NOT_AVAILABLE


def _name(month: date) -> str:
    return f"{TABLE}_{month:%Y_%m}"


def _next(month: date) -> date:
    return date(month.year + month.month // 12, month.month % 12 + 1, 1)


def _us(month: date) -> int:
    return int(datetime(month.year, month.month, month.day, tzinfo=UTC).timestamp()) * 1_000_000


def _month(at_us: int) -> date:
    """The month of a time; of any that Python cannot tell, the last there is."""
    try:
        return datetime.fromtimestamp(at_us / 1e6, UTC).date().replace(day=1)
    except (OverflowError, ValueError, OSError):
        return date.max.replace(day=1)
