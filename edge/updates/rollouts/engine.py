"""Carries out what the rules say (model.py), in the transaction of what made it so.

A device that fails and the stop that follows from it are one commit: nobody is offered anything in between, and a
hub that is killed anywhere has both or neither. What is decided is read from the database alone.
"""

from __future__ import annotations

import msgspec

from edge.clock import Clock
from edge.devices.registry import Registry
from edge.store.transaction import Transaction
from edge.updates.events import OfferChanged
from edge.updates.offers import store as offers_sql
from edge.updates.offers.model import (
    Rollout,
    Target,
    changed,
    objection,
    offered,
    timed_out,
    with_clock,
    withdrawn,
)
from edge.updates.offers.offers import Offers
from edge.updates.rollouts import store as sql
from edge.updates.rollouts.model import OPEN, Wave, enough_went_well, evaluate, soaked_s, too_many_failed
from edge.wire.updates import WAVES_MAX, RolloutState, Step

CENTRE = "centre"  # the origin of a rollout that head office leads: its waves are judged there
TURNS = WAVES_MAX * 3  # more than a rollout can need in one go
EMPTY = "None of its devices is to get it any more."
RESTORED = "This hub was restored from a backup: look at how it stands, then resume or abort it."
ORDERED_BEFORE = "The hub was restored from a backup in which this stood; try it again by hand."
NOT_ALL = "Not all of its devices ended well."
TOO_OLD = "Head office's order came too late, or was followed for too long."


class Engine:
    """Judges rollouts. `next_s` says by rollout when, by the clock of watching, it has to be looked at again."""

    def __init__(self, offers: Offers, registry: Registry, clock: Clock) -> None:
        self._offers, self._registry, self._clock = offers, registry, clock
        self.next_s: dict[str, float | None] = {}
        offers.follow_with(self.judge)
        offers.doubt_with(self.doubt)

    def judge(self, tx: Transaction, rollout_id: str) -> None:
        """Do all that follows from how a rollout stands now."""
        now_s = self._offers.watched.save(tx)
        rollout = offers_sql.rollout(tx, rollout_id)
        for _ in range(TURNS):
            if rollout is None or rollout.state is not RolloutState.RUNNING:
                break
            again = self._follow_order(tx, rollout) if rollout.origin == CENTRE else self._turn(tx, rollout, now_s)
            rollout = offers_sql.rollout(tx, rollout_id)
            if not again:
                break
        if rollout is not None:
            self._look_again(tx, rollout, now_s)

    def change(
        self,
        tx: Transaction,
        rollout: Rollout,
        state: RolloutState,
        reason: str = "",
        *,
        by: str = "",
        **more: object,
    ) -> Rollout:
        """A rollout stands elsewhere: its deadlines stand still or go on, and what is not past the switch of an
        aborted one is taken back."""
        over = state not in OPEN
        now = msgspec.structs.replace(
            rollout, state=state, reason=reason, ended_us=tx.stamp.at_us if over else None, **more
        )
        offers_sql.save_rollout(tx, now)
        tx.fact(
            "rollout.ended" if over else "rollout.changed",
            now.id,
            state=state.value,
            reason=reason,
            artifact=now.artifact,
            by=by or "hub",
        )
        tx.after(lambda: self._took_over(now))
        for target in sql.open_targets(tx, now.id):
            if state is RolloutState.ABORTED and not target.past_switch:
                self._offers.put(tx, target, withdrawn(target, "The rollout was aborted."), follow=False)
            else:
                self.set_clock(tx, now, target)
        return now

    def set_clock(self, tx: Transaction, rollout: Rollout, target: Target) -> None:
        """Let a device's deadline run exactly while it sees its offer, and tell its door to look."""
        runs = self._offers.sees(target, rollout)
        self._offers.put(tx, target, with_clock(target, runs=runs, now_s=self._offers.watched.now_s()))
        tx.tell(OfferChanged(device_id=target.device))

    def settle(self, tx: Transaction, rollout: Rollout) -> None:
        """A person lets a stopped rollout go on: what went wrong in the waves that stopped it counts no more."""
        for wave in sql.waves(tx, rollout.id):
            stuck = wave.began and not wave.open and not enough_went_well(wave, rollout.plan)
            if stuck or too_many_failed(wave, rollout.plan):
                sql.settle_wave(tx, rollout.id, wave.number)
            if stuck:
                sql.pass_wave(tx, rollout.id, wave.number)

    def give_up_late(self, tx: Transaction) -> None:
        """Count every device as failed whose time is over."""
        for late in offers_sql.late_targets(tx, self._offers.watched.save(tx)):
            target = offers_sql.target(tx, late.rollout, late.device)  # the end of one may have ended others
            if target is not None and target.open:
                self._offers.put(tx, target, timed_out(target))

    def end_if_empty(self, tx: Transaction, rollout_id: str) -> None:
        """One that waits for its file, or is paused, is over when nothing of it is open."""
        rollout = offers_sql.rollout(tx, rollout_id)
        if rollout is None or rollout.state not in OPEN or sql.open_targets(tx, rollout_id):
            return
        self.change(tx, rollout, RolloutState.SHORT, EMPTY, stopped=False, halted=False)

    def doubt(self, tx: Transaction) -> None:
        """The database is that of a backup: what stands in it may have been stopped or aborted since, so nobody is
        offered anything before a person has looked. Head office hears which of its orders are not followed."""
        for rollout in offers_sql.live_rollouts(tx):
            if rollout.origin == CENTRE:
                for target in sql.open_targets(tx, rollout.id):
                    if not target.past_switch:
                        self._offers.put(tx, target, withdrawn(target, ORDERED_BEFORE), follow=False)
                self.end_if_empty(tx, rollout.id)
            elif rollout.state in (RolloutState.SCHEDULED, RolloutState.RUNNING):
                self.change(tx, rollout, RolloutState.PAUSED, RESTORED, stopped=True)

    # --- inside

    def _turn(self, tx: Transaction, rollout: Rollout, now_s: float) -> bool:
        """One look; whether it changed what the next look sees."""
        waves = sql.waves(tx, rollout.id)
        verdict = evaluate(rollout.state, rollout.plan, waves, now_s)
        for wave in verdict.reached:
            sql.reach_wave(tx, rollout.id, wave, now_s)
        if verdict.state is not rollout.state:
            state = verdict.state
            if state is RolloutState.PAUSED and sum(wave.total for wave in waves) == 1 and not waves[0].open:
                state = RolloutState.SHORT  # of one device: nobody is left whom a stop would spare
            self.change(tx, rollout, state, verdict.reason, stopped=state is RolloutState.PAUSED)
            return False
        if verdict.begins is not None:
            sql.begin_wave(tx, rollout.id, verdict.begins)
            tx.after(lambda: self._offers.telling.rollout(rollout.id))
            return True
        return self._offer(tx, rollout, now_s)

    def _offer(self, tx: Transaction, rollout: Rollout, now_s: float) -> bool:
        """Offer to whoever waits and may have it; whether some ended instead, which may stop the rest."""
        waiting = sql.to_offer(tx, rollout.id, now_s)
        ended = False
        for target in waiting:
            outcome = self._needs_no_offer(rollout, target)
            if outcome is not None:
                self._offers.put(tx, target, outcome, follow=False)
                ended = True
        if ended:
            return True
        if rollout.firmware is not None and self._offers.may_offer(rollout):
            for target in waiting:
                made = offered(target, rollout.firmware, now_s, rollout.plan.deadline_s)
                self._offers.put(tx, target, made)
        return False

    def _needs_no_offer(self, rollout: Rollout, target: Target) -> Target | None:
        """Where a device ends that runs it already, or must not get it; None: it is to be offered."""
        assert rollout.firmware is not None
        try:
            device = self._registry.known(target.device)
        except KeyError:
            return withdrawn(target, "There is no such device here.")
        running = self._offers.running(device.id).running
        if running is not None and not running.trial and target.artifact in (running.app, running.image):
            return changed(target, Step.ALREADY)
        why = objection(self._offers.board(device), rollout.firmware)
        return changed(target, Step.REJECTED, why) if why else None

    def _follow_order(self, tx: Transaction, rollout: Rollout) -> bool:
        """What head office ordered: offered while the order is good; over when all of it has ended."""
        for wave in sql.waves(tx, rollout.id):
            if not wave.began:
                sql.begin_wave(tx, rollout.id, wave.number)
        if self._offers.is_over(rollout):
            for target in sql.open_targets(tx, rollout.id):
                if not target.past_switch:
                    over = timed_out(target) if target.attempt else withdrawn(target, TOO_OLD)
                    self._offers.put(tx, target, over, follow=False)
        elif self._offer(tx, rollout, self._offers.watched.now_s()):
            return True
        waves = sql.waves(tx, rollout.id)
        if not any(wave.open for wave in waves):
            well = any(wave.good for wave in waves) and not any(wave.bad for wave in waves)
            self.change(tx, rollout, RolloutState.DONE if well else RolloutState.SHORT, "" if well else NOT_ALL)
        return False

    def _look_again(self, tx: Transaction, rollout: Rollout, now_s: float) -> None:
        """Note when something is due next."""
        due = [sql.next_s(tx, rollout.id, now_s)]
        if rollout.state is RolloutState.RUNNING and rollout.origin != CENTRE:
            due.append(_soaked(sql.waves(tx, rollout.id), rollout, now_s))
        known = [at_s for at_s in due if at_s is not None]
        next_s = min(known) if known else None
        tx.after(lambda: self.next_s.update({rollout.id: next_s}))

    def _took_over(self, now: Rollout) -> None:
        self._offers.book.put_rollout(now)
        self._offers.telling.rollout(now.id)


def _soaked(waves: list[Wave], rollout: Rollout, now_s: float) -> float | None:
    """When the next wave begins, if nothing else happens."""
    begun = [wave for wave in waves if wave.began]
    if not begun or len(begun) == len(waves) or not enough_went_well(begun[-1], rollout.plan):
        return None
    return soaked_s(begun[-1], rollout.plan, now_s)
