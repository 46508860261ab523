"""Assets over the API of a real hub: defined, told of, explained, and what is left when their logger is gone."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from edge.clock import iso
from edge.devices.model import Device
from tests.integration.running_hub import RunningHub, started, until

MINUTE_US = 60_000_000


@pytest.fixture
async def hub(tmp_path: Path) -> AsyncIterator[RunningHub]:
    """Nothing in it."""
    async with started(tmp_path) as running:
        yield running


def ago(hub: RunningHub, minutes: float) -> str:
    """A time so long ago."""
    return iso(hub.hub.clock.now().at_us - round(minutes * MINUTE_US))


async def told(hub: RunningHub, device: Device, minutes: float, value: object, key: str = "in1") -> None:
    """What an input stated so long ago."""
    body = {"values": {key: value}, "at": ago(hub, minutes)}
    answer = await hub.ask("POST", f"/v1/devices/{device.id}/readings", body)
    assert answer.body == {"accepted": 1, "refused": []}, answer.body


async def press(hub: RunningHub, device: Device, **more: Any) -> dict[str, Any]:
    """A press that was wired an hour ago, and may be silent for a day."""
    body = {"name": "Press", "device": device.name, "input": "in1", "silent_s": 86_400, "at": ago(hub, 60), **more}
    answer = await hub.ask("POST", "/v1/assets", body, key="technician")
    assert answer.status == 201, answer.body
    return dict(answer.body)


async def facts(hub: RunningHub, kind: str) -> list[dict[str, Any]]:
    """The bodies of the facts of one kind."""
    return [fact["body"] for fact in await hub.facts() if fact["kind"] == kind]


async def test_a_machine_is_watched_and_its_stops_are_explained(hub: RunningHub) -> None:
    device, _ = await hub.hub.registry.add("Hall", "sensor", "native", actor="test")
    asset = await press(hub, device, line="Cans")
    assert (asset["state"], asset["since"], asset["stop"], asset["wirings"][0]["input"]) == (
        "unknown",
        None,
        None,
        "in1",
    )
    one = f"/v1/assets/{asset['id']}"
    for minutes, running in ((50, True), (40, False), (30, True), (10, False)):
        await told(hub, device, minutes, running)

    async def stands() -> bool:
        body = (await hub.get(one)).body
        return bool(body["state"] == "stopped" and body["age_s"] < 1_200)  # by the last that was told

    await until(stands)
    now = (await hub.get(one)).body
    assert (now["since"], now["reason"], now["chatter"]) == (now["evidence_at"], "", False)
    assert now["age_s"] >= 600

    reason = {"reason": "jam", "note": "belt"}
    place = f"{one}/stops/{now['stop']}/reason"
    assert (await hub.ask("PUT", place, reason)).status == 404  # nobody has made that reason
    made = await hub.ask("PUT", "/v1/stop-reasons/jam", {"name": "Jam"}, key="technician")
    assert made.body == {"id": "jam", "name": "Jam", "retired": False}
    assert (await hub.ask("PUT", place, reason, key="viewer")).code == "forbidden"
    for _ in range(2):
        said = await hub.ask("PUT", place, reason, key="technician")
        assert said.status == 200, said.body
        seen = {
            key: said.body[key] for key in ("id", "asset", "name", "line", "to", "reason", "reason_name", "note")
        }
        assert seen == {
            "id": now["stop"],
            "asset": asset["id"],
            "name": "Press",
            "line": "Cans",
            "to": None,
            "reason": "jam",
            "reason_name": "Jam",
            "note": "belt",
        }
    (fact,) = await facts(hub, "asset.explained")
    assert (fact["asset"], str(fact["from_us"]), fact["reason"]) == (asset["id"], now["stop"], "jam")
    assert (await hub.get(one)).body["reason"] == "jam"
    for stop in ("12", "x", "9" * 18):
        assert (await hub.ask("PUT", f"{one}/stops/{stop}/reason", reason)).status == 404

    # what arrives late, and shows that it ran in between, parts the stop: both parts have been explained
    await told(hub, device, 6, True)
    await told(hub, device, 4, False)

    async def parted() -> bool:
        return (await hub.get(one)).body["stop"] not in (now["stop"], None)

    await until(parted)
    assert (await hub.get(one)).body["reason"] == "jam"


async def test_definitions_are_changed_and_refused(hub: RunningHub) -> None:
    device, _ = await hub.hub.registry.add("Hall", "sensor", "native", actor="test")
    asset = await press(hub, device)
    one = f"/v1/assets/{asset['id']}"
    body = {"name": "Saw", "device": device.id, "input": "in1"}
    taken = await hub.ask("POST", "/v1/assets", body)
    assert (taken.status, taken.code) == (409, "conflict")
    assert "tells of Press" in taken.body["detail"]
    for odd in ({**body, "input": "a b"}, {**body, "name": ""}, {**body, "silent_s": 1}, {**body, "colour": "red"}):
        assert (await hub.ask("POST", "/v1/assets", odd)).status == 400
    assert (await hub.ask("POST", "/v1/assets", {**body, "device": "nobody"})).status == 404
    assert (await hub.ask("PATCH", one, {"name": "Big press"}, key="viewer")).code == "forbidden"
    changed = await hub.ask("PATCH", one, {"name": "Big press", "short_stop_s": 60}, key="technician")
    assert (changed.body["name"], changed.body["short_stop_s"]) == ("Big press", 60)
    wired = await hub.ask("PUT", one + "/wiring", {"device": "Hall", "input": "in2"}, key="technician")
    assert [wiring["input"] for wiring in wired.body["wirings"]] == ["in1", "in2"]

    await hub.ask("POST", "/v1/assets", {**body, "line": "Wood"})
    listed = [view["name"] for view in (await hub.get("/v1/assets")).body["items"]]
    assert listed == ["Big press", "Saw"]
    assert [view["name"] for view in (await hub.get("/v1/assets?line=wood")).body["items"]] == ["Saw"]
    await hub.ask("PATCH", one, {"removed": True})
    assert [view["name"] for view in (await hub.get("/v1/assets")).body["items"]] == ["Saw"]
    both = (await hub.get("/v1/assets?removed=1")).body["items"]
    assert [(view["name"], view["removed"]) for view in both] == [("Big press", True), ("Saw", False)]

    # rules, each put twice
    shift = {"name": "Early", "begins": "06:00", "ends": "14:00"}
    night = {"name": "Night", "begins": "22:00", "ends": "06:00", "assets": ["Saw"]}
    for _ in range(2):
        assert (await hub.ask("PUT", "/v1/shifts/early", shift, key="technician")).status == 200
        assert (await hub.ask("PUT", "/v1/planned/night", night)).status == 200
    assert [view["id"] for view in (await hub.get("/v1/shifts", key="viewer")).body["items"]] == ["early"]
    (planned,) = (await hub.get("/v1/planned", key="viewer")).body["items"]
    assert planned["days"] == [1, 2, 3, 4, 5, 6, 7]
    assert len(await facts(hub, "asset.rules")) == 2
    for path in ("/v1/shifts/early", "/v1/planned/night"):
        assert (await hub.ask("DELETE", path, key="technician")).status == 204
        assert (await hub.ask("DELETE", path, key="technician")).status == 404
    assert (await hub.get("/v1/stop-reasons")).body["items"] == []

    # a logger that is forgotten leaves its machines, and what was known of them
    await hub.ask("DELETE", f"/v1/devices/{device.id}")
    (left,) = (await hub.get(f"/v1/assets?device={device.id}")).body["items"]
    assert (left["name"], left["device"]) == ("Saw", device.id)
    (problem,) = [text for text in (await hub.get("/v1/status")).body["problems"] if "forgotten" in text]
    assert "Saw (in1 of Hall). Wire each" in problem
    assert f"`outpost asset wire {left['id']} LOGGER in1`" in problem
    other, _ = await hub.hub.registry.add("Hall", "sensor", "native", actor="test")
    moved = await hub.ask("PUT", f"/v1/assets/{left['id']}/wiring", {"device": other.id, "input": "in1"})
    assert [wiring["device"] for wiring in moved.body["wirings"]] == [device.id, other.id]
    assert not any("forgotten" in text for text in (await hub.get("/v1/status")).body["problems"])
