"""What one device is offered: again when a person wants it, never what nobody trusts any more, counted as it is."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from edge.updates.offers.model import HOLD_OFF_S
from edge.wire.native import Running
from edge.wire.updates import Plan, RolloutState, Step, Told
from tests.unit.updates.rollouts.update_site import SIZE, UpdateSite, firmware, update_site

NEW = firmware("new")


@pytest.fixture
async def site(tmp_path: Path) -> AsyncIterator[UpdateSite]:
    """A site that holds one version."""
    async with update_site(tmp_path) as site:
        site.shelf.put(NEW)
        yield site


async def test_assigning_has_a_device_begin_at_once_that_waits_and_changes_nothing_for_one_at_work(
    site: UpdateSite,
) -> None:
    devices = await site.fleet(3)
    rollout = await site.begin(NEW, plan=Plan(waves=(0, 100)))
    later, paused = [device for device in devices if not site.offered(device)]
    first = await site.rollouts.assign(later, NEW.artifact, actor="ann")
    assert site.offered(later)
    await site.says(later, Step.DOWNLOADING, done=10)
    again = await site.rollouts.assign(later, NEW.artifact, actor="ann")
    assert (again.id, (await site.steps(first))[later.id]) == (first.id, Step.DOWNLOADING)
    await site.rollouts.pause(rollout.id, "", actor="ann")
    await site.rollouts.assign(paused, NEW.artifact, actor="ann")
    assert site.offered(paused)
    await site.says(paused, Step.FAILED, "no room")
    await site.says(paused, Step.FAILED, "no room", attempt=9)
    await site.rollouts.assign(paused, NEW.artifact, actor="ann")
    assert site.offered(paused)


async def test_a_failed_assignment_is_over_and_may_be_tried_again(site: UpdateSite) -> None:
    device = await site.device("s1")
    made = await site.rollouts.assign(device, NEW.artifact, actor="ann")
    await site.says(device, Step.ROLLED_BACK, "power")
    ended = await site.now(made)
    assert (ended.state, ended.reason) == (
        RolloutState.SHORT,
        "1 of 1 devices of wave 1 went wrong; more than 0 % stops it.",
    )
    assert site.offers.book.rollouts == {}
    await site.rollouts.retry(made.id, [], actor="ann")
    assert site.offered(device)


async def test_an_app_of_a_key_that_is_trusted_no_more_is_not_made_final(site: UpdateSite) -> None:
    devices = await site.fleet(2)
    await site.begin(NEW)
    for device in devices:
        await site.says(device, Step.STAGED)
        await site.offers.runs(device.id, Running(app=NEW.artifact, security=1, trial=True))
        site.presences.seen(device.id, "hello")
        site.offers.reported(device.id)
    assert await site.says(devices[0], Step.TESTING)
    site.shelf.untrusted.add(NEW.artifact)
    assert not await site.says(devices[1], Step.TESTING)
    site.shelf.held.clear()  # a device that comes from another hub: nobody here can say anything against it
    assert await site.says(devices[1], Step.TESTING)


async def test_a_device_that_has_counted_further_elsewhere_is_offered_it_anew_behind_that(site: UpdateSite) -> None:
    device = await site.device("s1")
    rollout = await site.begin(NEW, device)
    await site.says(device, Step.ROLLED_BACK, "power", attempt=7)
    await site.rollouts.retry(rollout.id, [], actor="ann")
    offer = site.offers.for_device(device.id)
    assert offer is not None
    assert offer.attempt == 8
    await site.says(device, Step.ROLLED_BACK, "power", attempt=2**53 - 1)
    (target,) = await site.targets(rollout)
    assert (target.step, target.attempt) == (Step.ROLLED_BACK, 8)


async def test_no_device_has_more_of_it_than_there_is(site: UpdateSite) -> None:
    device = await site.device("s1")
    rollout = await site.begin(NEW, device)
    told = Told(artifact=NEW.artifact, step=Step.DOWNLOADING, done=2**53 - 1, size=2**53 - 1)
    await site.offers.tell(device.id, told)
    view = await site.views.rollout(await site.now(rollout))
    assert (view.bytes_done, view.bytes_all) == (SIZE, SIZE)


async def test_what_a_device_was_held_off_from_is_forgotten_in_time(site: UpdateSite) -> None:
    device = await site.device("s1")
    await site.begin(NEW, device)
    await site.says(device, Step.ROLLED_BACK, "power")
    assert site.offers.book.holds
    site.clock.advance(HOLD_OFF_S + 1)
    await site.offers.save()
    assert site.offers.book.holds == {}
    assert await site.store.hub.read("SELECT * FROM firmware_holds") == []
