"""/v1/devices/{id}/twin and what is told of it live."""

from __future__ import annotations

import asyncio

import msgspec

from edge.automation.schedules.model import Target
from tests.integration.running_hub import RunningHub, until


async def test_what_a_device_shall_be_against_what_it_is(running_hub: RunningHub) -> None:
    device, _ = await running_hub.hub.registry.add("Porch", "thing", "thingsnxt", actor="test")
    path = f"/v1/devices/{device.id}/twin"
    empty = (await running_hub.get(path)).body
    assert empty == {
        "device": device.id, "version": 0, "desired": {}, "reported": {}, "pending": [],
        "changed_at": None, "changed_by": "",
    }  # fmt: skip
    answer = await running_hub.ask("PATCH", path, {"desired": {"v0": 1, "v1": 0}}, key="app")
    assert (answer.status, answer.body["version"], answer.body["pending"]) == (200, 1, ["v0", "v1"])
    await running_hub.hub.telemetry.telemetry.ingest(device, {"v0": 1, "v1": 1, "t": 5})
    shown = (await running_hub.get(path, key="viewer")).body
    assert (shown["desired"], shown["reported"], shown["pending"]) == (
        {"v0": 1, "v1": 0},
        {"v0": 1, "v1": 1},
        ["v1"],
    )
    answer = await running_hub.ask("PATCH", path, {"desired": {"v1": None}}, key="technician")
    assert (answer.body["version"], answer.body["desired"], answer.body["pending"]) == (2, {"v0": 1}, [])
    assert answer.body["changed_by"] == "key:technician"


async def test_what_cannot_be_desired_is_refused_with_the_reason(running_hub: RunningHub) -> None:
    device, _ = await running_hub.hub.registry.add("Porch", "thing", "thingsnxt", actor="test")
    path = f"/v1/devices/{device.id}/twin"
    for desired in ({"v0": [1]}, {"bad key": 1}, {"v0": 1, "v1": {}}):
        answer = await running_hub.ask("PATCH", path, {"desired": desired})
        assert (answer.status, answer.code) == (422, "rejected")
    assert (await running_hub.ask("PATCH", path, {})).status == 400
    assert (await running_hub.get("/v1/devices/nobody/twin")).status == 404
    pending = await running_hub.hub.registry.take_in("thingsnxt", "f" * 24, "thingsnxt", facts={})
    assert pending is not None
    answer = await running_hub.ask("PATCH", f"/v1/devices/{pending.id}/twin", {"desired": {"v0": 1}})
    assert (answer.status, answer.code) == (409, "device-unavailable")


async def test_a_changed_twin_is_told_live(running_hub: RunningHub) -> None:
    device, _ = await running_hub.hub.registry.add("Porch", "thing", "thingsnxt", actor="test")
    headers = {"Authorization": f"Bearer {running_hub.keys['viewer']}"}
    async with running_hub.http.ws_connect(running_hub.url + "/v1/live", headers=headers) as socket:
        await running_hub.ask("PATCH", f"/v1/devices/{device.id}/twin", {"desired": {"v0": 1}})
        async with asyncio.timeout(60):
            while (event := msgspec.json.decode(await socket.receive_str()))["topic"] != "twin":
                pass
    assert (event["data"]["device"], event["data"]["desired"]) == (device.id, {"v0": 1})


async def test_a_timer_runs_by_itself(running_hub: RunningHub) -> None:
    hub = running_hub.hub
    device, _ = await hub.registry.add("Porch", "thing", "thingsnxt", actor="test")
    board = await hub.twins.widgets.add_dashboard("anna", "Home", "")
    lamp = await hub.twins.widgets.add("anna", board.id, device, "led", "Lamp", None, {})
    target = Target(owner="anna", widget_id=lamp.id, device_id=device.id, key="v0", value=1)
    await hub.twins.schedules.after(target, 0.2)

    async def on() -> bool:
        return hub.twins.twins.of(device.id).desired == {"v0": 1}

    await until(on)
    assert hub.twins.twins.of(device.id).changed_by.startswith("schedule:")
