"""A vending site that works before its clock is set: true times afterwards, and nothing done twice or forgotten."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from edge.bus import Bus
from edge.clock import ManualClock, Quality, iso
from edge.commands.history import History
from edge.commands.views import command_view
from edge.devices.log.log import DeviceLog
from edge.store.boot_clock import BootClock
from edge.wire.commands import State
from tests.unit.commands.queue_site import DONE
from tests.unit.vending.vend_site import VendSite

SECOND = 1_000_000
TRUE_US = 1_763_700_000_000_000


@pytest.fixture
async def site(tmp_path: Path) -> AsyncIterator[VendSite]:
    """It has just started, in 1970."""
    made = VendSite(tmp_path, ManualClock(30 * SECOND, Quality.NONE))
    await made.start()
    try:
        yield made
    finally:
        await made.stop()


async def ntp(site: VendSite) -> None:
    """The clock is set, and the hub has seen it."""
    watch = BootClock(site.store, site.clock)
    await watch.start()
    site.clock.at_us, site.clock.quality = TRUE_US, Quality.NTP
    await watch.look()


async def test_vends_movements_and_commands_are_shown_when_they_were(site: VendSite) -> None:
    device = await site.machine()
    await site.stocked(device)
    command = await site.vend(device)
    site.clock.advance(2)
    begun = await site.handed_out(command)
    site.clock.advance(3)
    await site.commands.settle(begun, DONE)
    site.clock.advance(5)
    await ntp(site)

    created_us, began_us, ended_us = (TRUE_US - ago * SECOND for ago in (10, 8, 5))
    (vend,) = await site.inventory.vends(limit=10)
    assert (vend.created_us, vend.ended_us) == (created_us, ended_us)
    assert [movement.at_us for movement in await site.inventory.movements(limit=10)] == [ended_us, created_us]
    ended = await site.commands.get(command.id)
    view = command_view(ended, site.clock.now(), site.store.boots)
    assert (view.created_at, view.ended_at) == (iso(created_us), iso(ended_us))
    (attempt,) = await History(site.store.hub).attempts(command.id)
    assert attempt.at == iso(began_us)
    rows = await site.store.hub.read("SELECT created_us, ended_us FROM commands")
    assert tuple(rows[0]) == (30 * SECOND, 35 * SECOND)  # as they were written


async def test_a_time_to_live_goes_on_as_it_was(site: VendSite) -> None:
    device = await site.machine()
    command = await site.vend(device)  # 60 s
    site.clock.advance(50)
    await ntp(site)
    await site.commands.sweep()
    assert await site.state(command) is State.QUEUED
    site.clock.at_us -= 14 * 86_400 * SECOND  # and back: a good clock that is set wrong
    site.clock.advance(9)
    await site.commands.sweep()
    assert await site.state(command) is State.QUEUED
    site.clock.advance(2)
    await site.commands.sweep()
    assert await site.state(command) is State.EXPIRED


async def test_setting_the_clock_forgets_nothing_and_revives_nothing(site: VendSite) -> None:
    device = await site.machine()
    await site.stocked(device)
    command = await site.inventory.vend(device, 1, actor="ann", idempotency_key="k1")
    await site.commands.settle(await site.handed_out(command), DONE)
    stocked = await site.inventory.restock(device, 1, 2, actor="tess", idempotency_key="r1")
    await ntp(site)
    assert await site.commands.prune() == 0  # by its label it ended 56 years ago
    again = await site.inventory.vend(device, 1, actor="ann", idempotency_key="k1")
    assert (again.id, again.state) == (command.id, State.SUCCEEDED)
    await site.inventory.restock(device, 1, 1, actor="tess", idempotency_key="r2")
    repeated = await site.inventory.restock(device, 1, 2, actor="tess", idempotency_key="r1")
    assert repeated.count == stocked.count
    later = await site.vend(device)
    await site.commands.settle(await site.handed_out(later), DONE)
    site.clock.advance(2 * 86_400)
    site.presences.seen(device.id, "test")
    newest = await site.inventory.vend(device, 1, actor="ann", idempotency_key="k2")
    assert newest.state is State.QUEUED
    assert await site.commands.prune() == 2  # what came after it is old enough, so it is too


async def test_a_clock_that_is_not_set_deletes_nothing(site: VendSite) -> None:
    device = await site.machine()
    await site.stocked(device)
    await site.commands.settle(await site.handed_out(await site.vend(device)), DONE)
    site.clock.at_us += 400 * 86_400 * SECOND  # somebody sets it, to any time
    assert await site.commands.prune() == 0


async def test_lines_of_the_log_are_shown_when_they_were_said(site: VendSite) -> None:
    device_log = DeviceLog(site.store.readings, Bus(), site.clock)
    device_log.exchange("dev-1", "in", "http", "hello")
    await device_log.flush()
    site.clock.advance(60)
    await ntp(site)
    device_log.exchange("dev-1", "in", "http", "again")
    lines, _ = await device_log.search(device_id="dev-1", limit=10)
    assert [line.at for line in lines] == [iso(TRUE_US), iso(TRUE_US - 60 * SECOND)]
