"""Carries out what the rules of rollouts say (edge/updates/rollouts/model.py), for the devices of many sites.

All of it is one transaction that has the rollout's row locked: what a wave came to, the stop or the next wave that
follows from it, and the orders to hubs. Whatever is decided is read from the database alone, so it is the same at
whichever instance, and goes on where it was after any of them ended.
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
from sqlalchemy import RowMapping
from sqlalchemy.ext.asyncio import AsyncConnection

from cloud.accounts import store as accounts_sql
from cloud.accounts.audit import record
from cloud.accounts.member import Member
from cloud.db.database import Database
from cloud.db.signals import Signals
from cloud.sync.inbox import Inbox
from cloud.updates import due_store
from cloud.updates import rollout_store as sql
from cloud.updates import target_store as targets
from cloud.updates.aiming import Aimed, aim, in_order
from cloud.updates.allowed import forbids
from cloud.updates.orders import GRACE_S, Orders
from cloud.updates.rollout_store import Key
from edge.clock import Clock
from edge.errors import OutpostError
from edge.serving.roles import Role
from edge.updates.rollouts.model import OPEN, Wave, evaluate, split, wave_of
from edge.windows import is_open
from edge.wire.updates import (
    ENDED,
    REASON_CHARS,
    WAVES_MAX,
    Plan,
    RolloutState,
    Step,
    Target,
)

CENTRE = "centre"  # who did it, in the audit, where no person did
TURNS = WAVES_MAX * 3  # more than a rollout can need in one go
NEWER = "A newer rollout wants something else of it."
SWITCHING = "It was just switching to what another rollout wants of it; try it again once that has ended."
TAKEN_OVER = "Newer rollouts have taken all of its devices over."
NOT_AT_SITE = "It is not at this site any more."
GIVEN_UP = "Head office gave it up."
ABORTED = "The rollout was aborted."


class Judge:
    """Judges rollouts of all tenants."""

    def __init__(self, database: Database, clock: Clock, signals: Signals, inbox: Inbox) -> None:
        self._db, self._clock, self._signals, self._inbox = database, clock, signals, inbox

    async def judge(self, key: Key) -> bool:
        """Do all that follows from how a rollout stands now; False when another instance is at it."""
        orders = self.orders()
        async with self._db.write() as connection:
            row = await sql.lock(connection, key, waits=False)
            if row is None:
                return False
            await self.within(connection, row, orders)
            await self.changed(connection, key)
        self.tell(key[0], orders)
        return True

    def orders(self) -> Orders:
        """What a transaction tells hubs."""
        return Orders(self._inbox, self._clock)

    def tell(self, tenant_id: int, orders: Orders) -> None:
        """Wake hubs and readers, behind the commit."""
        orders.wake()
        self._signals.tell(f"facts:{tenant_id}")

    async def changed(self, connection: AsyncConnection, key: Key) -> None:
        """Readers of what happens are to hear of a rollout."""
        txid = await self._db.transaction_id(connection)  # before the number: what is settled is told by it
        (number,) = await self._db.numbers(connection, "change", 1)
        await sql.change(connection, key, change=number, txid=txid)

    async def within(self, connection: AsyncConnection, row: RowMapping, orders: Orders) -> None:
        """The same in a transaction that has the rollout's row locked."""
        key, plan = (row["tenant_id"], row["id"]), plan_of(row)
        watched_s = await due_store.watched_s(connection)
        state = RolloutState(row["state"])
        begins = state is RolloutState.SCHEDULED and row["starts_us"] <= self._clock.now().at_us
        if (begins or state is RolloutState.RUNNING) and (why := await forbids(connection, row)):
            stopped = state is RolloutState.RUNNING
            await self.stand(connection, row, state, RolloutState.PAUSED, orders, reason=why, stopped=stopped)
            return
        if begins:
            await accounts_sql.lock_tenant(connection, key[0])  # no other takes the same devices meanwhile
            state = await self._start(connection, row, plan, orders)
        for _ in range(TURNS):
            if state is not RolloutState.RUNNING:
                break
            state, again = await self._turn(connection, row, plan, orders, watched_s)
            if not again:
                break
        if state is RolloutState.PAUSED and await targets.taken_over(connection, key, NEWER):
            await self.stand(connection, row, state, RolloutState.SHORT, orders, reason=TAKEN_OVER)
            return
        if state is RolloutState.RUNNING and plan.window:
            await self._turn_windows(connection, key, plan, watched_s)
        if sites := await targets.sites(connection, key, without_deadline=True):
            await due_store.lock_sites(connection, sites)
            await targets.give_deadlines(connection, key, watched_s + plan.deadline_s + GRACE_S)

    async def stand(
        self,
        connection: AsyncConnection,
        row: RowMapping,
        was: RolloutState,
        state: RolloutState,
        orders: Orders,
        *,
        reason: str = "",
        member: Member | None = None,
        **more: object,
    ) -> None:
        """A rollout stands otherwise: its deadlines stand still or go on, and hubs that have orders of it hear so.
        `member`: who wants that, None for what follows by itself; `more`: columns that change with it."""
        key, now_us = (row["tenant_id"], row["id"]), self._clock.now().at_us
        over, reason = state not in OPEN, reason[:REASON_CHARS]
        ended_us = now_us if over else None
        await sql.change(connection, key, state=state.value, reason=reason, ended_us=ended_us, **more)
        if was is not RolloutState.SCHEDULED:
            by = member.actor if member else row["created_by"]
            await self._tell_hubs(connection, row, was, state, orders, by)
        actor = member or Member(CENTRE, Role.ADMIN, tenant_id=key[0])
        what = "rollout.ended" if over else "rollout.changed"
        detail = {"state": state.value, "reason": reason, "artifact": row["artifact"]}
        await record(connection, actor, what, at_us=now_us, subject=key[1], detail=detail)

    async def _tell_hubs(
        self,
        connection: AsyncConnection,
        row: RowMapping,
        was: RolloutState,
        state: RolloutState,
        orders: Orders,
        actor: str,
    ) -> None:
        key = row["tenant_id"], row["id"]
        await hold(connection, key)
        watched_s = await due_store.watched_s(connection)
        rows = await targets.devices(connection, key)
        ordered = [one for one in rows if one["item"]]
        if state is not RolloutState.RUNNING:
            given_up = [one for one in ordered if one["step"] == Step.TIMED_OUT]
            await orders.stop(connection, row, given_up, GIVEN_UP, actor)
        if state is RolloutState.PAUSED:
            await targets.stand_still(connection, key, watched_s)
            await orders.pause(connection, row, ordered, actor)
        elif state is RolloutState.RUNNING and was is RolloutState.PAUSED:
            await targets.go_on(connection, key, watched_s)
            sites = {one["site_id"] for one in ordered}
            zones = (await due_store.places(connection, key[0], sites, devices=False)).zones()
            await orders.resume(connection, row, plan_of(row), zones, sites, actor)
        elif state is RolloutState.ABORTED:
            await targets.go_on(connection, key, watched_s)
            open_rows = [one for one in rows if one["step"] in OPEN_STEPS]
            await orders.withdraw(connection, key[0], open_rows, ABORTED, actor)
            told = {one["site_id"] for one in open_rows if one["step"] != Step.WAITING}
            rest = [one for one in ordered if one["site_id"] not in told and one["step"] != Step.TIMED_OUT]
            await orders.stop(connection, row, rest, ABORTED, actor)

    # --- one look

    async def _turn(
        self, connection: AsyncConnection, row: RowMapping, plan: Plan, orders: Orders, watched_s: float
    ) -> tuple[RolloutState, bool]:
        """The state after one look, and whether it changed what the next look sees."""
        key = row["tenant_id"], row["id"]
        waves = await standing(connection, key)
        verdict = evaluate(RolloutState.RUNNING, plan, waves, watched_s)
        await sql.change_waves(connection, key, verdict.reached, reached_s=watched_s)
        if verdict.state is not RolloutState.RUNNING:
            stopped = verdict.state is RolloutState.PAUSED
            now, why = verdict.state, verdict.reason
            await self.stand(connection, row, RolloutState.RUNNING, now, orders, reason=why, stopped=stopped)
            return verdict.state, False
        if verdict.begins is not None:
            await sql.begin_wave(connection, key, verdict.begins, self._clock.now().at_us)
            return verdict.state, True
        begun = [wave.number for wave in waves if wave.began]
        return verdict.state, await self._offer(connection, row, plan, begun, orders, watched_s)

    async def _offer(
        self,
        connection: AsyncConnection,
        row: RowMapping,
        plan: Plan,
        waves: Sequence[int],
        orders: Orders,
        watched_s: float,
    ) -> bool:
        """Order for whoever waits in these waves; whether some ended instead, which may stop the rest."""
        key = row["tenant_id"], row["id"]
        waiting = await targets.devices(connection, key, steps=(Step.WAITING,), waves=waves)
        if not waiting:
            return False
        await hold(connection, key)
        there = await due_store.places(connection, key[0], {one["site_id"] for one in waiting})
        gone = [one for one in waiting if (one["site_id"], one["device"]) not in there.devices]
        if gone:
            withdrawn = {"step": Step.WITHDRAWN.value, "reason": NOT_AT_SITE}
            await targets.move_all(connection, key[0], gone, **withdrawn, changed_us=self._clock.now().at_us)
            return True
        return await orders.offer(connection, row, plan, waiting, there.zones(), watched_s)

    async def _turn_windows(self, connection: AsyncConnection, key: Key, plan: Plan, watched_s: float) -> None:
        """Let deadlines run at the sites where it is time, and stand still at the others."""
        now_us = self._clock.now().at_us
        sites = {one["site_id"] for one in await targets.devices(connection, key, steps=targets.BEFORE_SWITCH)}
        await due_store.lock_sites(connection, sites)
        there = await due_store.places(connection, key[0], sites, devices=False)
        opened = {site for site, zone in there.zones().items() if is_open(plan.window, now_us, zone)}
        await targets.go_on(connection, key, watched_s, opened)
        await targets.stand_still(connection, key, watched_s, sites - opened)

    # --- the start

    async def _start(
        self, connection: AsyncConnection, row: RowMapping, plan: Plan, orders: Orders
    ) -> RolloutState:
        """Freeze its devices, as whoever made it reaches them; the state from then on."""
        now_us, sites = self._clock.now().at_us, frozenset(row["sites"].split())
        maker = Member(row["created_by"], Role.TECHNICIAN, tenant_id=row["tenant_id"], sites=sites)
        try:
            found = await aim(connection, maker, target_of(row))
        except OutpostError as error:
            short = RolloutState.SHORT
            await self.stand(connection, row, RolloutState.SCHEDULED, short, orders, reason=error.detail)
            return short
        found = in_order(found, row["id"], now_us)
        await due_store.lock_sites(connection, {one.place.site_id for one in found})
        switching = await self._replace(connection, row, found, orders)
        numbers = [number for number, size in enumerate(split(len(found), plan.waves), 1) for _ in range(size)]
        rows = []
        for place, (one, wave) in enumerate(zip(found, numbers, strict=True)):
            switches = (one.place.site_id, one.id) in switching
            rows.append(
                {
                    "tenant_id": row["tenant_id"],
                    "site_id": one.place.site_id,
                    "rollout": row["id"],
                    "device": one.id,
                    "place": place,
                    "name": one.name,
                    "wave": wave,
                    "step": (Step.WITHDRAWN if switches else Step.WAITING).value,
                    "reason": SWITCHING if switches else "",
                    "changed_us": now_us if switches else None,
                }
            )
        await targets.insert_devices(connection, rows)
        was, now = RolloutState.SCHEDULED, RolloutState.RUNNING
        await self.stand(connection, row, was, now, orders, started_us=now_us, devices=len(rows))
        return now

    async def _replace(
        self, connection: AsyncConnection, row: RowMapping, found: Sequence[Aimed], orders: Orders
    ) -> set[tuple[int, str]]:
        """Take back what other rollouts want of these devices; those that are past the switch."""
        devices: dict[int, list[str]] = {}
        for one in found:
            devices.setdefault(one.place.site_id, []).append(one.id)
        switching: set[tuple[int, str]] = set()
        older = []
        for site_id, ids in sorted(devices.items()):
            for at in range(0, len(ids), targets.ROWS):
                some = ids[at : at + targets.ROWS]
                for other in await targets.open_at(connection, row["tenant_id"], site_id, some):
                    if other["step"] in (Step.STAGED, Step.TESTING):
                        switching.add((site_id, other["device"]))
                    else:
                        older.append(other)
        await orders.withdraw(connection, row["tenant_id"], older, NEWER, row["created_by"])
        await due_store.add_due(connection, {(row["tenant_id"], one["rollout"]) for one in older})
        return switching


async def hold(connection: AsyncConnection, key: Key) -> None:
    """Have the rows of all sites of a rollout that is locked, before anything of its devices is changed."""
    await due_store.lock_sites(connection, await targets.sites(connection, key))


async def standing(connection: AsyncConnection, key: Key, sites: Sequence[int] | None = None) -> list[Wave]:
    """The waves of a rollout as they stand; of the devices at these sites alone when they are given."""
    counts = await targets.counts(connection, key[0], [key[1]], sites)
    return waves_of(counts, await sql.waves(connection, key[0], [key[1]]))


def waves_of(counts: Sequence[tuple[str, int, str, bool, int]], begun: Sequence[RowMapping]) -> list[Wave]:
    """The waves of one rollout, from how many of its devices are at which step, and which waves have begun."""
    began = {one["number"]: one for one in begun}
    by_wave: dict[int, list[tuple[Step, bool, int]]] = {}
    for _, wave, step, settled, count in counts:
        by_wave.setdefault(wave, []).append((Step(step), settled, count))
    waves = []
    for number in sorted(by_wave):
        mark = began.get(number)
        more = {} if mark is None else {"reached_s": mark["reached_s"], "passed": bool(mark["passed"])}
        waves.append(wave_of(number, by_wave[number], began=mark is not None, **more))
    return waves


OPEN_STEPS = tuple(step.value for step in Step if step not in ENDED)


def plan_of(row: RowMapping) -> Plan:
    """How it is rolled out."""
    return msgspec.json.decode(row["plan"], type=Plan)


def target_of(row: RowMapping) -> Target:
    """Which devices were meant."""
    return msgspec.json.decode(row["target"], type=Target)
