"""What happens, told to the pages that listen: each person is told what has changed of what he sees.

For everybody who listens what he sees is looked at whenever something may have changed, and compared with what he
was told last. So nobody hears of what is not his, a change that was missed is told by the next look, and a hub and
the centre tell the same.
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import AsyncIterator, Iterator, Sequence
from typing import Generic

import msgspec

from edge.access.accounts.model import User
from edge.assets.model import SECOND_US, State
from edge.clock import Clock
from edge.compat.assets.pages import documents
from edge.compat.assets.pages.documents import Document
from edge.compat.assets.pages.event_names import (
    AlertCleared,
    AlertRaised,
    AssetAdded,
    AssetGone,
    AssetTold,
    Begun,
    EventMade,
    Happening,
    LoggerTold,
    ShiftTold,
    StateChanged,
)
from edge.compat.assets.pages.past import Past
from edge.compat.assets.pages.plant import K, Logger, Machine, Plant, Seen
from edge.compat.assets.pages.shifts import under_way
from edge.compat.assets.pages.sockets import CHECK_S, AssetSockets, Reader
from edge.compat.thingsnxt.door import Door, Users
from edge.errors import OutpostError
from edge.serving.metrics import Sample
from edge.serving.visits import AiohttpHandler

log = logging.getLogger(__name__)

LOOK_S = 1.0  # how late somebody hears of what time brings, such as an alert
ANEW_S = 10.0  # how late of what is otherwise and nobody announced, such as a site that has gone away
SETTLE_S = 0.1  # what changes together is told together
AGAIN_S = 5.0  # after a look that failed
ROWS = 50  # new rows of events told at once; the page reads the rest
RECENT_US = 86_400 * SECOND_US  # what happened longer ago and is told late is no news
ROWS_REMEMBERED = 500  # of which it is known that they were told


class _Look(msgspec.Struct, Generic[K], frozen=True, kw_only=True):
    """What somebody sees at a moment. `events`: how many rows his list of events has."""

    at_us: int
    seen: Seen[K]
    shift: Document | None
    alerts: dict[str, Document]
    events: int


class _Left(Exception):
    """Nobody of this account listens any more."""


class AssetLive(Generic[K]):
    """The live half of the pages."""

    def __init__(self, door: Door, users: Users, plant: Plant[K], clock: Clock) -> None:
        self._plant, self._clock = plant, clock
        self._changed = asyncio.Event()
        self.sockets = AssetSockets(door, users, plant.tenant_of, self._changed.set)

    def table(self) -> dict[tuple[str, str], AiohttpHandler]:
        """Its routes."""
        return self.sockets.table()

    async def tell(self, user_id: str, happening: Happening) -> None:
        """Tell the pages of one person what he has done elsewhere."""
        await self.sockets.tell(user_id, happening)

    def samples(self) -> list[Sample]:
        """Its metrics."""
        return self.sockets.samples()

    async def stop(self) -> None:
        """Let every page go."""
        await self.sockets.stop()

    async def run(self) -> None:
        """Tell what happens, while somebody listens; runs until cancelled."""
        following: dict[str, asyncio.Task[None]] = {}
        async with asyncio.TaskGroup() as group:
            group.create_task(self._check())
            while True:
                self._changed.clear()
                users = self.sockets.users()
                for user_id in [user_id for user_id in following if user_id not in users]:
                    following.pop(user_id).cancel()
                for user_id in users:
                    if user_id not in following or following[user_id].done():
                        following[user_id] = group.create_task(self._follow(user_id))
                for reader in self.sockets.readers:
                    if not reader.greeted:
                        reader.greeted = True
                        group.create_task(self._greet(reader))
                await self._changed.wait()

    async def _check(self) -> None:
        """Let go whose token is over, again and again."""
        while True:
            await asyncio.sleep(CHECK_S)
            await self.sockets.check()

    async def _greet(self, reader: Reader) -> None:
        try:
            seen = await self._plant.seen(reader.user)
            now_us = self._clock.now().at_us
            shown = await self._assets(seen, seen.machines, now_us)
            loggers = [documents.logger(seen, logger) for logger in seen.loggers]
            await self.sockets.tell_one(reader, Begun(assets=shown, loggers=loggers, shift=under_way(seen, now_us)))
        except OutpostError as error:
            log.warning("a page is not told what there is: %s", error)

    async def _follow(self, user_id: str) -> None:
        """Tell one person, until cancelled; a look that fails is made again."""
        while True:
            try:
                with self._plant.news(self._listener(user_id)) as news:
                    before, rows = await self._look(user_id), deque[str](maxlen=ROWS_REMEMBERED)
                    looked_s = self._clock.mono_s()
                    while True:
                        there_is = await news.wait(LOOK_S)
                        if there_is:
                            await asyncio.sleep(SETTLE_S)
                        anew = there_is or self._clock.mono_s() - looked_s >= ANEW_S
                        now = await self._look(user_id, None if anew else before.seen)
                        looked_s = self._clock.mono_s() if anew else looked_s
                        async for happening in self._between(before, now, rows):
                            await self.sockets.tell(user_id, happening)
                        before = now
            except _Left:
                return
            except OutpostError as error:
                log.warning("pages of the older asset logger wait for what happens: %s", error)
            except Exception:  # the task's edge: reported, and begun again
                log.exception("pages of the older asset logger are not told what happens")
            await asyncio.sleep(AGAIN_S)

    async def _look(self, user_id: str, seen: Seen[K] | None = None) -> _Look[K]:
        """What a person sees now; with `seen`, what time alone has made of that."""
        seen, now_us = seen or await self._plant.seen(self._listener(user_id)), self._clock.now().at_us
        sums = await Past(seen.bands).sums(seen.machines, [now_us])
        return _Look(
            at_us=now_us,
            seen=seen,
            shift=under_way(seen, now_us),
            alerts={alert["id"]: alert for alert in documents.alerts(seen, now_us)},
            events=sum(its.stops + its.ended_stops for its in sums.values()),
        )

    def _listener(self, user_id: str) -> User:
        """Who listens, as he is by now. Raises _Left when he does no longer."""
        user = self.sockets.users().get(user_id)
        if user is None:
            raise _Left
        return user

    async def _between(self, before: _Look[K], now: _Look[K], told: deque[str]) -> AsyncIterator[Happening]:
        old = {machine.id: machine for machine in before.seen.machines}
        changed = [machine for machine in now.seen.machines if old.get(machine.id) != machine]
        for machine, shown in zip(changed, await self._assets(now.seen, changed, now.at_us), strict=True):
            for happening in _of_machine(old.get(machine.id), machine, shown):
                yield happening
        for gone in old.keys() - {machine.id for machine in now.seen.machines}:
            yield AssetGone(gone)
        for happening in _of_loggers(before.seen, now.seen):
            yield happening
        async for row in self._rows(now, now.events - before.events):
            if row["id"] not in told:
                told.append(row["id"])
                yield EventMade(row)
        for happening in _of_the_rest(before, now):
            yield happening

    async def _rows(self, now: _Look[K], count: int) -> AsyncIterator[Document]:
        """The newest rows of events, the oldest of them first."""
        if count > 0:
            span = now.at_us - RECENT_US, now.at_us
            rows, _ = await Past(now.seen.bands).page(now.seen.machines, span, 0, min(ROWS, count))
            for row in reversed(rows):
                yield documents.event(row, now.seen)

    async def _assets(self, seen: Seen[K], machines: Sequence[Machine[K]], at_us: int) -> list[Document]:
        sums = await Past(seen.bands).sums(machines, [at_us])
        return [documents.asset(seen, machine, sums[machine.key, at_us]) for machine in machines]


def _of_machine(before: Machine[K] | None, machine: Machine[K], shown: Document) -> Iterator[Happening]:
    if before is None:
        yield AssetAdded(shown)
        return
    if before.state != machine.state:
        yield _state_changed(before, machine, shown)
    yield AssetTold(shown)


def _state_changed(before: Machine[K], machine: Machine[K], shown: Document) -> StateChanged:
    lasted_us = None
    if before.since_us is not None and machine.since_us is not None and machine.since_us >= before.since_us:
        lasted_us = machine.since_us - before.since_us
    was_stop = before.state == State.STOPPED.word and machine.state == State.RUNNING.word
    return StateChanged(
        asset=shown,
        before=documents.state_word(before.state),
        lasted_s=None if lasted_us is None else documents.whole_s(lasted_us),
        short=was_stop and lasted_us is not None and lasted_us < machine.short_stop_s * SECOND_US,
    )


def _of_loggers(before: Seen[K], now: Seen[K]) -> Iterator[Happening]:
    """Loggers that are otherwise; when they were heard last is no news by itself."""
    old = {logger.id: _without_age(logger) for logger in before.loggers}
    for logger in now.loggers:
        if old.get(logger.id) != _without_age(logger):
            yield LoggerTold(documents.logger(now, logger))


def _without_age(logger: Logger) -> Logger:
    return msgspec.structs.replace(logger, seen_us=None)


def _of_the_rest(before: _Look[K], now: _Look[K]) -> Iterator[Happening]:
    if (before.shift or {}).get("id") != (now.shift or {}).get("id"):
        yield ShiftTold(now.shift, before.shift)
    for alert_id, alert in now.alerts.items():
        if alert_id not in before.alerts:
            yield AlertRaised(alert)
    for alert_id, alert in before.alerts.items():
        if alert_id not in now.alerts:
            yield AlertCleared(alert)
