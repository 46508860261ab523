"""What head office orders, at the hub: taken once, fetched, offered while it is good, and taken back."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from edge.clock import Quality
from edge.errors import BadInput, Conflict, NotFound, Rejected
from edge.store.transaction import Transaction, nothing
from edge.updates.offers.model import Rollout
from edge.wire.updates import RolloutState, Step
from tests.unit.updates.rollouts.update_site import UpdateSite, firmware, update_site

NEW = firmware("from head office")
HOUR_US = 3_600_000_000


class Line:
    """The way to head office: artifacts come when the test lets them."""

    def __init__(self, site: UpdateSite) -> None:
        self._site = site
        self.up = asyncio.Event()
        self.refuses = ""
        self.asked = 0

    async def have(self, artifact: str, actor: str) -> None:
        """Wait for the line, then it is here."""
        self.asked += 1
        await self.up.wait()
        if self.refuses:
            raise Rejected(self.refuses)
        self._site.shelf.put(NEW)


@pytest.fixture
async def site(tmp_path: Path) -> AsyncIterator[UpdateSite]:
    """A site that holds nothing yet."""
    async with update_site(tmp_path) as site:
        yield site


def offer(site: UpdateSite, *devices: str, **more: Any) -> dict[str, Any]:
    """An order."""
    return {
        "do": "offer",
        "rollout": "afar",
        "artifact": NEW.artifact,
        "devices": list(devices),
        "deadline_s": 600,
        "attempts": 1,
        "until_us": site.clock.at_us + HOUR_US,
        **more,
    }


async def fetched(site: UpdateSite, line: Line) -> None:
    """Let the line bring what is wanted."""
    site.orders.fetch_with(line)
    line.up.set()
    async with asyncio.TaskGroup() as group:
        await site.orders.look(group)


async def now(site: UpdateSite) -> Rollout:
    """The rollout of the orders."""
    return await site.rollouts.get("afar")


async def test_it_is_offered_once_it_is_here_and_the_next_wave_comes_to_the_same_rollout(site: UpdateSite) -> None:
    devices, line = await site.fleet(3), Line(site)
    await site.orders.apply(offer(site, devices[0].id), "centre:ann", nothing)
    assert not site.offered(devices[0])
    await site.restart()
    await fetched(site, line)
    assert [site.offered(device) for device in devices] == [True, False, False]
    await site.takes(devices[0], NEW)
    assert (await now(site)).state is RolloutState.DONE
    await site.orders.apply(offer(site, devices[1].id, devices[2].id, "nobody"), "centre:ann", nothing)
    await site.orders.apply(offer(site, devices[1].id, devices[2].id), "centre:ann", nothing)
    assert line.asked == 1
    await site.says(devices[1], Step.ROLLED_BACK, "watchdog")
    assert site.offered(devices[2])  # however many fail: waves are judged at head office
    await site.after(601)
    steps = await site.steps(await now(site))
    assert steps == {
        devices[0].id: Step.CONFIRMED,
        devices[1].id: Step.ROLLED_BACK,
        devices[2].id: Step.TIMED_OUT,
        "nobody": Step.REJECTED,
    }
    await site.orders.apply(
        offer(site, devices[1].id, devices[2].id, again=[devices[1].id, devices[2].id]), "centre:ann", nothing
    )
    assert [site.offered(device) for device in devices] == [False, True, True]


async def test_an_order_that_cannot_be_followed_any_more_is_not(site: UpdateSite) -> None:
    devices, line = await site.fleet(2), Line(site)
    await site.orders.apply(offer(site, devices[0].id), "centre:ann", nothing)
    site.clock.advance(3601)
    async with asyncio.TaskGroup() as group:
        site.orders.fetch_with(line)
        await site.orders.look(group)
    assert (await site.steps(await now(site))) == {devices[0].id: Step.WITHDRAWN}
    await site.orders.apply(offer(site, devices[0].id, devices[1].id), "centre:ann", nothing)
    await fetched(site, line)
    await site.says(devices[1], Step.STAGED)
    await site.after(3601)
    steps = await site.steps(await now(site))
    assert steps[devices[0].id] is Step.TIMED_OUT
    assert not site.offered(devices[0])


async def test_what_can_never_be_had_fails_and_says_why(site: UpdateSite) -> None:
    devices, line = await site.fleet(1), Line(site)
    line.refuses = "No such key is trusted at this hub."
    await site.orders.apply(offer(site, devices[0].id), "centre:ann", nothing)
    await fetched(site, line)
    (target,) = await site.targets(await now(site))
    assert (target.step, target.reason) == (Step.FAILED, line.refuses)
    assert (await now(site)).state is RolloutState.SHORT


async def test_head_office_pauses_goes_on_and_takes_back_and_people_here_may_pause(site: UpdateSite) -> None:
    devices, line = await site.fleet(3), Line(site)
    await site.orders.apply(offer(site, *(device.id for device in devices)), "centre:ann", nothing)
    await fetched(site, line)
    await site.says(devices[0], Step.STAGED)
    said = {"rollout": "afar"}
    await site.orders.apply({"do": "pause", **said}, "centre:ann", nothing)
    assert [site.offered(device) for device in devices] == [True, False, False]
    await site.orders.apply({"do": "resume", **said}, "centre:ann", nothing)
    await site.rollouts.pause("afar", "not during the fair", actor="tess")
    assert not site.offered(devices[1])
    await site.rollouts.resume("afar", actor="tess")
    for act in (site.rollouts.abort("afar", "", actor="tess"), site.rollouts.retry("afar", [], actor="tess")):
        with pytest.raises(Conflict):
            await act
    await site.orders.apply({"do": "withdraw", "devices": [devices[1].id], **said}, "centre:ann", nothing)
    assert [site.offered(device) for device in devices] == [True, False, True]
    await site.orders.apply({"do": "withdraw", "reason": "aborted", **said}, "centre:ann", nothing)
    assert [site.offered(device) for device in devices] == [True, False, False]
    await site.orders.apply({"do": "withdraw", "rollout": "never came"}, "centre:ann", nothing)
    with pytest.raises(NotFound):
        await site.orders.apply({"do": "pause", "rollout": "never came"}, "centre:ann", nothing)


async def test_an_order_and_what_is_written_with_it_are_one(site: UpdateSite) -> None:
    (device,) = await site.fleet(1)

    def fails(tx: Transaction) -> None:
        raise Conflict("This item was taken over before.")

    with pytest.raises(Conflict):
        await site.orders.apply(offer(site, device.id), "centre:ann", fails)
    assert site.offers.book.targets == {}
    for wrong in (
        {"do": "explode"},
        {"do": "offer", "rollout": "afar"},
        offer(site, device.id, window="late"),
        offer(site, device.id, attempts=0),
        offer(site, device.id, artifact="F" * 64),
    ):
        with pytest.raises(BadInput):
            await site.orders.apply(wrong, "centre:ann", nothing)
    with pytest.raises(NotFound):
        await now(site)


async def test_a_hub_that_wakes_without_a_clock_does_not_follow_what_it_was_told_before(site: UpdateSite) -> None:
    devices, line = await site.fleet(2), Line(site)
    await site.orders.apply(offer(site, *(device.id for device in devices)), "centre:ann", nothing)
    await fetched(site, line)
    await site.says(devices[0], Step.DOWNLOADING)
    told_us = site.clock.at_us
    await site.stop()
    site.clock.reboot(wall_us=told_us - 30 * 24 * HOUR_US, quality=Quality.NONE)
    await site.reopen()
    await site.after(700)
    assert [site.offered(device) for device in devices] == [False, False]
    assert set((await site.steps(await now(site))).values()) == {Step.DOWNLOADING, Step.OFFERED}  # nobody is blamed
    site.clock.at_us, site.clock.quality = told_us + HOUR_US // 2, Quality.NTP
    await site.after(1)
    assert [site.offered(device) for device in devices] == [True, True]
    site.clock.at_us = told_us + HOUR_US
    await site.after(1)
    ended = await now(site)
    assert set((await site.steps(ended)).values()) == {Step.TIMED_OUT}
    assert (ended.state, ended.reason) == (RolloutState.SHORT, "Not all of its devices ended well.")


async def test_an_order_taken_without_a_clock_is_good_for_as_long_as_a_device_may_need(site: UpdateSite) -> None:
    (device,), line = await site.fleet(1), Line(site)
    until_us = site.clock.at_us + HOUR_US
    site.clock.reboot(wall_us=site.clock.at_us - 30 * 24 * HOUR_US, quality=Quality.NONE)
    await site.restart()
    await site.orders.apply(offer(site, device.id, until_us=until_us, deadline_s=300), "centre:ann", nothing)
    await fetched(site, line)
    assert site.offered(device)
    await site.after(301)
    assert not site.offered(device)
    assert (await now(site)).state is RolloutState.SHORT


async def test_what_head_office_stopped_goes_on_when_it_says_so(site: UpdateSite) -> None:
    devices, line = await site.fleet(2), Line(site)
    await site.orders.apply(offer(site, *(device.id for device in devices)), "centre:ann", nothing)
    await fetched(site, line)
    for paused_here in (False, True):
        if paused_here:
            await site.rollouts.pause("afar", "not now", actor="tess")
        await site.orders.apply({"do": "pause", "rollout": "afar", "reason": "3 of 49"}, "centre:centre", nothing)
        await site.restart()
        with pytest.raises(Conflict):
            await site.rollouts.resume("afar", actor="tess")
        assert not site.offered(devices[0])
        await site.orders.apply({"do": "resume", "rollout": "afar"}, "centre:ann", nothing)
        assert [site.offered(device) for device in devices] == [True, True]


async def test_firmware_that_was_removed_here_is_fetched_again_and_old_reasons_are_gone(site: UpdateSite) -> None:
    (device,), line = await site.fleet(1), Line(site)
    await site.orders.apply(offer(site, device.id), "centre:ann", nothing)
    await fetched(site, line)
    await site.says(device, Step.ROLLED_BACK, "power")
    assert (await now(site)).state is RolloutState.SHORT
    site.shelf.held.clear()
    await site.orders.apply(offer(site, device.id, again=[device.id]), "centre:ann", nothing)
    await site.after(1)
    assert ((await now(site)).state, (await now(site)).reason) == (RolloutState.SCHEDULED, "")
    await fetched(site, line)
    await site.after(1)
    assert ((await now(site)).state, line.asked) == (RolloutState.RUNNING, 2)
    assert site.offered(device)


async def test_a_device_that_is_held_off_is_told_of_at_once_and_not_taken_for_silent(site: UpdateSite) -> None:
    (device,), line = await site.fleet(1), Line(site)
    await site.begin(site.shelf.put(NEW), device)
    await site.says(device, Step.ROLLED_BACK, "watchdog")
    await site.orders.apply(offer(site, device.id), "centre:ann", nothing)
    (target,) = await site.targets(await now(site))
    assert (target.step, target.reason) == (
        Step.FAILED,
        "It went wrong on it less than a day ago; try it again by hand.",
    )
    assert await site.facts("update.failed") == [device.id]
    await site.orders.apply(offer(site, device.id, again=[device.id]), "centre:ann", nothing)
    await fetched(site, line)
    assert site.offered(device)


async def test_orders_that_take_devices_from_each_other_leave_nothing_open(site: UpdateSite) -> None:
    (device,) = await site.fleet(1)
    for number in range(5):
        await site.orders.apply(offer(site, device.id, rollout=f"r{number}"), "centre:ann", nothing)
        await site.orders.apply(offer(site, rollout=f"empty{number}"), "centre:ann", nothing)
    assert list(site.offers.book.rollouts) == ["r4"]
    here = await site.begin(site.shelf.put(firmware("of this site")), device)
    assert list(site.offers.book.rollouts) == [here.id]
