"""Whatever devices say, people do and the hub suffers, in any order: what must always hold of rollouts does."""

from __future__ import annotations

import asyncio
import atexit
import functools
import shutil
import tempfile
from collections.abc import Coroutine
from pathlib import Path
from typing import Any, TypeVar

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from edge.clock import ManualClock
from edge.devices.model import Device
from edge.errors import OutpostError
from edge.store.migrations import migrate
from edge.updates.offers import store as offers_sql
from edge.updates.offers.model import Target, hear
from edge.updates.offers.offers import Offers
from edge.updates.rollouts.model import (
    Wave,
    enough_went_well,
    evaluate,
    split,
    too_many_failed,
)
from edge.wire.native import Running
from edge.wire.updates import ENDED, PAST_SWITCH, Plan, RolloutState, Step, Told
from tests.tools import share
from tests.unit.updates.rollouts.update_site import Shelf, UpdateSite, firmware

pytestmark = pytest.mark.timeout(share(120, 1800))
T = TypeVar("T")
PLAN = Plan(waves=(0, 50, 100), errors_percent=25, success_percent=75, soak_s=60, deadline_s=300, attempts=2)
FIRMWARE = [firmware("one"), firmware("two", version="20261121.190000")]
DEVICES = 8

percent = st.integers(0, 100)
steps = st.sampled_from(list(Step))


@st.composite
def waves(draw: st.DrawFn) -> list[Wave]:
    """Waves of which the first few have begun, as they may stand."""
    count = draw(st.integers(1, 4))
    begun = draw(st.integers(0, count))
    made = []
    for number in range(1, count + 1):
        if number > begun:
            made.append(Wave(number=number, total=draw(st.integers(1, 9))))
            continue
        good, bad, settled, withdrawn, rest = (draw(st.integers(0, 9)) for _ in range(5))
        total = good + bad + settled + withdrawn + rest
        reached = draw(st.none() | st.floats(0, 1000))
        made.append(
            Wave(
                number=number,
                total=max(1, total),
                good=good,
                bad=bad,
                settled=settled,
                withdrawn=withdrawn,
                began=True,
                reached_s=reached,
                passed=draw(st.booleans()) and settled > 0,
            )
        )
    return made


@given(waves(), st.integers(0, 100), st.integers(1, 100), st.integers(0, 600), st.floats(0, 2000))
def test_a_wave_begins_only_behind_one_that_went_well_and_never_where_too_many_failed(
    found: list[Wave], errors: int, success: int, soak_s: int, now_s: float
) -> None:
    plan = Plan(errors_percent=errors, success_percent=success, soak_s=soak_s)
    verdict = evaluate(RolloutState.RUNNING, plan, found, now_s)
    tripped = [wave for wave in found if too_many_failed(wave, plan)]
    assert bool(tripped) == any(w.began and w.bad / w.total > errors / 100 + 1e-12 for w in found)
    if tripped:
        assert (verdict.state, verdict.begins) == (RolloutState.PAUSED, None)
    if verdict.begins is not None:
        assert not found[verdict.begins - 1].began
        if verdict.begins > 1:
            before = found[verdict.begins - 2]
            assert before.began
            assert enough_went_well(before, plan)
            assert before.passed or before.good > 0
    if verdict.state is RolloutState.DONE:
        assert all(wave.began and not wave.open and enough_went_well(wave, plan) for wave in found)
    for state in set(RolloutState) - {RolloutState.RUNNING}:
        assert evaluate(state, plan, found, now_s) == evaluate(state, plan, found, now_s + 1e6)
        assert evaluate(state, plan, found, now_s).begins is None


@given(st.integers(1, 5000), st.lists(percent, max_size=6, unique=True))
def test_every_device_is_in_one_wave_and_no_wave_is_empty(count: int, shares: list[int]) -> None:
    sizes = split(count, sorted({*shares, 100}))
    assert sum(sizes) == count
    assert min(sizes) > 0


@functools.cache
def migrated() -> Path:
    """A folder with databases in which nothing is yet: to make them takes longer than all that follows."""
    path = Path(tempfile.mkdtemp())
    atexit.register(shutil.rmtree, path)
    for name in ("hub", "readings"):
        migrate(path / f"{name}.db", name)
    return path


class Anything(RuleBasedStateMachine):
    """A hub with a few devices, two kinds of firmware, and everything that may happen."""

    def __init__(self) -> None:
        super().__init__()
        self.loop = asyncio.new_event_loop()
        self.path = Path(tempfile.mkdtemp())
        shutil.copytree(migrated(), self.path, dirs_exist_ok=True)
        self.clock = ManualClock()
        shelf = Shelf()
        for one in FIRMWARE:
            shelf.put(one)
        self.site = UpdateSite(self.path, self.clock, shelf)
        self.rollouts: list[str] = []
        self.devices: list[Device] = []

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        """Do it."""
        return self.loop.run_until_complete(work)

    def teardown(self) -> None:
        self.run(self.site.stop())
        self.loop.close()
        shutil.rmtree(self.path)

    @initialize()
    def begin(self) -> None:
        """Devices, and a rollout to all of them."""
        self.run(self.site.start())
        self.devices = self.run(self.site.fleet(DEVICES))
        self.roll_out(0)

    @rule(which=st.integers(0, 1))
    def roll_out(self, which: int) -> None:
        """A rollout to all there are."""
        if len(self.rollouts) < 4:
            try:
                self.rollouts.append(self.run(self.site.begin(FIRMWARE[which], plan=PLAN)).id)
            except OutpostError:
                return  # everybody is switching, or forgotten

    @rule(at=st.integers(0, DEVICES - 1), step=steps, which=st.integers(0, 1), back=st.integers(0, 1))
    def a_device_says(self, at: int, step: Step, which: int, back: int) -> None:
        """Anything, of this attempt or of the one before, twice."""
        device, artifact = self.devices[at], FIRMWARE[which].artifact
        target = self.site.offers.book.targets.get(device.id)
        attempt = target.attempt if target is not None else 1
        told = Told(artifact=artifact, step=step, attempt=max(1, attempt - back), done=500, size=1000, reason="so")
        self.run(self.site.offers.tell(device.id, told))
        once = self.run(self.stored())
        self.run(self.site.offers.tell(device.id, told))
        assert self.run(self.stored()) == once or step is Step.FAILED  # a second failure may be of the next try

    @rule(at=st.integers(0, DEVICES - 1))
    def a_device_goes_on(self, at: int) -> None:
        """It takes what it is offered, one step further."""
        device = self.devices[at]
        target = self.site.offers.book.targets.get(device.id)
        offer = self.site.offers.for_device(device.id)
        if target is None or offer is None:
            return
        path = (Step.OFFERED, Step.DOWNLOADING, Step.VERIFIED, Step.STAGED, Step.TESTING, Step.CONFIRMED)
        after = path[min(len(path) - 1, path.index(target.step) + 1)] if target.step in path else Step.VERIFIED
        told = Told(artifact=offer.artifact, step=after, attempt=offer.attempt)
        self.run(self.site.offers.tell(device.id, told))

    @rule(at=st.integers(0, DEVICES - 1), which=st.integers(0, 1), trial=st.booleans())
    def a_device_says_hello(self, at: int, which: int, trial: bool) -> None:
        """It runs one of the two."""
        running = Running(app=FIRMWARE[which].artifact, version=FIRMWARE[which].version, security=1, trial=trial)
        self.run(self.site.offers.runs(self.devices[at].id, running))

    @rule(seconds=st.sampled_from([1, 59, 61, 130, 301, 90_000]))
    def time_passes(self, seconds: int) -> None:
        """While the hub runs."""
        self.run(self.site.after(seconds))

    @rule(off_s=st.sampled_from([0, 400, 90_000]), killed=st.booleans())
    def the_hub_starts_again(self, off_s: int, killed: bool) -> None:
        """What stands afterwards is what stood before."""
        before = self.standing()
        self.run(self.site.restart(off_s=off_s, killed=killed))
        assert self.standing() == before

    @precondition(lambda self: self.rollouts)
    @rule(which=st.integers(0, 9), act=st.sampled_from(["pause", "resume", "abort", "retry"]))
    def a_person_acts(self, which: int, act: str) -> None:
        """Twice: the second time changes nothing, but that a stop may be gone over again."""
        rollout_id, rollouts = self.rollouts[which % len(self.rollouts)], self.site.rollouts
        for _ in range(2):
            try:
                if act == "pause":
                    self.run(rollouts.pause(rollout_id, "", actor="ann"))
                elif act == "resume":
                    self.run(rollouts.resume(rollout_id, actor="ann"))
                elif act == "abort":
                    self.run(rollouts.abort(rollout_id, "", actor="ann"))
                else:
                    self.run(rollouts.retry(rollout_id, [], actor="ann"))
            except OutpostError:
                return

    @rule(at=st.integers(0, 20))
    def a_device_is_forgotten(self, at: int) -> None:
        """Seldom."""
        if at < 2 and self.devices[at] in self.site.registry.all():
            device = self.devices[at]
            self.run(self.site.offers.forget(device, "ann"))
            self.run(self.site.groups.forget(device))
            self.run(self.site.registry.forget(device, actor="ann"))

    @invariant()
    def what_must_hold_does(self) -> None:
        """After each of these."""
        if self.rollouts:
            self.run(self._holds())

    async def _holds(self) -> None:
        site = self.site
        stored, book = await self.stored(), site.offers.book
        open_by_device: dict[str, str] = {}
        for rollout_id in self.rollouts:
            rollout = await site.rollouts.get(rollout_id)
            standing = await site.rollouts.standing(rollout)
            targets = await site.targets(rollout)
            assert sum(standing.steps.values()) == len(targets) == sum(wave.total for wave in standing.waves)
            if rollout.state is RolloutState.RUNNING:
                assert not [wave for wave in standing.waves if too_many_failed(wave, PLAN)]
            began = [wave.began for wave in standing.waves]
            assert began == sorted(began, reverse=True)
            for before, after in zip(standing.waves, standing.waves[1:], strict=False):
                if after.began:  # only ever behind one that reached its threshold, or that a person let pass
                    assert before.passed or before.reached_s is not None
            by_number = {wave.number: wave for wave in standing.waves}
            for one in targets:
                if one.past_switch:
                    assert one.deadline_s is not None  # whoever is never heard of again ends
                if one.step in (Step.OFFERED, Step.DOWNLOADING, Step.VERIFIED, Step.DELAYED):
                    assert by_number[one.wave].began
                if one.open:
                    assert one.device not in open_by_device
                    open_by_device[one.device] = rollout_id
                    seen = site.offers.for_device(one.device)
                    stands = rollout.state is RolloutState.RUNNING and one.step is not Step.WAITING
                    assert (seen is not None) == (stands or one.step in PAST_SWITCH)
        assert {device: one.rollout for device, one in book.targets.items()} == open_by_device
        in_memory = {(one.rollout, one.device, one.step, one.attempt) for one in book.targets.values()}
        assert in_memory == {row for row in stored if row[2] not in ENDED}

    async def stored(self) -> set[tuple[str, str, Step, int]]:
        """Every device of every rollout, by the database."""
        query = f"SELECT {offers_sql.TARGET} FROM device_updates"
        found = [offers_sql.target_of(tuple(row)) for row in await self.site.store.hub.read(query)]
        return {(one.rollout, one.device, one.step, one.attempt) for one in found}

    def standing(self) -> dict[str, Any]:
        """What every device sees."""
        offers: Offers = self.site.offers
        return {device.id: msgspec.to_builtins(offers.for_device(device.id)) for device in self.devices}


Anything.TestCase.settings = settings(
    max_examples=share(12, 100),
    stateful_step_count=share(25, 50),
    deadline=None,
    suppress_health_check=list(HealthCheck),
)


TestAnything = Anything.TestCase


@given(st.lists(st.tuples(steps, st.integers(1, 3)), max_size=20), st.integers(1, 3))
def test_a_device_that_took_it_stays_so_whatever_it_says_later(words: list[tuple[Step, int]], tries: int) -> None:
    target = Target(rollout="r", device="d", artifact="a" * 64, wave=1, step=Step.OFFERED, attempt=2, size=1000)
    took = False
    for number, (step, attempt) in enumerate(words):
        told = Told(artifact="a" * 64, step=step, attempt=attempt)
        target = hear(target, told, tries, float(number))
        again = hear(target, told, tries, float(number))
        assert again == target or target.step is Step.WAITING or step is Step.FAILED
        if took:
            assert target.step in (Step.CONFIRMED, Step.ALREADY)
        took = took or target.step in (Step.CONFIRMED, Step.ALREADY)
        assert 2 <= target.attempt <= 3  # a device may have counted further, never less
