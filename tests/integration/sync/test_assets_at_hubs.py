"""Assets between a real hub and head office: told as they stand, changed from there under the hub's own rules."""

from __future__ import annotations

from typing import Any

from edge.clock import iso
from edge.devices.model import Device
from tests.integration.running_hub import RunningHub
from tests.integration.sync.conftest import Pair, until

MINUTE_US = 60_000_000


async def facts(hub: RunningHub, kind: str) -> list[dict[str, Any]]:
    """The bodies of the facts of one kind."""
    return [fact["body"] for fact in await hub.facts() if fact["kind"] == kind]


async def told(hub: RunningHub, device: Device, minutes: int, running: bool) -> None:
    """What the input stated so long ago."""
    at_us = hub.hub.clock.now().at_us - minutes * MINUTE_US
    await hub.hub.telemetry.telemetry.ingest(device, {"in1": running}, at_us=at_us)


async def press(pair: Pair, hub: RunningHub) -> tuple[Device, str]:
    """A press that head office has defined an hour ago, and its logger; it is known there that it stands still."""
    device, _ = await hub.hub.registry.add("Hall", "sensor", "native", actor="test")

    async def is_known() -> bool:
        return (await pair.centre.get(f"/v1/devices/{device.id}")).status == 200

    await until(is_known)
    at = iso(hub.hub.clock.now().at_us - 60 * MINUTE_US)
    wanted = {"name": "Press", "device": device.id, "input": "in1", "silent_s": 86_400, "at": at}
    made = await pair.centre.ask("POST", "/v1/assets?site=pune", wanted)
    assert made.status == 201, made.body
    asset = str(made.body["id"])
    await told(hub, device, 30, running=True)
    await told(hub, device, 10, running=False)

    async def stopped() -> bool:
        return bool((await pair.states("asset")).get(asset, {}).get("state") == "stopped")

    await until(stopped)
    return device, asset


async def test_head_office_defines_what_a_hub_watches(pair: Pair) -> None:
    async with pair.hub() as hub:
        await pair.enrolled(hub)
        device, asset = await press(pair, hub)
        (fact,) = await facts(hub, "asset.added")
        assert fact["by"].startswith("centre:")
        wanted = {"name": "press", "device": device.id, "input": "in2"}
        taken = await pair.centre.ask("POST", "/v1/assets?site=pune", wanted)
        assert (taken.status, taken.code) == (409, "conflict")
        view = (await pair.states("asset"))[asset]
        assert (view["device"], view["age_s"], view["evidence_at"]) == (device.id, None, view["since"])
        assert [wiring["input"] for wiring in view["wirings"]] == ["in1"]
        await hub.hub.telemetry.telemetry.ingest(device, {"alive": 5})  # which changes nothing but what is known

        async def heard() -> bool:
            row = (await pair.states("asset"))[asset]
            return bool(row["evidence_at"] > view["evidence_at"] and row["since"] == view["since"])

        await until(heard)

        # moved to another logger it is told of there, and stays when that is forgotten
        other, _ = await hub.hub.registry.add("Yard", "sensor", "native", actor="test")
        one = f"/v1/assets/{asset}"
        moved = await hub.ask("PUT", one + "/wiring", {"device": other.id, "input": "in2"})
        assert moved.status == 200, moved.body
        assert (await hub.ask("PATCH", one, {"short_stop_s": 60}, key="technician")).status == 200
        await hub.ask("DELETE", f"/v1/devices/{other.id}")

        async def followed() -> bool:
            row = (await pair.states("asset"))[asset]
            gone = other.id not in await pair.states("device")
            return gone and (row["device"], row["short_stop_s"], len(row["wirings"])) == (other.id, 60, 2)

        await until(followed)
    async with pair.hub() as hub:  # a new snapshot has it still
        assert (await hub.ask("PATCH", one, {"line": "Cans"})).status == 200

        async def told_anew() -> bool:
            return bool((await pair.states("asset")).get(asset, {}).get("line") == "Cans")

        await until(told_anew)
        assert (await pair.states("asset"))[asset]["device"] == other.id


async def test_head_office_says_why_it_stood_still(pair: Pair) -> None:
    async with pair.hub() as hub:
        await pair.enrolled(hub)
        _, asset = await press(pair, hub)
        night = {"name": "Night", "begins": "22:00", "ends": "06:00", "assets": [asset]}
        for path, body in (
            ("/v1/stop-reasons/jam", {"name": "Jam"}),
            ("/v1/shifts/early", {"name": "Early", "begins": "06:00", "ends": "14:00"}),
            ("/v1/planned/night", night),
        ):
            assert (await pair.centre.ask("PUT", f"{path}?site=pune", body)).status == 200
        rules = hub.hub.assets.assets.rules()
        assert ([r.id for r in rules.reasons], [r.id for r in rules.shifts]) == (["jam"], ["early"])
        assert rules.planned[0].assets == [asset]
        for path in ("/v1/shifts/early", "/v1/planned/night"):
            assert (await pair.centre.ask("DELETE", f"{path}?site=pune")).status == 204
        rules = hub.hub.assets.assets.rules()
        assert (rules.shifts, rules.planned) == ([], [])

        async def rules_followed() -> bool:
            row = (await pair.states("asset_rules"))["rules"]
            return ([reason["id"] for reason in row["reasons"]], row["shifts"], row["planned"]) == (["jam"], [], [])

        await until(rules_followed)
        stop = (await hub.get(f"/v1/assets/{asset}")).body["stop"]
        place = f"/v1/assets/{asset}/stops/{{}}/reason?site=pune"
        said = await pair.centre.ask("PUT", place.format(stop), {"reason": "jam", "note": "belt"})
        assert said.status == 200, said.body
        (fact,) = await facts(hub, "asset.explained")
        assert (fact["asset"], fact["reason"], fact["note"]) == (asset, "jam", "belt")

        async def explained() -> bool:
            return bool((await pair.states("asset"))[asset]["reason"] == "jam")

        await until(explained)
        lost = await pair.centre.ask("PUT", place.format(17), {"reason": "jam"})
        assert (lost.status, lost.code) == (404, "not-found")
