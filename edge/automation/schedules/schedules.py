"""Schedules and timers: durable, each run once, in the transaction that says so.

One that came due while the hub was off runs late if that is not long ago; else it is told as missed.
"""

from __future__ import annotations

import asyncio
import logging
import secrets
from collections.abc import Callable
from zoneinfo import ZoneInfo

from edge.automation.notices.notices import Notices
from edge.automation.schedules import store as sql
from edge.automation.schedules.model import (
    PENDING,
    Due,
    Schedule,
    ScheduleState,
    Target,
    duration_s,
    judge,
    label,
    late_by_ms,
    wall_us,
)
from edge.bus import Event
from edge.clock import Clock
from edge.errors import Conflict, NotFound, OutpostError, StorageError
from edge.store.database import Database
from edge.store.transaction import Transaction

log = logging.getLogger(__name__)

TICK_S = 1.0
Act = Callable[[Transaction, Schedule], object]


class ScheduleEnded(Event, frozen=True, kw_only=True):
    """A schedule was executed, cancelled, missed or has failed."""

    schedule: Schedule


class Schedules:
    """Every schedule. `act(tx, schedule)` does what one is for, within the transaction; raises when it cannot."""

    def __init__(self, database: Database, clock: Clock, zone: ZoneInfo, notices: Notices, act: Act) -> None:
        self._db, self._clock, self._zone, self._notices, self._act = database, clock, zone, notices, act
        self._pending: dict[str, Schedule] = {}

    async def start(self) -> None:
        """Load all that wait."""
        self._pending = {schedule.id: schedule for schedule in await self._db.write(sql.pending)}

    async def at(self, target: Target, when: object, named: object = None) -> Schedule:
        """Switch `target` at a wall time, ISO 8601. Raises BadInput, Conflict."""
        now = self._clock.now()
        due_us = wall_us(when, self._zone, now.at_us)
        return await self._add(
            Schedule(id=_new_id(), target=target, label=label(named), due_us=due_us, created_us=now.at_us)
        )

    async def after(self, target: Target, seconds: object, named: object = None) -> Schedule:
        """Switch `target` after a duration. Raises BadInput, Conflict."""
        now, wait_s = self._clock.now(), duration_s(seconds)
        return await self._add(
            Schedule(
                id=_new_id(),
                target=target,
                label=label(named),
                due_us=now.at_us + int(wait_s * 1_000_000),
                created_us=now.at_us,
                boot_id=now.boot_id,
                due_ms=now.mono_ms + int(wait_s * 1000),
            )
        )

    def next_of(self, widget_id: str) -> Schedule | None:
        """The one of a widget that is due first; None when none waits."""
        waiting = [one for one in self._pending.values() if one.target.widget_id == widget_id]
        return min(waiting, key=lambda one: one.due_us, default=None)

    async def of_widget(self, widget_id: str) -> list[Schedule]:
        """Pending and lately ended ones, oldest first."""
        return [sql.schedule(tuple(row)) for row in await self._db.read(sql.OF_WIDGET, (widget_id,))]

    async def cancel(self, owner: str, schedule_id: str, *, widget_id: str) -> Schedule:
        """Let it not run. Raises NotFound for another's, or one that has ended."""
        waiting = self._pending.get(schedule_id)
        if waiting is None or waiting.target.owner != owner or waiting.target.widget_id != widget_id:
            raise NotFound("Schedule not found")
        ended = await self._end(schedule_id, ScheduleState.CANCELLED, f"Cancelled by user {owner}.")
        if ended is None:
            raise NotFound("Schedule not found")
        return ended

    def forget_widget(self, tx: Transaction, widget_id: str) -> None:
        """A widget is being removed in this transaction: its schedules go with it."""
        gone = sql.delete_of_widget(tx, widget_id)
        tx.after(lambda: self._no_longer_pending(*gone))

    async def tick(self) -> None:
        """Run what is due, in the order of its time."""
        now = self._clock.now()
        due = [schedule for schedule in self._pending.values() if judge(schedule, now) is not Due.WAIT]
        for schedule in sorted(due, key=lambda one: -late_by_ms(one, now)):
            if judge(schedule, now) is Due.MISSED:
                await self._end(schedule.id, ScheduleState.MISSED, "The hub was off at its time.")
            else:
                await self._run(schedule)

    async def run(self) -> None:
        """Look every second; runs until cancelled."""
        while True:
            try:
                await self.tick()
            except StorageError:
                log.warning("what is scheduled could not be run now; it is tried again")
            await asyncio.sleep(TICK_S)

    async def _add(self, schedule: Schedule) -> Schedule:
        widget_id = schedule.target.widget_id
        if sum(one.target.widget_id == widget_id for one in self._pending.values()) >= PENDING:
            raise Conflict(f"A widget has at most {PENDING} schedules waiting.")

        def add(tx: Transaction) -> None:
            sql.insert(tx, schedule)
            tx.after(lambda: self._pending.update({schedule.id: schedule}))

        await self._db.write(add)
        return schedule

    async def _run(self, schedule: Schedule) -> None:
        try:
            await self._end(schedule.id, ScheduleState.EXECUTED, "", act=self._act)
        except StorageError:
            raise
        except OutpostError as error:
            await self._end(schedule.id, ScheduleState.FAILED, error.detail)

    async def _end(
        self, schedule_id: str, state: ScheduleState, reason: str, *, act: Act | None = None
    ) -> Schedule | None:
        """End it and do what follows, all in one commit; None when it has ended already."""

        def end(tx: Transaction) -> Schedule | None:
            ended = sql.end(tx, schedule_id, state, reason)
            tx.after(lambda: self._no_longer_pending(schedule_id))
            if ended is None:
                return None
            if act is not None:
                act(tx, ended)
            told = {"widget": ended.target.widget_id, "key": ended.target.key, "value": ended.target.value}
            tx.fact(f"schedule.{state.value}", ended.target.device_id, schedule=ended.id, **told)
            if state is not ScheduleState.CANCELLED:
                self._note(tx, ended)
            tx.tell(ScheduleEnded(schedule=ended))
            return ended

        return await self._db.write(end)

    def _no_longer_pending(self, *schedule_ids: str) -> None:
        for schedule_id in schedule_ids:
            self._pending.pop(schedule_id, None)

    def _note(self, tx: Transaction, ended: Schedule) -> None:
        told = f"{ended.label or 'Schedule'}: {ended.target.key} to {ended.target.value}"
        ran = ended.state is ScheduleState.EXECUTED
        self._notices.note(
            tx,
            ended.target.owner,
            type=f"schedule_{ended.state.value}",
            title="Schedule executed" if ran else "A schedule did not run",
            message=f"{told}." if ran else f"{told}. {ended.reason}",
            device_id=ended.target.device_id,
            widget_id=ended.target.widget_id,
        )


def _new_id() -> str:
    """24 hex digits: the form of every id that the older apps know."""
    return secrets.token_hex(12)
