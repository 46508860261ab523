"""What is done with readings after they were accepted: folded into history and rollups, and in the end let go.

Folding waits for many readings or for a minute. A reading then costs a memory card a share of a page instead of
several pages, and what is not folded yet is read where it is. Each reading is taken into its hour exactly once, in
the transaction that moves the mark, so an hour is right however late its readings come, and stays right when they
are deleted.
"""

from __future__ import annotations

import asyncio
import logging
from functools import partial
from zoneinfo import ZoneInfo

import msgspec

from edge.clock import Clock
from edge.errors import StorageError
from edge.store.database import Store
from edge.telemetry import retention_store as retention
from edge.telemetry import store as sql
from edge.telemetry.buckets import DAY_S, SECOND_US, hour_offset_us
from edge.telemetry.telemetry import Telemetry

log = logging.getLogger(__name__)

LOOK_S = 1.0
TRY_AGAIN_S = 10.0  # a full disk does not empty in a second
FOLD_AFTER_S = 60.0  # a reading waits no longer than that; a shorter time only wears the card
RETAIN_EVERY_S = 60.0
SLICES_EACH = 200  # slices of one round of retention: 200,000 readings a minute, far more than come in
SERIES_EACH = 100  # whose rollups one slice looks at
DROP_TO = 0.95  # of the byte budget, so that it is not passed again by the next reading
MB = 1024 * 1024


class Keep(msgspec.Struct, frozen=True, kw_only=True):
    """How long readings and rollups are kept, and how large the file may be."""

    readings_days: int
    rollups_days: int
    readings_mb: int


class Folding:
    """The background work of telemetry. `expired` and `dropped` count readings since the start."""

    def __init__(self, telemetry: Telemetry, store: Store, clock: Clock, zone: ZoneInfo, keep: Keep) -> None:
        self._telemetry, self._store, self._db = telemetry, store, store.readings
        self._clock, self._zone, self._keep = clock, zone, keep
        self._folded_s = clock.mono_s()
        self.expired = self.dropped = self.size_bytes = 0

    async def run(self) -> None:
        """Work until cancelled; a full disk is waited out."""
        retained_s = -RETAIN_EVERY_S
        while True:
            try:
                await self.fold_due()
                if self._clock.mono_s() - retained_s >= RETAIN_EVERY_S:
                    retained_s = self._clock.mono_s()
                    await self.retain()
            except StorageError:
                log.warning("readings could not be folded or let go; it is tried again", exc_info=True)
                await asyncio.sleep(TRY_AGAIN_S)
            await asyncio.sleep(LOOK_S)

    async def fold_due(self) -> None:
        """Fold when there is much, or what there is has waited long enough."""
        waited = self._clock.mono_s() - self._folded_s >= FOLD_AFTER_S
        while self._telemetry.unfolded >= (1 if waited else sql.FOLD_ROWS):
            await self.fold()

    async def fold(self) -> None:
        """Take the next slice in."""
        devices, latest = self._telemetry.present.unsaved()
        offset_us = hour_offset_us(self._zone, self._clock.now().at_us)
        try:
            taken = await self._db.write(lambda tx: sql.fold(tx, offset_us, latest))
        except BaseException:
            self._telemetry.present.unsaved_again(devices)
            raise
        self._folded_s = self._clock.mono_s()
        self._telemetry.unfolded = max(0, self._telemetry.unfolded - taken)

    async def forget(self, device_id: str) -> None:
        """Its values are no longer the present of anything; its history stays as long as any."""
        await self._telemetry.settled()
        while self._telemetry.unfolded:  # else what is not folded would bring its values back at the next start
            await self.fold()
        self._telemetry.present.forget(device_id)
        await self._db.write(lambda tx: sql.forget_latest(tx, device_id))

    async def retain(self) -> None:
        """Let go of what is older than it need be, and of the oldest where the file has grown past its budget."""
        now = self._clock.now()
        if now.quality.good:  # a clock that is wrong must not delete anything
            await self._expire(now.at_us - self._keep.readings_days * DAY_S * SECOND_US)
            await self._expire_rollups(now.at_us - self._keep.rollups_days * DAY_S * SECOND_US)
        self.size_bytes = await self._telemetry.past.size_bytes()
        if self.size_bytes > self._keep.readings_mb * MB:
            await self._drop()

    async def _expire(self, before_us: int) -> None:
        for _ in range(SLICES_EACH):
            span = await self._db.write(lambda tx: retention.expired(tx, before_us))
            if span is None:
                return
            self.expired += await self._drop_upto(span.last)

    async def _expire_rollups(self, before_us: int) -> None:
        for first in range(1, len(self._telemetry.series) + 1, SERIES_EACH):
            some = range(first, first + SERIES_EACH)
            await self._db.write(partial(retention.drop_rollups, series=some, before_us=before_us))

    async def _drop(self) -> None:
        """Delete the oldest readings until the file is within its budget. The ledger says so before it is done: a
        power cut in between leaves readings that were said to be gone, never a loss that nobody was told of."""
        budget = self._keep.readings_mb * MB
        ((first, last),) = await self._db.read(retention.SPAN)
        if first is None:
            return
        share = (self.size_bytes - DROP_TO * budget) / self.size_bytes
        count = max(retention.SLICE_ROWS, int((last - first + 1) * share))
        span = await self._db.write(lambda tx: retention.oldest(tx, count))
        if span is None:
            return
        body = msgspec.structs.asdict(span)
        why = f"readings.db was past {self._keep.readings_mb} MB"
        await self._store.hub.write(lambda tx: tx.fact("gap", "readings", stream="readings", why=why, **body))
        self.dropped += await self._drop_upto(span.last)

    async def _drop_upto(self, last: int) -> int:
        gone = 0
        while more := await self._db.write(lambda tx: retention.drop(tx, last)):
            gone += more
        return gone
