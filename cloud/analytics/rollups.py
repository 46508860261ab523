"""Rollups are made in the background, from what `rollups_due` says came in.

An hour is made anew as a whole from its readings, so it is right however late, often and out of order these come,
and however often it is made. The running hour is left until it is over: who reads it meanwhile reads the readings.
Several instances may work at once; a lock keeps them from making the same site's at the same time. While very much
comes in they take a tenth of the time at the most: nobody waits for them, as hours that are due are read from their
readings.
"""

from __future__ import annotations

import asyncio
import logging
from collections import defaultdict
from zoneinfo import ZoneInfo

from cloud.analytics import rollup_store as sql
from cloud.analytics.hours import CLOCK_SET_US, Span, clipped, hour_of, hours_of
from cloud.analytics.rollup_store import Due
from cloud.analytics.times_store import fixed_boots
from cloud.db.database import Database
from cloud.db.site_lock import Work, alone, locked, to_write
from cloud.sync.set_aside import SetAside
from cloud.sync.traffic import Traffic
from edge.clock import Clock
from edge.errors import StorageError
from edge.serving.buckets import DAY_S, HOUR_US, SECOND_US, hour_offset_us

log = logging.getLogger(__name__)

LOOK_S = 5.0
TRY_AGAIN_S = 10.0  # a database that is away is not back in a second
HOURS_EACH = 6  # of one transaction,
SERIES_EACH = 100  # with so many series: some 200,000 readings at most, a tenth of a second
STAND_BACK = 9.0  # while very much comes in it rests so many times as long as it worked,
STAND_BACK_S = 30.0  # at most so long
MERGE_FROM = 100  # rows that wait for the end of their hour; more are put together
FAR = 253_402_300_800 * SECOND_US  # behind every time


class Rollups:
    """Makes them, and stands back when `traffic` is heavy. `made` counts hours of series since the start."""

    def __init__(self, database: Database, clock: Clock, traffic: Traffic, *, readings_days: int) -> None:
        self._db, self._clock, self._traffic, self._days = database, clock, traffic, readings_days
        self._aside = SetAside(clock, "the rollups")
        self.made = 0

    async def run(self) -> None:
        """Work until cancelled; a database that is away is waited for."""
        while True:
            try:
                await self.turn()
            except StorageError as error:
                log.warning("rollups cannot be made now; it is tried again: %s", error)
                await asyncio.sleep(TRY_AGAIN_S)
            await asyncio.sleep(LOOK_S)

    async def turn(self) -> None:
        """All that is due now, site by site; one that fails is set aside. Raises StorageError."""
        async with self._db.read() as connection:
            sites = await sql.sites_due(connection)
        for site in sites:
            if not self._aside.has(site):
                with self._aside.on_failure(site):
                    await self._of_site(site)

    async def _of_site(self, site: tuple[int, int]) -> None:
        async with self._db.read() as connection:
            dues = await sql.due(connection, *site)
        by_epoch: defaultdict[int, list[Due]] = defaultdict(list)
        waiting: defaultdict[int, list[Due]] = defaultdict(list)
        offset_us = await self._offset_us(site)
        now_us = self._clock.now().at_us
        running_us = hour_of(now_us, offset_us)
        for one in dues:
            waits = one.from_us <= now_us and running_us < one.to_us
            (waiting if waits else by_epoch)[one.epoch_no].append(one)
        for epoch_no, ready in sorted(by_epoch.items()):
            await self._of_epoch(site, epoch_no, ready, offset_us)
        for of_epoch in waiting.values():
            await self._put_together(site, of_epoch)

    async def _of_epoch(self, site: tuple[int, int], epoch_no: int, dues: list[Due], offset_us: int) -> None:
        async with self._db.read() as connection:
            boots = await fixed_boots(connection, *site)
            series = await sql.numbers_of(connection, *site, epoch_no)
            spans = hours_of(await sql.touched(connection, *site, dues, boots), offset_us)
        for first in range(0, len(series), SERIES_EACH):
            for span in spans:
                if not await self._of_span(site, epoch_no, series[first : first + SERIES_EACH], span, offset_us):
                    return  # another instance is at it
        async with self._db.write() as connection:
            await sql.done(connection, site, [one.n for one in dues])

    async def _of_span(
        self, site: tuple[int, int], epoch_no: int, series: list[int], whole: Span, offset_us: int
    ) -> bool:
        """Make a span of hours, a piece at a time; what is empty of it at one stroke, as it may be years."""
        begin_us, end_us = whole
        while begin_us < end_us:
            began_s = self._clock.mono_s()
            async with self._db.read() as connection:
                boots = await fixed_boots(connection, *site)
                first_us = await sql.first_in(connection, site, epoch_no, series, boots, (begin_us, end_us))
            upto_us = end_us if first_us is None else hour_of(first_us, offset_us)
            if upto_us == begin_us:
                upto_us = min(begin_us + HOURS_EACH * HOUR_US, end_us)
            if not await self._make(site, epoch_no, series, (begin_us, upto_us), offset_us):
                return False
            begin_us = upto_us
            if self._traffic.is_busy:
                await asyncio.sleep(min(STAND_BACK * (self._clock.mono_s() - began_s), STAND_BACK_S))
        return True

    async def _make(
        self, site: tuple[int, int], epoch_no: int, series: list[int], span: Span, offset_us: int
    ) -> bool:
        """Make these hours. Where readings may have been let go of, only what is new is added."""
        kept_us = hour_of(self._clock.now().at_us - self._days * DAY_S * SECOND_US, offset_us) + HOUR_US
        async with locked(self._db, Work.ROLLUPS, site[1]) as reading:
            if reading is None:
                return False
            boots = await fixed_boots(reading, *site)
            rows = await sql.in_hours(reading, site, epoch_no, series, boots, span, offset_us)
            async with to_write(self._db, reading) as writing:
                for whole in (*clipped([span], (0, CLOCK_SET_US)), *clipped([span], (kept_us, FAR))):
                    mine = [row for row in rows if whole[0] <= row["hour_us"] < whole[1]]
                    await sql.replace(writing, site, epoch_no, series, whole, mine)
                await sql.add_missing(writing, [row for row in rows if CLOCK_SET_US <= row["hour_us"] < kept_us])
        self.made += len(rows)
        return True

    async def _put_together(self, site: tuple[int, int], dues: list[Due]) -> None:
        if len(dues) >= MERGE_FROM:
            async with self._db.write() as connection:
                if await alone(self._db, connection, Work.ROLLUPS, site[1]):
                    await sql.merge(connection, site, dues)

    async def _offset_us(self, site: tuple[int, int]) -> int:
        """How far this site's hours begin behind those of UTC: by its zone when the first was made."""
        async with self._db.read() as connection:
            zone, offset_us = await sql.zone_of(connection, *site)
        if offset_us is not None:
            return offset_us
        async with self._db.write() as connection:
            await sql.keep_offset(connection, *site, hour_offset_us(zone_named(zone), self._clock.now().at_us))
            _, offset_us = await sql.zone_of(connection, *site)
        return offset_us or 0


def zone_named(name: str) -> ZoneInfo:
    """The zone a hub named; UTC where this machine does not know it."""
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        return ZoneInfo("UTC")
