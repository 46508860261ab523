"""A hub restored from a backup: what waited in it and must not be done twice is not simply done."""

from __future__ import annotations

from pathlib import Path

from edge.bus import Bus
from edge.clock import ManualClock
from edge.store.backup import back_up, restore
from edge.wire.commands import State
from tests.unit.commands.queue_site import QueueSite


async def test_what_waited_in_a_backup_is_in_doubt_unless_harmless(tmp_path: Path) -> None:
    data, copy, clock = tmp_path / "data", tmp_path / "copy.db", ManualClock()
    site = QueueSite(data, clock)
    await site.start()
    desk = await site.display()
    reboot = await site.commands.accept(desk, "reboot", {}, actor="ann")
    code = await site.qr(desk)
    back_up(data / "hub.db", copy)
    await site.stop()
    await restore(copy, data, Bus(), clock)

    restored = QueueSite(data, clock)
    await restored.start()
    later = await restored.commands.accept(desk, "reboot", {}, actor="ann")
    doubted = await restored.commands.get(reboot.id)
    assert doubted.state is State.IN_DOUBT
    assert "restored from a backup" in doubted.reason
    assert await restored.state(code) is State.QUEUED
    await restored.stop()

    again = QueueSite(data, clock)  # a restart is no restore
    await again.start()
    assert await again.state(later) is State.QUEUED
    await again.stop()


async def test_files_that_turn_out_to_be_older_put_only_what_they_began_with_in_doubt(tmp_path: Path) -> None:
    data, clock = tmp_path / "data", ManualClock()
    before = QueueSite(data, clock)
    await before.start()
    desk, other = await before.display("Desk"), await before.display("Other")
    waits = await before.commands.accept(desk, "reboot", {}, actor="ann")
    going = await before.commands.accept(other, "reboot", {}, actor="ann")
    await before.stop()

    site = QueueSite(data, clock)
    await site.start()
    assert await site.commands.begin(going, "wire") is not None
    later = await site.commands.accept(desk, "reboot", {}, actor="ann")
    await site.store.hub.new_epoch(lambda tx, parent: site.commands.doubt_older(tx))
    assert [await site.state(each) for each in (waits, going, later)] == [
        State.IN_DOUBT,
        State.SENT,
        State.QUEUED,
    ]
    assert [command.id for command in site.commands.open()] == [waits.id, going.id, later.id]
    await site.stop()
