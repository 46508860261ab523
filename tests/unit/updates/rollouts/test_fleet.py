"""A thousand devices, one in ten failing and one in twenty silent, while the hub is restarted: waves go on or stop
where they should, and nobody is offered what too many have failed with."""

from __future__ import annotations

import math
import random
from collections import Counter
from pathlib import Path

import pytest

from edge.wire.updates import BAD, ENDED, Plan, RolloutState, Step
from tests.tools import share
from tests.unit.updates.rollouts.fleet import Fate, Fleet
from tests.unit.updates.rollouts.fleet_hub import BROKEN, Near
from tests.unit.updates.rollouts.update_site import UpdateSite, update_site

pytestmark = pytest.mark.timeout(share(120, 1800))
DEVICES = share(100, 1000)
TROUBLE = {Fate.BACK: 5, Fate.CANNOT: 5, Fate.DEAF: 3, Fate.GONE: 2}
ROUND_S = 45.0
ROUNDS = 600


async def begun(site: UpdateSite, plan: Plan, seed: int) -> tuple[Fleet, str]:
    """A fleet with a rollout that has just begun."""
    site.shelf.put(BROKEN)
    devices = await site.fleet(DEVICES)
    rollout = await site.begin(BROKEN, plan=plan)
    return Fleet([device.id for device in devices], TROUBLE, seed), rollout.id


@pytest.mark.parametrize("killed", [False, True])
async def test_all_waves_are_run_through_while_the_hub_comes_and_goes(tmp_path: Path, killed: bool) -> None:
    plan = Plan(waves=(10, 50, 100), errors_percent=60, success_percent=40, soak_s=300, deadline_s=1800)
    draw = random.Random(7)
    async with update_site(tmp_path) as site:
        fleet, rollout = await begun(site, plan, seed=7)
        for _ in range(ROUNDS):
            await fleet.round(Near(site))
            await site.after(ROUND_S)
            if draw.random() < 0.05:
                await site.restart(killed=killed, off_s=draw.choice([0, 10, 50_000]))
            if (await site.rollouts.get(rollout)).state is not RolloutState.RUNNING:
                break
        ended = await site.rollouts.get(rollout)
        assert ended.state is RolloutState.DONE, ended.reason
        steps = await site.steps(ended)
        by_step = {step: {device for device in steps if steps[device] is step} for step in set(steps.values())}
        assert by_step == {
            Step.CONFIRMED: fleet.of(Fate.WELL),
            Step.FAILED: fleet.of(Fate.CANNOT),
            Step.ROLLED_BACK: fleet.of(Fate.BACK),
            Step.TIMED_OUT: fleet.of(Fate.DEAF, Fate.GONE),
        }
        facts = Counter(await site.facts("update.confirmed"))
        assert facts == Counter(fleet.of(Fate.WELL))  # once each, however often it was said
        assert site.offers.book.targets == {}


async def test_it_stops_within_the_wave_that_has_too_many_and_nobody_is_offered_it_after_that(
    tmp_path: Path,
) -> None:
    plan = Plan(waves=(10, 50, 100), errors_percent=10, success_percent=80, soak_s=300, deadline_s=1800)
    draw = random.Random(3)
    async with update_site(tmp_path) as site:
        fleet, rollout = await begun(site, plan, seed=share(11, 3))
        stopped = False
        for number in range(ROUNDS):
            await fleet.round(Near(site))
            await site.after(ROUND_S)
            if number % 9 == 8:
                await site.restart(killed=draw.random() < 0.5, off_s=draw.choice([0, 4000]))
            now = await site.rollouts.get(rollout)
            if not stopped and now.state is RolloutState.PAUSED:
                stopped = True
                seen = {unit.device for unit in fleet.units.values() if unit.seen}
            targets = await site.targets(now)
            bad = Counter(one.wave for one in targets if one.step in BAD)
            size = Counter(one.wave for one in targets)
            over = [wave for wave in size if bad[wave] > math.floor(size[wave] * plan.errors_percent / 100)]
            assert (now.state is RolloutState.PAUSED) == bool(over)
            if stopped:
                waits = {one.device for one in targets if one.step not in ENDED and not one.past_switch}
                assert not [device for device in waits if site.offers.for_device(device)]
                if not [one for one in targets if one.past_switch]:
                    break
        assert stopped
        await site.after(100_000)
        await site.restart()
        await fleet.round(Near(site))
        assert {unit.device for unit in fleet.units.values() if unit.seen} == seen
        begun_waves = {one.wave for one in await site.targets(now) if one.attempt}
        assert begun_waves == set(range(1, max(over) + 1))  # and none behind the one that stopped it
