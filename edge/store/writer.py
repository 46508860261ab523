"""The one writer of a database file: group commit.

Callers hand over work and await it. The writer takes all that is waiting, runs it in one transaction and commits
once; only then do the callers go on. Under load one fsync serves many requests; alone, a request waits for one
commit and no timer.

A failing item fails alone. Work runs without savepoints first, since they cost more than the work; if an item
fails after it has changed something, the batch is rolled back and run again with a savepoint around each. So work
may run twice and must change nothing but its transaction.
"""

from __future__ import annotations

import asyncio
import logging
import sqlite3
from collections import deque
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

from edge.bus import Bus
from edge.clock import Clock
from edge.errors import StorageError, StorageFull
from edge.store.connection import WriterConnection
from edge.store.transaction import Chain, Transaction

log = logging.getLogger(__name__)

T = TypeVar("T")
Work = Callable[[Transaction], T]

BATCH_ITEMS = 512  # bounds how long a commit is held back by its own batch: about 15 ms of work
GATHER_TURNS = 8  # under load each turn brings more; alone there is one, which costs microseconds
WAITING_ITEMS = 20_000  # past this the disk has stopped; new work is refused instead of filling memory


class Writer:
    """Owns the writing connection of one file. `on_full` is called when the disk is, to free the ballast."""

    def __init__(
        self,
        reopen: Callable[[], Awaitable[WriterConnection]],
        bus: Bus,
        clock: Clock,
        *,
        ledger: bool,
        on_full: Callable[[], None] = lambda: None,
    ) -> None:
        self._reopen, self._bus, self._clock = reopen, bus, clock
        self._has_ledger, self._on_full = ledger, on_full
        self._connection: WriterConnection | None = None
        self._chain: Chain | None = None
        self._waiting: deque[tuple[Work[Any], asyncio.Future[Any]]] = deque()
        self._wake = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self._followers: list[Callable[[], None]] = []
        self._told_facts = 0
        self.commits = 0
        self.items = 0

    async def start(self) -> None:
        """Open the connection and begin to serve."""
        await self._open()
        self._task = asyncio.create_task(self._serve(), name="store-writer")

    async def stop(self) -> None:
        """Commit what is waiting, then close."""
        if self._task is None:
            return
        task, self._task = self._task, None
        self._wake.set()
        await task
        if self._connection is not None:
            await self._connection.close()
            self._connection = None

    async def submit(self, work: Work[T]) -> T:
        """Run `work` in the next batch; returns its result after the commit that holds it.

        Raises what `work` raised (then nothing of it is kept), StorageFull or StorageError when the commit failed.
        """
        if self._task is None:
            raise StorageError("The database is closed.")
        if len(self._waiting) >= WAITING_ITEMS:
            raise StorageError("The disk does not keep up; nothing more is taken for now.")
        future: asyncio.Future[T] = asyncio.get_running_loop().create_future()
        self._waiting.append((work, future))
        self._wake.set()
        return await future

    def follow(self, follower: Callable[[], None]) -> None:
        """Call `follower` in the event loop after every commit that held facts; it must be quick and not fail."""
        self._followers.append(follower)

    def unfollow(self, follower: Callable[[], None]) -> None:
        """Call it no longer."""
        self._followers.remove(follower)

    @property
    def waiting(self) -> int:
        """Items not yet in a batch."""
        return len(self._waiting)

    @property
    def facts(self) -> int:
        """The number of the newest fact in the ledger."""
        return self._chain.seq if self._chain else 0

    async def _open(self) -> None:
        connection = await self._reopen()
        try:
            self._chain = await connection.run(Chain.load) if self._has_ledger else None
        except BaseException:
            await connection.close()
            raise
        self._connection = connection

    async def _serve(self) -> None:
        while self._waiting or self._task is not None:
            if not self._waiting:
                self._wake.clear()
                await self._wake.wait()
                continue
            await self._gather()
            batch = [self._waiting.popleft() for _ in range(min(BATCH_ITEMS, len(self._waiting)))]
            await self._commit(batch)

    async def _gather(self) -> None:
        """Let requests that came together be committed together: a few turns of the loop, as long as more come."""
        for _ in range(GATHER_TURNS):
            before = len(self._waiting)
            await asyncio.sleep(0)
            if len(self._waiting) == before:
                return

    async def _commit(self, batch: list[tuple[Work[Any], asyncio.Future[Any]]]) -> None:
        try:
            if self._connection is None:
                await self._open()
            assert self._connection is not None
            works = [work for work, _ in batch]
            results, tx = await self._connection.run(lambda raw: self._run(raw, works))
        except Exception as error:  # noqa: BLE001 - the task's edge: whatever it is, every caller is told
            await self._fail(batch, error)
            return
        self.commits += 1
        self.items += len(batch)
        for hook in tx.hooks:
            try:
                hook()
            except Exception:  # the task's edge: one follower's fault must not stop the writer
                log.exception("what follows a commit failed")
        for event in tx.events:
            self._bus.publish(event)
        if self.facts != self._told_facts:
            self._told_facts = self.facts
            for follower in self._followers:
                follower()
        for (_, future), (ok, value) in zip(batch, results, strict=True):
            if not future.done():
                future.set_result(value) if ok else future.set_exception(value)

    async def _fail(self, batch: list[tuple[Work[Any], asyncio.Future[Any]]], error: Exception) -> None:
        """Tell every caller, and start from a fresh connection: after a failed sync the old one proves nothing."""
        full = "full" in str(error)
        failure = StorageFull() if full else StorageError(f"The commit failed: {error}.")
        if full:
            self._on_full()
        connection, self._connection = self._connection, None
        if connection is not None:
            try:
                await connection.close()
            except sqlite3.Error as closing:
                failure.add_note(f"closing the connection failed too: {closing}")
        for _, future in batch:
            if not future.done():
                future.set_exception(failure)

    def _run(self, raw: sqlite3.Connection, works: list[Work[Any]]) -> tuple[list[tuple[bool, Any]], Transaction]:
        mark = self._chain.mark() if self._chain else None
        for each_alone in (False, True):
            tx = Transaction(raw, self._chain, self._clock.now())
            raw.execute("BEGIN IMMEDIATE")
            try:
                results = _run_each(tx, works, self._chain) if each_alone else _run_all(tx, works, self._chain)
                if results is not None:
                    if self._chain:
                        self._chain.flush(raw)
                    raw.execute("COMMIT")
                    return results, tx
            except BaseException:
                _roll_back(raw, self._chain, mark)
                raise
            _roll_back(raw, self._chain, mark)
        raise AssertionError("the second pass always gives results")


def _run_all(tx: Transaction, works: list[Work[Any]], chain: Chain | None) -> list[tuple[bool, Any]] | None:
    """Run all without savepoints. None: an item failed half-way, so the batch must be rolled back and run again."""
    results: list[tuple[bool, Any]] = []
    for work in works:
        before = _touched(tx, chain)
        try:
            results.append((True, work(tx)))
        except sqlite3.OperationalError:
            raise  # the disk, not the item
        except Exception as error:  # noqa: BLE001 - it is the caller's, and goes to the caller
            if before != _touched(tx, chain):
                return None
            results.append((False, error))
    return results


def _touched(tx: Transaction, chain: Chain | None) -> tuple[int, int, int, int]:
    """Differs once an item has changed anything."""
    return tx.raw.total_changes, len(tx.events), len(tx.hooks), chain.seq if chain else 0


def _run_each(tx: Transaction, works: list[Work[Any]], chain: Chain | None) -> list[tuple[bool, Any]]:
    """Run each inside its own savepoint."""
    results: list[tuple[bool, Any]] = []
    for work in works:
        mark = chain.mark() if chain else None
        told, hooked = len(tx.events), len(tx.hooks)
        tx.raw.execute("SAVEPOINT item")
        try:
            results.append((True, work(tx)))
        except sqlite3.OperationalError:
            raise
        except Exception as error:  # noqa: BLE001 - it is the caller's, and goes to the caller
            tx.raw.execute("ROLLBACK TO item")
            del tx.events[told:], tx.hooks[hooked:]
            if chain and mark:
                chain.reset(mark)
            results.append((False, error))
        tx.raw.execute("RELEASE item")
    return results


def _roll_back(raw: sqlite3.Connection, chain: Chain | None, mark: tuple[int, bytes, int] | None) -> None:
    if raw.in_transaction:
        raw.execute("ROLLBACK")
    if chain and mark:
        chain.reset(mark)
