"""Rollouts, their waves and devices as the API shows them."""

from __future__ import annotations

from edge.clock import Clock, iso
from edge.devices.registry import Registry
from edge.store.boots import Boots
from edge.updates.offers.model import Rollout, Target
from edge.updates.offers.offers import Offers
from edge.updates.rollouts.engine import CENTRE
from edge.updates.rollouts.model import UNDER_WAY, Wave, enough_went_well, shown_as, soaked_s
from edge.updates.rollouts.rollouts import Rollouts
from edge.updates.rollouts.store import Standing
from edge.wire.updates import (
    BAD,
    ENDED,
    GOOD,
    DeviceFirmware,
    RolloutDevice,
    RolloutState,
    RolloutView,
    Step,
    WaveView,
)

SECOND_US = 1_000_000


class RolloutViews:
    """Draws them."""

    def __init__(self, rollouts: Rollouts, offers: Offers, registry: Registry, clock: Clock, boots: Boots) -> None:
        self._rollouts, self._offers, self._registry = rollouts, offers, registry
        self._clock, self._boots = clock, boots

    async def rollout(self, rollout: Rollout) -> RolloutView:
        """One, with its waves."""
        standing = await self._rollouts.standing(rollout)
        firmware = rollout.firmware
        return RolloutView(
            id=rollout.id,
            name=rollout.name,
            artifact=rollout.artifact,
            version=firmware.version if firmware else "",
            artifact_target=firmware.target if firmware else "",
            target=rollout.whom,
            plan=rollout.plan,
            state=rollout.state,
            reason=rollout.reason,
            devices=sum(standing.steps.values()),
            steps={step.value: standing.steps[step.value] for step in Step if step.value in standing.steps},
            waves=self._waves(rollout, standing),
            bytes_done=self._bytes_done(rollout, standing),
            bytes_all=(firmware.size if firmware else 0) * _to_transfer(standing),
            eta_at=self._eta(rollout, standing),
            created_at=iso(self._boots.when(rollout.created_us, rollout.created_clock)),
            created_by=rollout.created_by,
            started_at=iso(rollout.started_us) if rollout.started_us else None,
            ended_at=iso(rollout.ended_us) if rollout.ended_us else None,
            origin=rollout.origin,
            starts_at=iso(rollout.starts_us) if rollout.starts_us else None,
        )

    def device(self, target: Target) -> RolloutDevice:
        """One device of a rollout; what is in memory of it is newer than what the database has."""
        live = self._offers.book.targets.get(target.device)
        if live is not None and live.rollout == target.rollout:
            target = live
        at_us = target.changed_us
        return RolloutDevice(
            device=target.device,
            name=self._name(target.device),
            wave=target.wave,
            step=target.step,
            attempt=target.attempt,
            done=target.done,
            size=target.size,
            reason=target.reason,
            changed_at=iso(self._boots.when(at_us, target.changed_clock)) if at_us else None,
            deadline_at=self._at(target.deadline_s),
        )

    async def firmware(self, device_id: str) -> DeviceFirmware:
        """What a device runs, and shall run."""
        known, running = self._offers.running(device_id), self._offers.running(device_id).running
        target = self._offers.book.targets.get(device_id) or await self._rollouts.newest_of(device_id)
        seen_us = known.seen_us
        held_s = self._offers.held_until_s(device_id, target.artifact) if target is not None else None
        return DeviceFirmware(
            device=device_id,
            version=running.version if running else "",
            app=running.app if running else "",
            image=running.image if running else "",
            security=running.security if running else 0,
            trial=running.trial if running else False,
            legacy=known.legacy,
            seen_at=iso(self._boots.when(seen_us, known.seen_clock)) if seen_us else None,
            rollout=target.rollout if target else None,
            artifact=target.artifact if target else None,
            step=target.step if target else None,
            reason=target.reason if target else "",
            held_off_until=self._at(held_s),
        )

    # --- inside

    def _name(self, device_id: str) -> str:
        """What it is called, or was; head office may have meant one that never was here."""
        try:
            return self._registry.known(device_id).name
        except KeyError:
            return device_id

    def _at(self, watched_s: float | None) -> str | None:
        """When that is, by the wall, if the hub keeps running."""
        if watched_s is None:
            return None
        ahead_s = watched_s - self._offers.watched.now_s()
        return iso(self._clock.now().at_us + int(ahead_s * SECOND_US))

    def _waves(self, rollout: Rollout, standing: Standing) -> list[WaveView]:
        return [
            self._wave(rollout, standing, wave, standing.waves[at + 1] if at + 1 < len(standing.waves) else None)
            for at, wave in enumerate(standing.waves)
        ]

    def _wave(self, rollout: Rollout, standing: Standing, wave: Wave, behind: Wave | None) -> WaveView:
        begun = standing.begun.get(wave.number)
        waits = behind is not None and not behind.began and rollout.state in UNDER_WAY
        soaks = waits and rollout.state is RolloutState.RUNNING and enough_went_well(wave, rollout.plan)
        next_s = soaked_s(wave, rollout.plan, self._offers.watched.now_s()) if soaks and begun else None
        return WaveView(
            number=wave.number,
            devices=wave.total,
            good=wave.good,
            bad=wave.bad + wave.settled,
            open=wave.open,
            state="open"
            if rollout.origin == CENTRE and wave.open
            else shown_as(wave, rollout.plan, behind_waits=waits),
            began_at=iso(self._boots.when(begun.began_us, begun.clock)) if begun else None,
            next_at=self._at(next_s),
        )

    def _bytes_done(self, rollout: Rollout, standing: Standing) -> int:
        """What devices have of it; what they told since it was last written is in memory."""
        newer = sum(one.done for one in self._offers.book.of_rollout(rollout.id))
        ended = standing.steps.get(Step.CONFIRMED.value, 0) * (rollout.firmware.size if rollout.firmware else 0)
        return newer + ended

    def _eta(self, rollout: Rollout, standing: Standing) -> str | None:
        """When all is over, if what is left takes as long for each device as what has ended, and waves soak."""
        if rollout.state is not RolloutState.RUNNING or not rollout.started_us:
            return None
        ended = sum(count for step, count in standing.steps.items() if Step(step) in GOOD | BAD)
        left = sum(count for step, count in standing.steps.items() if Step(step) not in ENDED)
        if not ended or not left:
            return None
        now_us = self._clock.now().at_us
        soaks_us = sum(not wave.began for wave in standing.waves) * rollout.plan.soak_s * SECOND_US
        passed_us = max(0, now_us - rollout.started_us)
        return iso(now_us + passed_us * left // ended + soaks_us)


def _to_transfer(standing: Standing) -> int:
    """How many devices get its bytes, or are to."""
    idle = (Step.ALREADY, Step.REJECTED, Step.WITHDRAWN, Step.FAILED, Step.TIMED_OUT, Step.ROLLED_BACK)
    return sum(count for step, count in standing.steps.items() if Step(step) not in idle)
