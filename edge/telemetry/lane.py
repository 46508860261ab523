"""The way in for single readings: what came together is one piece of work for the writer.

Thousands of requests a second each bring a reading or two. So nothing is done for each that can be done for all:
they wait in a list here, and go into the next commit as a few statements.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import msgspec

from edge.clock import Stamp
from edge.errors import StorageError
from edge.store.database import Database
from edge.store.transaction import Transaction
from edge.store.transaction import Value as Bound
from edge.telemetry import store as sql
from edge.telemetry.model import Moment, Value
from edge.telemetry.series import Series

WAITING = 20_000  # past this the disk has stopped; new readings are refused instead of filling memory
BATCH = 512  # arrivals in one commit: bounds how long it is held back by its own batch
GATHER_TURNS = 8  # under load each turn of the loop brings more; alone there is one, which costs microseconds


class Arrival(msgspec.Struct, frozen=True):
    """What one request brought: the values, when they were so, and their rows as columns one after another."""

    device_id: str
    moment: Moment
    received: Stamp
    values: dict[str, Value]
    flat: list[Bound]
    kept: asyncio.Future[None]


class Lane:
    """Commits arrivals in the order they came. `keep` is called with those of a commit and the number of its last
    reading, in the order of the commits, before anybody is told."""

    def __init__(self, database: Database, series: Series, keep: Callable[[list[Arrival], int], None]) -> None:
        self._db, self._series, self._keep = database, series, keep
        self._waiting: list[Arrival] = []
        self._committing: asyncio.Task[None] | None = None

    async def add(self, arrival: Arrival) -> None:
        """Returns once it is on disk. Raises StorageError or StorageFull when it is not."""
        if len(self._waiting) >= WAITING:
            raise StorageError("The disk does not keep up; no more readings are taken for now.")
        self._waiting.append(arrival)
        if self._committing is None:
            self._committing = asyncio.create_task(self._commit_all(), name="telemetry-lane")
        await arrival.kept

    async def drained(self) -> None:
        """Returns once nothing waits."""
        if self._committing is not None:
            await self._committing

    async def _commit_all(self) -> None:
        try:
            while self._waiting:
                await self._gather()
                batch, self._waiting = self._waiting[:BATCH], self._waiting[BATCH:]
                await self._commit(batch)
        finally:
            self._committing = None

    async def _gather(self) -> None:
        for _ in range(GATHER_TURNS):
            before = len(self._waiting)
            await asyncio.sleep(0)
            if len(self._waiting) == before:
                return

    async def _commit(self, batch: list[Arrival]) -> None:
        try:
            await self._write(batch)
        except StorageError as error:
            _fail(batch, error)
        except Exception as error:  # noqa: BLE001 - the task's edge: one that cannot be stored fails alone
            if len(batch) == 1:
                _fail(batch, error)
                return
            for arrival in batch:
                await self._commit([arrival])

    async def _write(self, batch: list[Arrival]) -> None:
        flat: list[Bound] = []
        for arrival in batch:
            flat += arrival.flat
        new = self._series.unsaved()

        def work(tx: Transaction) -> None:
            last = sql.append(tx, new, flat)
            tx.after(lambda: self._keep(batch, last))

        await self._db.write(work)
        self._series.saved(new)
        for arrival in batch:
            if not arrival.kept.done():
                arrival.kept.set_result(None)


def _fail(batch: list[Arrival], error: Exception) -> None:
    for arrival in batch:
        if not arrival.kept.done():
            arrival.kept.set_exception(error)
