"""The readings' way to the centre: ranges, oldest first, several batches in flight.

The centre knows each range by its receipt, so that a batch that was lost on the way back is sent again without
harm. What counts as sent is only what an answer was for.
"""

from __future__ import annotations

import asyncio
import contextlib
from functools import partial

import msgspec

from edge.clock import Clock
from edge.errors import StorageError
from edge.sync import readings_store as sql
from edge.sync.client import REFUSES_ROWS, REJECTED, CentreSaid
from edge.sync.ledger_lane import BATCH_S, WHY_CHARS
from edge.sync.pace import Pace
from edge.sync.ranges import Ranges
from edge.sync.reconcile import settle_readings
from edge.sync.session import Session
from edge.sync.share import READINGS, Share
from edge.sync.sizing import IN_FLIGHT, READINGS_ROWS, Sizer
from edge.sync.streams import ReadingsStream, TooManyLetters
from edge.wire.sync import StreamState, Taken

GATHER_S = 1.5  # readings as they come wait so long for more: newest values go by the state lane anyway
NOTE_S = 30.0  # how often it is noted what is there: a hint for the next start, which the centre corrects
RANGES_NOTED = 1000


class ReadingsLane:
    """`acked` holds the numbers that are at the centre."""

    def __init__(self, stream: ReadingsStream, share: Share, clock: Clock) -> None:
        self._stream, self._share, self._clock = stream, share, clock
        self._sizer = Sizer(IN_FLIGHT, READINGS_ROWS)
        self.pace = Pace(clock.mono_s)
        self.acked = Ranges()
        self._series = self._boots = 0
        self._asked = Ranges()  # acked, or on the way
        self._noted: list[tuple[int, int]] = []

    async def recall(self, site: str) -> None:
        """What was noted in an earlier run."""
        epoch = self._stream.epoch
        self._noted = await self._stream.database.write(lambda tx: sql.sent(tx, site, epoch))
        self.acked = Ranges(self._noted)

    async def note(self, site: str) -> None:
        """Note what is there."""
        epoch, ranges = self._stream.epoch, self.acked.listed()[:RANGES_NOTED]
        if ranges != self._noted:
            await self._stream.database.write(lambda tx: sql.note_sent(tx, site, epoch, ranges))
            self._noted = ranges

    async def forget(self) -> None:
        """Nothing is known to be at a centre, and none of it is noted."""
        self.nothing_known()
        await self._stream.database.write(sql.forget_sent)

    def nothing_known(self) -> None:
        """Nothing is known to be at a centre, until it says so."""
        self.acked, self._noted = Ranges(), []

    async def begin(self, session: Session) -> None:
        """Find where to go on."""
        state = await settle_readings(session, self._stream)
        place = await self._stream.place()
        self.acked = credible(state, place.head)
        self._asked = self.acked.copy()
        self._series, self._boots = max(0, state.series), max(0, state.boots)
        self._sizer = Sizer(IN_FLIGHT, READINGS_ROWS)

    async def run(self, session: Session) -> None:
        """Send what there is, then what comes; while too many rows are refused, nothing."""
        while True:
            try:
                await self._send_all(session)
            except* TooManyLetters:
                pass  # told as long as it waits
            await self._stream.room()
            self._asked = self.acked.copy()

    async def _send_all(self, session: Session) -> None:
        async with asyncio.TaskGroup() as group:
            group.create_task(self._note_now_and_then(session.welcome.site), name="sync-readings-notes")
            under_way: set[asyncio.Task[None]] = set()
            while True:
                while len(under_way) >= self._sizer.window:
                    _, under_way = await asyncio.wait(under_way, return_when=asyncio.FIRST_COMPLETED)
                wanted = self._wanted()
                batch = await self._stream.read(partial(sql.packed, wanted=wanted))
                if batch is None:
                    await self._more()
                    continue
                self._asked.add(batch.first, batch.last)
                knew = (self._series, self._boots) == (batch.series, batch.boots)
                sending = group.create_task(self._send(session, batch), name="sync-readings-batch")
                under_way.add(sending)
                if not knew:  # what follows leans on the series that this batch tells
                    await asyncio.wait(under_way)
                    under_way = set()
                elif batch.rows < wanted.rows and wanted.upto is None:
                    await asyncio.sleep(GATHER_S)

    def _wanted(self) -> sql.Wanted:
        first, upto = self._asked.hole()
        return self._of(first, upto, self._sizer.rows)

    def _of(self, first: int, upto: int | None, rows: int) -> sql.Wanted:
        stream = self._stream
        dead = tuple(sorted(seq for seq in stream.dead if seq >= first and (upto is None or seq <= upto)))
        return sql.Wanted(
            epoch=stream.epoch,
            first=first,
            upto=upto,
            rows=rows,
            series=self._series,
            boots=self._boots,
            dead=dead,
        )

    async def _more(self) -> None:
        """Wait until there may be more."""
        writer = self._stream.database.writer
        commits = writer.commits
        while True:
            await asyncio.sleep(GATHER_S)
            if writer.commits != commits:
                return

    async def _send(self, session: Session, batch: sql.Batch) -> None:
        """Send one batch; what the centre refuses of it is found and set aside."""
        self._sizer.measured(batch.rows, len(batch.raw))
        if not self._sizer.fits(len(batch.raw)):
            await self._halve(session, batch, "It is larger than a batch may be.")
            return
        await self._share.take(READINGS, len(batch.raw))
        began_s = self._clock.mono_s()
        try:
            await session.ask("POST", "/sync/v1/readings", Taken, batch=batch.raw, timeout_s=BATCH_S)
        except CentreSaid as error:
            if error.said not in REFUSES_ROWS:
                raise
            await self._halve(session, batch, error.detail)
            return
        self._sizer.went(self._clock.mono_s() - began_s)
        self.acked.add(batch.first, batch.last)
        self._series, self._boots = max(self._series, batch.series), max(self._boots, batch.boots)
        self.pace.took(batch.rows)

    async def _halve(self, session: Session, batch: sql.Batch, why: str) -> None:
        """Send a refused batch in halves; a single row that is refused is set aside, and its number sent empty."""
        if batch.first == batch.last:
            await self._bury(batch.first, why)
            parts = [(batch.first, batch.last)]
        else:
            middle = (batch.first + batch.last) // 2
            parts = [(batch.first, middle), (middle + 1, batch.last)]
        for first, last in parts:
            upto = first - 1
            while upto < last:  # a batch may end before, where its rows name very many new series
                wanted = self._of(upto + 1, last, last - upto)
                part = await self._stream.read(partial(sql.packed, wanted=wanted))
                if part is None:
                    break
                await self._send(session, part)
                upto = part.last

    async def _bury(self, seq: int, why: str) -> None:
        if seq in self._stream.dead:
            raise CentreSaid("The centre refuses an empty range.", said=REJECTED, said_status=422)
        row = await self._stream.read(partial(sql.row, seq=seq))
        await self._stream.bury(seq, why[:WHY_CHARS], msgspec.msgpack.encode(row))

    async def _note_now_and_then(self, site: str) -> None:
        while True:
            await asyncio.sleep(NOTE_S)
            with contextlib.suppress(StorageError):  # a full disk is no reason to stop sending
                await self.note(site)


def credible(state: StreamState, head: int) -> Ranges:
    """What the centre says it has, as far as there are such rows."""
    acked = Ranges([(1, min(state.next - 1, head))])
    for first, last in state.ranges:
        acked.add(max(first, 1), min(last, head))
    return acked
