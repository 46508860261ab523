"""A board on the network is told things once, tells what it measured once, and hears what it shall be."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from edge.api.field import wifi
from edge.links import longpoll
from edge.wire.orders import Outcome, Verdict
from tests.fakes.field_device import FieldDevice
from tests.integration.field.conftest import Boards, added, living
from tests.integration.running_hub import Answer, RunningHub, started, until
from tests.patience import AT_ONCE_S
from tests.unit.commands.queue_site import Scripted

STATUS = {"kind": "machine_status"}


async def told(hub: RunningHub, board: FieldDevice, kind: str = "reboot") -> Answer:
    """A command for a board."""
    answer = await hub.ask("POST", f"/v1/devices/{board.id}/commands", {"kind": kind})
    assert answer.status == 201, answer.body
    return answer


async def ends_as(hub: RunningHub, command: Answer, state: str) -> None:
    async def ended() -> bool:
        now = (await hub.get(f"/v1/commands/{command.body['id']}")).body
        return bool(now["state"] == state)

    await until(ended)


@pytest.mark.parametrize("wait", [25, 0])
async def test_a_command_reaches_a_board_that_waits_or_asks_now_and_then(
    running_hub: RunningHub, board: Boards, wait: float
) -> None:
    ours = await added(running_hub, board())
    async with living(ours, wait=wait):
        commands = [await told(running_hub, ours, kind) for kind in ("reboot", "machine_status", "reboot")]
        for command in commands:
            await ends_as(running_hub, command, "succeeded")
    assert [done["id"] for done in ours.done] == [command.body["id"] for command in commands]
    assert [done["seq"] for done in ours.done] == [1, 2, 3]
    seen = (await running_hub.get(f"/v1/devices/{ours.id}")).body
    assert (seen["online"], seen["link"]) == (True, "wifi 127.0.0.1")


async def test_when_the_answer_says_done_the_result_is_on_disk(running_hub: RunningHub, board: Boards) -> None:
    ours = await added(running_hub, board())
    await ours.hello()
    poll = asyncio.create_task(ours.poll())
    command = await told(running_hub, ours)
    await ours.ask("POST", "/v1/device/result", await ours.act((await poll).body["command"]))
    rows = await running_hub.hub.store.hub.read("SELECT state FROM commands WHERE id = ?", (command.body["id"],))
    assert [row[0] for row in rows] == ["succeeded"]


async def test_a_lost_result_is_asked_for_again_and_nothing_is_done_twice(
    running_hub: RunningHub, board: Boards, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(longpoll, "AGAIN_S", 0.1)
    ours = await added(running_hub, board())
    await ours.hello()
    poll = asyncio.create_task(ours.poll())
    command = await told(running_hub, ours)
    await ours.act((await poll).body["command"])  # and its result is lost
    async with living(ours):
        await ends_as(running_hub, command, "succeeded")
    assert len(ours.done) == 1


async def test_a_hub_that_is_killed_between_sends_the_same_number_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with started(tmp_path) as hub:
        ours = await added(hub, FieldDevice(hub.url, hub.http))
        await ours.hello()
        poll = asyncio.create_task(ours.poll())
        command = await told(hub, ours)
        await ours.act((await poll).body["command"])
    async with started(tmp_path) as hub:
        back = FieldDevice(hub.url, hub.http)
        back.id, back.key, back.hwm, back.results, back.boot = ours.id, ours.key, ours.hwm, ours.results, 2
        async with living(back):
            await ends_as(hub, command, "succeeded")
        assert back.done == []


async def test_a_late_result_settles_what_nobody_waits_for_any_more(tmp_path: Path) -> None:
    async with started(tmp_path) as hub:
        ours = await added(hub, FieldDevice(hub.url, hub.http))
        await ours.hello()
        poll = asyncio.create_task(ours.poll())
        command = await told(hub, ours)
        result = await ours.act((await poll).body["command"])
    async with started(tmp_path) as hub:
        back = FieldDevice(hub.url, hub.http)
        back.id, back.key, back.hwm = ours.id, ours.key, ours.hwm
        await back.hello()
        assert (await back.ask("POST", "/v1/device/result", result)).body == {}
        await ends_as(hub, command, "succeeded")


async def test_another_devices_result_settles_nothing(running_hub: RunningHub, board: Boards) -> None:
    ours, other = await added(running_hub, board()), await added(running_hub, board(chip="A4CF12000002"), "Drinks")
    await ours.hello()
    await other.hello()
    poll = asyncio.create_task(ours.poll())
    command = await told(running_hub, ours)
    handed = (await poll).body["command"]
    forged = {"id": handed["id"], "seq": handed["seq"], "ok": True}
    assert (await other.ask("POST", "/v1/device/result", forged)).status == 200
    assert (await running_hub.get(f"/v1/commands/{command.body['id']}")).body["state"] == "sent"
    await ours.ask("POST", "/v1/device/result", await ours.act(handed))
    await ends_as(running_hub, command, "succeeded")


async def test_a_cable_and_wifi_at_once_give_each_command_once(running_hub: RunningHub, board: Boards) -> None:
    ours = await added(running_hub, board())
    cable = Scripted()
    dispatcher = running_hub.hub.dispatcher
    async with living(ours):
        await until(lambda: _link(running_hub, ours, "wifi 127.0.0.1"))
        dispatcher.up(ours.id, cable, "serial /dev/ttyUSB0 @115200")
        assert await _link(running_hub, ours, "serial /dev/ttyUSB0 @115200")
        commands = [await told(running_hub, ours) for _ in range(20)]
        for command in commands:
            await ends_as(running_hub, command, "succeeded")
        dispatcher.down(ours.id, cable)
        assert await _link(running_hub, ours, "wifi 127.0.0.1")
    given = [order.id for order in cable.orders] + [done["id"] for done in ours.done]
    assert sorted(given) == sorted(command.body["id"] for command in commands)


async def test_a_command_is_in_the_log_once_with_the_link_it_went_over(
    running_hub: RunningHub, board: Boards
) -> None:
    ours = await added(running_hub, board())
    cable = Scripted()
    links = {}
    async with living(ours):
        await until(lambda: _link(running_hub, ours, "wifi 127.0.0.1"))
        over_wifi = await told(running_hub, ours)
        await ends_as(running_hub, over_wifi, "succeeded")
        running_hub.hub.dispatcher.up(ours.id, cable, "serial /dev/ttyUSB0 @115200")
        for _ in range(5):
            command = await told(running_hub, ours)
            await ends_as(running_hub, command, "succeeded")
            links[command.body["id"]] = "http" if ours.done[-1]["id"] == command.body["id"] else "serial"
    lines = (await running_hub.get(f"/v1/devices/{ours.id}/log?limit=500")).body["items"]
    for id, link in {over_wifi.body["id"]: "http", **links}.items():
        about = [(line["direction"], line["channel"]) for line in lines if id in line["text"]]
        assert sorted(about) == [("in", link), ("out", link)]


async def test_what_left_over_wifi_is_not_sent_over_the_cable_too(running_hub: RunningHub, board: Boards) -> None:
    ours = await added(running_hub, board())
    await ours.hello()
    poll = asyncio.create_task(ours.poll())
    await told(running_hub, ours)
    handed = (await poll).body["command"]
    cable = Scripted(Outcome(verdict=Verdict.DONE))
    running_hub.hub.dispatcher.up(ours.id, cable, "serial /dev/ttyUSB0 @115200")
    later = await told(running_hub, ours)
    await asyncio.sleep(0.05)
    assert cable.orders == []
    await ours.ask("POST", "/v1/device/result", await ours.act(handed))
    await ends_as(running_hub, later, "succeeded")
    assert [order.id for order in cable.orders] == [later.body["id"]]


async def _link(hub: RunningHub, board: FieldDevice, link: str) -> bool:
    return bool((await hub.get(f"/v1/devices/{board.id}")).body["link"] == link)


async def test_a_picture_does_not_go_over_the_network(running_hub: RunningHub, board: Boards) -> None:
    ours = await added(running_hub, board(kind="display"), "Desk")
    await ours.hello()
    device = running_hub.hub.registry.get(ours.id)
    assert (await running_hub.send(device)).status == 201
    assert "command" not in (await ours.poll(0.1)).body


async def test_a_board_that_falls_silent_is_offline_and_is_there_again_with_its_next_poll(
    running_hub: RunningHub, board: Boards, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(wifi, "SILENCE_S", 0.1)
    ours = await added(running_hub, board())
    await ours.hello()
    await ours.poll(0)
    assert await _link(running_hub, ours, "wifi 127.0.0.1")
    await until(lambda: _link(running_hub, ours, ""))
    command = await told(running_hub, ours)
    monkeypatch.setattr(wifi, "SILENCE_S", 35.0)
    async with living(ours):
        await ends_as(running_hub, command, "succeeded")


async def test_a_desired_state_goes_out_at_once_and_is_not_repeated_in_a_spin(
    running_hub: RunningHub, board: Boards
) -> None:
    ours = await added(running_hub, board(kind="sensor"), "Lamp")
    await ours.hello()
    poll = asyncio.create_task(ours.poll())
    await until(lambda: _held(running_hub))
    await running_hub.ask("PATCH", f"/v1/devices/{ours.id}/twin", {"desired": {"light": True}})
    async with asyncio.timeout(AT_ONCE_S):
        said = (await poll).body["desired"]
    assert said["state"] == {"light": True}
    again = await ours.poll(0.2)  # it polls on as if it had heard nothing
    assert again.body["desired"] == said
    ours.version = said["version"]
    assert "desired" not in (await ours.poll(0)).body


async def _held(hub: RunningHub) -> bool:
    return any(mailbox.held for mailbox in hub.hub.field._wifi._mailboxes.values())


async def test_readings_are_taken_once_and_a_repeat_changes_nothing(running_hub: RunningHub, board: Boards) -> None:
    ours = await added(running_hub, board(kind="sensor"), "Cellar")
    await ours.hello()
    for _ in range(3):
        said = await ours.readings(0, {"temperature": 21.5}, {"temperature": 22.5})
        assert (said.status, said.body["next"], said.signed) == (200, 2, True)
    latest = (await running_hub.get(f"/v1/devices/{ours.id}/latest")).body["items"]
    assert [(item["key"], item["value"]) for item in latest] == [("temperature", 22.5)]
    await ours.hello()
    assert ours.welcome["next"] == 2


async def test_what_is_no_number_is_refused_and_the_rest_of_the_batch_is_kept(
    running_hub: RunningHub, board: Boards
) -> None:
    ours = await added(running_hub, board(kind="sensor"), "Cellar")
    await ours.hello()
    target = "/v1/device/readings"
    records = b'[[1,1,0,{"t":NaN,"h":40}],[1,2,0,{"t":1e999}],["x"],[1,3,0,{"t":21.5}]]'
    body = b'{"epoch":"e1","first":0,"boot":1,"uptime_ms":9,"records":' + records + b"}"
    said = await ours.send("POST", target, body, ours.signed("POST", target, body))
    assert (said.status, said.signed, said.body["next"]) == (200, True, 4)
    assert [reason.split(":")[0] for reason in said.body["refused"]] == ["record 0", "record 1", "record 2"]
    latest = (await running_hub.get(f"/v1/devices/{ours.id}/latest")).body["items"]
    assert {item["key"]: item["value"] for item in latest} == {"h": 40, "t": 21.5}
    target, body = "/v1/device/report", b'{"health":{"volts":NaN,"heap":7}}'
    assert (await ours.send("POST", target, body, ours.signed("POST", target, body))).status == 200


async def test_a_board_nobody_has_approved_keeps_its_readings(running_hub: RunningHub, board: Boards) -> None:
    ours = board(kind="sensor")
    await ours.pair()
    await ours.hello()
    for _ in range(3):
        assert (await ours.readings(7, {"temperature": 21.5})).body["next"] == 7
    rows = await running_hub.hub.store.hub.read("SELECT device_id FROM pending_reports")
    assert [row[0] for row in rows] == [ours.id] * 3
    await running_hub.ask("POST", f"/v1/devices/{ours.id}/approve", {"code": ours.code})
    await ours.hello()
    assert (await ours.readings(7, {"temperature": 21.5})).body["next"] == 8


async def test_what_a_board_reports_of_itself_is_in_its_log(running_hub: RunningHub, board: Boards) -> None:
    ours = await added(running_hub, board(kind="sensor"), "Cellar")
    await ours.hello()
    report = {"health": {"heap_free": 80_000}, "log": [["warning", "the sensor is wet"]], "dropped": 2}
    assert (await ours.ask("POST", "/v1/device/report", report)).body == {}
    await running_hub.hub.device_log.flush()
    lines = (await running_hub.get(f"/v1/devices/{ours.id}/log")).body["items"]
    assert {"the sensor is wet", "2 lines of its log were lost"} <= {line["text"] for line in lines}


async def test_bad_requests_inside_a_session_are_answered_signed(running_hub: RunningHub, board: Boards) -> None:
    ours = await added(running_hub, board(kind="sensor"), "Cellar")
    await ours.hello()
    cases: list[tuple[str, str, object]] = [
        ("GET", "/v1/device/poll?wait=soon", None),
        ("GET", "/v1/device/poll?wait=nan", None),
        ("GET", "/v1/device/poll?desired=-1", None),
        ("POST", "/v1/device/readings", {"epoch": "e1"}),
        ("POST", "/v1/device/readings", []),
        ("POST", "/v1/device/result", {"id": "x" * 65, "seq": -1, "ok": "yes"}),
        ("POST", "/v1/device/report", {"log": [["a", "b"]] * 65}),
    ]
    for method, target, body in cases:
        said = await ours.ask(method, target, body)
        assert (said.status, said.code, said.signed) == (400, "bad-input", True), target
    nested = b"[" * 20_000
    said = await ours.send(
        "POST", "/v1/device/readings", nested, ours.signed("POST", "/v1/device/readings", nested)
    )
    assert (said.status, said.signed) == (400, True)
    assert (await ours.poll(0)).status == 200
