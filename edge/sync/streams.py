"""The two streams as the uplink sees them: where they stand, a row's hash, and a new epoch.

Each reads its file on a connection and thread of its own, so that sending a month of readings holds up nobody.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Sequence
from functools import partial
from typing import TypeVar

from edge.clock import Clock
from edge.errors import StorageError
from edge.store.bulk import BulkReader, Raw
from edge.store.database import Database
from edge.store.transaction import Transaction, Within, nothing
from edge.sync import ledger_store, readings_store, store
from edge.sync.model import Place
from edge.wire.sync import ReadingPlace, StreamHead

T = TypeVar("T")

HEAD_POINTS = 8  # told in a hello: the newest row, and some ever further back
EPOCHS_PER_HOUR = 6  # a centre that orders more is not to be believed
HOUR_S = 3600.0
LETTERS_MAX = 1000  # rows of a stream refused by the centre, past which it is the centre that is wrong


class TooManyEpochs(StorageError):
    """The centre's picture of this hub's rows changes again and again."""

    code = "too-many-epochs"
    retryable = True
    hint = "Something is wrong at the centre, or two hubs take turns under one identity."


class TooManyLetters(StorageError):
    """The centre refuses very many rows of a stream, which stops; the others go on."""

    code = "too-many-letters"
    hint = (
        "Look at them: `outpost site letters`. Update the centre and send them again, or discard those that are"
        " of no use."
    )


class Stream:
    """What both streams share: the reader, the dead letters, and how epochs begin."""

    name = ""

    def __init__(self, database: Database, hub: Database, clock: Clock) -> None:
        self.database, self._hub, self._clock = database, hub, clock
        self._reader = BulkReader(database.path)
        self._epochs_s: deque[float] = deque()
        self.dead: set[int] = set()
        self.letters = 0  # rows that wait for somebody
        self.stopped = ""  # why nothing of this stream is sent
        self._why = ""
        self._fewer = asyncio.Event()

    @property
    def epoch(self) -> str:
        """Under which its rows go now."""
        return self.database.epoch

    async def open(self) -> None:
        """Open the reader and learn which rows to leave out."""
        await self._reader.open()
        await self.learn()

    async def close(self) -> None:
        """Close the reader."""
        await self._reader.close()

    async def learn(self) -> None:
        """Which rows are dead letters."""
        epoch = self.epoch

        def work(tx: Transaction) -> tuple[list[int], int]:
            return store.dead(tx, self.name, epoch), store.letters_count(tx, self.name)

        dead, self.letters = await self._hub.write(work)
        self.dead = set(dead)
        self._fewer.set()

    async def read(self, work: Callable[[Raw], T]) -> T:
        """Run `work` on the reader's thread. Raises StorageError."""
        return await self._reader.read(work)

    async def place(self) -> Place:
        """Where it stands."""
        first, head = await self.read(self._span)
        return Place(self.epoch, first, head)

    async def hashes(self, numbers: Sequence[int]) -> dict[int, bytes]:
        """Of those rows among these that there are."""
        known = [number for number in numbers if 0 < number < 2**63]
        return await self.read(partial(self._hashes, numbers=known)) if known else {}

    async def places(self, numbers: Sequence[int]) -> dict[int, ReadingPlace]:
        """Where those rows are kept, in a stream that is not kept by number."""
        return {}

    async def told(self) -> StreamHead:
        """What a hello says of it."""
        place = await self.place()
        wanted = [place.head, *(place.head - 4**step for step in range(HEAD_POINTS - 1))]
        hashes = await self.hashes([number for number in wanted if number >= place.first])
        points = [(number, hashes[number].hex()) for number in wanted if number in hashes]
        return StreamHead(epoch=place.epoch, head=place.head, first=place.first, points=points)

    async def begin_epoch(self, why: str) -> None:
        """Begin a new epoch, and tell so in the ledger. Raises TooManyEpochs."""
        now_s = self._clock.mono_s()
        while self._epochs_s and now_s - self._epochs_s[0] > HOUR_S:
            self._epochs_s.popleft()
        if len(self._epochs_s) >= EPOCHS_PER_HOUR:
            raise TooManyEpochs()
        self._epochs_s.append(now_s)
        parent, place = self.epoch, await self.place()
        await self._new_epoch(why)
        epoch = self.epoch
        await self._hub.write(lambda tx: store.carry_dead(tx, self.name, parent, epoch, place.head))
        await self.learn()

    async def bury(self, seq: int, why: str, body: bytes) -> None:
        """Set a row aside that the centre will not take. Raises TooManyLetters."""
        if self.letters >= LETTERS_MAX:
            self._why = f"The centre refuses very many rows of the {self.name}: {why}"
            raise TooManyLetters(self._why)
        epoch = self.epoch
        await self._hub.write(lambda tx: store.bury(tx, self.name, epoch, seq, why, body))
        self.dead.add(seq)
        self.letters += 1

    async def room(self) -> None:
        """Wait until there are few enough dead letters to go on; `stopped` says meanwhile why nothing goes."""
        self.stopped = f"{self._why} {TooManyLetters.hint}" if self.letters >= LETTERS_MAX else ""
        try:
            while self.letters >= LETTERS_MAX:
                self._fewer.clear()
                await self._fewer.wait()
        finally:
            self.stopped = ""

    def _span(self, raw: Raw) -> tuple[int, int]:
        raise NotImplementedError

    def _hashes(self, raw: Raw, numbers: Sequence[int]) -> dict[int, bytes]:
        raise NotImplementedError

    async def _new_epoch(self, why: str) -> None:
        raise NotImplementedError


class LedgerStream(Stream):
    """The ledger of hub.db. `older(tx)` draws conclusions when its rows are not those the centre has."""

    name = store.LEDGER

    def __init__(self, hub: Database, clock: Clock, older: Within = nothing) -> None:
        super().__init__(hub, hub, clock)
        self._older = older

    @property
    def head(self) -> int:
        """The number of the newest fact."""
        return self.database.writer.facts

    def _span(self, raw: Raw) -> tuple[int, int]:
        return ledger_store.span(raw)

    def _hashes(self, raw: Raw, numbers: Sequence[int]) -> dict[int, bytes]:
        return ledger_store.hashes(raw, numbers)

    async def _new_epoch(self, why: str) -> None:
        def note(tx: Transaction, parent: str) -> None:
            store.epoch_began(tx, self.name, parent, why)
            self._older(tx)

        await self.database.new_epoch(note)


class ReadingsStream(Stream):
    """The readings of readings.db."""

    name = store.READINGS

    def _span(self, raw: Raw) -> tuple[int, int]:
        return readings_store.span(raw)

    def _hashes(self, raw: Raw, numbers: Sequence[int]) -> dict[int, bytes]:
        return readings_store.digests(raw, numbers)

    async def places(self, numbers: Sequence[int]) -> dict[int, ReadingPlace]:
        """Device, key and time of those rows that there are."""
        return await self.read(partial(readings_store.places, numbers=numbers)) if numbers else {}

    async def _new_epoch(self, why: str) -> None:
        """The ledger says it first: after a power cut in between it is done, and said, once more."""
        parent = self.epoch
        await self._hub.write(lambda tx: store.epoch_began(tx, self.name, parent, why))
        await self.database.new_epoch(lambda tx, parent: readings_store.forget_sent(tx))
