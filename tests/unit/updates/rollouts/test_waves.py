"""A rollout as a person sees it: wave by wave, stopped when too many fail, gone on with, taken back, retried."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from edge.clock import Quality
from edge.errors import BadInput, Conflict, NotFound, Rejected
from edge.updates.offers.model import NATIVE, TARGET_ANY, Board, objection
from edge.wire.firmware import Kind
from edge.wire.native import Running
from edge.wire.updates import NewRollout, Plan, RolloutState, Step, Told
from edge.wire.updates import Target as Whom
from tests.unit.updates.rollouts.update_site import QUICK, UpdateSite, firmware, update_site

NEW, NEWER = firmware("new"), firmware("newer", version="20261121.190000")
WAVES = Plan(waves=(0, 50, 100), errors_percent=20, success_percent=80, soak_s=600, deadline_s=3600)


@pytest.fixture
async def site(tmp_path: Path) -> AsyncIterator[UpdateSite]:
    """A site that holds two versions."""
    async with update_site(tmp_path) as site:
        site.shelf.put(NEW)
        site.shelf.put(NEWER)
        yield site


async def test_a_canary_then_half_then_all_each_after_its_soak(site: UpdateSite) -> None:
    devices = await site.fleet(10)
    rollout = await site.begin(NEW, plan=WAVES)
    (canary,) = [device for device in devices if site.offered(device)]
    await site.takes(canary, NEW)
    assert not [device for device in devices if site.offered(device)]
    await site.after(599)
    assert not [device for device in devices if site.offered(device)]
    view = await site.views.rollout(await site.now(rollout))
    assert [wave.state for wave in view.waves] == ["soaking", "waiting", "waiting"]
    assert view.waves[0].next_at is not None
    await site.after(2)
    second = [device for device in devices if site.offered(device)]
    assert len(second) == 4
    for device in second[:3]:  # 3 of 4 are 75 %, too few
        await site.takes(device, NEW)
    await site.after(700)
    assert [device for device in devices if site.offered(device)] == second[3:]
    await site.takes(second[3], NEW)
    await site.after(601)
    last = [device for device in devices if site.offered(device)]
    assert len(last) == 5
    for device in last:
        await site.takes(device, NEW)
    assert (await site.now(rollout)).state is RolloutState.DONE
    view = await site.views.rollout(await site.now(rollout))
    assert ([wave.state for wave in view.waves], view.steps) == (["done", "done", "done"], {"confirmed": 10})
    assert await site.facts("rollout.ended") == [rollout.id]
    assert sorted(await site.facts("update.confirmed")) == sorted(device.id for device in devices)


async def test_more_than_the_threshold_stops_it_in_the_same_commit_and_just_the_threshold_does_not(
    site: UpdateSite,
) -> None:
    devices = await site.fleet(10)
    rollout = await site.begin(NEW, plan=Plan(waves=(100,), errors_percent=20, success_percent=80, soak_s=0))
    for device in devices[:2]:
        await site.says(device, Step.ROLLED_BACK, "watchdog")
    assert (await site.now(rollout)).state is RolloutState.RUNNING
    assert site.offered(devices[5])
    await site.says(devices[2], Step.REJECTED, "no trusted signature")
    stopped = await site.now(rollout)
    assert (stopped.state, stopped.stopped) == (RolloutState.PAUSED, True)
    assert stopped.reason == "3 of 10 devices of wave 1 went wrong; more than 20 % stops it."
    assert not [device for device in devices if site.offered(device)]
    again = await site.rollouts.pause(rollout.id, "me too", actor="ann")
    assert again.reason == stopped.reason  # pausing what is paused changes nothing


async def test_one_that_stopped_goes_on_with_what_went_wrong_settled(site: UpdateSite) -> None:
    devices = await site.fleet(10)
    rollout = await site.begin(NEW, plan=Plan(waves=(0, 100), errors_percent=0, success_percent=100, soak_s=600))
    (canary,) = [device for device in devices if site.offered(device)]
    await site.says(canary, Step.ROLLED_BACK, "no hub in 90 s")
    assert (await site.now(rollout)).state is RolloutState.PAUSED
    await site.rollouts.resume(rollout.id, actor="ann")
    rest = [device for device in devices if device is not canary]
    assert all(site.offered(device) for device in rest)  # a person let the canary pass: nothing is waited for
    for device in rest:
        await site.takes(device, NEW)
    assert (await site.now(rollout)).state is RolloutState.DONE


async def test_a_wave_that_ends_with_too_few_well_does_not_let_the_next_begin(site: UpdateSite) -> None:
    devices = await site.fleet(10)
    plan = Plan(waves=(50, 100), errors_percent=100, success_percent=80, soak_s=0)
    rollout = await site.begin(NEW, plan=plan)
    first = [device for device in devices if site.offered(device)]
    for device in first[:2]:
        await site.says(device, Step.ROLLED_BACK, "watchdog")
    for device in first[2:]:
        await site.takes(device, NEW)
    stopped = await site.now(rollout)
    assert stopped.reason == "Wave 1 has ended, and 3 of 5 devices well; 80 % are needed."
    assert not [device for device in devices if site.offered(device)]
    await site.rollouts.retry(rollout.id, [], actor="ann")
    assert [device for device in devices if site.offered(device)] == [d for d in devices if d in first[:2]]
    for device in first[:2]:
        await site.takes(device, NEW)
    assert len([device for device in devices if site.offered(device)]) == 5


async def test_the_last_wave_too_short_ends_it_short_and_a_retry_goes_on(site: UpdateSite) -> None:
    devices = await site.fleet(2)
    rollout = await site.begin(NEW, plan=Plan(waves=(100,), errors_percent=50, success_percent=100, soak_s=0))
    await site.takes(devices[0], NEW)
    await site.says(devices[1], Step.ROLLED_BACK, "watchdog")
    assert (await site.now(rollout)).state is RolloutState.SHORT
    await site.rollouts.retry(rollout.id, [devices[1].name], actor="ann")
    assert (await site.now(rollout)).state is RolloutState.RUNNING
    await site.takes(devices[1], NEW)
    assert (await site.now(rollout)).state is RolloutState.DONE
    with pytest.raises(Conflict):
        await site.rollouts.retry(rollout.id, [devices[1].name], actor="ann")


async def test_a_silent_device_is_a_failed_one_but_not_while_the_hub_is_off_or_paused(site: UpdateSite) -> None:
    devices = await site.fleet(3)
    rollout = await site.begin(NEW, plan=Plan(waves=(100,), errors_percent=100, success_percent=1, deadline_s=600))
    await site.after(500)
    await site.rollouts.pause(rollout.id, "lunch", actor="ann")
    await site.after(5000)
    await site.rollouts.resume(rollout.id, actor="ann")
    await site.restart(off_s=3 * 86_400)
    await site.after(99)
    assert set((await site.steps(rollout)).values()) == {Step.OFFERED}
    await site.says(devices[0], Step.STAGED)
    await site.after(2)
    targets = {one.device: one for one in await site.targets(rollout)}
    assert {one.step for one in targets.values()} == {Step.TIMED_OUT}
    assert targets[devices[0].id].reason == "It was about to start the new version, and was not heard of again."
    assert (await site.now(rollout)).state is RolloutState.SHORT


async def test_a_device_that_comes_back_late_is_counted_as_what_it_runs(site: UpdateSite) -> None:
    devices = await site.fleet(2)
    rollout = await site.begin(NEW, plan=Plan(waves=(100,), errors_percent=0, deadline_s=600))
    await site.says(devices[0], Step.STAGED)
    await site.after(601)
    assert (await site.now(rollout)).state is RolloutState.PAUSED
    await site.offers.runs(devices[0].id, Running(app=NEW.artifact, trial=True))
    site.presences.seen(devices[0].id, "hello")
    assert not await site.says(devices[0], Step.TESTING)
    site.offers.reported(devices[0].id)
    assert await site.says(devices[0], Step.TESTING)  # it is well: it keeps it
    await site.says(devices[0], Step.CONFIRMED)
    steps = await site.steps(rollout)
    assert (steps[devices[0].id], steps[devices[1].id]) == (Step.CONFIRMED, Step.TIMED_OUT)
    assert (await site.now(rollout)).state is RolloutState.PAUSED  # what stopped is a person's to go on with


async def test_a_failed_download_is_tried_again_later_each_time_and_then_held_off_for_a_day(
    site: UpdateSite,
) -> None:
    device = await site.device("s1")
    rollout = await site.begin(NEW, device, plan=Plan(waves=(100,), attempts=3, errors_percent=100))
    for wait_s in (60, 120):
        await site.says(device, Step.DOWNLOADING, done=10)
        await site.says(device, Step.FAILED, "the line broke")
        await site.says(device, Step.FAILED, "the line broke")  # said twice, counted once
        assert not site.offered(device)
        await site.after(wait_s * 0.84)
        assert not site.offered(device)
        await site.after(wait_s * 0.32)
        assert site.offered(device)
    await site.says(device, Step.FAILED, "flash is full")
    assert (await site.steps(rollout))[device.id] is Step.FAILED
    later = await site.begin(NEW, device)
    assert not site.offered(device)
    assert (await site.views.firmware(device.id)).held_off_until is not None
    await site.after(24 * 3600 + 1)
    assert site.offered(device)
    await site.says(device, Step.ROLLED_BACK, "watchdog")
    await site.begin(NEW, device)
    assert not site.offered(device)
    await site.restart()
    assert not site.offered(device)
    await site.rollouts.assign(device, NEW.artifact, actor="ann")
    assert site.offered(device)
    assert later.id != rollout.id


async def test_pause_takes_nothing_from_devices_past_the_switch_and_abort_neither(site: UpdateSite) -> None:
    devices = await site.fleet(4)
    rollout = await site.begin(NEW)
    await site.says(devices[0], Step.DOWNLOADING)
    await site.says(devices[1], Step.STAGED)
    await site.rollouts.pause(rollout.id, "", actor="ann")
    assert [site.offered(device) for device in devices] == [False, True, False, False]
    await site.rollouts.resume(rollout.id, actor="ann")
    await site.rollouts.resume(rollout.id, actor="ann")
    assert all(site.offered(device) for device in devices)
    await site.rollouts.abort(rollout.id, "wrong file", actor="ann")
    await site.rollouts.abort(rollout.id, "again", actor="ann")
    assert [site.offered(device) for device in devices] == [False, True, False, False]
    await site.restart()
    assert [site.offered(device) for device in devices] == [False, True, False, False]
    steps = await site.steps(rollout)
    assert [steps[device.id] for device in devices] == [Step.WITHDRAWN, Step.STAGED, Step.WITHDRAWN, Step.WITHDRAWN]
    await site.offers.runs(devices[1].id, Running(app=NEW.artifact))
    assert (await site.steps(rollout))[devices[1].id] is Step.CONFIRMED
    assert (await site.now(rollout)).reason == "wrong file"
    for act in (site.rollouts.resume(rollout.id, actor="a"), site.rollouts.pause(rollout.id, "", actor="a")):
        with pytest.raises(Conflict):
            await act
    with pytest.raises(Conflict):
        await site.rollouts.retry(rollout.id, [], actor="ann")


async def test_a_newer_rollout_takes_devices_over_but_for_those_that_are_switching(site: UpdateSite) -> None:
    devices = await site.fleet(3)
    older = await site.begin(NEW)
    await site.says(devices[0], Step.STAGED)
    newer = await site.begin(NEWER)
    steps = await site.steps(older)
    assert [steps[device.id] for device in devices] == [Step.STAGED, Step.WITHDRAWN, Step.WITHDRAWN]
    assert [site.offers.for_device(device.id) is not None for device in devices] == [True, True, True]
    assert site.offers.for_device(devices[0].id).artifact == NEW.artifact  # type: ignore[union-attr]
    assert (await site.steps(newer))[devices[0].id] is Step.WITHDRAWN
    with pytest.raises(Conflict):
        await site.rollouts.assign(devices[0], NEWER.artifact, actor="ann")
    with pytest.raises(Conflict):
        await site.rollouts.unassign(devices[0], actor="ann")
    await site.offers.tell(devices[0].id, Told(artifact=NEW.artifact, step=Step.CONFIRMED))
    assert (await site.steps(older))[devices[0].id] is Step.CONFIRMED
    assert (await site.steps(newer))[devices[0].id] is Step.WITHDRAWN  # what it says is of the older one
    offer = site.offers.for_device(devices[1].id)
    assert offer is not None
    assert offer.artifact == NEWER.artifact


async def test_what_a_device_runs_is_never_offered_to_it_and_what_it_must_not_get_neither(site: UpdateSite) -> None:
    same, vending, fresh = await site.device("same"), await site.device("coke", "vending"), await site.device("s")
    await site.offers.runs(same.id, Running(app=NEW.artifact, version=NEW.version, security=1))
    await site.offers.runs(fresh.id, Running(app="0" * 64, version="20250101.000000", security=1))
    rollout = await site.begin(NEW, same, vending, fresh, plan=Plan(waves=(100,), errors_percent=50))
    steps = await site.steps(rollout)
    assert [steps[device.id] for device in (same, vending, fresh)] == [Step.ALREADY, Step.REJECTED, Step.OFFERED]
    targets = {one.device: one for one in await site.targets(rollout)}
    assert targets[vending.id].reason == "A vending does not become a sensor over the air; flash it by cable."
    await site.offers.runs(fresh.id, Running(app=NEW.artifact))  # somebody flashed it by cable meanwhile
    assert (await site.steps(rollout))[fresh.id] is Step.ALREADY
    assert (await site.now(rollout)).state is RolloutState.SHORT


@pytest.mark.parametrize(("security", "kept_from_it"), [(1, True), (2, False)])
def test_an_image_is_compared_with_the_image_that_ran_and_not_with_the_app(
    security: int, *, kept_from_it: bool
) -> None:
    running = Running(security=5, image_security=2)
    board = Board(profile=NATIVE, variant="base", approved=True, trusted=True, legacy=False, running=running)
    image = firmware("image", TARGET_ANY, kind=Kind.ESP_IMAGE, security=security)
    assert bool(objection(board, image)) is kept_from_it


async def test_late_words_of_an_earlier_attempt_change_nothing_but_what_the_device_runs(site: UpdateSite) -> None:
    device = await site.device("s1")
    rollout = await site.begin(NEW, device, plan=Plan(waves=(100,), errors_percent=100, attempts=5))
    await site.says(device, Step.ROLLED_BACK, "power")
    await site.rollouts.retry(rollout.id, [], actor="ann")
    assert (await site.targets(rollout))[0].attempt == 2
    for step in (Step.ROLLED_BACK, Step.FAILED, Step.DOWNLOADING, Step.REJECTED, Step.WITHDRAWN, Step.TIMED_OUT):
        await site.says(device, step, "late", attempt=1)
        assert (await site.targets(rollout))[0].step is Step.OFFERED
    await site.says(device, Step.STAGED)
    await site.says(device, Step.VERIFIED)  # it begins anew: its power went before the switch was written
    assert (await site.targets(rollout))[0].step is Step.VERIFIED
    await site.says(device, Step.TESTING)
    await site.says(device, Step.STAGED)
    assert (await site.targets(rollout))[0].step is Step.TESTING
    await site.offers.tell(device.id, Told(artifact="f" * 64, step=Step.FAILED))  # of something nobody offered
    await site.offers.runs(device.id, Running(app="0" * 64, version="20250101.000000"))
    (target,) = await site.targets(rollout)
    assert (target.step, target.reason) == (Step.ROLLED_BACK, "It runs 20250101.000000 again.")
    await site.says(device, Step.ROLLED_BACK, "watchdog")
    assert (await site.targets(rollout))[0].reason == "watchdog"
    await site.says(device, Step.CONFIRMED)
    assert (await site.targets(rollout))[0].step is Step.CONFIRMED


async def test_a_forgotten_device_leaves_its_rollout_and_its_groups(site: UpdateSite) -> None:
    devices = await site.fleet(2)
    rollout = await site.begin(NEW)
    for device in devices:
        await site.offers.forget(device, "ann")
        await site.groups.forget(device)
        await site.registry.forget(device, actor="ann")
    assert set((await site.steps(rollout)).values()) == {Step.WITHDRAWN}
    assert (await site.now(rollout)).state is RolloutState.SHORT  # nobody is left who could tell that it is good
    assert [group.devices for group in await site.groups.all()] == [[]]
    with pytest.raises(Rejected):
        await site.begin(NEW)


async def test_windows_and_times_to_begin_are_the_sites_and_need_a_clock_that_was_set(site: UpdateSite) -> None:
    devices = await site.fleet(2)
    site.clock.at_us = 1_795_284_000_000_000  # 2026-11-21 19:00 in Paris
    plan = Plan(waves=(100,), errors_percent=100, window="22:00-05:00", deadline_s=7200)
    rollout = await site.begin(NEW, plan=plan, starts_at="2026-11-21T21:00:00")
    assert rollout.state is RolloutState.SCHEDULED
    await site.after(2 * 3600 - 1)
    assert (await site.now(rollout)).state is RolloutState.SCHEDULED
    await site.after(2)
    assert (await site.now(rollout)).state is RolloutState.RUNNING
    assert not [device for device in devices if site.offered(device)]
    await site.after(3600)
    assert [site.offered(device) for device in devices] == [True, True]
    site.clock.quality = Quality.NONE
    assert not site.offered(devices[0])
    site.clock.quality = Quality.NTP
    await site.after(3600)
    await site.says(devices[0], Step.DOWNLOADING)
    await site.after(6 * 3600 - 60)  # 04:59: an hour of its two was told, then the time of one is over
    assert set((await site.steps(rollout)).values()) == {Step.TIMED_OUT}
    await site.rollouts.retry(rollout.id, [], actor="ann")
    await site.says(devices[0], Step.DOWNLOADING)
    await site.after(120)  # 05:01
    assert [site.offered(device) for device in devices] == [True, False]  # who has begun may finish
    await site.after(17 * 3600 - 120)  # 21:59 the next day
    steps = await site.steps(rollout)
    assert [steps[device.id] for device in devices] == [Step.TIMED_OUT, Step.OFFERED]  # closed hours blame nobody
    await site.after(120)
    assert site.offered(devices[1])


async def test_what_cannot_be_rolled_out_is_refused(site: UpdateSite) -> None:
    await site.fleet(1)
    for wrong in (
        {"plan": Plan(waves=(0, 10, 50))},
        {"plan": Plan(waves=(50, 50, 100))},
        {"plan": Plan(waves=(-1, 100))},
        {"plan": Plan(window="22-5")},
        {"plan": Plan(window="22:00-22:00")},
        {"plan": Plan(window="24:00-05:00")},
        {"starts_at": "soon"},
        {"target": Whom()},
        {"target": Whom(kind="sensor", group="all")},
        {"target": Whom(kind="sensor", sites=["here"])},
        {"target": Whom(kind="nothing-like-it")},
        {"name": "a\nb"},
    ):
        asked = {"artifact": NEW.artifact, "target": Whom(group="all"), "plan": QUICK, **wrong}
        with pytest.raises(BadInput):
            await site.rollouts.create(NewRollout(**asked), actor="ann")  # type: ignore[arg-type]
    assert await site.rollouts.page(state="", artifact="", before=None, limit=10) == []


async def test_the_same_request_makes_one_rollout(site: UpdateSite) -> None:
    await site.fleet(1)
    wanted = NewRollout(artifact=NEW.artifact, target=Whom(group="all"), plan=QUICK)
    first = await site.rollouts.create(wanted, actor="ann", request_key="k1")
    second = await site.rollouts.create(wanted, actor="ann", request_key="k1")
    assert first.id == second.id
    with pytest.raises(Rejected):
        await site.rollouts.create(
            NewRollout(artifact=NEWER.artifact, target=Whom(group="all")), actor="ann", request_key="k1"
        )
    with pytest.raises(NotFound):
        await site.begin(firmware("never uploaded"))


async def test_firmware_of_a_key_that_is_trusted_no_more_is_offered_no_more(site: UpdateSite) -> None:
    devices = await site.fleet(2)
    rollout = await site.begin(NEW)
    site.shelf.untrusted.add(NEW.artifact)
    assert not site.offered(devices[0])
    await site.after(1)
    stopped = await site.now(rollout)
    assert (stopped.state, stopped.reason) == (
        RolloutState.PAUSED,
        "Nobody who is trusted here has signed this firmware.",
    )
    with pytest.raises(Rejected):
        await site.begin(NEW)
    site.shelf.untrusted.clear()
    await site.rollouts.resume(rollout.id, actor="ann")
    assert site.offered(devices[0])
