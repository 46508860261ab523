"""Firmware is rolled out over the API and the command line, live, and written down with who did it."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import msgspec
import pytest

from edge.devices.model import Device
from edge.wire.native import Running
from edge.wire.updates import RolloutDevice, RolloutView, Step, Told
from tests.e2e.cli import Done, outpost
from tests.fakes.esp_image import image
from tests.firmware_bundles import VERSION, app
from tests.firmware_keys import PUBLIC
from tests.integration.api.test_live import Events
from tests.integration.running_hub import Answer, RunningHub, until

PLAN = {"waves": [50, 100], "errors_percent": 0, "success_percent": 50, "soak_s": 0, "window": ""}


class Site:
    """A hub that holds one app, with two sensors in a group."""

    def __init__(self, hub: RunningHub, artifact: str, sensors: list[Device], key_file: Path) -> None:
        self.hub, self.artifact, self.sensors, self._key_file = hub, artifact, sensors, key_file

    async def ask(self, method: str, path: str, body: Any = None, key: str = "technician") -> Answer:
        return await self.hub.ask(method, path, body, key=key)

    async def begin(self, **more: Any) -> dict[str, Any]:
        wanted = {"artifact": self.artifact, "target": {"group": "all"}, "plan": PLAN, **more}
        made = await self.ask("POST", "/v1/rollouts", wanted)
        assert made.status == 201, made.body
        return dict(made.body)

    async def tells(self, device: Device, *steps: Step, reason: str = "") -> None:
        for step in steps:
            attempt = (await self.devices())[device.id]["attempt"]
            told = Told(artifact=self.artifact, step=step, attempt=attempt, done=10, size=100, reason=reason)
            await self.hub.hub.rollouts.offers.tell(device.id, told)

    async def devices(self) -> dict[str, dict[str, Any]]:
        newest = (await self.ask("GET", "/v1/rollouts", key="viewer")).body["items"][0]
        found = (await self.ask("GET", f"/v1/rollouts/{newest['id']}/devices", key="viewer")).body["items"]
        return {one["device"]: one for one in found}

    async def verb(self, *words: str) -> Done:
        where = ("--hub", self.hub.url, "--key-file", str(self._key_file))
        return await asyncio.to_thread(outpost, "firmware", *words, *where)


@pytest.fixture
async def site(running_hub: RunningHub, tmp_path: Path) -> Site:
    """Everything there is to roll out."""
    await running_hub.ask("POST", "/v1/firmware-keys", {"name": "us", "pem": PUBLIC["first"].pem})
    made = await running_hub.ask("POST", "/v1/artifacts", data=app())
    registry = running_hub.hub.registry
    sensors = [(await registry.add(name, "sensor", "native", actor="test"))[0] for name in ("north", "south")]
    key_file = tmp_path / "technician.key"
    key_file.write_text(running_hub.keys["technician"])
    key_file.chmod(0o600)
    site = Site(running_hub, made.body["id"], sensors, key_file)
    await site.ask("PUT", "/v1/groups/all", {"devices": ["north", "south"]})
    return site


async def test_from_a_group_to_a_stopped_rollout_and_on(site: Site) -> None:
    hub = site.hub
    events = Events(hub, "?topics=rollout,update")
    async with events.connected() as live:
        rollout = await site.begin(name="pilot")
        view = msgspec.convert(rollout, RolloutView)
        assert (view.state.value, view.devices, view.version, view.origin) == ("running", 2, VERSION, "site")
        assert (await hub.get(f"/v1/artifacts/{site.artifact}")).body["used_by"] == 1
        refused = await site.ask("DELETE", f"/v1/artifacts/{site.artifact}")
        assert (refused.status, refused.code) == (409, "conflict")
        (first,) = [one for one in site.sensors if hub.hub.rollouts.offers.for_device(one.id)]
        await site.tells(first, Step.DOWNLOADING)
        await site.tells(first, Step.ROLLED_BACK, reason="no hub in 90 s")
        topics = {}
        async with asyncio.timeout(60):
            async for event in live:
                topics[event.topic] = event.data
                told = topics.get("rollout", {}).get("state") == "paused"
                if told and topics.get("update", {}).get("step") == "rolled-back":
                    break
    assert topics["update"]["rollout"] == rollout["id"]
    assert msgspec.convert(topics["update"], RolloutDevice).reason == "no hub in 90 s"
    path = f"/v1/rollouts/{rollout['id']}"
    stopped = (await site.ask("GET", path, key="viewer")).body
    assert stopped["reason"] == "1 of 1 devices of wave 1 went wrong; more than 0 % stops it."
    assert [wave["state"] for wave in stopped["waves"]] == ["stopped", "waiting"]
    status = (await hub.get("/v1/status")).body
    assert any(rollout["id"] in problem for problem in status["problems"])
    runs = (await site.ask("GET", f"/v1/devices/{first.id}/firmware", key="viewer")).body
    assert (runs["step"], runs["rollout"], runs["held_off_until"] is not None) == (
        "rolled-back",
        rollout["id"],
        True,
    )
    wrong = (await site.ask("GET", path + "/devices?step=rolled-back")).body["items"]
    assert [one["device"] for one in wrong] == [first.id]
    assert (await site.ask("GET", path + "/devices?step=odd")).status == 400
    assert (await site.ask("POST", path + "/resume")).body["state"] == "running"
    assert (await site.ask("POST", path + "/abort", {"reason": "enough"})).body["state"] == "aborted"
    assert (await site.ask("POST", path + "/resume")).status == 409
    facts = [(one["kind"], one["body"].get("by", "")) for one in await hub.facts() if "rollout" in one["kind"]]
    assert facts == [
        ("rollout.created", "key:technician"),
        ("rollout.changed", "key:technician"),
        ("rollout.changed", "hub"),
        ("rollout.changed", "key:technician"),
        ("rollout.ended", "key:technician"),
    ]
    metrics = (await hub.get("/metrics")).body.decode()
    assert 'outpost_updates_ended_total{step="rolled-back"} 1' in metrics
    summary = (await hub.get("/v1/firmware/summary", key="viewer")).body
    assert (summary["ended"], summary["success_rate"], summary["reasons"][0]["reason"]) == (
        1,
        0.0,
        "no hub in 90 s",
    )


async def test_the_verbs_of_a_technician(site: Site, tmp_path: Path) -> None:
    north, south = site.sensors
    made = await site.verb("group", "set", "pair", "north", "south")
    assert (made.code, made.err) == (0, "pair has 2 devices now.\n")
    started = await site.verb(
        "rollout", "start", site.artifact[:8], "--group", "pair", "--waves", "100", "--soak", "2m", "--json"
    )
    assert started.code == 0, started.err
    rollout = started.json["id"]
    assert (started.json["plan"]["soak_s"], started.json["target"]) == (120, {"group": "pair"})
    await site.tells(north, Step.REJECTED, reason="no trusted signature")
    shown = await site.verb("rollout", "show", rollout)
    assert ("no trusted signature" in shown.out, "stopped" in shown.out, "▒▒▒▒▒▒▒▒▒▒" in shown.out) == (True,) * 3
    assert "is paused: 1 of 2" in (await site.verb("rollout", "pause", rollout)).err
    assert "running" in (await site.verb("rollout", "resume", rollout)).err
    again = await site.verb("rollout", "retry", rollout, "north")
    assert (again.code, "cannot be tried again" in again.err) == (1, True)
    assert "aborted: wrong one" in (await site.verb("rollout", "abort", rollout, "--reason", "wrong one")).err
    assert rollout in (await site.verb("rollout", "list", "--state", "aborted")).out
    assigned = await site.verb("assign", "south", site.artifact)
    assert (assigned.code, "offered" in assigned.out) == (0, True)
    assert (await site.verb("unassign", "south")).code == 0
    assert (await site.verb("unassign", "south")).code == 1
    await site.hub.hub.rollouts.offers.runs(south.id, Running(app=site.artifact, version=VERSION, security=1))
    assert VERSION in (await site.verb("state", "south")).out
    assert VERSION in (await site.verb("summary")).out
    assert (await site.verb("group", "remove", "pair")).code == 0
    assert (await site.verb("group", "remove", "pair")).code == 1
    wrong = await site.verb("rollout", "start", site.artifact, "--kind", "sensor", "--waves", "10,5,100")
    assert (wrong.code, "rise to 100" in wrong.err) == (2, True)
    assert "pair" not in (await site.verb("group", "list")).out


async def test_unsigned_firmware_goes_only_where_an_administrator_says(site: Site) -> None:
    hub, (north, south) = site.hub, site.sensors
    old = await hub.ask("POST", "/v1/artifacts?target=kiosk", data=image())
    assert old.status == 201, old.body
    assert (await site.ask("PUT", f"/v1/devices/{north.id}/firmware/legacy", {"legacy": True})).status == 403
    marked = await site.ask("PUT", f"/v1/devices/{north.id}/firmware/legacy", {"legacy": True}, key="admin")
    assert marked.body["legacy"] is True
    plan = {"waves": [100], "errors_percent": 50}
    made = await site.begin(artifact=old.body["id"], target={"devices": ["north", "south"]}, plan=plan)
    assert made["steps"] == {"offered": 1, "rejected": 1}
    assert (await site.devices())[south.id][
        "reason"
    ] == "The firmware is unsigned, and goes to older devices alone."
    await hub.ask("DELETE", f"/v1/devices/{north.id}")

    async def withdrawn() -> bool:
        return bool((await site.devices())[north.id]["step"] == "withdrawn")

    await until(withdrawn)
    assert (await hub.get("/v1/groups")).body["items"] == [{"name": "all", "devices": [south.id]}]
