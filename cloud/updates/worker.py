"""Looks after rollouts: judges those that something came in for, gives devices up whose time is over, begins those
whose time has come. Several instances may do so at once: a rollout's row is locked while it is judged, and nothing
is remembered between two looks.

Deadlines are counted by a clock in the database that stands still while no instance looks: a centre that was away
did not listen, so no device was silent.
"""

from __future__ import annotations

import asyncio
import logging
from collections import defaultdict
from collections.abc import Iterable

from sqlalchemy import RowMapping

from cloud.blobs.blobs import Blobs
from cloud.db.database import Database
from cloud.updates import due_store, end_store
from cloud.updates import rollout_store as sql
from cloud.updates import target_store as targets
from cloud.updates.judging import Judge
from cloud.updates.rollout_store import Key
from cloud.updates.told import end_devices
from edge.clock import Clock
from edge.errors import StorageError
from edge.updates.offers.model import SILENT
from edge.wire.updates import RolloutState, Step

log = logging.getLogger(__name__)

LOOK_S = 1.0
ALL_S = 5.0  # how often every rollout that runs is judged, though nothing came: soaking ends, windows open
TRY_AGAIN_S = 10.0
WATCHED_MOST_S = 60.0  # between two looks: what is longer was nobody's watch
OVERDUE = 500  # devices given up in one transaction
SWEEP_S = 3600.0
ENDS_US = 400 * 86_400 * 1_000_000  # how long it is known how updates ended
KEPT = 300  # rollouts of a tenant that are over
FAILED_MOST = 3  # rollouts in one look that the database refused: then it is the database
ASIDE_S = 600.0  # that a rollout is left alone whose judging failed
UNFINISHED = "It did not finish in time."


class RolloutWorker:
    """`judged` and `given_up` since the start; `running`: rollouts that ran at the last look."""

    def __init__(self, database: Database, clock: Clock, judge: Judge, blobs: Blobs) -> None:
        self._db, self._clock, self._judge, self._blobs = database, clock, judge, blobs
        self._aside: dict[Key, float] = {}
        self._all_s = self._swept_s = float("-inf")
        self.judged = self.given_up = self.running = 0

    async def run(self) -> None:
        """Work until cancelled; a database that is away is waited for."""
        while True:
            try:
                await self.round()
                await self._sweep()
                await asyncio.sleep(LOOK_S)
            except StorageError as error:
                log.warning("rollouts cannot be judged now; it is tried again: %s", error)
                await asyncio.sleep(TRY_AGAIN_S)

    async def round(self, *, every: bool = False) -> None:
        """Judge what is due; every rollout that runs when it is time for that, or `every`. Raises StorageError."""
        now_s = self._clock.mono_s()
        every = every or now_s - self._all_s >= ALL_S
        async with self._db.read() as connection:
            dues = dict(await due_store.dues(connection))
            running = await sql.standing(connection, (RolloutState.RUNNING.value,)) if every else []
            begins = await sql.beginning(connection, self._clock.now().at_us) if every else []
            watching = bool(running) or (every and await sql.any_open(connection))
        if every:
            self._all_s, self.running = now_s, len(running)
        if watching or dues:
            async with self._db.write() as connection:
                watched_s = await due_store.tick(connection, self._clock.now().at_us, WATCHED_MOST_S)
            if every:
                dues |= {key: dues.get(key, 0) for key in await self._give_up(watched_s)}
        await self._judge_all([*dues, *running, *begins], dues)

    async def _judge_all(self, keys: Iterable[Key], dues: dict[Key, int]) -> None:
        failed = 0
        for key in dict.fromkeys(keys):
            if self._aside.get(key, 0.0) > self._clock.mono_s():
                continue
            try:
                judged = await self._judge.judge(key)
            except StorageError as error:  # others had what it needs: the next rollouts need not wait for that
                failed += 1
                if failed >= FAILED_MOST:
                    raise
                log.warning("rollout %s cannot be judged now; it is tried again: %s", key[1], error)
                self._aside[key] = self._clock.mono_s() + LOOK_S
                continue
            except Exception:  # one rollout's data must not stop the others: reported, and left alone for a while
                log.exception("judging rollout %s failed; it waits %.0f s", key[1], ASIDE_S)
                self._aside[key] = self._clock.mono_s() + ASIDE_S
                continue
            if judged:
                self.judged += 1
                async with self._db.write() as connection:
                    await due_store.done(connection, key, dues.get(key, 0))

    async def _give_up(self, watched_s: float) -> set[Key]:
        """Count every device as failed whose time is over; the rollouts of these."""
        touched: set[Key] = set()
        while True:
            async with self._db.write() as connection:
                sites = {row["site_id"] for row in await targets.overdue(connection, watched_s, OVERDUE)}
                await due_store.lock_sites(connection, sites)  # before the devices, as what hubs tell does
                rows = await targets.overdue(connection, watched_s, OVERDUE, sites)
                by: defaultdict[tuple[int, str], list[RowMapping]] = defaultdict(list)
                for row in rows:
                    by[row["tenant_id"], row["step"]].append(row)
                for (tenant_id, step), some in by.items():
                    reason = SILENT.get(Step(step), UNFINISHED)
                    now_us = self._clock.now().at_us
                    await end_devices(connection, tenant_id, some, Step.TIMED_OUT, reason, now_us)
            touched |= {(row["tenant_id"], row["rollout"]) for row in rows}
            self.given_up += len(rows)
            if len(rows) < OVERDUE:
                return touched

    async def _sweep(self) -> None:
        if self._clock.mono_s() - self._swept_s >= SWEEP_S:
            self._swept_s = self._clock.mono_s()
            await self._blobs.sweep()
            async with self._db.write() as connection:
                await end_store.prune(connection, self._clock.now().at_us - ENDS_US)
            async with self._db.write() as connection:
                await sql.prune(connection, KEPT)
