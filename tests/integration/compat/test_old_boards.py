"""The older boards but for their updates: they register, live, measure, and are told apart."""

from __future__ import annotations

import msgspec
import pytest

from edge.clock import ManualClock
from edge.sim.old_ota import LED_BLINK, OTA_BASE, PERSONAL_CMS, S3
from edge.sim.vending_http import request
from tests.integration.compat.old_boards import PATIENT_S, yard_at


async def post(yard, path, body, source="127.0.0.9"):
    raw = body if isinstance(body, bytes) else msgspec.json.encode(body)
    return await request("POST", yard.base + path, raw, source=source, connect_s=PATIENT_S, read_s=PATIENT_S)


async def test_every_sketch_is_taken_in_as_what_it_is(yard):
    boards = [
        await yard.on(sketch, address=f"127.0.0.{number}", name=name)
        for number, (sketch, name) in enumerate(
            ((OTA_BASE, "Hall"), (LED_BLINK, ""), (PERSONAL_CMS, "Desk"), (S3, "Panel")), 2
        )
    ]
    await yard.passes(150, step=5)
    known = [yard.device(board) for board in boards]
    assert [device.name for device in known] == ["Hall", "ESP32_OTA_LED_001", "Desk", "Panel"]
    assert {(device.profile, device.kind) for device in known} == {("personalcms", "cms")}
    assert [device.facts["firmware"] for device in known] == [
        "ESP32_OTA_Base",
        "ESP32_LED_Blink",
        "ESP32_PersonalCMS",
        "S3",
    ]
    assert [device.facts["chip"] for device in known] == ["esp32", "esp32", "esp32", "esp32s3"]
    assert known[0].facts["board"] == "ESP32_DevKit_V1"  # not what it runs
    assert all({code for _, code in board.answers} == {200} for board in boards)
    assert all(board.updates == {} for board in boards)


async def test_what_they_measure_becomes_readings(yard):
    board = await yard.on(PERSONAL_CMS)
    blink = await yard.on(LED_BLINK, address="127.0.0.3")
    await yard.passes(120)
    latest = yard.latest(board)
    assert latest["temperature"] == 23.4  # printed as 23.39999962
    assert "humidity" not in latest  # its sensor has failed
    assert latest["uptime_s"] == 120
    assert yard.latest(blink) == {
        "led_mode": 2,
        "led_brightness": 128,
        "external_led": False,
        "free_heap": 181_236,
        "wifi_rssi": -61,
        "uptime_s": 30,
    }


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"[1]",
        b"null",
        b'{"device_name": null, "occupation": {}, "uptime": NaN}',
        b"\xff\xfe",
        b"[" * 5000,
    ],
)
async def test_no_heartbeat_is_ever_answered_with_an_error(yard, body):
    reply = await post(yard, "/api/devices/ESP32_OTA_LED_001/heartbeat", body)
    assert reply.code == 200
    [device] = yard.hub.registry.all()
    assert device.facts["firmware"] == "ESP32_LED_Blink"


async def test_a_sensor_without_a_value_spoils_nothing(yard):
    body = b'{"device_id": "ESP32_DEV1_002", "temperature": NaN, "humidity": 41.5, "timestamp": 77}'
    reply = await post(yard, "/api/devices/ESP32_DEV1_002/sensor-data", body)
    assert reply.code == 200
    [device] = yard.hub.registry.all()
    latest = yard.hub.telemetry.telemetry.latest(device.id)
    assert {key: one.value for key, one in latest.items()} == {"humidity": 41.5, "uptime_s": 77}


async def test_what_is_left_empty_in_the_portal_is_no_error(yard):
    reply = await post(yard, "/api/devices/register", {"device_id": "MINE_1", "occupation": "", "device_name": ""})
    assert reply.code == 200
    [device] = yard.hub.registry.all()
    assert (device.name, device.facts["firmware"]) == ("MINE_1", "")
    assert (await post(yard, "/api/devices/register", {"device_name": "x"})).code == 400


async def test_there_is_nothing_to_show_and_no_address_that_would_be_fetched(yard):
    board = await yard.on()
    desk = await yard.on(PERSONAL_CMS, address="127.0.0.3")
    assert board.bodies["content"]["dashboard_url"] == ""
    assert [one["bmp_url"] for one in board.bodies["content"]["images"]] == [""]
    assert desk.bodies["images"]["success"] is False


async def test_a_board_that_nobody_approved_is_kept_alive_and_gets_no_update(tmp_path):
    async with yard_at(tmp_path, ManualClock(), auto=False) as yard:
        board = await yard.on(name="Hall")
        desk = await yard.on(PERSONAL_CMS, address="127.0.0.3")
        await yard.passes(600)
        await desk.press()
        assert {code for _, code in board.answers + desk.answers} == {200}
        assert board.bodies["check"] == desk.bodies["check"] == {"update_available": False}
        assert not yard.device(board).approved
        assert yard.latest(desk) == {}
        reports = await yard.hub.store.hub.read("SELECT body FROM pending_reports", ())
        assert any("23.4" in row[0] for row in reports)


async def test_one_that_sleeps_is_not_called_offline_and_one_that_lives_is(yard):
    desk, board = await yard.on(PERSONAL_CMS), await yard.on(OTA_BASE, address="127.0.0.3")
    yard.boards.clear()
    online = yard.hub.presences.online
    yard.clock.advance(85)
    assert online(yard.device(board))
    yard.clock.advance(24 * 3600)
    assert (online(yard.device(desk)), online(yard.device(board))) == (True, False)
    yard.clock.advance(3 * 3600)
    assert not online(yard.device(desk))


async def test_boards_with_one_compiled_id_are_told_apart(yard):
    one = await yard.on(address="127.0.0.2", name="One")
    other = await yard.on(address="127.0.0.3", name="Other")
    await yard.passes(90)
    assert yard.device(one).id != yard.device(other).id
    assert yard.hub.registry.by_alias("personalcms", "ESP32_OTA_BASE_001").id == yard.device(one).id
    [problem] = yard.hub.cms.problems()
    assert "2 boards call themselves ESP32_OTA_BASE_001" in problem


async def test_a_board_that_got_another_address_is_still_one(yard):
    board = await yard.on(name="Hall")
    first = yard.device(board).id
    yard.clock.advance(100)
    board.source = "127.0.0.7"
    await board.boot()
    await yard.passes(60)
    assert [device.id for device in yard.hub.registry.all()] == [first]


async def test_two_that_sleep_are_never_taken_for_one_that_moved(yard):
    await yard.on(PERSONAL_CMS, address="127.0.0.2")
    yard.boards.clear()
    yard.clock.advance(7200)
    await yard.on(PERSONAL_CMS, address="127.0.0.3")
    assert len(yard.hub.registry.all()) == 2


async def test_a_hub_that_lost_its_database_takes_its_boards_in_again(tmp_path):
    clock = ManualClock()
    async with yard_at(tmp_path / "before", clock) as before:
        board, blink = await before.on(), await before.on(LED_BLINK, address="127.0.0.3")
    async with yard_at(tmp_path / "after", clock) as after:
        after.boards = [board, blink]
        board.server = blink.server = after.base
        await after.passes(120)
        assert after.device(board).facts["firmware"] == "ESP32_OTA_Base"
        assert after.device(blink).facts["firmware"] == "ESP32_LED_Blink"
        assert after.latest(blink)["led_mode"] == 2
        assert (board.starts, blink.starts) == (1, 1)


async def test_a_forgotten_board_is_pending_when_it_speaks_again(tmp_path):
    async with yard_at(tmp_path, ManualClock(), auto=False) as yard:
        board = await yard.on()
        device = await yard.hub.registry.approve(yard.device(board), actor="tess")
        await yard.hub.forget(device, "tess")
        assert yard.hub.registry.all() == []
        await yard.passes(60)
        assert not yard.device(board).approved
