"""A hub's ledger comes in: in order, each row following the one before it by its hash, none left out.

The stream's row is locked while a batch is taken; facts, what others keep by them, and where the stream stands are
one transaction.
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
from sqlalchemy.ext.asyncio import AsyncConnection

from cloud.db.database import Database
from cloud.db.signals import Signals
from cloud.sites.gate import HubCaller
from cloud.sync import facts_store as sql
from cloud.sync import stream_store
from cloud.sync.facts_store import Kept
from cloud.sync.plain_json import NotPlain, decoded
from cloud.sync.projection import Projection
from cloud.sync.stream_store import LEDGER, Standing
from edge.clock import Clock
from edge.errors import Expects, Forked, RowRejected
from edge.wire.ledger import Fact
from edge.wire.sync import LedgerBatch, Taken, chained

BODY_CHARS = 256 * 1024  # of one fact; a hub's have some hundred
HASH_BYTES = 16


class LedgerIngest:
    """Takes batches of facts; `projections` follow each, in their order."""

    def __init__(
        self, database: Database, clock: Clock, signals: Signals, projections: Sequence[Projection]
    ) -> None:
        self._db, self._clock, self._signals, self._projections = database, clock, signals, projections

    async def take(self, site: HubCaller, session: int, batch: LedgerBatch) -> Taken:
        """Store a batch. Raises RowRejected, Forked, Expects, SessionOver, Revoked, StorageError."""
        rows = _checked(batch)
        async with self._db.write() as connection:
            standing = await stream_store.claim(connection, site, session, LEDGER, batch.epoch)
            new = await _behind(connection, site, standing, batch, rows)
            if new:
                standing = await self._store(connection, site, standing, new)
        if new:
            self._signals.tell(f"facts:{site.tenant_id}")
        return Taken(next=standing.next)

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

    async def _project(self, connection: AsyncConnection, site: HubCaller, rows: Sequence[Kept]) -> None:
        facts = [row.fact for row in rows if row.fact is not None]
        for projection in self._projections if facts else ():
            await projection(connection, site, facts)


async def _behind(
    connection: AsyncConnection, site: HubCaller, standing: Standing, batch: LedgerBatch, rows: Sequence[Kept]
) -> Sequence[Kept]:
    """What of the batch is wanted: nothing where all of it is here. Raises Expects, Forked."""
    if batch.first > standing.next:
        raise Expects(f"Fact {standing.next} is wanted next.")
    skip = standing.next - batch.first
    if skip <= len(rows):
        before = rows[skip - 1].hash if skip else batch.previous
        if before != standing.hash:
            raise Forked()
        return rows[skip:]
    last = rows[-1].seq, rows[-1].hash
    if not await sql.same(connection, site, [last]):
        raise Forked()
    return ()


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
