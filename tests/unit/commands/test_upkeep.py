"""A code nobody ended is taken down where the display does not do it by itself."""

from __future__ import annotations

from pathlib import Path

from edge.commands.upkeep import Upkeep
from edge.content.codes.screens import Screens
from edge.wire.commands import State
from tests.unit.commands.queue_site import DONE, QueueSite, queue_site

SHOW_S = 300.0


def upkeep_of(site: QueueSite) -> Upkeep:
    """Upkeep as the hub puts it together."""
    screens = Screens(site.bus, site.clock, site.store.boots)
    site.commands.follow_with(screens.follow)
    return Upkeep(site.commands, site.registry, lambda: screens.overdue(SHOW_S))


async def show(site: QueueSite, device_id: str) -> None:
    """Put a code on a display."""
    begun = await site.commands.begin(await site.qr(site.registry.known(device_id)), "serial")
    assert begun is not None
    await site.commands.settle(begun, DONE)


def kinds(site: QueueSite, device_id: str) -> list[str]:
    """What waits for a device."""
    return [command.kind for command in site.commands.open_for(device_id)]


async def test_an_old_displays_code_is_taken_down_once_its_time_is_over(tmp_path: Path) -> None:
    async with queue_site(tmp_path) as site:
        upkeep = upkeep_of(site)
        old, native = await site.display("Old", "nic-display"), await site.display("Ours")
        for device in (old, native):
            await show(site, device.id)
        site.clock.advance(SHOW_S)
        await upkeep._take_down()
        assert (kinds(site, old.id), kinds(site, native.id)) == ([], [])
        site.clock.advance(1.0)
        await upkeep._take_down()
        await upkeep._take_down()
        assert (kinds(site, old.id), kinds(site, native.id)) == (["start_rotation"], [])
        begun = await site.commands.begin(site.commands.open_for(old.id)[0], "serial")
        assert begun is not None
        await site.commands.settle(begun, DONE)
        await upkeep._take_down()
        assert kinds(site, old.id) == []


async def test_a_new_code_starts_its_own_time(tmp_path: Path) -> None:
    async with queue_site(tmp_path) as site:
        upkeep = upkeep_of(site)
        device = await site.display("Old", "nic-display")
        await show(site, device.id)
        site.clock.advance(SHOW_S - 1)
        await show(site, device.id)
        site.clock.advance(2.0)
        await upkeep._take_down()
        assert kinds(site, device.id) == []


async def test_a_full_queue_holds_up_no_other_display(tmp_path: Path) -> None:
    async with queue_site(tmp_path, queue_per_device=2) as site:
        upkeep = upkeep_of(site)
        full, other = await site.display("Full", "nic-display"), await site.display("Other", "nic-display")
        for device in (full, other):
            await show(site, device.id)
        site.clock.advance(SHOW_S + 1)
        for _ in range(2):
            await site.commands.accept(full, "stop_rotation", {}, actor="ann")
        await upkeep._take_down()
        assert kinds(site, other.id) == ["start_rotation"]


async def test_ended_commands_are_forgotten_after_their_days(tmp_path: Path) -> None:
    async with queue_site(tmp_path) as site:
        upkeep = upkeep_of(site)
        device = await site.display()
        await show(site, device.id)
        waiting = await site.commands.accept(device, "reboot", {}, actor="ann")
        site.clock.advance(86_400 - 1)
        await upkeep._prune()
        assert len(await site.store.hub.read("SELECT id FROM commands")) == 2
        site.clock.advance(2)
        await upkeep._prune()
        rows = await site.store.hub.read("SELECT id FROM commands")
        assert [row[0] for row in rows] == [waiting.id]
        assert await site.store.hub.read("SELECT * FROM command_attempts") == []
        await site.commands.sweep()
        assert await site.state(waiting) is State.EXPIRED
