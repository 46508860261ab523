"""Webhooks of a real hub: what happens at the site arrives, signed, also when the hub is killed in between."""

from __future__ import annotations

import asyncio
import contextlib
import random
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from edge.automation.hooks.model import signature
from edge.devices.model import Device
from edge.settings import Hooks
from edge.telemetry.events import ReadingsArrived
from tests.fakes.receiver import BROKEN, OK, Receiver, receiver
from tests.hub_process import HubProcess
from tests.integration.running_hub import QUIET, RunningHub, started, until

ALLOW = "127.0.0.0/8"


@pytest.fixture
async def site(tmp_path: Path) -> AsyncIterator[tuple[RunningHub, Receiver]]:
    """A hub that may send to this machine, and a receiver there."""
    settings = msgspec.structs.replace(QUIET, hooks=Hooks(allow=(ALLOW,)))
    async with started(tmp_path, settings) as hub, receiver() as there:
        yield hub, there


async def hook(hub: RunningHub, there: Receiver, *events: str, **more: Any) -> dict[str, Any]:
    """A webhook to the receiver."""
    wanted = {"name": f"hook {random.random()}", "url": f"{there.url}?key=hidden", "events": list(events), **more}
    made = await hub.ask("POST", "/v1/hooks", wanted)
    assert made.status == 201, made.body
    return dict(made.body)


async def test_what_became_of_a_command_arrives_signed_without_its_arguments(
    site: tuple[RunningHub, Receiver],
) -> None:
    hub, there = site
    device = await hub.display("Till 1")
    made = await hook(hub, there, "command")
    command = (await hub.send(device)).body
    await hub.ask("POST", f"/v1/commands/{command['id']}/cancel")
    (got,) = await there.count(1)
    assert got.line == "POST /hook?key=hidden HTTP/1.1"
    told = got.json
    assert (told["event"], told["site"], told["device"]) == (
        "command.cancelled", "test", {"id": device.id, "name": "Till 1"},
    )  # fmt: skip
    assert told["data"]["id"] == command["id"]
    assert told["data"]["kind"] == "display_qr"
    assert b"upi" not in got.body
    at_s = int(got.headers["X-Outpost-Signature"].split(",")[0].removeprefix("t="))
    for name, value in signature(got.body, at_s, [made["secret"]]).items():
        assert got.headers[name] == value
    shown = (await hub.get(f"/v1/hooks/{made['id']}")).body
    assert shown["url"] == f"http://127.0.0.1:{there.port}/…"
    assert made["secret"] not in str((await hub.get("/v1/hooks")).body) + str(await hub.facts())


async def test_readings_of_a_second_come_as_one_message_and_only_those_asked_for(
    site: tuple[RunningHub, Receiver],
) -> None:
    hub, there = site
    device, other = await hub.display("Probe"), await hub.display("Other")
    await hook(hub, there, "reading", devices=["Probe"], keys=["t"])
    for number in range(5):
        read(hub, device, t=number, humidity=1)
        read(hub, other, t=99)
    await there.count(1)
    readings: list[dict[str, Any]] = []

    async def all_came() -> bool:
        readings[:] = [item for got in there.got for item in got.json["data"]["readings"]]
        return len(readings) >= 5

    await until(all_came)
    assert [item["values"] for item in readings] == [{"t": number} for number in range(5)]
    assert {item["device"] for item in readings} == {device.id}
    assert len(there.got) <= 2


def read(hub: RunningHub, device: Device, **values: int) -> None:
    """Readings of a device have arrived."""
    hub.hub.bus.publish(ReadingsArrived(device_id=device.id, at_us=1, values=dict(values), historical=False))


async def test_readings_cost_the_bus_nothing_while_no_webhook_wants_them(site: tuple[RunningHub, Receiver]) -> None:
    hub, there = site
    made = await hook(hub, there, "command")
    before = others(hub)
    await hub.ask("PATCH", f"/v1/hooks/{made['id']}", {"events": ["reading"]})

    async def is_listening() -> bool:
        return others(hub) == before + 1

    await until(is_listening)


def others(hub: RunningHub) -> int:
    """How many listen for readings now."""
    return len(hub.hub.bus._find(ReadingsArrived))


async def test_a_device_that_comes_and_goes_is_told(site: tuple[RunningHub, Receiver]) -> None:
    hub, there = site
    device = await hub.display()
    await hook(hub, there, "device")
    hub.hub.presences.seen(device.id, "test")
    hub.hub.presences.seen(device.id, "test")
    await there.count(1)
    hub.hub.presences.gone(device.id)
    got = await there.count(2)
    assert [one.json["event"] for one in got] == ["device.online", "device.offline"]


async def test_a_webhook_is_tested_turned_off_and_removed(site: tuple[RunningHub, Receiver]) -> None:
    hub, there = site
    there.answer = lambda number: BROKEN if number == 1 else OK
    made = await hook(hub, there, "vend")
    path = f"/v1/hooks/{made['id']}"
    test = (await hub.ask("POST", f"{path}/test", key="technician")).body
    await there.count(1)

    async def is_tried() -> bool:
        one = (await hub.get(f"{path}/deliveries/{test['id']}")).body
        return bool(one["attempts"] == 1 and one["reason"] == "it answered 500" and one["status"] == 500)

    await until(is_tried)
    listed = (await hub.get(f"{path}/deliveries?state=waiting")).body["items"]
    assert [one["event"] for one in listed] == ["test"]
    assert (await hub.ask("PATCH", path, {"enabled": False})).body["enabled"] is False
    assert (await hub.ask("PATCH", path, {"nonsense": 1})).status == 400
    assert (await hub.get(f"{path}/deliveries?state=odd")).status == 400
    alive = await hub.ask("POST", f"{path}/deliveries/{test['id']}/retry")
    assert (alive.status, alive.code) == (409, "conflict")
    assert (await hub.ask("DELETE", path)).status == 204
    assert (await hub.get(path)).status == 404


async def test_an_address_inside_the_site_is_refused_with_what_to_do(running_hub: RunningHub) -> None:
    for url in ("http://127.0.0.1/", "http://[::1]/", "http://10.0.0.7:8080/x", "http://0x7f.1/"):
        wanted = {"name": "h", "url": url, "events": ["command"]}
        refused = await running_hub.ask("POST", "/v1/hooks", wanted)
        assert refused.status == 422, url
        assert "hooks.allow" in refused.body["hint"]
    odd = await running_hub.ask("POST", "/v1/hooks", {"name": "h", "url": "ftp://x/", "events": ["command"]})
    assert odd.status == 400


async def test_no_end_of_a_command_is_lost_or_told_twice_when_the_hub_is_killed(tmp_path: Path) -> None:
    """kill -9 right behind the commit: what the ledger holds arrives, each fact as one message."""
    hub = HubProcess(tmp_path / "hub", more={"OUTPOST_HOOKS__ALLOW": ALLOW})
    cancelled: set[str] = set()
    async with receiver() as there, contextlib.AsyncExitStack() as stack:
        stack.push_async_callback(hub.kill)
        await hub.start()
        async with hub.session() as http:
            wanted = {"name": "h", "url": there.url, "events": ["command.cancelled"]}
            assert (await http.post("/v1/hooks", json=wanted)).status == 201
            made = await (await http.post("/v1/devices", json={"name": "Desk", "kind": "display"})).json()
        for round_number in range(2):
            async with hub.session() as http:
                for _ in range(3):
                    cancelled.add(await one_cancelled(http, made["id"]))
            await asyncio.sleep(0.25 * round_number)
            await hub.kill()
            await hub.start()

        async def all_came() -> bool:
            return {got.json["data"]["id"] for got in there.got} == cancelled

        await until(all_came)
        messages = {(got.json["data"]["id"], got.headers["X-Outpost-Delivery"]) for got in there.got}
        assert len(messages) == len(cancelled)  # sent twice perhaps, but as one and the same message


async def one_cancelled(http: Any, device_id: str) -> str:
    """A command that was taken back; its id."""
    command = await (await http.post(f"/v1/devices/{device_id}/commands", json={"kind": "stop_rotation"})).json()
    assert (await http.post(f"/v1/commands/{command['id']}/cancel")).status == 200
    return str(command["id"])
