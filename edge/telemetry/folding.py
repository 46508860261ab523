"""What is done with readings after they were accepted: folded into history and rollups, and in the end let go.

Folding waits for many readings or for a minute. A reading then costs a memory card a share of a page instead of
several pages, and what is not folded yet is read where it is. Each reading is taken into its hour exactly once, in
the transaction that moves the mark, so an hour is right however late its readings come, and stays right when they
are deleted.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from functools import partial
from zoneinfo import ZoneInfo

import msgspec

from edge.clock import Clock
from edge.errors import StorageError
from edge.serving.buckets import DAY_S, SECOND_US, hour_offset_us
from edge.store.database import Store
from edge.telemetry import retention_store as retention
from edge.telemetry import store as sql
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
        self._first_unsent: Callable[[], int | None] = lambda: None
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
            taken = await self._db.write(lambda tx: sql.fold(tx, offset_us, latest, self._telemetry.boot))
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
        budget = self._budget()
        if self.size_bytes > budget:
            await self._shed(budget)

    def keep_unsent_with(self, first_unsent: Callable[[], int | None]) -> None:
        """What is not at the centre stays past its age, as long as there is space: `first_unsent` gives its first
        number, None where nothing is sent to any centre."""
        self._first_unsent = first_unsent

    async def _expire(self, before_us: int) -> None:
        for _ in range(SLICES_EACH):
            unsent = self._first_unsent()
            span = await self._db.write(partial(retention.expired, before_us=before_us, unsent=unsent))
            if span is None:
                return
            self.expired += await self._drop_upto(span.last)

    async def _expire_rollups(self, before_us: int) -> None:
        for first in range(1, len(self._telemetry.series) + 1, SERIES_EACH):
            some = range(first, first + SERIES_EACH)
            await self._db.write(partial(retention.drop_rollups, series=some, before_us=before_us))

    def _budget(self) -> int:
        """Bytes the file's content may take: what is set, or less where the disk is nearly full. What others have
        filled the disk with cannot be made good here, so half of the file stays."""
        file_bytes = self._db.path.stat().st_size
        room = max(file_bytes + self._store.space.spare_bytes(), file_bytes // 2)
        return min(self._keep.readings_mb * MB, room)

    async def _shed(self, budget: int) -> None:
        """Let readings go until the file is within its budget: the oldest that are at the centre; else some of the
        oldest that are not; else the oldest. The ledger says so before it is done: a power cut in between leaves
        readings that were said to be gone, never a loss that nobody was told of."""
        ((first, last),) = await self._db.read(retention.SPAN)
        if first is None:
            return
        share = (self.size_bytes - DROP_TO * budget) / self.size_bytes
        count = max(retention.SLICE_ROWS, int((last - first + 1) * share))
        unsent = self._first_unsent()
        if unsent is not None and first < unsent:
            count = min(count, unsent - first)  # what is left to do is done in the next round
        elif unsent is not None and await self._thin(count, budget):
            return
        span = await self._db.write(lambda tx: retention.oldest(tx, count, unsent))
        if span is not None:
            await self._tell_gap(span, budget, kept_every=0)
            self.dropped += await self._drop_upto(span.last)

    async def _thin(self, count: int, budget: int) -> bool:
        """Keep every fourth of the oldest readings that were not thinned yet; False where there are too few."""
        whole = await self._db.write(lambda tx: retention.to_thin(tx, count))
        if whole is None:
            return False
        await self._tell_gap(whole, budget, kept_every=retention.THIN_KEEP)
        for first in range(whole.first, whole.last + 1, retention.THIN_ROWS):
            last = min(first + retention.THIN_ROWS - 1, whole.last)
            part = msgspec.structs.replace(whole, first=first, last=last)
            self.dropped += await self._db.write(partial(retention.thin, span=part))
        return True

    async def _tell_gap(self, span: retention.Span, budget: int, *, kept_every: int) -> None:
        body = msgspec.structs.asdict(span)
        why = f"readings.db was past {budget // MB} MB"
        if kept_every:
            body["kept_every"] = kept_every
        await self._store.hub.write(lambda tx: tx.fact("gap", "readings", stream="readings", why=why, **body))

    async def _drop_upto(self, last: int) -> int:
        gone = 0
        while more := await self._db.write(lambda tx: retention.drop(tx, last)):
            gone += more
        return gone
