"""Devices that poll: how fast a hub answers them, what 1,000 of them cost, and how soon a command arrives.

The hub has one core, the devices (a process of their own) the other. Every request is signed and verified, every
answer too; the bare handler beside it does nothing of that.
"""

from __future__ import annotations

import asyncio
import json
import os
import statistics
import sys
from asyncio.subprocess import PIPE
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest

from tests.bench.report import Report
from tests.bench.test_accept_rate import LOAD_CORE, ON_SERVER_CORE, bare_server
from tests.bench.test_idle import children, cpu_s, rss_mb
from tests.hub_process import HubProcess

pytestmark = [pytest.mark.bench, pytest.mark.timeout(300)]

DEVICES = 1500  # 500 that poll every 2 s, 500 that long-poll, 500 that post readings
SITE_S = 30.0
CLIENTS = 50
RUSH_S = 3.0
TURNS = 5
RUSH_MOST = 6000  # requests made ready for each client
ROOT = Path(__file__).parents[2]
ROOMY = {"OUTPOST_LIMITS__ANONYMOUS_PER_MINUTE": "1000000000"}


async def test_a_site_that_polls_and_waits(tmp_path: Path, report: Report) -> None:
    hub = HubProcess(tmp_path / "data", prefix=ON_SERVER_CORE, more=ROOMY)
    await hub.start()
    try:
        devices = await added(hub, DEVICES)
        pids = [hub.pid, *children(hub.pid)]
        before = [cpu_s(pid) for pid in pids]
        said = await load({"do": "site", "port": port(hub), "key": hub.key, "devices": devices, "seconds": SITE_S})
        used = sum(cpu_s(pid) - was for pid, was in zip(pids, before, strict=True))
        memory = rss_mb(hub.pid)
    finally:
        await hub.stop()
    report(
        "500 devices that poll every 2 s, 500 that long-poll, 50 posts of readings a second, 5 commands a second",
        [
            *((f"{what}, {said[what]['count']} of them", figures(said[what])) for what in ("polls", "posts")),
            (f"command to device, {said['commands']['count']} of them", figures(said["commands"])),
            ("processor", f"{100 * used / SITE_S:.0f} % of one core (its opening of 1,500 sessions too)"),
            ("memory of the hub", f"{memory:.0f} MB resident"),
        ],
    )


async def test_polls_answered_a_second(tmp_path: Path, report: Report) -> None:
    hub = HubProcess(tmp_path / "data", prefix=ON_SERVER_CORE, more=ROOMY)
    await hub.start()
    try:
        devices = await added(hub, CLIENTS)
        async with bare_server() as bare:
            bare_pid = next(pid for pid in children(os.getpid()) if "bare_server" in command_line(pid))
            await rush(hub.pid, port(hub), devices)  # the first use of a session is written down
            turns = [
                (await rush(bare_pid, int(bare.rsplit(":", 1)[1]), []), await rush(hub.pid, port(hub), devices))
                for _ in range(TURNS)
            ]
    finally:
        await hub.stop()
    per_s = sorted(of_hub[0] / of_bare[0] for of_bare, of_hub in turns)
    cpu = sorted(of_bare[1] / of_hub[1] for of_bare, of_hub in turns)
    servers = ("bare aiohttp handler", "hub, verified and signed")
    rates = [middle(turn[at][0] for turn in turns) for at in range(2)]
    costs = [middle(turn[at][1] for turn in turns) for at in range(2)]
    report(
        "Polls with nothing to tell, 50 keep-alive clients: a second, and processor time of each",
        [
            *((what, f"{rates[at]:,.0f} a second, {costs[at]:.0f} us") for at, what in enumerate(servers)),
            *(
                (f"ratio {what}, median of turns", f"{middle(ratios):.2f} ({ratios[0]:.2f} to {ratios[-1]:.2f})")
                for what, ratios in (("a second", per_s), ("of processor time", cpu))
            ),
        ],
    )


def middle(figures: Iterable[float]) -> float:
    """Their median."""
    return statistics.median(figures)


def command_line(pid: int) -> str:
    """What it was started with."""
    return Path(f"/proc/{pid}/cmdline").read_text("utf-8", "replace")


def figures(said: dict[str, float]) -> str:
    """Half, 99 of 100, and the worst."""
    return f"{said['p50_ms']:.1f} ms, p99 {said['p99_ms']:.1f} ms, worst {said['worst_ms']:.0f} ms"


def port(hub: HubProcess) -> int:
    """Where it listens."""
    return int(hub.url.rsplit(":", 1)[1])


async def rush(pid: int, at: int, devices: list[list[str]]) -> tuple[float, float]:
    """Polls a second in one turn, and the server's processor time for each in microseconds."""
    before = cpu_s(pid)
    wanted = {"do": "rush", "port": at, "devices": devices, "seconds": RUSH_S, "most": RUSH_MOST}
    said = await load(wanted)
    return float(said["per_s"]), 1e6 * (cpu_s(pid) - before) / float(said["count"])


async def added(hub: HubProcess, count: int) -> list[list[str]]:
    """Devices with their tokens."""

    async def one(number: int) -> list[str]:
        body = {"name": f"machine {number}", "kind": "vending"}
        async with session.post("/v1/devices", json=body) as response:
            made = await response.json()
            return [made["id"], made["token"]]

    async with hub.session() as session:
        return [await one(number) for number in range(count)]


async def load(wanted: dict[str, Any]) -> dict[str, Any]:
    """Have the devices' process do it."""
    program = [sys.executable, "-m", "tests.bench.polling_load", str(LOAD_CORE)]
    environ = {**os.environ, "PYTHONPATH": str(ROOT)}
    client = await asyncio.create_subprocess_exec(*program, stdin=PIPE, stdout=PIPE, cwd=ROOT, env=environ)
    said, _ = await client.communicate(json.dumps(wanted).encode())
    assert client.returncode == 0
    return dict(json.loads(said))
