"""Readings come in: ranges of a stream, several at a time and in any order, each row stored once for good.

A batch, the note that it is here, and what follows from it are one transaction. So a batch that comes again (its
answer was lost, the line said it twice) changes nothing, however late, also when it begins or ends elsewhere than
the one before.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Sequence
from operator import itemgetter
from typing import TypeVar

import msgspec
from sqlalchemy.ext.asyncio import AsyncConnection

from cloud.db.database import Database
from cloud.db.partitions import Months
from cloud.sites.gate import HubCaller
from cloud.sync import readings_store as sql
from cloud.sync import receipt_store, series_store, stream_store
from cloud.sync.projection import Arrived, ReadingsWatch
from cloud.sync.receipts import Range, missing, wanted_next, within
from cloud.sync.stream_store import READINGS, Standing
from cloud.sync.traffic import Traffic
from edge.clock import Clock
from edge.errors import Expects, RowRejected
from edge.wire.sync import ROWS_MAX, SERIES_MAX, NumberRow, ReadingsBatch, Taken, TextRow, readings_digest

AT_ONCE = {"sqlite": 1, "postgresql": 4}  # transactions of readings: the live lane waits for one at the most
RANGES_MAX = 1_000  # apart from each other, of one stream: a hub sends in order, so there are hardly ever ten
NAMES_KEPT = 200_000  # series this instance remembers, of all sites; those of the epoch longest unused go first
_at_us = itemgetter(2)
R = TypeVar("R", NumberRow, TextRow)
Names = dict[int, tuple[str, str]]
"""Device and key of series, by number."""


class ReadingsIngest:
    """Takes batches of readings, and tells `traffic` of them. `months` makes the tables they go to, `watches` keep
    their own tables by them."""

    def __init__(
        self,
        database: Database,
        clock: Clock,
        months: Months,
        traffic: Traffic,
        watches: Sequence[ReadingsWatch] = (),
    ) -> None:
        self._db, self._clock, self._months, self._watches = database, clock, months, watches
        self._turns = asyncio.Semaphore(AT_ONCE[database.engine_name])
        self._known: OrderedDict[tuple[int, int], Names] = OrderedDict()
        self._names_kept = 0
        self._traffic = traffic

    async def take(self, site: HubCaller, session: int, batch: ReadingsBatch) -> Taken:
        """Store a batch. Raises RowRejected, Expects, Forked, SessionOver, Revoked, StorageError."""
        content = _Content.of(batch)
        self._traffic.came(len(content.seqs))
        if content.seqs:
            await self._months.ensure(content.from_us, content.to_us)
        await self._tell_names(site, session, batch)
        async with self._turns, self._db.write() as connection:
            standing = await stream_store.claim(connection, site, session, READINGS, batch.epoch)
            there = await receipt_store.ranges(connection, site, standing.epoch_no)
            holes = missing(there, batch.first, batch.last)
            if holes:
                there, names = await self._store(connection, site, standing, content, there, holes)
        if holes:
            self._remember(site, standing.epoch_no, names)
        following = wanted_next(there)
        return Taken(next=following, ranges=[each for each in there if each[0] > following])

    async def _store(
        self,
        connection: AsyncConnection,
        site: HubCaller,
        standing: Standing,
        content: _Content,
        there: list[Range],
        holes: list[Range],
    ) -> tuple[list[Range], Names]:
        batch, epoch_no = content.batch, standing.epoch_no
        if len(there) >= RANGES_MAX:
            raise Expects("There are too many ranges apart from each other: send what is wanted next.")
        await series_store.add_series(connection, site, epoch_no, batch.series[-SERIES_MAX:])
        await series_store.add_boots(connection, site, epoch_no, batch.boots[-SERIES_MAX:])
        names = await self._names(connection, site, epoch_no, content.series)
        numbers, texts = _in(holes, batch.numbers, batch), _in(holes, batch.texts, batch)
        if standing.epoch_no > 1:
            numbers, texts = await self._unlike_older(connection, site, standing, content, names, numbers, texts)
        await sql.store(connection, site, epoch_no, numbers, texts)
        if numbers:
            await sql.due(connection, site, epoch_no, holes[0][0], content.from_us, content.to_us)
        for watch in self._watches if standing.watched else ():
            arrived = Arrived(epoch_no, content.series, names, numbers, texts)
            await watch(connection, site, arrived, standing.watched)
        there = await receipt_store.add(connection, site, epoch_no, there, batch.first, batch.last)
        await self._move(connection, site, standing, content, names, wanted_next(there))
        return there, names

    async def _tell_names(self, site: HubCaller, session: int, batch: ReadingsBatch) -> None:
        """Note the series and boots of a batch that tells more than one transaction should, all but the last, in
        order: a hub goes on behind the highest that is here. Noted without their readings they do no harm."""
        series, boots = batch.series[:-SERIES_MAX], batch.boots[:-SERIES_MAX]
        for at in range(0, max(len(series), len(boots)), SERIES_MAX):
            async with self._turns, self._db.write() as connection:
                standing = await stream_store.claim(connection, site, session, READINGS, batch.epoch)
                part = slice(at, at + SERIES_MAX)
                await series_store.add_series(connection, site, standing.epoch_no, series[part])
                await series_store.add_boots(connection, site, standing.epoch_no, boots[part])

    async def _unlike_older(
        self,
        connection: AsyncConnection,
        site: HubCaller,
        standing: Standing,
        content: _Content,
        names: Names,
        numbers: Sequence[NumberRow],
        texts: Sequence[TextRow],
    ) -> tuple[Sequence[NumberRow], Sequence[TextRow]]:
        """Those that no older epoch has just the same: behind its base a hub may send what was sent before."""
        span = content.batch.first, content.batch.last
        older = await receipt_store.elsewhere(connection, site, standing.epoch_no, *span)
        if not older or not content.seqs:
            return numbers, texts
        there = await sql.of_epochs(connection, site, older, span, (content.from_us, content.to_us))

        def is_new(row: NumberRow | TextRow) -> bool:
            seq, series, at_us, value, kind, *_, mono_ms = row
            return (seq, readings_digest(*names[series], at_us, value, kind, mono_ms)) not in there

        return list(filter(is_new, numbers)), list(filter(is_new, texts))

    async def _move(
        self,
        connection: AsyncConnection,
        site: HubCaller,
        standing: Standing,
        content: _Content,
        names: Names,
        following: int,
    ) -> None:
        now_us = self._clock.now().at_us
        values: dict[str, object] = {"next": following, "moved_us": now_us}
        newest = content.newest()
        if newest is not None and newest[0] > standing.high:
            seq, number, at_us, value, kind, *_, mono_ms = newest
            values |= {"high": seq, "hash": readings_digest(*names[number], at_us, value, kind, mono_ms)}
        if newest is not None and following > content.batch.last:
            values["complete_us"] = max(standing.complete_us, min(now_us, newest[2] + newest[6]))
        await stream_store.move(connection, site, READINGS, **values)

    async def _names(self, connection: AsyncConnection, site: HubCaller, epoch_no: int, numbers: set[int]) -> Names:
        """Of these, at least. Raises Expects unless all are known: the hub then says hello."""
        remembered = self._known.get((site.site_id, epoch_no), {})
        unsure = numbers.difference(remembered)
        if not unsure:
            return remembered
        found = await series_store.known(connection, site, epoch_no, unsure)
        if len(found) < len(unsure):
            raise Expects("The batch names a series that was never told.")
        return {**remembered, **found}

    def _remember(self, site: HubCaller, epoch_no: int, names: Names) -> None:
        """What these series are, once it is committed."""
        key = site.site_id, epoch_no
        before = self._known.pop(key, {})
        self._known[key] = {**before, **names} if names is not before else before
        self._names_kept += len(self._known[key]) - len(before)
        while self._names_kept > NAMES_KEPT:
            self._names_kept -= len(self._known.popitem(last=False)[1])


class _Content(msgspec.Struct, frozen=True):
    """A batch that holds together, and what is asked of all its rows at once."""

    batch: ReadingsBatch
    seqs: list[int]  # of numbers, then of texts
    series: set[int]
    from_us: int
    to_us: int

    @classmethod
    def of(cls, batch: ReadingsBatch) -> _Content:
        """Raises RowRejected."""
        seqs = [row[0] for row in batch.numbers]
        seqs += [row[0] for row in batch.texts]
        if batch.first > batch.last or len(seqs) > ROWS_MAX:
            raise RowRejected(f"A batch holds up to {ROWS_MAX} rows, from its first number to its last.")
        if seqs and not batch.first <= min(seqs) <= max(seqs) <= batch.last:
            raise RowRejected("A row of the batch is not between its first number and its last.")
        if len(set(seqs)) != len(seqs):
            raise RowRejected("Two rows of the batch have one number.")
        if _has_nul(batch):
            raise RowRejected("A text of the batch has a character with the code 0 in it.")
        series = {row[1] for row in batch.numbers}
        series.update(row[1] for row in batch.texts)
        times: list[int] = []
        for rows in (batch.numbers, batch.texts):
            if rows:
                times += min(map(_at_us, rows)), max(map(_at_us, rows))
        return cls(batch, seqs, series, min(times, default=0), max(times, default=0))

    def newest(self) -> NumberRow | TextRow | None:
        """The row with the highest number."""
        if not self.seqs:
            return None
        at = self.seqs.index(max(self.seqs))
        numbers = self.batch.numbers
        return numbers[at] if at < len(numbers) else self.batch.texts[at - len(numbers)]


def _has_nul(batch: ReadingsBatch) -> bool:
    names = [text for _, device, key in batch.series for text in (device, key)]
    names += [boot_id for _, boot_id in batch.boots]
    return any("\0" in text for text in names) or any("\0" in row[3] for row in batch.texts)


def _in(holes: Sequence[Range], rows: Sequence[R], batch: ReadingsBatch) -> Sequence[R]:
    """Those of `rows` that are not here yet; mostly all."""
    if holes == [(batch.first, batch.last)]:
        return rows
    wanted = within(holes)
    return [row for row in rows if wanted(row[0])]
