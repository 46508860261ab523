"""The ledger's way to the centre: in order, one batch at a time, the moment a fact is committed."""

from __future__ import annotations

import asyncio
from functools import partial

import msgspec

from edge.clock import Clock
from edge.sync import ledger_store
from edge.sync.client import REFUSES_ROWS, TOO_LARGE, CentreSaid
from edge.sync.pace import Pace
from edge.sync.reconcile import settle_ledger
from edge.sync.session import Session
from edge.sync.share import LEDGER, Share
from edge.sync.sizing import Bisection, Sizer
from edge.sync.streams import LedgerStream, TooManyLetters
from edge.wire.sync import LEDGER_ROWS, Taken

LOOK_S = 5.0  # should a wake-up ever be lost
BATCH_S = 60.0  # for a batch and its answer; slower lines get smaller batches
WHY_CHARS = 200


class LedgerLane:
    """`next` is the first fact that is not known to be at the centre."""

    def __init__(self, stream: LedgerStream, share: Share, clock: Clock) -> None:
        self._stream, self._share, self._clock = stream, share, clock
        self._sizer = Sizer(rows_max=LEDGER_ROWS)
        self._bisection = Bisection()
        self.pace = Pace(clock.mono_s)
        self.next = 1

    async def begin(self, session: Session) -> None:
        """Find where to go on."""
        self.next = max(1, (await settle_ledger(session, self._stream)).next)
        self._sizer, self._bisection = Sizer(rows_max=LEDGER_ROWS), Bisection()

    async def run(self, session: Session) -> None:
        """Send what there is, then each fact as it is written."""
        written = asyncio.Event()
        writer = self._stream.database.writer
        writer.follow(written.set)
        try:
            while True:
                written.clear()
                try:
                    if await self._send(session):
                        continue
                except TooManyLetters:
                    await self._stream.room()  # which tells it
                    continue
                try:
                    async with asyncio.timeout(LOOK_S):
                        await written.wait()
                except TimeoutError:
                    continue
        finally:
            writer.unfollow(written.set)

    async def _send(self, session: Session) -> bool:
        """Send the next batch; whether there was one."""
        stream, first = self._stream, self.next
        if stream.head < first:
            return False
        count = min(self._sizer.rows, self._bisection.most(first) or self._sizer.rows)
        read = partial(ledger_store.packed, epoch=stream.epoch, first=first, count=count, dead=stream.dead)
        packed = await stream.read(read)
        if packed is None:
            return False
        last, rows, raw = packed
        if not self._sizer.fits(len(raw)):
            await self._refused(first, last, rows, "It is larger than a batch may be.", too_large=True)
            return True
        self._sizer.measured(rows, len(raw))
        await self._share.take(LEDGER, len(raw))
        began_s = self._clock.mono_s()
        try:
            taken = await session.ask("POST", "/sync/v1/ledger", Taken, batch=raw, timeout_s=BATCH_S)
        except CentreSaid as error:
            if error.said not in REFUSES_ROWS:
                raise
            await self._refused(first, last, rows, error.detail, too_large=error.said == TOO_LARGE)
            return True
        self._sizer.went(self._clock.mono_s() - began_s)
        self.pace.took(rows)
        if taken.next != last + 1:
            raise CentreSaid("The centre wants other facts next.", said="expects", said_status=409, passes=True)
        self.next = last + 1
        return True

    async def _refused(self, first: int, last: int, rows: int, why: str, *, too_large: bool) -> None:
        """The centre will not take these: send half, or set the one row aside."""
        if too_large and rows > 1:
            self._sizer.too_large(rows)
        elif self._bisection.refused(first, last):
            fact = await self._stream.read(partial(ledger_store.row, seq=first))
            await self._stream.bury(first, why[:WHY_CHARS], msgspec.msgpack.encode(fact))
