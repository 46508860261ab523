"""What panels are filled with at a real hub: readings with their ages, charts, and machines' figures."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from edge.clock import ManualClock
from edge.content.render.scene import AssetWanted
from edge.parts.panel_data import POINTS, PanelMachines, PanelReadings
from edge.serving.buckets import chart_width_s
from tests.integration.running_hub import RunningHub, started

HOUR_S = 3600


async def said(hub: RunningHub, show: str, over: str) -> Any:
    """What is said of the press."""
    machines = PanelMachines(hub.hub._core(), hub.hub.assets)
    return await machines.said(AssetWanted("Press", show, over), hub.hub.clock.now().at_us)  # type: ignore[arg-type]


async def test_readings_and_machines(tmp_path: Path) -> None:
    clock = ManualClock(at_us=1_763_692_200_000_000)  # 08:00 at the site, a Friday
    async with started(tmp_path, clock=clock) as hub:
        made = await hub.ask("POST", "/v1/devices", {"name": "Logger", "kind": "logger"})
        logger = hub.hub.registry.get(made.body["id"])
        asset = {"name": "Press", "device": logger.id, "input": "in1", "silent_s": 7200}
        added = await hub.ask("POST", "/v1/assets", asset)
        assert added.status in (200, 201), added.body
        telemetry = hub.hub.telemetry.telemetry
        for running in (True, True, False, True):
            await telemetry.ingest(logger, {"in1": running, "t": 20 + clock.mono_s() / 3600})
            clock.advance(HOUR_S)
        await telemetry.settled()
        readings = PanelReadings(telemetry, clock)
        newest = readings.newest(logger.id, "t")
        assert newest is not None
        assert newest.age_s == HOUR_S
        assert readings.newest(logger.id, "gone") is None
        now_us = clock.now().at_us
        points = await readings.series(logger.id, "t", now_us - 24 * HOUR_S * 1_000_000, now_us)
        assert [round(value - 20) for _, value in points if value is not None] == [0, 1, 2, 3]
        assert await PanelMachines(hub.hub._core(), hub.hub.assets).said(AssetWanted("x", "state", ""), 0) is None
        rule = {"name": "Early", "days": [5], "begins": "07:00", "ends": "15:00"}
        shift = await hub.ask("PUT", "/v1/shifts/early", rule)
        assert shift.status in (200, 201), shift.body
        state = await said(hub, "state", "")
        assert (state.state in ("running", "stopped", "unknown"), state.name) == (True, "Press")
        row = (await hub.get("/v1/assets/Press/availability?from=-24h")).body
        day = await said(hub, "availability", "24h")
        assert (day.figure, day.coverage) == (row["availability"], row["coverage"])
        for show in ("mtbf", "mttr", "stops", "availability"):
            for over in ("day", "shift", "24h", "7d"):
                assert (await said(hub, show, over)).name == "Press"
        clock.advance(8 * HOUR_S)  # 20:00: no shift is under way
        assert (await said(hub, "stops", "shift")).figure is None


def test_a_chart_has_some_hundred_points_however_long_it_is() -> None:
    for hours in (1, 2, 6, 24, 48, 24 * 7, 24 * 31):
        width = chart_width_s(hours * HOUR_S * 1_000_000, POINTS)
        assert hours * HOUR_S / width <= 1440
        assert width < HOUR_S or width % HOUR_S == 0
        assert width >= 10
