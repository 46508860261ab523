"""What machines did, asked of a real hub: as JSON, for a spreadsheet, live, and what is no question."""

from __future__ import annotations

import csv
import io
from pathlib import Path
from typing import Any

from edge.clock import iso
from edge.devices.model import Device
from tests.integration.running_hub import RunningHub, started, until

SECOND_US = 1_000_000
MINUTE_US = 60 * SECOND_US


class Hall:
    """A logger with two machines, wired some hours ago, that told of one hour."""

    def __init__(self, hub: RunningHub, device: Device) -> None:
        self.hub, self.device = hub, device
        self.began_us = hub.hub.clock.now().at_us // MINUTE_US * MINUTE_US - 120 * MINUTE_US
        self.assets: list[str] = []

    async def add(self, name: str, input: str) -> str:
        """A machine that may be silent for a day."""
        wanted = {"name": name, "device": self.device.id, "input": input, "silent_s": 86_400, "line": "Cans"}
        wanted["at"] = iso(self.began_us - 60 * MINUTE_US)
        answer = await self.hub.ask("POST", "/v1/assets", wanted)
        assert answer.status == 201, answer.body
        self.assets.append(answer.body["id"])
        return str(answer.body["id"])

    async def say(self, minute: float, **values: Any) -> None:
        """What the logger said then."""
        at = iso(self.began_us + round(minute * MINUTE_US))
        path = f"/v1/devices/{self.device.id}/readings"
        answer = await self.hub.ask("POST", path, {"values": values, "at": at})
        assert answer.body == {"accepted": len(values), "refused": []}

    @property
    def hour(self) -> str:
        """The hour that was told of, as a question names it."""
        return f"from={iso(self.began_us)}&to={iso(self.began_us + 60 * MINUTE_US)}"

    async def get(self, path: str) -> Any:
        """What the hub answers."""
        answer = await self.hub.get(path)
        assert answer.status == 200, answer.body
        return answer.body

    async def sheet(self, path: str) -> list[dict[str, str]]:
        """The rows of a spreadsheet."""
        raw = await self.get(path)
        return list(csv.DictReader(io.StringIO(raw.decode("utf-8-sig"))))


async def hall(hub: RunningHub) -> Hall:
    """Press runs 0-10 and 20-40, and 42-60; Oven is known from 30 on."""
    device, _ = await hub.hub.registry.add("Hall", "sensor", "native", actor="test")
    one = Hall(hub, device)
    press = await one.add("Press", "in1")
    await one.add("Oven", "in2")
    for minute, values in (
        (42, {"in1": True}),  # the order is that of no clock
        (0, {"in1": True, "alive": 60}),
        (20, {"in1": True}),
        (10, {"in1": False}),
        (30, {"in2": True}),
        (40, {"in1": False}),
        (60, {"in1": True, "in2": True, "alive": 3660}),
    ):
        await one.say(minute, **values)

    async def worked_out() -> bool:
        row = await one.get(f"/v1/assets/{press}/availability?{one.hour}")
        return bool(row["run_s"] == 48 * 60)

    await until(worked_out)
    return one


async def test_answers_of_a_running_hub(tmp_path: Path) -> None:
    async with started(tmp_path) as hub:
        site = await hall(hub)
        press, oven = site.assets
        await _figures(site, press, oven)
        await _stops(site, press)
        await _states(site, press, oven)
        await _no_questions(site, press)
        text = (await hub.get("/metrics")).body.decode()
        assert 'outpost_assets{state="running"} 2' in text
        assert "outpost_asset_lag_seconds 0" in text


async def _figures(site: Hall, press: str, oven: str) -> None:
    row = await site.get(f"/v1/assets/{press}/availability?{site.hour}")
    assert (row["availability"], row["coverage"], row["stop_s"]) == (0.8, 1.0, 720)
    assert (row["stops"], row["ended_stops"], row["short_stops"], row["longest_stop_s"]) == (2, 2, 1, 600)
    assert (row["mtbf_s"], row["mttr_s"]) == (1440, 360)
    rows = (await site.get(f"/v1/availability?{site.hour}"))["items"]
    assert [(each["of"], each["run_s"], each["unknown_s"]) for each in rows] == [
        (oven, 1800, 1800),
        (press, 2880, 0),
    ]
    for by, of, name in (("line", "Cans", "Cans"), ("device", site.device.id, "Hall"), ("all", "all", "")):
        (row,) = (await site.get(f"/v1/availability?{site.hour}&by={by}"))["items"]
        assert (row["of"], row["name"], row["run_s"], row["stop_s"]) == (of, name, 4680, 720)
    hours = (await site.get(f"/v1/availability?{site.hour}&by=hour&asset=press"))["items"]
    assert sum(each["run_s"] for each in hours) == 2880
    first = await site.get(f"/v1/availability?{site.hour}&limit=1")
    second = await site.get(f"/v1/availability?{site.hour}&limit=1&cursor={first['next']}")
    assert [*first["items"], *second["items"]] == rows
    assert second["next"] is None
    sheet = await site.sheet(f"/v1/availability.csv?{site.hour}")
    assert [(each["of"], each["run_s"], each["mttr_s"]) for each in sheet] == [
        (oven, "1800.0", ""),
        (press, "2880.0", "360.0"),
    ]


async def _stops(site: Hall, press: str) -> None:
    stops = (await site.get(f"/v1/stops?{site.hour}"))["items"]
    assert [(each["name"], each["stopped_s"], each["short"]) for each in stops] == [
        ("Press", 120, True),
        ("Press", 600, False),
    ]
    page = await site.get(f"/v1/stops?{site.hour}&limit=1")
    more = await site.get(f"/v1/stops?{site.hour}&limit=1&cursor={page['next']}")
    assert [*page["items"], *more["items"]] == stops
    assert (await site.get(f"/v1/stops?{site.hour}&open=1"))["items"] == []
    await site.hub.ask("PUT", "/v1/stop-reasons/jam", {"name": "Jammed"})
    path = f"/v1/assets/{press}/stops/{stops[1]['id']}/reason"
    given = await site.hub.ask("PUT", path, {"reason": "jam", "note": "at the feeder"})
    assert (given.status, given.body["reason_name"]) == (200, "Jammed")
    shares = (await site.get(f"/v1/pareto?{site.hour}"))["items"]
    assert [(each["reason"], each["stop_s"], each["stops"]) for each in shares] == [("jam", 600, 1), ("", 120, 1)]
    assert [each["reason"] for each in await site.sheet(f"/v1/pareto.csv?{site.hour}")] == ["jam", ""]
    sheet = await site.sheet(f"/v1/stops.csv?{site.hour}")
    assert [(each["id"], each["reason"], each["note"]) for each in sheet] == [
        (stops[0]["id"], "", ""),
        (stops[1]["id"], "jam", "at the feeder"),
    ]
    assert len((await site.get(f"/v1/stops?{site.hour}&reason=jam"))["items"]) == 1


async def _states(site: Hall, press: str, oven: str) -> None:
    whole = (await site.get(f"/v1/assets/{press}/timeline?{site.hour}"))["items"]
    assert [each["state"] for each in whole] == ["running", "stopped", "running", "stopped", "running"]
    assert [each["reason"] for each in whole] == ["", "jam", "", "", ""]
    found, cursor = [], ""
    while cursor is not None:
        page = await site.get(f"/v1/assets/{press}/timeline?{site.hour}&limit=2{cursor and f'&cursor={cursor}'}")
        found, cursor = [*found, *page["items"]], page["next"]
    assert found == whole
    sheet = await site.sheet(f"/v1/assets/{oven}/timeline.csv?{site.hour}")
    assert [each["state"] for each in sheet] == ["unknown", "running"]


async def _no_questions(site: Hall, press: str) -> None:
    for path, status in (
        ("/v1/assets/nothing/availability", 404),
        ("/v1/availability?asset=nothing", 404),
        ("/v1/availability?by=moon", 400),
        ("/v1/availability?shift=late", 400),
        ("/v1/availability?from=-2d&to=-3d", 400),
        ("/v1/stops?cursor=x", 400),
        ("/v1/stops.csv?open=2", 400),
        ("/v1/pareto.csv?from=yesterday", 400),
        ("/v1/availability.csv?by=hour&from=-90d", 400),
        (f"/v1/assets/{press}/timeline?limit=0", 400),
        (f"/v1/assets/{press}/timeline.csv?from=tomorrow", 400),
    ):
        answer = await site.hub.get(path)
        assert answer.status == status, (path, answer.body)
    assert (await site.hub.get("/v1/availability", key="")).status == 401


async def test_a_change_is_told_live_and_what_is_told_can_be_asked(tmp_path: Path) -> None:
    """A state that is told is on disk before: whoever asks then has figures with it."""
    async with started(tmp_path) as hub:
        device, _ = await hub.hub.registry.add("Hall", "logger", "native", actor="test")
        headers = {"Authorization": f"Bearer {hub.keys['viewer']}"}
        async with hub.http.ws_connect(hub.url + "/v1/live?topics=asset", headers=headers) as live:
            for running, state in ((True, "running"), (False, "stopped"), (True, "running")):
                await hub.hub.telemetry.telemetry.ingest(device, {"in1": running})
                while True:
                    told = await live.receive_json(timeout=60)
                    if told.get("topic") == "asset" and told["data"]["state"] == state:
                        break
                asset = told["data"]
                states = (await hub.get(f"/v1/assets/{asset['id']}/timeline?from=-1h&limit=500")).body["items"]
                assert (states[-1]["state"], states[-1]["at"]) == (state, asset["since"])
            assert len((await hub.get("/v1/stops")).body["items"]) == 1
