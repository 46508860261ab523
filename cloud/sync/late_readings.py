"""Readings that could not be taken when their turn came are tried again, one at a time."""

from __future__ import annotations

from collections.abc import Sequence

from cloud.db.database import Database
from cloud.db.partitions import Months
from cloud.sites.gate import HubCaller
from cloud.sync import readings_store as sql
from cloud.sync import receipt_store, series_store, stream_store
from cloud.sync.projection import Arrived, ReadingsWatch
from cloud.sync.receipts import missing, wanted_next
from cloud.sync.stream_store import READINGS
from edge.clock import Clock
from edge.errors import Expects, RowRejected
from edge.wire.sync import NumberRow, ReadingsBatch, Taken, TextRow, readings_digest


class LateReadings:
    """Takes rows whose numbers were passed over. `months` makes the tables they go to, `watches` keep their own
    tables by them."""

    def __init__(
        self, database: Database, clock: Clock, months: Months, watches: Sequence[ReadingsWatch] = ()
    ) -> None:
        self._db, self._clock, self._months, self._watches = database, clock, months, watches

    async def take(self, site: HubCaller, session: int, batch: ReadingsBatch) -> Taken:
        """Store the one row of a batch; one that is there stays as it is.

        Raises RowRejected, Expects, Forked, SessionOver, Revoked, StorageError.
        """
        row = _checked(batch)
        seq, series, at_us, value, kind, *_, mono_ms = row
        await self._months.ensure(at_us, at_us)
        async with self._db.write() as connection:
            standing = await stream_store.claim(connection, site, session, READINGS, batch.epoch)
            epoch_no = standing.epoch_no
            there = await receipt_store.ranges(connection, site, epoch_no)
            if missing(there, seq, seq):
                raise Expects("This reading was never passed over.")
            await series_store.add_series(connection, site, epoch_no, batch.series)
            await series_store.add_boots(connection, site, epoch_no, batch.boots)
            names = await series_store.known(connection, site, epoch_no, [series])
            if series not in names:
                raise Expects("The batch names a series that was never told.")
            epochs = [epoch_no, *await receipt_store.elsewhere(connection, site, epoch_no, seq, seq)]
            same = await sql.of_epochs(connection, site, epochs, (seq, seq), (at_us, at_us))
            if (seq, readings_digest(*names[series], at_us, value, kind, mono_ms)) not in same:
                await sql.store(connection, site, epoch_no, batch.numbers, batch.texts)
                if batch.numbers:
                    await sql.due(connection, site, epoch_no, sql.LATE + seq, at_us, at_us)
                for watch in self._watches if standing.watched else ():
                    arrived = Arrived(epoch_no, {series}, names, batch.numbers, batch.texts)
                    await watch(connection, site, arrived, standing.watched)
        following = wanted_next(there)
        return Taken(next=following, ranges=[each for each in there if each[0] > following])


def _checked(batch: ReadingsBatch) -> NumberRow | TextRow:
    """The one row. Raises RowRejected."""
    rows: list[NumberRow | TextRow] = [*batch.numbers, *batch.texts]
    if len(rows) != 1 or not batch.first == rows[0][0] == batch.last:
        raise RowRejected("One reading at a time is tried again.")
    names = [text for _, device, key in batch.series for text in (device, key)]
    names += [boot_id for _, boot_id in batch.boots]
    if any("\0" in text for text in (*names, str(rows[0][3]))):
        raise RowRejected("A text of the batch has a character with the code 0 in it.")
    return rows[0]
