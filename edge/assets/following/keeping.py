"""Makes bands and keeps them: reads on a thread of its own, writes through the file's writer.

Whatever is written here is whole: bands with the mark that says how far they are, a track that becomes current with
the last of its bands.
"""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Callable, Iterable, Mapping, Sequence
from functools import partial
from typing import Protocol, TypeVar

import msgspec

from edge.assets.following import bands_store as store
from edge.assets.following.evidence import Key, Record, Recorded, keys_of
from edge.assets.following.making import STEP_BANDS, Calendar, Made, Much, Task, make_or_leave
from edge.store.bulk import BulkReader, Raw
from edge.store.database import Database
from edge.store.transaction import Row, Transaction

T = TypeVar("T")


class Readings(Protocol):
    """Who keeps readings."""

    def record(self, raw: Raw, keys: Iterable[Key]) -> Record:
        """What there is of these keys at one moment."""

    def news(self, raw: Raw, keys: Iterable[Key], seq: int) -> tuple[int, Mapping[Key, int]]:
        """The number of the newest reading, and of each key that has readings behind `seq` the earliest time."""

    def moved(self, raw: Raw, keys: Iterable[Key], boot_id: str) -> Mapping[Key, int]:
        """Of each key with readings that a boot's unset clock dated: the earliest time they were or are of."""

    def to_take(self, raw: Raw) -> list[str]:
        """Boots that were put right, all their readings moved, which bands do not have so yet."""

    def taken(self, tx: Transaction, boot_ids: Sequence[str]) -> None:
        """Bands have these so, or owe it."""


class Loaded(msgspec.Struct, frozen=True):
    """What is on disk: up to which reading bands are made, and by asset its track and mark."""

    seq: int
    tracks: dict[str, int]
    marks: dict[str, store.Mark]


class Keeping:
    """The bands of readings.db. `made` counts those that were written since the start; `floor_us` is before when
    readings are missing."""

    def __init__(self, database: Database, readings: Readings) -> None:
        self._db, self._readings = database, readings
        self._reader = BulkReader(database.path)
        self.floor_us = 0
        self.made = 0

    @contextlib.asynccontextmanager
    async def reading(self) -> AsyncIterator[None]:
        """Be able to make bands."""
        await self._reader.open()
        try:
            yield
        finally:
            await self._reader.close()

    async def load(self) -> Loaded:
        """All marks."""
        return Loaded(*await self._db.write(store.load))

    async def make(self, tasks: Sequence[Task], calendar: Calendar) -> list[Made | Much]:
        """Make the bands of these, all as of one moment, but for those that are too much."""
        keys = {key for task in tasks for key in keys_of(task.asset)}

        def work(raw: Raw, evidence: Recorded) -> list[Made | Much]:
            return [make_or_leave(raw, evidence, task, calendar) for task in tasks]

        return await self.read_evidence(keys, work)

    async def read(self, work: Callable[[Raw], T]) -> T:
        """Run `work` on the reader's thread, over one moment."""
        return await self._reader.read(lambda raw: _of_one_moment(raw, work))

    async def read_evidence(self, keys: Iterable[Key], work: Callable[[Raw, Recorded], T]) -> T:
        """The same with what was heard by these keys."""

        def with_evidence(raw: Raw) -> tuple[int, T]:
            evidence = Recorded(self._readings.record(raw, keys))
            return evidence.floor_us, work(raw, evidence)

        self.floor_us, found = await self.read(with_evidence)
        return found

    async def news(self, keys: Iterable[Key], seq: int) -> tuple[int, Mapping[Key, int]]:
        """As Readings has it."""
        return await self.read(lambda raw: self._readings.news(raw, keys, seq))

    async def moved(self, keys: Iterable[Key]) -> tuple[list[str], list[Mapping[Key, int]]]:
        """Boots whose clock was set later and whose readings have moved; and of each what Readings.moved tells."""

        def work(raw: Raw) -> tuple[list[str], list[Mapping[Key, int]]]:
            boots = self._readings.to_take(raw)
            return boots, [self._readings.moved(raw, keys, boot_id) for boot_id in boots]

        return await self.read(work)

    async def keep(self, made: Sequence[tuple[Made, store.Mark]]) -> list[int]:
        """Write bands with their marks, all in one commit; returns the track of each."""
        rows = [[store.row(band) for band in one.bands] for one, _ in made]

        def work(tx: Transaction) -> list[int]:
            tracks = []
            for (one, mark), bands in zip(made, rows, strict=True):
                track = one.track or store.current_track(tx, one.asset.id)
                store.replace(tx, track, one.from_us, bands)
                store.save_mark(tx, mark)
                tracks.append(track)
            return tracks

        self.made += sum(map(len, rows))
        return await self._db.write(work)

    async def begin_aside(self, mark: store.Mark) -> int:
        """A track to make bands on that nobody sees; the mark says what is owed until it is current."""

        def work(tx: Transaction) -> int:
            store.save_mark(tx, mark)
            return store.new_track(tx, mark.asset, current=False)

        return await self._db.write(work)

    async def add_aside(self, track: int, from_us: int, rows: Sequence[Row]) -> None:
        """These are the bands of a track from a time on, a few in each commit."""
        for first in range(0, len(rows) or 1, STEP_BANDS):
            part = rows[first : first + STEP_BANDS]
            begin_us = from_us if first == 0 else part[0][0]
            await self._db.write(partial(store.replace, track=track, from_us=begin_us, rows=part))
        self.made += len(rows)

    async def end_aside(self, track: int, mark: store.Mark) -> None:
        """The track is whole: it is the one that is asked from now on."""

        def work(tx: Transaction) -> None:
            store.make_current(tx, mark.asset, track)
            store.save_mark(tx, mark)

        await self._db.write(work)

    async def save(self, marks: Sequence[store.Mark], seq: int, boots: Sequence[str] = ()) -> None:
        """Keep how far bands are made, and for which boots they are owed or right."""

        def work(tx: Transaction) -> None:
            for mark in marks:
                store.save_mark(tx, mark)
            store.save_seq(tx, seq)
            self._readings.taken(tx, boots)

        await self._db.write(work)

    async def sweep(self, but: int) -> bool:
        """Delete some of what nobody asks any more; whether there is more."""
        return await self._db.write(lambda tx: store.sweep(tx, [but]))

    async def let_go(self, tracks: Iterable[int], before_us: int) -> None:
        """Let bands go that ended before a time."""
        for track in tracks:
            while await self._db.write(partial(store.let_go, track=track, before_us=before_us)):
                pass


def _of_one_moment(raw: Raw, work: Callable[[Raw], T]) -> T:
    raw.execute("BEGIN")
    try:
        return work(raw)
    finally:
        raw.execute("COMMIT")
