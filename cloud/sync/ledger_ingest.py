"""A hub's ledger comes in: in order, each row following the one before it by its hash, none left out.

The stream's row is locked while facts are taken; they, what others keep by them, and where the stream stands are
one transaction. A batch with more than a transaction's worth is taken in several: on SQLite everybody waits for the
one that writes.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence

import msgspec
from sqlalchemy.ext.asyncio import AsyncConnection

from cloud.db.database import Database
from cloud.db.signals import Signals
from cloud.sites.gate import HubCaller
from cloud.sync import facts_store as sql
from cloud.sync import stream_store
from cloud.sync.facts_store import Kept
from cloud.sync.plain_json import NotPlain, decoded
from cloud.sync.projection import Preparation, Projection
from cloud.sync.stream_store import LEDGER, Standing
from edge.clock import Clock
from edge.errors import Expects, Forked, RowRejected
from edge.wire.ledger import Fact
from edge.wire.sync import LEDGER_ROWS, LedgerBatch, Taken, chained
from edge.wire.times import FIXED_FACT

BODY_CHARS = 256 * 1024  # of one fact; a hub's have some hundred
HASH_BYTES = 16
FIXES = 100  # facts about clocks in one transaction: each is looked up and has rollups made anew


class LedgerIngest:
    """Takes batches of facts; `preparations` go before facts about clocks, `projections` follow every fact, in
    their order."""

    def __init__(
        self,
        database: Database,
        clock: Clock,
        signals: Signals,
        preparations: Sequence[Preparation],
        projections: Sequence[Projection],
    ) -> None:
        self._db, self._clock, self._signals = database, clock, signals
        self._preparations, self._projections = preparations, projections

    async def take(self, site: HubCaller, session: int, batch: LedgerBatch) -> Taken:
        """Store a batch. Raises RowRejected, Forked, Expects, SessionOver, Revoked, StorageError."""
        large = len(batch.rows) + len(batch.skipped) > LEDGER_ROWS
        rows = await asyncio.to_thread(_checked, batch) if large else _checked(batch)
        following, previous = 0, batch.previous
        for step in _steps(rows):
            following = await self._take(_Step(site, session, batch.epoch, previous, step))
            previous = step[-1].hash
        return Taken(next=following)

    async def _take(self, step: _Step) -> int:
        """One step of a batch in a transaction; returns what is wanted next."""
        if step.tells_of_clocks():
            async with self._db.write() as connection:
                _, new = await step.claimed(connection)
            await self._prepare(step.site, new)
        async with self._db.write() as connection:
            standing, new = await step.claimed(connection)
            if new:
                standing = await self._store(connection, step.site, standing, new)
        if new:
            self._signals.tell(f"facts:{step.site.tenant_id}")
        return standing.next

    async def take_again(self, site: HubCaller, session: int, batch: LedgerBatch) -> Taken:
        """Put one fact in its place that was left out as one that could not be taken; one that is there stays.

        Raises RowRejected, Forked, Expects, SessionOver, Revoked, StorageError.
        """
        row = _checked_alone(batch)
        async with self._db.write() as connection:
            standing = await stream_store.claim(connection, site, session, LEDGER, batch.epoch)
            if row.seq >= standing.next:
                raise Expects(f"Fact {standing.next} is wanted next.")
            if not await sql.same(connection, site, [(row.seq, row.hash)]):
                raise Forked()
        if row.fact is not None and row.fact.kind == FIXED_FACT:
            await self._prepare(site, [row])
        async with self._db.write() as connection:
            await stream_store.claim(connection, site, session, LEDGER, batch.epoch)
            new = await sql.fill(connection, self._db, site, row, self._clock.now().at_us)
            if new:
                await self._project(connection, site, [row])
        if new:
            self._signals.tell(f"facts:{site.tenant_id}")
        return Taken(next=standing.next)

    async def _store(
        self, connection: AsyncConnection, site: HubCaller, standing: Standing, rows: Sequence[Kept]
    ) -> Standing:
        now_us = self._clock.now().at_us
        there = await sql.known(connection, site, rows[0].seq, rows[-1].seq)
        new = [row for row in rows if (row.seq, row.hash) not in there]
        if new:
            await sql.store(connection, self._db, site, standing.epoch_no, new, now_us)
        last = rows[-1]
        newest_us = max((row.fact.at_us for row in rows if row.fact is not None), default=0)
        after = msgspec.structs.replace(
            standing,
            next=last.seq + 1,
            hash=last.hash,
            high=last.seq,
            head=max(standing.head, last.seq),
            complete_us=max(standing.complete_us, min(now_us, newest_us)),
        )
        await stream_store.move(connection, site, LEDGER, **msgspec.structs.asdict(after), moved_us=now_us)
        await self._project(connection, site, new)
        return after

    async def _prepare(self, site: HubCaller, rows: Sequence[Kept]) -> None:
        facts = [row.fact for row in rows if row.fact is not None]
        for preparation in self._preparations if facts else ():
            await preparation(site, facts)

    async def _project(self, connection: AsyncConnection, site: HubCaller, rows: Sequence[Kept]) -> None:
        facts = [row.fact for row in rows if row.fact is not None]
        for projection in self._projections if facts else ():
            await projection(connection, site, facts)


class _Step(msgspec.Struct, frozen=True):
    """So much of a batch as one transaction takes; its rows stand behind the one with the hash `previous`."""

    site: HubCaller
    session: int
    epoch: str
    previous: bytes
    rows: Sequence[Kept]

    def tells_of_clocks(self) -> bool:
        """Whether any of its facts says when a boot began."""
        return any(row.fact is not None and row.fact.kind == FIXED_FACT for row in self.rows)

    async def claimed(self, connection: AsyncConnection) -> tuple[Standing, Sequence[Kept]]:
        """The stream, locked, and what of the step is wanted: nothing where all of it is here.

        Raises Expects, Forked, SessionOver, Revoked.
        """
        standing = await stream_store.claim(connection, self.site, self.session, LEDGER, self.epoch)
        rows, skip = self.rows, standing.next - self.rows[0].seq
        if skip < 0:
            raise Expects(f"Fact {standing.next} is wanted next.")
        if skip <= len(rows):
            before = rows[skip - 1].hash if skip else self.previous
            if before != standing.hash:
                raise Forked()
            return standing, rows[skip:]
        last = rows[-1].seq, rows[-1].hash
        if not await sql.same(connection, self.site, [last]):
            raise Forked()
        return standing, ()


def _steps(rows: Sequence[Kept]) -> Iterator[Sequence[Kept]]:
    """The rows in parts of up to LEDGER_ROWS, each with up to FIXES facts about clocks."""
    begin = fixes = 0
    for at, row in enumerate(rows):
        fixed = row.fact is not None and row.fact.kind == FIXED_FACT
        if at - begin == LEDGER_ROWS or (fixed and fixes == FIXES):
            yield rows[begin:at]
            begin, fixes = at, 0
        fixes += fixed
    yield rows[begin:]


def _checked(batch: LedgerBatch) -> list[Kept]:
    """The batch's rows in order. Raises RowRejected, Forked."""
    if not batch.rows and not batch.skipped:
        raise RowRejected("The batch has no row.")
    for row in batch.rows:
        _check(row)
    if any(len(skipped) != HASH_BYTES for _, skipped in batch.skipped):
        raise RowRejected(f"A hash has {HASH_BYTES} bytes.")
    if len(dict(batch.skipped)) != len(batch.skipped) or chained(batch) is None:
        raise Forked("The rows of the batch do not follow each other.")
    rows = [Kept(row[0], row[8], Fact(*row)) for row in batch.rows]
    rows += [Kept(seq, skipped, None) for seq, skipped in batch.skipped]
    return sorted(rows, key=lambda row: row.seq)


def _checked_alone(batch: LedgerBatch) -> Kept:
    """The one row of a batch. Raises RowRejected, Forked."""
    rows = _checked(batch)
    if len(rows) != 1 or batch.skipped:
        raise RowRejected("One fact at a time is tried again.")
    return rows[0]


def _check(row: tuple[int, str, str, int, str, str, int, str, bytes]) -> None:
    seq, kind, subject, _, quality, boot_id, _, body, _ = row
    if any("\0" in text for text in (kind, subject, quality, boot_id, body)):
        raise RowRejected(f"Fact {seq} has a character with the code 0 in it.")
    if len(body) > BODY_CHARS:
        raise RowRejected(f"Fact {seq} is longer than {BODY_CHARS} characters.")
    try:
        is_object = isinstance(decoded(body), dict)
    except NotPlain as error:
        raise RowRejected(f"The body of fact {seq} cannot be kept: {error}.") from error
    if not is_object:
        raise RowRejected(f"The body of fact {seq} is no JSON object.")
