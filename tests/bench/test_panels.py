"""Panels: what it costs to draw a full one, and how fast a hub answers 500 e-papers that all show the same.

The hub has one core, the e-papers (a process of their own) the other. Every poll is signed and verified, every
answer too.
"""

from __future__ import annotations

import asyncio
import json
import os
import statistics
import sys
import time
from asyncio.subprocess import PIPE
from pathlib import Path
from typing import Any

import msgspec
import pytest

from edge.content.render import encoded, panel_named
from edge.content.render.scene import AssetSaid, AssetWanted, ChartWanted, Datum, Given, draw, settle
from edge.wire.layouts import Layout
from tests.bench.report import Report
from tests.bench.test_accept_rate import LOAD_CORE, ON_SERVER_CORE
from tests.bench.test_idle import children, cpu_s
from tests.bench.test_polling import ROOMY, ROOT, figures, port
from tests.hub_process import HubProcess

pytestmark = [pytest.mark.bench, pytest.mark.timeout(300)]

PANELS = 500
SITE_S = 30.0
DRAWINGS = 20
NOW_US = 1_763_700_000_000_000


def box(x: float, y: float, w: float, h: float) -> dict[str, float]:
    """Where an element stands, in percent."""
    return {"x": x, "y": y, "w": w, "h": h}


FULL = {
    "elements": [
        {"kind": "text", "text": "{site}, hall 2", "box": box(2, 2, 60, 14), "bold": True},
        {"kind": "clock", "box": box(70, 2, 28, 14), "align": "right"},
        {"kind": "date", "box": box(70, 16, 28, 6), "align": "right"},
        {"kind": "shape", "form": "line-across", "box": box(2, 23, 96, 1)},
        *(
            {"kind": "value", "device": "self", "key": key, "label": key, "unit": "°C", "box": box(at, 26, 22, 22)}
            for key, at in (("a", 2), ("b", 26), ("c", 50), ("d", 74))
        ),
        {"kind": "chart", "device": "self", "key": "a", "hours": 24, "label": "Oven", "box": box(2, 50, 60, 46)},
        {"kind": "asset", "asset": "press", "show": "availability", "label": "Press", "box": box(64, 50, 34, 20)},
        {"kind": "qr", "payload": "https://example.org/hall/2", "box": box(70, 72, 26, 26)},
    ]
}


def test_a_full_layout(report: Report) -> None:
    layout, panel = msgspec.convert(FULL, Layout), panel_named("eink-800x480")
    points = tuple((NOW_US - (720 - n) * 120_000_000, 20 + (n % 37) / 3) for n in range(720))
    given = Given(
        now_us=NOW_US,
        zone="Europe/Berlin",
        site="Bench",
        values={("self", key): Datum(21.5, NOW_US - 5_000_000) for key in "abcd"},
        charts={ChartWanted("self", "a", 24): points},
        assets={AssetWanted("press", "availability", "24h"): AssetSaid("running", NOW_US, 0.93, 0.99, "Press")},
    )
    settling, drawing, encoding = [], [], []
    for _ in range(DRAWINGS):
        began = time.perf_counter()
        scene = settle(layout, given, panel, 60)
        settled = time.perf_counter()
        drawn = draw(scene, panel, lambda _: None)
        done = time.perf_counter()
        data = encoded(drawn.image, panel)
        settling.append(settled - began)
        drawing.append(done - settled)
        encoding.append(time.perf_counter() - done)
    report(
        f"A full layout for 800x480: {len(layout.elements)} elements, a chart of 720 points, a QR code",
        [
            ("filled with data, half within", f"{1000 * statistics.median(settling):.1f} ms"),
            ("drawn, half within", f"{1000 * statistics.median(drawing):.1f} ms"),
            ("encoded, half within", f"{1000 * statistics.median(encoding):.1f} ms, {len(data.data):,} bytes"),
        ],
    )


async def test_500_epapers_that_poll_one_hub(tmp_path: Path, report: Report) -> None:
    hub = HubProcess(tmp_path / "data", prefix=ON_SERVER_CORE, more=ROOMY)
    await hub.start()
    try:
        devices = await epapers(hub)
        pids = [hub.pid, *children(hub.pid)]
        before = [cpu_s(pid) for pid in pids]
        said = await load({"port": port(hub), "devices": devices, "seconds": SITE_S})
        used = sum(cpu_s(pid) - was for pid, was in zip(pids, before, strict=True))
        drawn, settled = await drawings(hub)
    finally:
        await hub.stop()
    report(
        f"{PANELS} e-papers that show the same, each polling every 2 s",
        [
            (f"polls, {said['count']} of them", figures(said)),
            ("pictures drawn", f"{drawn}; screens filled with data: {settled}"),
            ("pictures that the panels knew at the end", f"{said['pictures']}"),
            ("processor", f"{100 * used / SITE_S:.0f} % of one core (its opening of {PANELS} sessions too)"),
        ],
    )


async def epapers(hub: HubProcess) -> list[list[str]]:
    """E-papers with their tokens, all of one group with one schedule."""
    made: list[list[str]] = []
    layout = {"elements": [one for one in FULL["elements"] if one["kind"] in ("text", "date", "shape", "qr")]}
    schedule = {"groups": ["doors"], "rules": [{"layout": "hall"}], "refresh_s": 10}
    async with hub.session() as session:
        for number in range(PANELS):
            body = {"name": f"door {number}", "kind": "eink"}
            async with session.post("/v1/devices", json=body) as response:
                one = await response.json()
                made.append([one["id"], one["token"]])
        async with session.put("/v1/groups/doors", json={"devices": [one[0] for one in made]}) as response:
            assert response.status == 200, await response.text()
        for path, document in (("layouts/hall", layout), ("schedules/doors", schedule)):
            async with session.put(f"/v1/content/{path}", json={"body": document}) as response:
                assert response.status == 200, await response.text()
            async with session.post(f"/v1/content/{path}/publish", json={"revision": 1}) as response:
                assert response.status == 200, await response.text()
    return made


async def drawings(hub: HubProcess) -> tuple[int, int]:
    """How often the hub has drawn, and filled a screen with data."""
    async with hub.session() as session, session.get("/metrics") as response:
        told = await response.text()
    found = dict(line.rsplit(" ", 1) for line in told.splitlines() if not line.startswith("#"))
    return tuple(  # type: ignore[return-value]  # two names, two numbers
        int(float(next(value for name, value in found.items() if name.endswith(what))))
        for what in ("panel_draws_total", "panel_settles_total")
    )


async def load(wanted: dict[str, Any]) -> dict[str, Any]:
    """Have the e-papers' process do it."""
    program = [sys.executable, "-m", "tests.bench.panel_load", str(LOAD_CORE)]
    environ = {**os.environ, "PYTHONPATH": str(ROOT)}
    client = await asyncio.create_subprocess_exec(*program, stdin=PIPE, stdout=PIPE, cwd=ROOT, env=environ)
    said, _ = await client.communicate(json.dumps(wanted).encode())
    assert client.returncode == 0
    return dict(json.loads(said))
