"""Hub and head office answer alike about assets, once all is there: however late and out of order it was told."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec

from edge.assets.model import ALIVE
from edge.clock import iso
from edge.devices.model import Device
from edge.settings import Sync
from tests.integration import running_hub
from tests.integration.running_hub import QUIET, RunningHub
from tests.integration.sync.conftest import Pair, until
from tests.integration.sync.test_clock import PiClock, _fixed

MINUTE_US = 60_000_000
DAY_US = 24 * 60 * MINUTE_US
QUESTIONS = (
    "/v1/availability?{span}",
    "/v1/availability?{span}&by=all",
    "/v1/availability?{span}&by=device",
    "/v1/availability?{span}&by=line",
    "/v1/availability?{span}&by=day",
    "/v1/availability?{span}&by=hour&limit=500",
    "/v1/availability?{span}&by=shift",
    "/v1/availability?{span}&shift=night",
    "/v1/availability?{span}&line=Cans",
    "/v1/assets/press/availability?{span}",
    "/v1/assets/press/timeline?{span}&limit=500",
    "/v1/assets/oven/timeline?{span}&limit=500",
    "/v1/stops?{span}&limit=500",
    "/v1/stops?{span}&reason=jam",
    "/v1/stops?{span}&reason=-&limit=500",
    "/v1/stops?{span}&shift=night&asset=press",
    "/v1/pareto?{span}",
    "/v1/pareto?{span}&device=Hall",
)


async def say(hub: RunningHub, device: Device, at_us: int, **values: Any) -> None:
    """What a logger said then."""
    await hub.hub.telemetry.telemetry.ingest(device, values, at_us=at_us)


async def history(hub: RunningHub, loggers: list[Device], from_us: int, hours: int, rng: random.Random) -> None:
    """What two loggers saw; a part of it comes late."""
    late: list[tuple[Device, int, dict[str, Any]]] = []
    for logger in loggers:
        alive_s = 0
        for minute in range(hours * 60):
            at_us = from_us + minute * MINUTE_US
            if rng.random() < 0.01:
                alive_s = 0
            alive_s += 60
            values: dict[str, Any] = {ALIVE: alive_s}
            if rng.random() < 0.2:
                values[rng.choice(["in1", "in2"])] = rng.random() < 0.6
            if not 200 < minute < 230:
                late.append((logger, at_us, values))
    rng.shuffle(late[len(late) // 2 :])
    cut = len(late) * 3 // 4
    for logger, at_us, values in late[:cut] + rng.sample(late[cut:], len(late) - cut):
        await say(hub, logger, at_us, **values)


async def alike(pair: Pair, hub: RunningHub, span: str, questions: Sequence[str] = QUESTIONS) -> None:
    """Every question has the same answer at both, and one at all."""
    for question in questions:
        path = question.format(span=span)

        async def same(path: str = path) -> bool:
            theirs = await pair.centre.get(path + "&site=pune")
            return theirs.status == 200 and _plain(theirs.body) == _plain((await hub.get(path)).body)

        await until(same, path)
        assert _plain((await hub.get(path)).body), path


async def test_hub_and_head_office_answer_alike(pair: Pair) -> None:
    rng = random.Random(1)
    async with pair.hub() as hub:
        await pair.enrolled(hub)
        now_us = hub.hub.clock.now().at_us
        from_us = now_us - 2 * DAY_US
        loggers = [
            (await hub.hub.registry.add(name, "logger", "native", actor="test"))[0] for name in ("Hall", "Yard")
        ]
        for name, line, logger, key, silent_s in (
            ("press", "Cans", 0, "in1", 180),
            ("oven", "Cans", 0, "in2", 600),
            ("saw", "", 1, "in1", 90),
        ):
            wanted = {"name": name, "line": line, "device": loggers[logger].id, "input": key, "silent_s": silent_s,
                      "at": iso(from_us - DAY_US)}  # fmt: skip
            assert (await hub.ask("POST", "/v1/assets", wanted)).status == 201
        night = {"name": "Night", "begins": "22:00", "ends": "06:00"}
        assert (await hub.ask("PUT", "/v1/shifts/night", night)).status == 200
        assert (
            await hub.ask("PUT", "/v1/planned/pause", {"name": "Pause", "begins": "12:00", "ends": "12:30"})
        ).status == 200
        assert (await hub.ask("PUT", "/v1/stop-reasons/jam", {"name": "Jam"})).status == 200
        await history(hub, loggers, from_us, 20, rng)
        span = f"from={iso(from_us)}&to={iso(from_us + DAY_US)}"
        stops = [stop for stop in (await hub.get(f"/v1/stops?{span}&limit=500")).body["items"] if stop["to"]]
        for number, stop in enumerate(rng.sample(stops, 12)):
            place = f"/v1/assets/{stop['asset']}/stops/{stop['id']}/reason"
            body = {"reason": "jam", "note": f"by {number}"}
            said = await (
                pair.centre.ask("PUT", place + "?site=pune", body) if number % 2 else hub.ask("PUT", place, body)
            )
            assert said.status == 200, said.body
        await alike(pair, hub, span)

        # it changes afterwards: the calendar, a threshold, a polarity, an input, and what comes late
        oven = (await hub.get("/v1/assets/oven")).body["id"]
        changed = await pair.centre.ask(
            "PATCH", "/v1/assets/press?site=pune", {"short_stop_s": 60, "silent_s": 400}
        )
        assert changed.status == 200, changed.body
        wire = {"device": loggers[0].id, "input": "in2", "inverted": True, "at": iso(from_us - DAY_US)}
        assert (await pair.centre.ask("PUT", f"/v1/assets/{oven}/wiring?site=pune", wire)).status == 200
        assert (await pair.centre.ask("DELETE", "/v1/planned/pause?site=pune")).status == 204
        for minute in range(200, 230):
            await say(hub, loggers[0], from_us + minute * MINUTE_US + 5, in1=minute % 5 < 2, alive=7 * minute)
        await alike(pair, hub, span)


async def test_they_do_when_a_clock_is_put_right(pair: Pair, tmp_path: Path) -> None:
    clock, folder = PiClock(), tmp_path / "pi"
    folder.mkdir()
    settings = msgspec.structs.replace(QUIET, sync=Sync(url=pair.centre.url))
    from_us = time.time_ns() // 1000 - MINUTE_US
    async with running_hub.started(folder, settings, clock) as hub:
        await pair.enrolled(hub)
        logger, _ = await hub.hub.registry.add("Hall", "logger", "native", actor="test")
        wanted = {"name": "press", "device": logger.id, "input": "in1", "silent_s": 3600}
        assert (await hub.ask("POST", "/v1/assets", wanted)).status == 201
        assert (await hub.ask("PUT", "/v1/stop-reasons/jam", {"name": "Jam"})).status == 200
        for number, running in enumerate((True, False, True, False)):
            await hub.hub.telemetry.telemetry.ingest(logger, {"in1": running, ALIVE: number})
            await asyncio.sleep(0.01)  # a stop lasts
        clock.by_ntp()
        await until(lambda: _fixed(hub), "the fact")
        await say(hub, logger, clock.now().at_us, in1=True, alive=9)
        span = f"from={iso(from_us)}&to={iso(clock.now().at_us)}"

        async def stopped() -> Any:
            return (await hub.get(f"/v1/stops?{span}")).body["items"]

        stop = (await until(stopped, "the hub has it"))[0]
        place = f"/v1/assets/press/stops/{stop['id']}/reason"
        assert (await hub.ask("PUT", place, {"reason": "jam"})).status == 200
        asked = (
            "/v1/availability?{span}",
            "/v1/assets/press/timeline?{span}",
            "/v1/stops?{span}",
            "/v1/pareto?{span}",
        )
        await alike(pair, hub, span, asked)


def _plain(body: Any) -> Any:
    """An answer without what the centre alone says."""
    body = body.get("items", body)
    rows = body if isinstance(body, list) else [body]
    return [
        {name: value for name, value in row.items() if name not in ("site", "pending", "said_by")} for row in rows
    ]
