"""Readings through the API: written by scripts, asked as newest values, history, buckets and CSV."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import aiohttp
import msgspec
import pytest

from edge.clock import iso
from edge.devices.model import Device
from edge.telemetry.routes import CSV_POINTS, READINGS
from tests.integration.conftest import Start
from tests.integration.running_hub import QUIET, Answer, RunningHub, started, until

HOUR = 3600 * 1_000_000


@pytest.fixture
async def device(running_hub: RunningHub) -> Device:
    """An approved one."""
    return await running_hub.display("Cold room")


async def put(hub: RunningHub, device: Device, **values: Any) -> Answer:
    """POST readings; `at` is their time."""
    at = values.pop("at", None)
    return await hub.ask("POST", f"/v1/devices/{device.id}/readings", {"values": values, "at": at}, key="app")


async def items(hub: RunningHub, device: Device, query: str = "") -> list[dict[str, Any]]:
    """GET readings."""
    answer = await hub.get(f"/v1/devices/{device.id}/readings{query}", key="viewer")
    assert answer.status == 200, answer.body
    return list(answer.body["items"])


async def test_a_script_writes_and_everybody_reads(running_hub: RunningHub, device: Device) -> None:
    answer = await put(running_hub, device, temperature=-18.5, door=True, state="ok", bad=None)
    assert answer.body == {"accepted": 3, "refused": ["bad: null is no value."]}
    latest = (await running_hub.get(f"/v1/devices/{device.id}/latest", key="viewer")).body["items"]
    assert [(one["key"], one["value"]) for one in latest] == [
        ("door", True),
        ("state", "ok"),
        ("temperature", -18.5),
    ]
    assert all(0 <= one["age_s"] < 60 for one in latest)
    assert [(one["key"], one["value"]) for one in await items(running_hub, device)] == [
        ("door", True),
        ("state", "ok"),
        ("temperature", -18.5),
    ]
    assert [one["key"] for one in await items(running_hub, device, "?key=door&from=-1h")] == ["door"]


async def test_an_old_reading_changes_history_and_not_the_present(running_hub: RunningHub, device: Device) -> None:
    await put(running_hub, device, t=2)
    await put(running_hub, device, t=1, at="2026-01-01T05:30:00+05:30")
    (latest,) = (await running_hub.get(f"/v1/devices/{device.id}/latest")).body["items"]
    assert latest["value"] == 2
    old = await items(running_hub, device, "?key=t&from=2026-01-01T00:00:00Z&to=2026-01-01T00:00:01Z")
    assert old == [{"at": "2026-01-01T00:00:00.000Z", "key": "t", "value": 1, "quality": "ntp"}]


async def test_pages_and_buckets(running_hub: RunningHub, device: Device) -> None:
    for minute in range(10):
        await put(running_hub, device, t=minute, at=f"2026-01-01T00:{minute:02}:00Z")
    span = "from=2026-01-01T00:00:00Z&to=2026-01-02T00:00:00Z"
    found: list[Any] = []
    cursor: str | None = ""
    while cursor is not None:
        body = (await running_hub.get(f"/v1/devices/{device.id}/readings?{span}&limit=4&cursor={cursor}")).body
        found, cursor = found + [one["value"] for one in body["items"]], body["next"]
    assert found == list(range(10))
    buckets = await items(running_hub, device, f"?{span}&bucket=5m")
    assert [(one["at"], one["min"], one["value"], one["max"], one["count"]) for one in buckets] == [
        ("2026-01-01T00:00:00.000Z", 0, 2, 4, 5),
        ("2026-01-01T00:05:00.000Z", 5, 7, 9, 5),
    ]
    (day,) = await items(running_hub, device, f"?{span}&bucket=1d")
    assert (day["at"], day["count"]) == ("2025-12-31T18:30:00.000Z", 10), "the site's day, in India"


@pytest.mark.parametrize(
    ("query", "says"),
    [
        ("from=yesterday", "from is no time"),
        ("from=2026-01-01T00:00:00", "from is no time"),
        ("to=2026-13-01T00:00:00Z", "to is no time"),
        ("from=-1h&to=-2h", "from lies behind to"),
        ("from=1900-01-01T00:00:00Z", "outside the years"),
        ("bucket=1w", "bucket is a time"),
        ("bucket=0", "bucket is a time"),
        ("limit=0", "limit is a number"),
        ("limit=10001", "limit is a number"),
        ("cursor=7", "cursor is not one"),
    ],
)
async def test_what_is_wrong_in_a_question_is_named(
    running_hub: RunningHub, device: Device, query: str, says: str
) -> None:
    await put(running_hub, device, t=1)
    for path in ("readings", "readings.csv"):
        answer = await running_hub.get(f"/v1/devices/{device.id}/{path}?{query}")
        if path == "readings" or not query.startswith(("limit", "cursor")):
            assert (answer.status, answer.code) == (400, "bad-input")
            assert says in answer.body["detail"]


async def test_an_offset_with_a_plus_may_come_unescaped(running_hub: RunningHub, device: Device) -> None:
    await put(running_hub, device, t=1, at="2026-01-01T05:30:00+05:30")
    span = "from=2026-01-01T05:00:00+05:30&to=2026-01-01T06:00:00+05:30"
    assert len(await items(running_hub, device, f"?{span}")) == 1


async def test_csv_is_whole_and_runs_nothing(running_hub: RunningHub, device: Device) -> None:
    telemetry, now_us = running_hub.hub.telemetry.telemetry, running_hub.hub.clock.now().at_us
    count = CSV_POINTS + 10
    await asyncio.gather(*(telemetry.ingest(device, {"n": n}, at_us=now_us - HOUR + n) for n in range(count)))
    await put(running_hub, device, cell="=cmd|' /C calc'!A0", x='é,"\n')
    answer = await running_hub.get(f"/v1/devices/{device.id}/readings.csv?limit=1", key="viewer")
    lines = answer.body.decode().split("\r\n")
    assert lines[0] == ",".join(READINGS)
    assert [int(line.split(",")[2]) for line in lines if ",n," in line] == list(range(count))
    assert ",cell,'=cmd|' /C calc'!A0," in answer.body.decode()
    assert answer.headers["Content-Type"] == "text/csv; charset=utf-8"
    buckets = await running_hub.get(f"/v1/devices/{device.id}/readings.csv?bucket=1d&key=n")
    assert sum(int(line.split(",")[-1]) for line in buckets.body.decode().split("\r\n")[1:-1]) == count


async def test_a_pending_device_has_no_readings(running_hub: RunningHub) -> None:
    pending = await running_hub.hub.registry.take_in("nic", "pc-1", "nic-client", facts={})
    assert pending is not None
    answer = await put(running_hub, pending, t=1)
    assert (answer.status, answer.code) == (409, "device-unavailable")


async def test_a_forgotten_device_shows_nothing(running_hub: RunningHub, device: Device) -> None:
    await put(running_hub, device, t=1)
    assert (await running_hub.ask("DELETE", f"/v1/devices/{device.id}")).status == 204
    assert running_hub.hub.telemetry.telemetry.latest(device.id) == {}
    assert (await running_hub.get(f"/v1/devices/{device.id}/latest")).status == 404


async def test_a_full_disk_is_told(
    running_hub: RunningHub, device: Device, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(running_hub.hub.store.space, "low", lambda: True)
    assert (await put(running_hub, device, t=1)).status == 507
    assert (await running_hub.get(f"/v1/devices/{device.id}/latest")).body["items"] == []


async def test_readings_are_told_live(running_hub: RunningHub, device: Device) -> None:
    headers = {"Authorization": f"Bearer {running_hub.keys['viewer']}"}
    async with running_hub.http.ws_connect(running_hub.url + "/v1/live", headers=headers) as socket:
        await until(lambda: told(socket, running_hub, device))


async def told(socket: aiohttp.ClientWebSocketResponse, hub: RunningHub, device: Device) -> bool:
    """Whether a reading written now comes over the socket."""
    await put(hub, device, t=7)
    try:
        while True:
            event = json.loads((await socket.receive(timeout=0.5)).data)
            if event["topic"] == "reading":
                assert event["data"].pop("at") <= iso(hub.hub.clock.now().at_us)
                assert event["data"] == {"device": device.id, "values": {"t": 7}, "historical": False}
                return True
    except TimeoutError:
        return False


async def test_metrics_count(running_hub: RunningHub, device: Device) -> None:
    await put(running_hub, device, t=1, bad=None)
    text = (await running_hub.get("/metrics")).body.decode()
    assert "outpost_readings_accepted_total 1\n" in text
    assert "outpost_readings_refused_total 1\n" in text
    assert "outpost_readings_unfolded 1\n" in text


async def test_everything_is_there_after_a_restart(tmp_path: Any, start_hub: Start) -> None:
    async with started(tmp_path) as hub:
        device = await hub.display()
        await put(hub, device, t=1, u="x")
        before = await items(hub, device)
    short = msgspec.structs.replace(QUIET, site=msgspec.structs.replace(QUIET.site, timezone="UTC"))
    async with started(tmp_path, short) as hub:
        key = (tmp_path / "admin.key").read_text().strip()
        answer = await hub.ask("GET", f"/v1/devices/{device.id}/readings", key=key)
        assert answer.body["items"] == before
