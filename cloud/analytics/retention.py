"""Readings and rollups are let go of when they are older than the settings want them kept.

On PostgreSQL a month of readings goes as a whole, once all of it is old enough. What a clock that was never set
stamped before 2020 says nothing about its age, and stays.
"""

from __future__ import annotations

import asyncio
import logging

from cloud.analytics import retention_store as sql
from cloud.analytics.hours import CLOCK_SET_US
from cloud.analytics.retention_store import Slice
from cloud.analytics.rollup_store import first_in
from cloud.analytics.times_store import fixed_boots
from cloud.db.database import Database
from cloud.db.partitions import Months
from cloud.settings import Retention as Keep
from cloud.sync.set_aside import SetAside
from edge.clock import Clock
from edge.errors import StorageError
from edge.serving.buckets import DAY_S, HOUR_US, SECOND_US

log = logging.getLogger(__name__)

RETAIN_EVERY_S = 3600.0
TRY_AGAIN_S = 60.0
SPAN_US = 6 * HOUR_US  # of one transaction, with up to 100 series: some 200,000 readings at most


class Retention:
    """Lets go of what is too old. Since its start: `expired` readings, `dropped` whole months (PostgreSQL)."""

    def __init__(self, database: Database, months: Months, clock: Clock, keep: Keep) -> None:
        self._db, self._months, self._clock, self._keep = database, months, clock, keep
        self._aside = SetAside(clock, "letting go of old readings")
        self.expired = self.dropped = 0

    async def run(self) -> None:
        """Work until cancelled; a database that is away is waited for."""
        while True:
            try:
                await self.turn()
            except StorageError as error:
                log.warning("old readings cannot be let go now; it is tried again: %s", error)
                await asyncio.sleep(TRY_AGAIN_S)
                continue
            await asyncio.sleep(RETAIN_EVERY_S)

    async def turn(self) -> None:
        """Let go of all that is too old now; a site that fails is set aside. Raises StorageError."""
        now = self._clock.now()
        if not now.quality.good:  # a clock that is wrong must not delete anything
            return
        readings_us = now.at_us - self._keep.readings_days * DAY_S * SECOND_US
        rollups_us = now.at_us - self._keep.rollups_days * DAY_S * SECOND_US
        self.dropped += await self._months.drop_before(readings_us)
        behind = (0, 0, 0, -1)
        while True:
            async with self._db.read() as connection:
                slices = await sql.slices(connection, behind)
            if not slices:
                return
            for some in slices:
                site = some[0], some[1]
                if not self._aside.has(site):
                    with self._aside.on_failure(site):
                        await self._of_site(some, readings_us, rollups_us)
            behind = (*slices[-1][:3], slices[-1][3][-1])

    async def _of_site(self, some: Slice, readings_us: int, rollups_us: int) -> None:
        if self._db.sqlite:
            await self._expire(some, readings_us)
        async with self._db.write() as connection:
            await sql.drop_rollups(connection, some, rollups_us)

    async def _expire(self, some: Slice, before_us: int) -> None:
        tenant_id, site_id, epoch_no, series = some
        from_us = CLOCK_SET_US
        while True:
            async with self._db.read() as connection:
                boots = await fixed_boots(connection, tenant_id, site_id)
                span = from_us, before_us
                first_us = await first_in(connection, (tenant_id, site_id), epoch_no, series, boots, span)
            if first_us is None:
                return
            upto_us = min(max(first_us, from_us) + SPAN_US, before_us)
            async with self._db.write() as connection:
                self.expired += await sql.drop_readings(connection, some, (from_us, upto_us), boots, before_us)
            from_us = upto_us
