"""Bands are made in the background, from what `assets_due` says came in and from what time alone brings about.

What is due is worked out anew from there on, so bands are right however late, often and out of order readings come.
Sites have their turn one after the other, each for a share of time, until all is done. Several instances may work
at once; a lock keeps them from making those of one site at the same time. A sign of life that only says that a
logger goes on watching moves its assets' marks, and no band.
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque

import msgspec
from sqlalchemy.ext.asyncio import AsyncConnection

from cloud.analytics.hours import CLOCK_SET_US
from cloud.analytics.times_store import fixed_boots
from cloud.assets import band_store as sql
from cloud.assets import due_store
from cloud.assets.band_store import Mark
from cloud.assets.definition_store import Definitions, SiteKey
from cloud.assets.derivation import Derivation
from cloud.assets.due_store import Due
from cloud.assets.evidence import SiteReadings
from cloud.assets.turn import SiteTurn, Task
from cloud.db.database import Database
from cloud.db.site_lock import Work, locked, to_write
from cloud.sync.set_aside import SetAside
from cloud.sync.traffic import Traffic
from edge.assets.model import Band, State, Tail
from edge.clock import Clock
from edge.errors import StorageError
from edge.serving.buckets import DAY_S, SECOND_US

log = logging.getLogger(__name__)

LOOK_S = 2.0  # what came in between is done together
SHARE_S = 0.5  # of work at one site before the next has its turn
TRY_AGAIN_S = 10.0  # a database that is away is not back in a second
STAND_BACK = 9.0  # while very much comes in it rests so many times as long as it worked,
STAND_BACK_S = 30.0  # at most so long


class BandsWorker:
    """Makes them, and stands back when `traffic` is heavy. Since the start: `made` bands; `waiting`: sites that had
    something due at the last look."""

    def __init__(self, database: Database, clock: Clock, traffic: Traffic, *, readings_days: int) -> None:
        self._db, self._clock, self._traffic, self._days = database, clock, traffic, readings_days
        self._aside = SetAside(clock, "the states of assets")
        self._definitions = Definitions()
        self._turning = asyncio.Lock()
        self._visits: dict[SiteKey, _Visit] = {}  # begun, with a share of time that was not enough
        self.made = self.waiting = 0

    async def run(self) -> None:
        """Work until cancelled; a database that is away is waited for."""
        while True:
            began_s, more = self._clock.mono_s(), False
            try:
                more = await self.round()
            except StorageError as error:
                log.warning("states of assets cannot be worked out now; it is tried again: %s", error)
                await asyncio.sleep(TRY_AGAIN_S)
            took_s = self._clock.mono_s() - began_s
            rest_s = min(STAND_BACK * took_s, STAND_BACK_S) if self._traffic.is_busy else 0
            await asyncio.sleep(rest_s if more else max(LOOK_S, rest_s))

    async def turn(self) -> None:
        """All that is due now; a site that fails is set aside. Raises StorageError."""
        while await self.round():
            pass

    async def round(self) -> bool:
        """A share of time for each site with something due, so that much of one holds up none of the others;
        whether anything is left of what was begun. A site that fails is set aside. Raises StorageError."""
        async with self._turning:
            async with self._db.read() as connection:
                sites = await due_store.sites(connection, self._clock.now().at_us)
            self.waiting = len(sites)
            self._visits = {site: self._visits[site] for site in sites if site in self._visits}
            for site in sites:
                if not self._aside.has(site):
                    with self._aside.on_failure(site):
                        await self._of_site(site)
            return bool(self._visits)

    async def _of_site(self, site: SiteKey) -> None:
        """Go on with what is to be done there until its share of time is over."""
        until_s = self._clock.mono_s() + SHARE_S
        visit = self._visits.pop(site, None) or await self._begun(site)
        if visit is None:
            return
        while visit.tasks:
            if not await self._work(site, visit.tasks.popleft()):
                return
            if visit.tasks and self._clock.mono_s() >= until_s:
                self._visits[site] = visit
                return
        async with self._db.write() as connection:
            await due_store.done(connection, site, visit.dues)

    async def _begun(self, site: SiteKey) -> _Visit | None:
        """What is to be done at a site, marks alone done already; None when another instance is at it."""
        async with locked(self._db, Work.BANDS, site[1]) as connection:
            if connection is None:
                return None
            dues = await due_store.of_site(connection, site)
            turn = SiteTurn(connection, site, dues, self._clock.now().at_us)
            plan = await turn.planned(await self._definitions.of(connection, site))
            async with to_write(self._db, connection) as writing:
                await sql.save_marks(writing, site, plan.lived)
                await sql.forget(writing, site, plan.gone)
        return _Visit(dues, deque(plan.tasks))

    async def _work(self, site: SiteKey, task: Task) -> bool:
        """Do one asset; False when another instance is at the site, or was since this was found to be done."""
        async with locked(self._db, Work.BANDS, site[1]) as connection:
            if connection is None or _moved(task.mark, await sql.mark(connection, site, task.made.asset.id)):
                return False
            now_us = self._clock.now().at_us
            boots = await fixed_boots(connection, *site)
            number = task.mark.number if task.mark is not None else None
            stored = _Stored(connection, site, number)
            derivation = Derivation(task.made, SiteReadings(connection, site, boots), stored)
            if task.relaid:
                await derivation.relay(now_us)
            await derivation.run(await self._kept(stored, task.since_us, now_us), now_us)
            look_us, alive_s = await derivation.mark_after(now_us)
            tail = derivation.tail or Tail(State.UNKNOWN, 0)
            async with to_write(self._db, connection) as writing:
                if number is None:
                    number = (await self._db.numbers(writing, "asset", 1))[0]
                    await sql.add_mark(writing, site, Mark(asset=task.made.asset.id, number=number))
                await sql.replace(writing, site, number, derivation.from_us or 0, derivation.bands)
                mark = Mark(
                    asset=task.made.asset.id,
                    number=number,
                    upto_us=now_us,
                    evidence_us=tail.evidence_us,
                    raw=tail.raw,
                    alive_s=alive_s,
                    look_us=look_us,
                    made_by=task.made.written(),
                )
                await sql.save_marks(writing, site, [mark])
        self.made += len(derivation.bands)
        return True

    async def _kept(self, stored: _Stored, since_us: int, now_us: int) -> int:
        """From when on to derive: bands of what readings may have been let go of stay as they are. Those whose time
        is of a clock that was never set tell no age, and their readings are kept."""
        kept_us = now_us - self._days * DAY_S * SECOND_US
        first_us = await stored.first_at(CLOCK_SET_US) if since_us < kept_us else None
        return since_us if first_us is None or first_us >= kept_us else kept_us


class _Visit(msgspec.Struct):
    """What is left to do at a site, and what is due no more once it is done."""

    dues: list[Due]
    tasks: deque[Task]


def _moved(then: Mark | None, now: Mark | None) -> bool:
    if then is None or now is None:
        return then is not now
    return (then.number, then.upto_us, then.made_by) != (now.number, now.upto_us, now.made_by)


class _Stored:
    """derivation.Stored: what the database has of an asset, nothing without a number."""

    def __init__(self, connection: AsyncConnection, site: SiteKey, number: int | None) -> None:
        self._connection, self._site, self._number = connection, site, number

    async def last_before(self, at_us: int) -> Band | None:
        """The last that begins before a time."""
        if self._number is None:
            return None
        return await sql.last_before(self._connection, self._site, self._number, at_us)

    async def first_at(self, from_us: int = 0) -> int | None:
        """When the first that begins at a time or later does."""
        if self._number is None:
            return None
        return await sql.first_at(self._connection, self._site, self._number, from_us)

    async def all(self) -> list[Band]:
        """Every one, in order of time."""
        return [] if self._number is None else await sql.all_bands(self._connection, self._site, self._number)
