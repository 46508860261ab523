"""Rollouts of this site: made, paused, gone on with, aborted, tried again, and driven by the clock.

All of them is on disk and is read from there for every decision, so a hub that starts again goes on where it was.
"""

from __future__ import annotations

import asyncio
import logging
import secrets
from collections.abc import Sequence
from hashlib import blake2b
from zoneinfo import ZoneInfo

import msgspec

from edge.clock import Clock
from edge.commands.intake import other_request
from edge.devices.groups.groups import Groups
from edge.devices.model import Device
from edge.devices.presence import Presences
from edge.devices.registry import Registry
from edge.errors import Conflict, NotFound, Rejected, StorageError
from edge.store.boots import unset
from edge.store.database import Database
from edge.store.transaction import Transaction
from edge.updates.offers import store as offers_sql
from edge.updates.offers.model import (
    Rollout,
    Target,
    is_late,
    may_be_retried,
    retried,
    withdrawn,
)
from edge.updates.offers.offers import Offers
from edge.updates.rollouts import store as sql
from edge.updates.rollouts.beginning import Beginning
from edge.updates.rollouts.choosing import Catalogue, Choosing, checked_name
from edge.updates.rollouts.engine import CENTRE, Engine
from edge.updates.rollouts.model import OPEN, UNDER_WAY, check_plan
from edge.wire.updates import (
    REASON_CHARS,
    RETRYABLE,
    NewRollout,
    Plan,
    RolloutState,
    Step,
)
from edge.wire.updates import Target as Whom

log = logging.getLogger(__name__)

TICK_S = 1.0
SAVE_S = 15.0  # how much of a deadline a power cut gives back to the devices
OPEN_MAX = 200  # rollouts that are not over
UNTRUSTED = "Nobody who is trusted here has signed this firmware."


class Rollouts:
    """Every rollout."""

    def __init__(
        self,
        database: Database,
        clock: Clock,
        zone: ZoneInfo,
        registry: Registry,
        presences: Presences,
        offers: Offers,
        groups: Groups,
        catalogue: Catalogue,
    ) -> None:
        self._db, self._clock = database, clock
        self._registry, self._offers, self._catalogue = registry, offers, catalogue
        self._choosing = Choosing(zone, registry, presences, offers, groups)
        self.engine = Engine(offers, registry, clock)
        self._beginning = Beginning(database, offers, self.engine, self._choosing)
        self._window_was: dict[str, bool] = {}
        self._saved_s = 0.0

    # --- looking

    async def get(self, rollout_id: str) -> Rollout:
        """One. Raises NotFound."""
        rows = await self._db.read(sql.ONE, (rollout_id,))
        if not rows:
            raise _unknown(rollout_id)
        return offers_sql.rollout_of(tuple(rows[0]))

    async def page(self, *, state: str, artifact: str, before: int | None, limit: int) -> list[Rollout]:
        """Newest first, those before number `before`."""
        query, values = sql.list_query(state, artifact, before, limit)
        return [offers_sql.rollout_of(tuple(row)) for row in await self._db.read(query, values)]

    async def standing(self, rollout: Rollout) -> sql.Standing:
        """All of it that is counted."""
        counts = await self._db.read(sql.COUNTS, (rollout.id,))
        begun = await self._db.read(sql.BEGUN, (rollout.id,))
        return sql.standing([tuple(row) for row in counts], [tuple(row) for row in begun])

    async def devices(
        self, rollout: Rollout, *, step: str, wave: int | None, after: int, limit: int
    ) -> list[tuple[int, Target]]:
        """Its devices behind number `after`, in the order of their waves, each with its number."""
        query, values = sql.devices_query(rollout.id, step, wave, after, limit)
        return [(row[0], offers_sql.target_of(tuple(row)[1:])) for row in await self._db.read(query, values)]

    async def newest_of(self, device_id: str) -> Target | None:
        """What was last wanted of a device."""
        rows = await self._db.read(sql.NEWEST_OF_DEVICE, (device_id,))
        return offers_sql.target_of(tuple(rows[0])) if rows else None

    async def device(self, rollout_id: str, device_id: str) -> Target | None:
        """One device of a rollout; what is in memory where it has not ended."""
        live = self._offers.book.targets.get(device_id)
        if live is not None and live.rollout == rollout_id:
            return live
        rows = await self._db.read(sql.ONE_TARGET, (rollout_id, device_id))
        return offers_sql.target_of(tuple(rows[0])) if rows else None

    # --- changing

    async def create(self, wanted: NewRollout, *, actor: str, request_key: str = "", lift: bool = False) -> Rollout:
        """A rollout, which begins at once or at its time; once, however often it is asked under one key.

        `lift`: a person chose these very devices, so what went wrong on them before does not count. Raises
        NotFound, BadInput, Rejected where there is no device, or Conflict where each is switching just now, or too
        many rollouts are not over.
        """
        check_plan(wanted.plan)
        name = checked_name(wanted.name)
        firmware = await self._catalogue.firmware(wanted.artifact)
        if not self._catalogue.trusts(firmware.artifact):
            raise Rejected(UNTRUSTED, hint="`outpost firmware trust list` says who is trusted.")
        devices = await self._choosing.devices(wanted.target)
        now = self._clock.now()
        starts_us = self._choosing.starts_us(wanted.starts_at, now)
        later = starts_us is not None and (starts_us > now.at_us or not now.quality.good)
        new = Rollout(
            id=secrets.token_hex(6),
            number=0,
            name=name,
            artifact=firmware.artifact,
            firmware=firmware,
            whom=wanted.target,
            plan=wanted.plan,
            state=RolloutState.SCHEDULED,
            created_us=now.at_us,
            created_clock=unset(now),
            created_by=actor,
            starts_us=starts_us,
        )
        chosen = [] if later else self._choosing.choose(new, devices)
        request = f"{actor} {request_key}" if request_key else None
        body_hash = blake2b(msgspec.json.encode(wanted), digest_size=16).digest()

        def work(tx: Transaction) -> Rollout:
            earlier = sql.answered(tx, request) if request else None
            if earlier is not None:
                if earlier[0] != body_hash:
                    raise other_request()
                return earlier[1]
            if sql.open_rollouts(tx) >= OPEN_MAX:
                raise Conflict(
                    f"{OPEN_MAX} rollouts are not over yet.", hint="`outpost firmware rollout list --state open`"
                )
            made = offers_sql.insert_rollout(tx, new, request, body_hash)
            sql.prune(tx)
            tx.fact(
                "rollout.created", made.id, artifact=made.artifact, version=firmware.version, name=name, by=actor
            )
            tx.after(lambda: self._offers.book.put_rollout(made))
            if not later:
                self._beginning.begin(tx, made, chosen, actor, lift=lift)
                return offers_sql.rollout(tx, made.id) or made
            return made

        return await self._db.write(work)

    async def assign(self, device: Device, artifact: str, *, actor: str) -> Rollout:
        """Let one device run an artifact: a rollout of one. Raises as `create`, and Conflict while it switches."""
        artifact = (await self._catalogue.firmware(artifact)).artifact
        target = self._offers.book.targets.get(device.id)
        if target is not None and target.artifact == artifact and self._offers.for_device(device.id) is not None:
            return await self.get(target.rollout)  # where it only waits, a rollout of its own has it begin at once
        if target is not None and target.past_switch:
            raise Conflict(f"{device.name} is switching to another version just now.", hint="Wait until it has.")
        plan = Plan(waves=(100,), errors_percent=0, success_percent=100, soak_s=0)
        wanted = NewRollout(artifact=artifact, target=Whom(devices=[device.id]), plan=plan, name=device.name)
        return await self.create(wanted, actor=actor, lift=True)

    async def unassign(self, device: Device, *, actor: str) -> None:
        """Want nothing of a device any more. Raises Conflict when it is past the switch, NotFound for nothing."""

        def work(tx: Transaction) -> None:
            target = offers_sql.open_of(tx, device.id)
            if target is None:
                raise NotFound(f"Nothing is offered to {device.name}.")
            if target.past_switch:
                raise Conflict(f"{device.name} is switching already; it says itself how that ends.")
            self._offers.put(tx, target, withdrawn(target, f"It was taken back by {actor}."))

        await self._db.write(work)

    async def pause(self, rollout_id: str, reason: str, *, actor: str) -> Rollout:
        """Offer nothing new; a device past the switch goes on. One that is paused stays so. Raises Conflict for one
        that is over."""

        def work(tx: Transaction) -> Rollout:
            rollout = self._under_way(tx, rollout_id, OPEN)
            if rollout.state is RolloutState.PAUSED:
                return rollout
            why = reason.strip()[:REASON_CHARS] or f"Paused by {actor}."
            return self.engine.change(tx, rollout, RolloutState.PAUSED, why, by=actor, stopped=False)

        return await self._db.write(work)

    async def resume(self, rollout_id: str, *, actor: str) -> Rollout:
        """Go on. One that stopped by itself goes on with what went wrong taken as settled. One that runs goes on
        running. Raises Conflict for one that is over, or that head office has stopped."""

        def work(tx: Transaction) -> Rollout:
            rollout = self._under_way(tx, rollout_id, OPEN)
            if rollout.state is not RolloutState.PAUSED:
                return rollout
            if rollout.halted:
                raise Conflict("Head office has stopped this rollout.", hint="It goes on when head office lets it.")
            if rollout.stopped and rollout.origin != CENTRE:
                self.engine.settle(tx, rollout)
            state = RolloutState.RUNNING if rollout.started_us is not None else RolloutState.SCHEDULED
            self.engine.change(tx, rollout, state, by=actor, stopped=False)
            self.engine.judge(tx, rollout.id)
            return offers_sql.rollout(tx, rollout.id) or rollout

        return await self._db.write(work)

    async def abort(self, rollout_id: str, reason: str, *, actor: str) -> Rollout:
        """Take back whatever is not past the switch, for good. Raises Conflict for one that ended otherwise, or
        that head office leads."""

        def work(tx: Transaction) -> Rollout:
            rollout = self._mine(tx, rollout_id)
            if rollout.state is RolloutState.ABORTED:
                return rollout
            rollout = self._under_way(tx, rollout_id, OPEN)
            why = reason.strip()[:REASON_CHARS] or f"Aborted by {actor}."
            return self.engine.change(tx, rollout, RolloutState.ABORTED, why, by=actor)

        return await self._db.write(work)

    async def retry(self, rollout_id: str, named: Sequence[str], *, actor: str) -> Rollout:
        """Try again with the devices that went wrong, or with those named; one that stopped by itself, or ended
        short, goes on. Raises NotFound, Conflict for an aborted one, or for a named device that it cannot help."""
        wanted = {self._registry.get(one).id for one in named}

        def work(tx: Transaction) -> Rollout:
            rollout = self._mine(tx, rollout_id)
            if rollout.state not in UNDER_WAY | {RolloutState.DONE, RolloutState.SHORT}:
                raise Conflict(f"The rollout is {rollout.state.value}; there is nothing to try again.")
            again = [one for one in sql.targets(tx, rollout.id) if self._again(tx, one, wanted)]
            missing = wanted - {one.device for one in again}
            if missing:
                name = self._registry.known(min(missing)).name
                raise Conflict(f"{name} cannot be tried again in this rollout.", hint="See how it stands there.")
            for target in again:
                self._offers.lift(tx, target.device, target.artifact)
                self._offers.put(tx, target, retried(target), follow=False)
            if again and (rollout.stopped or rollout.state not in UNDER_WAY):
                self.engine.change(tx, rollout, RolloutState.RUNNING, by=actor, stopped=False)
            elif again:
                tx.fact("rollout.changed", rollout.id, state=rollout.state.value, retried=len(again), by=actor)
            self.engine.judge(tx, rollout.id)
            return offers_sql.rollout(tx, rollout.id) or rollout

        return await self._db.write(work)

    # --- the clock

    async def tick(self) -> None:
        """Do what is due. Raises StorageError."""
        now_s, now = self._offers.watched.now_s(), self._clock.now()
        book = self._offers.book
        if any(is_late(target, now_s) for target in book.targets.values()):
            await self._db.write(self.engine.give_up_late)
        for rollout in list(book.rollouts.values()):
            if rollout.state is RolloutState.SCHEDULED:
                if rollout.origin != CENTRE and _may_begin(rollout, now.at_us, good=now.quality.good):
                    await self._beginning.begin_scheduled(rollout)
            elif rollout.state is RolloutState.RUNNING:
                await self._look(rollout, now_s)
        if (book.targets or book.holds) and now_s - self._saved_s >= SAVE_S:
            self._saved_s = now_s
            await self._offers.save()

    async def run(self) -> None:
        """Look every second; runs until cancelled. A full disk is waited out."""
        while True:
            try:
                await self.tick()
            except StorageError:
                log.warning("what is due in rollouts could not be done now; it is tried again")
            await asyncio.sleep(TICK_S)

    # --- inside

    async def _look(self, rollout: Rollout, now_s: float) -> None:
        if not self._catalogue.trusts(rollout.artifact):
            await self._db.write(lambda tx: self._stop(tx, rollout.id, UNTRUSTED))
            return
        opened = self._offers.may_offer(rollout)
        if self._window_was.get(rollout.id, not opened) is not opened:
            self._window_was[rollout.id] = opened
            await self._db.write(lambda tx: self._window_turned(tx, rollout.id))
            return
        next_s = self.engine.next_s.get(rollout.id)
        if (next_s is not None and now_s >= next_s) or self._offers.is_over(rollout):
            await self._db.write(lambda tx: self.engine.judge(tx, rollout.id))

    def _window_turned(self, tx: Transaction, rollout_id: str) -> None:
        """Its hours have begun or ended, a clock was set, or the hub has just started."""
        rollout = offers_sql.rollout(tx, rollout_id)
        if rollout is None or rollout.state is not RolloutState.RUNNING:
            return
        for target in sql.open_targets(tx, rollout_id):
            if target.step is not Step.WAITING and not target.past_switch:
                self.engine.set_clock(tx, rollout, target)
        self.engine.judge(tx, rollout_id)

    def _stop(self, tx: Transaction, rollout_id: str, why: str) -> None:
        rollout = offers_sql.rollout(tx, rollout_id)
        if rollout is not None and rollout.state is RolloutState.RUNNING:
            self.engine.change(tx, rollout, RolloutState.PAUSED, why, stopped=True)

    def _again(self, tx: Transaction, target: Target, wanted: set[str]) -> bool:
        """Whether a device is to be tried again: it went wrong, or was named, and nothing else is wanted of it."""
        meant = target.device in wanted if wanted else target.step in RETRYABLE
        return meant and may_be_retried(target) and offers_sql.open_of(tx, target.device) is None

    def _mine(self, tx: Transaction, rollout_id: str) -> Rollout:
        rollout = offers_sql.rollout(tx, rollout_id)
        if rollout is None:
            raise _unknown(rollout_id)
        if rollout.origin == CENTRE:
            raise Conflict("Head office leads this rollout.", hint="Here it can be paused and gone on with.")
        return rollout

    def _under_way(self, tx: Transaction, rollout_id: str, states: frozenset[RolloutState]) -> Rollout:
        rollout = offers_sql.rollout(tx, rollout_id)
        if rollout is None:
            raise _unknown(rollout_id)
        if rollout.state not in states:
            raise Conflict(f"The rollout is over: it is {rollout.state.value}.")
        return rollout


def _may_begin(rollout: Rollout, at_us: int, *, good: bool) -> bool:
    """Whether its time has come, by a clock that somebody has set."""
    return rollout.starts_us is None or (good and at_us >= rollout.starts_us)


def _unknown(rollout_id: str) -> NotFound:
    return NotFound(f"There is no rollout {rollout_id[:40]!r}.", hint="`outpost firmware rollout list` shows them.")
