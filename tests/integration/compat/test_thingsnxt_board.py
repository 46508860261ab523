"""The older switch board, unmodified: what its owner noticed with the old server, and does not here."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from edge.devices.model import PENDING_PER_ADDRESS
from tests.integration.compat.things_site import TOKEN, ThingsSite, things_site


@pytest.fixture
async def site(tmp_path: Path) -> AsyncIterator[ThingsSite]:
    async with things_site(tmp_path) as site:
        yield site


async def test_a_lamp_that_was_switched_on_stays_on(site: ThingsSite) -> None:
    """It went out again 3 s later, and the order was lost with the next report."""
    anna = await site.person()
    device_id, board = await site.equipped(anna)
    await board.run(11)
    lamp = await anna.led(device_id)
    assert (lamp["config"]["virtual_pin"], lamp["value"]) == ("v0", 0)
    await anna.switch(lamp, 1)
    polls, reports = board.polls, board.reports
    await board.run(40)
    assert board.polls - polls >= 3
    assert board.reports - reports >= 2
    assert [(key, state) for _, key, state in board.log] == [("v0", 1)]
    [shown] = await anna.ask("GET", f"/widgets/{lamp['dashboard_id']}")
    assert (shown["value"], shown["pending"]) == (1, False)


@pytest.mark.parametrize("before_ms", [0, 100, 500, 1000, 2900])
async def test_an_order_just_before_a_report_is_not_lost(site: ThingsSite, before_ms: int) -> None:
    """The report, which still says 0, overwrote it."""
    anna = await site.person()
    device_id, board = await site.equipped(anna)
    lamp = await anna.led(device_id)
    await board.run(29.9 - before_ms / 1000)
    await anna.switch(lamp, 1)
    await board.run(before_ms / 1000 + 3.2)
    assert board.outputs[0] == 1
    await board.run(30)
    assert [(key, state) for _, key, state in board.log] == [("v0", 1)]


async def test_every_output_follows_whatever_the_order(site: ThingsSite) -> None:
    anna = await site.person()
    device_id, board = await site.equipped(anna)
    board_id = (await anna.ask("POST", "/dashboards", {"name": "Home"}))["id"]
    lamps = [await anna.led(device_id, board_id) for _ in range(5)]
    for state in (1, 0, 1):
        for lamp in lamps:
            await anna.switch(lamp, state)
            await board.run(1.3)
        await board.run(13)
        assert board.outputs == [state] * 5
    assert len(board.log) == 15


async def test_switched_back_and_forth_faster_than_the_board_asks(site: ThingsSite) -> None:
    anna = await site.person()
    device_id, board = await site.equipped(anna)
    lamp = await anna.led(device_id)
    await anna.switch(lamp, 1)
    await board.run(31)
    for state in (0, 1, 0):
        await anna.switch(lamp, state)
    await board.run(31)
    for state in (1, 0, 1, 0, 1):
        await anna.switch(lamp, state)
        await board.run(0.7)
    await board.run(31)
    assert board.outputs[0] == 1
    twin = site.hub.twins.twins.of(site.device(device_id).id)
    assert twin.desired == {"v0": 1}
    assert twin.changed_by.startswith("user:")


async def test_an_order_is_pending_until_the_board_itself_reports_it(site: ThingsSite) -> None:
    anna = await site.person()
    device_id, board = await site.equipped(anna)
    await board.run(11)
    lamp = await anna.led(device_id)
    await anna.switch(lamp, 1)
    shown = await anna.ask("GET", f"/widgets/{lamp['dashboard_id']}")
    assert (shown[0]["value"], shown[0]["pending"]) == (1, True)
    await board.poll()
    shown = await anna.ask("GET", f"/widgets/{lamp['dashboard_id']}")
    assert shown[0]["pending"], "it was handed out, which proves nothing"
    await board.report()
    shown = await anna.ask("GET", f"/widgets/{lamp['dashboard_id']}")
    assert not shown[0]["pending"]


async def test_a_switch_at_the_board_is_not_fought(site: ThingsSite) -> None:
    anna = await site.person()
    device_id, board = await site.equipped(anna)
    lamp = await anna.led(device_id)
    await anna.switch(lamp, 1)
    await board.run(21)
    await board.report()  # it has said that it is on
    board.by_hand(0, 0)
    await board.report()
    board.log.clear()
    await board.run(31)
    assert board.log == []
    [shown] = await anna.ask("GET", f"/widgets/{lamp['dashboard_id']}")
    assert (shown["value"], shown["pending"]) == (0, False)
    await anna.switch(lamp, 1)
    await board.run(13)
    assert board.outputs[0] == 1, "and the app switches it again"


async def test_after_a_power_cut_the_board_is_set_as_it_was(site: ThingsSite) -> None:
    anna = await site.person()
    device_id, board = await site.equipped(anna)
    lamp = await anna.led(device_id)
    await anna.switch(lamp, 1)
    await board.run(31)
    board.restart()
    await board.report()  # off, before it has asked
    await board.run(4)
    assert board.outputs[0] == 1


async def test_a_lost_reply_costs_three_seconds_and_nothing_else(site: ThingsSite) -> None:
    anna = await site.person()
    device_id, board = await site.equipped(anna)
    lamp = await anna.led(device_id)
    await board.run(12)
    await anna.switch(lamp, 1)
    board.lose_replies = True
    await board.run(13)
    assert board.outputs[0] == 0
    board.lose_replies = False
    await board.run(3.1)
    assert board.outputs[0] == 1


async def test_a_bare_led_works_too(site: ThingsSite) -> None:
    anna = await site.person()
    device_id, board = await site.equipped(anna)
    lamp = await anna.led(device_id, virtual_pin="led")
    assert lamp["config"]["virtual_pin"] == "led"
    await anna.switch(lamp, 1)
    await board.run(31)
    assert [(key, state) for _, key, state in board.log] == [("v0", 1)]
    await anna.switch(lamp, 0)
    await board.run(31)
    assert board.outputs[0] == 0


async def test_a_board_is_not_deafened_by_what_else_is_known_of_it(site: ThingsSite) -> None:
    """Past 60 keys or so its parser's memory was full, and it followed no order any more."""
    anna = await site.person()
    device_id, board = await site.equipped(anna)
    device = site.device(device_id)
    await site.hub.twins.twins.change(device, {f"some_setting_{n}": n for n in range(200)}, actor="tess")
    for batch in range(4):
        values = {f"measured_value_{batch}_{n}": n / 7 for n in range(50)}
        await site.hub.telemetry.telemetry.ingest(device, values)
    lamp = await anna.led(device_id)
    await anna.switch(lamp, 1)
    await board.run(3.2)
    assert (board.deaf, board.outputs[0]) == (0, 1)


async def test_more_outputs_than_fit_are_left_out_and_told(site: ThingsSite) -> None:
    anna = await site.person()
    device_id, board = await site.equipped(anna)
    await site.hub.twins.twins.change(site.device(device_id), {f"v{n}": 1 for n in range(64)}, actor="tess")
    await board.run(13)
    assert (board.deaf, board.outputs) == (0, [1] * 5)
    told = (await anna.ask("GET", "/notifications"))["notifications"]
    assert [notice["title"] for notice in told] == ["Too many outputs"]
    assert "24 more, from v40 on" in told[0]["message"]


async def test_a_poll_is_a_sign_of_life(site: ThingsSite) -> None:
    """The old server called a board offline that asked it every three seconds."""
    anna = await site.person()
    _, board = await site.equipped(anna)
    await board.poll()
    [shown] = await anna.ask("GET", "/devices")
    assert shown["status"] == "online"
    site.clock.advance(21)
    [shown] = await anna.ask("GET", "/devices")
    assert shown["status"] == "offline"


async def test_an_unknown_board_waits_for_a_technician_and_is_told_nothing(site: ThingsSite) -> None:
    board = site.board(TOKEN)
    await board.run(31)
    [pending] = site.hub.registry.all()
    assert (pending.state.value, pending.name, pending.owner) == ("pending", "thing …cdef", "")
    assert TOKEN not in str(pending)
    assert site.hub.telemetry.telemetry.latest(pending.id) == {}
    kept = await site.hub.store.hub.read("SELECT body FROM pending_reports")
    assert [b'"v0":0' in row[0].encode() for row in kept] == [True] * 3
    assert TOKEN not in str([tuple(row) for row in kept])
    await site.hub.registry.approve(pending, actor="tess")
    await site.hub.twins.twins.change(site.hub.registry.known(pending.id), {"v2": 1}, actor="tess")
    await board.run(11)
    assert board.outputs == [0, 0, 1, 0, 0]
    assert site.hub.telemetry.telemetry.latest(pending.id)["v2"].value == 1


async def test_a_hub_that_lost_its_database_takes_its_boards_in_again(tmp_path: Path) -> None:
    for folder in ("first", "second"):
        async with things_site(tmp_path / folder) as site:
            await site.board(TOKEN).run(4)
            assert [device.name for device in site.hub.registry.all()] == ["thing …cdef"]


async def test_a_scanner_does_not_fill_the_list_of_waiting_boards(site: ThingsSite) -> None:
    paths = [f"/telemetry/latest?device_token={number:032x}" for number in range(60)]
    one_by_one, at_once = [await site.get(path) for path in paths[:4]], [site.get(path) for path in paths[4:]]
    for answer in (*one_by_one, *await asyncio.gather(*at_once)):
        assert answer == (404, {"detail": "Device not found"})
    assert len(site.hub.registry.all()) == PENDING_PER_ADDRESS
    assert any("unknown boards" in knock.why for knock in site.hub.knocking.views())
    await site.hub.registry.approve(site.hub.registry.all()[0], actor="tess")
    await site.board(TOKEN).poll()
    pending = sum(not device.approved for device in site.hub.registry.all())
    assert pending == PENDING_PER_ADDRESS, "there is room again"


async def test_a_revoked_board_gets_nothing(site: ThingsSite) -> None:
    anna = await site.person()
    device_id, board = await site.equipped(anna)
    lamp = await anna.led(device_id)
    await anna.switch(lamp, 1)
    await site.hub.registry.revoke_token(site.device(device_id), actor="tess")
    assert await board.report() == 404
    await board.run(4)
    assert board.outputs[0] == 0
