"""Watches the machine's clock, and writes down when this boot began as soon as that can be known.

It compares wall and monotonic time at the moment the clock has been set. So steps of the clock before that, by hand
or otherwise, and how soon the hub notices, make no difference to what any row is of. A boot is put right once: what
sets the clock later changes nothing that was.
"""

from __future__ import annotations

import asyncio
import logging

from edge.clock import Clock, Stamp
from edge.errors import StorageError
from edge.store import boots_store as sql
from edge.store.database import Store
from edge.store.transaction import Transaction
from edge.wire.times import ClockFixed

log = logging.getLogger(__name__)

LOOK_S = 1.0  # how soon after the clock was set the rows of this boot are shown with their true times
TRY_AGAIN_S = 10.0  # a full disk does not empty in a second


class BootClock:
    """Writes the fact `clock.fixed`."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store, self._db, self._clock = store, store.hub, clock
        self._marked = ""  # the boot that is known on disk to have begun without a clock
        self._unset_us: int | None = None  # when it began by that clock, until it has been put right

    async def start(self) -> None:
        """Write down that this boot began without a clock, if it did; put it right where that was missed."""
        await self._mark(self._clock.now())
        await self.look()

    async def run(self) -> None:
        """Watch the clock until cancelled; a full disk is waited out."""
        while True:
            await asyncio.sleep(LOOK_S)
            try:
                await self.look()
            except StorageError:
                log.warning("the clock was set, which could not be written down; it is tried again")
                await asyncio.sleep(TRY_AGAIN_S)

    async def look(self) -> None:
        """Put this boot right if its clock was not set before and is now. Raises StorageError."""
        now = self._clock.now()
        if not now.quality.good and self._marked != now.boot_id:
            await self._mark(now)
        if self._unset_us is None or not now.quality.good:
            return
        began_us = _began(now)
        fixed = ClockFixed(boot=now.boot_id, began_us=began_us, offset_us=began_us - self._unset_us)

        def work(tx: Transaction) -> None:
            sql.fix(tx, fixed)
            tx.after(lambda: self._store.boots.keep(fixed.boot, fixed.began_us))

        await self._db.write(work)
        self._unset_us = None
        log.info("the clock was set", extra={"offset_s": fixed.offset_us // 1_000_000})

    async def _mark(self, now: Stamp) -> None:
        if not now.quality.good:
            await self._db.write(lambda tx: sql.mark(tx, now.boot_id, _began(now)))
        self._unset_us = await self._db.write(lambda tx: sql.waiting(tx, now.boot_id))
        self._marked = now.boot_id


def _began(stamp: Stamp) -> int:
    """When the boot began, by this moment's two clocks."""
    return stamp.at_us - stamp.mono_ms * 1000
