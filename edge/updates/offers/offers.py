"""What each device shall run, and how far it is with that: the way the doors of all devices ask and tell.

A step that a device tells is on disk when it is answered. How many bytes it has is not: that is kept in memory and
written now and then, since hundreds of devices tell it every few seconds.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import Any
from zoneinfo import ZoneInfo

import msgspec

from edge.bus import Bus
from edge.clock import Clock
from edge.devices.model import Device, DeviceState
from edge.devices.presence import Presences
from edge.devices.registry import Registry
from edge.store.boots import unset
from edge.store.database import Database
from edge.store.transaction import Transaction, Within
from edge.updates.events import OfferChanged
from edge.updates.offers import store as sql
from edge.updates.offers.book import Book
from edge.updates.offers.model import (
    HOLD_OFF_S,
    Board,
    Rollout,
    Target,
    hear,
    is_followed,
    is_over,
    offer_of,
    seen_running,
    spoils,
    stands,
    withdrawn,
)
from edge.updates.offers.telling import Telling
from edge.updates.offers.watched import Watched
from edge.windows import is_open
from edge.wire.native import Running
from edge.wire.updates import ENDED, Heard, Offer, Step, Told

FACTS = ENDED | {Step.OFFERED, Step.TESTING}  # steps that the ledger keeps
Follow = Callable[[Transaction, str], None]


class Offers:
    """Every device's standing offer."""

    def __init__(
        self, database: Database, bus: Bus, clock: Clock, zone: ZoneInfo, registry: Registry, presences: Presences
    ) -> None:
        self._db, self._clock, self._zone = database, clock, zone
        self._registry, self._presences = registry, presences
        self.book, self.watched, self.telling = Book(), Watched(clock), Telling(bus)
        self.ended: Counter[Step] = Counter()  # since the hub's start
        self._follow: Follow = lambda tx, rollout_id: None
        self._doubt: Callable[[Transaction], None] = lambda tx: None
        self._variant_of: Callable[[str], str] = lambda artifact: ""
        self._trusts: Callable[[str], bool] = lambda artifact: True
        self._trial_s: dict[str, float] = {}  # when a device said hello with something that it tries
        self._reported_s: dict[str, float] = {}
        self._unsaved: dict[str, Target] = {}

    def follow_with(self, follow: Follow) -> None:
        """`follow(tx, rollout)` runs in the transaction in which a device of that rollout has ended."""
        self._follow = follow

    def doubt_with(self, doubt: Callable[[Transaction], None]) -> None:
        """`doubt(tx)` runs when the hub starts with the file of a backup: rollouts may have ended since."""
        self._doubt = doubt

    def know_variants_by(self, variant_of: Callable[[str], str]) -> None:
        """Where it is asked what kind of app an artifact is; '' for one that is not known."""
        self._variant_of = variant_of

    def ask_trust(self, trusts: Callable[[str], bool]) -> None:
        """Where it is asked whether somebody who is trusted now has signed an artifact."""
        self._trusts = trusts

    async def start(self) -> None:
        """Load what the database holds."""

        def load(tx: Transaction) -> None:
            before_s = sql.watched(tx)
            found = sql.live_rollouts(tx), sql.open_targets(tx), sql.known(tx), sql.holds(tx, before_s)
            self.watched.start(before_s)
            self.book.load(*found)
            if sql.is_restored(tx):
                self._doubt(tx)

        await self._db.write(load)

    def doubt(self, tx: Transaction) -> None:
        """The database turns out, while the hub runs, to be an older copy: as if it had started with it."""
        sql.is_restored(tx)
        self._doubt(tx)

    # --- for the doors

    def for_device(self, device_id: str) -> Offer | None:
        """What stands for a device now; None: it shall stay what it is, or wait."""
        target = self.book.targets.get(device_id)
        rollout = self.book.rollouts.get(target.rollout) if target is not None else None
        if target is None or rollout is None or rollout.firmware is None:
            return None
        welcome = self._registry.known(device_id).approved and self._trusts(target.artifact)
        if not welcome and not target.past_switch:
            return None
        if not self.sees(target, rollout):
            return None
        return offer_of(target, rollout.firmware)

    async def tell(self, device_id: str, told: Told) -> Heard:
        """A device says how far it is. On disk when this returns, however often it is said. Raises StorageError."""
        if not self._only_bytes(device_id, told):
            await self._db.write(lambda tx: self._heard(tx, device_id, told))
        confirm = told.step is Step.TESTING and not self._distrusts(told.artifact) and await self.healthy(device_id)
        return Heard(artifact=told.artifact, step=told.step, confirm=confirm)

    async def runs(self, device_id: str, running: Running) -> None:
        """A device has said hello and what it runs: that may settle what it was offered. Raises StorageError."""
        if running.trial:
            self._trial_s[device_id] = self._clock.mono_s()
        else:
            self._trial_s.pop(device_id, None)
        known, target = self.book.known.get(device_id), self.book.targets.get(device_id)
        same = known is not None and known.running == running
        if same and (target is None or seen_running(target, running, self.watched.now_s()) is target):
            return
        await self._db.write(lambda tx: self._runs(tx, device_id, running))

    def reported(self, device_id: str) -> None:
        """A device has sent its report: with this one that tries something new shows that it works."""
        self._reported_s[device_id] = self._clock.mono_s()

    async def healthy(self, device_id: str) -> bool:
        """Whether a device that tries something new may keep it: it is approved, there, and has reported since."""
        device, since_s = self._registry.known(device_id), self._trial_s.get(device_id)
        if since_s is None or not device.approved or not self._presences.online(device):
            return False
        return self._reported_s.get(device_id, -1.0) >= since_s

    # --- looking

    def window_open(self, rollout: Rollout) -> bool:
        """Whether a rollout's hours are now; with a clock that nothing has set, nobody can say so."""
        if not rollout.plan.window:
            return True
        now = self._clock.now()
        return now.quality.good and is_open(rollout.plan.window, now.at_us, self._zone)

    def is_over(self, rollout: Rollout) -> bool:
        """Whether head office's order has grown too old to be followed."""
        return is_over(rollout, self._clock.now(), self.watched.now_s())

    def may_offer(self, rollout: Rollout) -> bool:
        """Whether its hours are now, and what head office ordered is good still."""
        followed = is_followed(rollout, self._clock.now(), self.watched.now_s())
        return followed and self.window_open(rollout)

    def sees(self, target: Target, rollout: Rollout) -> bool:
        """Whether the device shall see what it is offered now."""
        followed = is_followed(rollout, self._clock.now(), self.watched.now_s())
        return stands(target, rollout, followed=followed, window_open=self.window_open(rollout))

    def running(self, device_id: str) -> sql.Known:
        """What a device says that it runs."""
        return self.book.known.get(device_id) or sql.Known(device=device_id)

    def board(self, device: Device) -> Board:
        """What decides what a device may run."""
        known = self.running(device.id)
        app = self._variant_of(known.running.app) if known.running is not None and known.running.app else ""
        return Board(
            profile=device.profile,
            variant=app or device.kind,
            approved=device.state is DeviceState.APPROVED,
            trusted=device.trusted,
            legacy=known.legacy,
            running=known.running,
        )

    def held_until_s(self, device_id: str, artifact: str) -> float | None:
        """Until when, by the clock of watching, a device is not offered this again; None when it may be."""
        until_s = self.book.holds.get((device_id, artifact))
        return until_s if until_s is not None and until_s > self.watched.now_s() else None

    # --- changing

    async def set_legacy(
        self, device: Device, legacy: bool, *, actor: str, within: Within = lambda tx: None
    ) -> None:
        """Say whether a device takes unsigned images. Raises StorageError."""

        def work(tx: Transaction) -> None:
            within(tx)
            if self.running(device.id).legacy == legacy:
                return
            sql.save_legacy(tx, device.id, legacy)
            tx.fact("firmware.legacy", device.id, legacy=legacy, by=actor)
            tx.after(lambda: self._knows(msgspec.structs.replace(self.running(device.id), legacy=legacy)))

        await self._db.write(work)

    async def forget(self, device: Device, actor: str) -> None:
        """A device is being forgotten: nothing is wanted of it any more."""

        def work(tx: Transaction) -> None:
            target = sql.open_of(tx, device.id)
            if target is not None:
                self.put(tx, target, withdrawn(target, f"The device was forgotten by {actor}."))
            sql.forget(tx, device.id)
            tx.after(lambda: self._forgot(device.id))

        await self._db.write(work)

    def put(self, tx: Transaction, before: Target, now: Target, *, follow: bool = True) -> Target:
        """Keep how far a device is, and tell it; returns it as kept. Its rollout follows when it ended, or has to
        wait for another try."""
        if now == before:
            return before
        now_s = self.watched.save(tx)
        moved = now.step is not before.step
        if moved:
            now = msgspec.structs.replace(now, changed_us=tx.stamp.at_us, changed_clock=unset(tx.stamp))
        sql.save_target(tx, now)
        if spoils(before, now) and moved:
            self._hold_off(tx, sql.Hold(now.device, now.artifact, now_s + HOLD_OFF_S))
        if moved and now.step in FACTS:
            self.write_down(tx, now)
        tx.after(lambda: self._took_over(now, moved=moved))
        if moved or now.attempt != before.attempt:
            tx.tell(OfferChanged(device_id=now.device))
        if follow and moved and (not now.open or now.step is Step.WAITING):
            self._follow(tx, now.rollout)
        return now

    def add(self, tx: Transaction, new: Target) -> None:
        """A device of a rollout that begins; it has no other open one. Attempts count on from an earlier rollout of
        the same artifact, since they are all that a device's word tells apart."""
        earlier = sql.newest_of(tx, new.device, new.artifact)
        attempt = earlier.attempt if earlier is not None else 0
        new = msgspec.structs.replace(
            new, attempt=attempt, changed_us=tx.stamp.at_us, changed_clock=unset(tx.stamp)
        )
        sql.insert_target(tx, new)
        if new.step in FACTS:
            self.write_down(tx, new)
        tx.after(lambda: self._took_over(new, moved=True))

    def write_down(self, tx: Transaction, target: Target) -> None:
        """The fact of a step."""
        rollout = sql.rollout(tx, target.rollout)
        firmware = rollout.firmware if rollout is not None else None
        known = self.book.known.get(target.device)
        tx.fact(
            f"update.{target.step.value}",
            target.device,
            rollout=target.rollout,
            artifact=target.artifact,
            version=firmware.version if firmware is not None else "",
            attempt=target.attempt,
            reason=target.reason,
            **{"from": known.running.version if known is not None and known.running is not None else ""},
        )

    def lift(self, tx: Transaction, device_id: str, artifact: str) -> None:
        """A person wants it tried again."""
        sql.lift(tx, device_id, artifact)
        tx.after(lambda: self._lifted(device_id, artifact))

    async def save(self) -> None:
        """Write how far this hub has watched, and how many bytes devices have."""
        unsaved, self._unsaved = self._unsaved, {}

        def work(tx: Transaction) -> None:
            now_s = self.watched.save(tx)
            sql.save_progress(tx, unsaved.values())
            if any(until_s <= now_s for until_s in self.book.holds.values()):
                kept = {(one.device, one.artifact): one.until_s for one in sql.holds(tx, now_s)}
                tx.after(lambda: self.book.hold(kept))

        await self._db.write(work)

    # --- inside

    def _distrusts(self, artifact: str) -> bool:
        """Whether it is here and nobody who is trusted has signed it any more: a device that tries it goes back."""
        return bool(self._variant_of(artifact)) and not self._trusts(artifact)

    def _only_bytes(self, device_id: str, told: Told) -> bool:
        """Whether what was told is at most how much of it is there; that is noted, not written."""
        target = self.book.targets.get(device_id)
        if target is None or target.artifact != told.artifact or target.step is not told.step:
            return False
        rollout = self.book.rollouts.get(target.rollout)
        now = hear(target, told, rollout.plan.attempts if rollout is not None else 1, self.watched.now_s())
        if now is target or now == target:
            return True
        if msgspec.structs.replace(now, done=target.done, size=target.size, reason=target.reason) != target:
            return False
        self.book.targets[device_id] = self._unsaved[device_id] = now
        self.telling.progress(device_id, now.rollout)
        return True

    def _heard(self, tx: Transaction, device_id: str, told: Told) -> None:
        target = sql.open_of(tx, device_id)
        if target is None or target.artifact != told.artifact:
            target = sql.newest_of(tx, device_id, told.artifact)
        if target is None:
            return
        rollout = sql.rollout(tx, target.rollout)
        attempts = rollout.plan.attempts if rollout is not None else 1
        self.put(tx, target, hear(target, told, attempts, self.watched.now_s()))
        running = self.running(device_id).running
        if told.step is Step.CONFIRMED and running is not None and told.artifact in (running.app, running.image):
            known = sql.save_running(tx, device_id, msgspec.structs.replace(running, trial=False))
            tx.after(lambda: self._knows(known))

    def _runs(self, tx: Transaction, device_id: str, running: Running) -> None:
        now_s = self.watched.now_s()
        target = sql.open_of(tx, device_id)
        if target is not None:
            self.put(tx, target, seen_running(target, running, now_s))
        for artifact in {running.app, running.image} - {"", target.artifact if target is not None else ""}:
            ended = sql.newest_of(tx, device_id, artifact)
            if ended is not None and not running.trial and not ended.open:
                self.put(tx, ended, seen_running(ended, running, now_s))
        known = sql.save_running(tx, device_id, running)
        tx.after(lambda: self._knows(known))

    def _hold_off(self, tx: Transaction, hold: sql.Hold) -> None:
        sql.hold_off(tx, hold)
        tx.after(lambda: self.book.holds.update({(hold.device, hold.artifact): hold.until_s}))

    def _took_over(self, now: Target, *, moved: bool) -> None:
        self.book.put_target(now)
        self._unsaved.pop(now.device, None)
        if moved:
            self.telling.step(now.device, now.rollout)
            if not now.open:
                self.ended[now.step] += 1
        else:
            self.telling.progress(now.device, now.rollout)

    def _knows(self, known: sql.Known) -> None:
        self.book.known[known.device] = known

    def _lifted(self, device_id: str, artifact: str) -> None:
        self.book.holds.pop((device_id, artifact), None)

    def _forgot(self, device_id: str) -> None:
        kept: tuple[dict[str, Any], ...] = (self.book.known, self._trial_s, self._reported_s, self._unsaved)
        for mine in kept:
            mine.pop(device_id, None)
        self.book.holds = {key: until_s for key, until_s in self.book.holds.items() if key[0] != device_id}
