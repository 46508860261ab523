"""How fast older devices' polls are answered: those that come every 2 or 3 s from each of them, for ever.

The hub looks the device up, counts it, notes its presence and looks for something to do; the bare handler answers
and does none of it. Both have the same core and take turns.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import statistics
import sys
from asyncio.subprocess import PIPE
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from tests.bench.report import Report
from tests.bench.test_accept_rate import LOAD_CORE, ON_SERVER_CORE, bare_server
from tests.bench.test_idle import children, cpu_s
from tests.hub_process import HubProcess

pytestmark = [pytest.mark.bench, pytest.mark.timeout(300)]

CLIENTS = 50
SECONDS = 3.0
TURNS = 5
HERE = Path(__file__).parent
ROOMY = {
    "OUTPOST_LIMITS__ANONYMOUS_PER_MINUTE": "1000000000",
    "OUTPOST_LIMITS__AUTHENTICATED_PER_MINUTE": "1000000000",
    "OUTPOST_HUB__AUTO_APPROVE": "true",
}


async def test_old_polls_answered_a_second(tmp_path: Path, report: Report) -> None:
    hub = HubProcess(tmp_path / "data", prefix=ON_SERVER_CORE, more=ROOMY)
    await hub.start()
    try:
        things = [f"/telemetry/latest?device_token={token}" for token in await added(hub)]
        machines = [f"/esp32/commands/ESP32_6CC8404F{number:04X}" for number in range(CLIENTS)]
        async with bare_server() as bare:
            bare_pid = next(pid for pid in children(os.getpid()) if b"bare_server" in cmdline(pid))
            turns = [
                {
                    "bare": await rush(bare, bare_pid, ["/v1/device/poll"]),
                    "thing": await rush(hub.url, hub.pid, things),
                    "machine": await rush(hub.url, hub.pid, machines),
                }
                for _ in range(TURNS)
            ]
    finally:
        await hub.stop()
    named = {"bare": "bare aiohttp handler", "thing": "hub, a thing's poll", "machine": "hub, a vending machine's"}
    rows = [(what, told(turns, name)) for name, what in named.items()]
    rows += [(f"ratio, {named[name]}", ratios(turns, name)) for name in ("thing", "machine")]
    report("Older devices' polls with nothing to tell, 50 keep-alive clients", rows)


def told(turns: Sequence[dict[str, dict[str, float]]], name: str) -> str:
    """The median rate and cost."""
    rate = statistics.median(turn[name]["per_s"] for turn in turns)
    cost = statistics.median(turn[name]["cpu_us"] for turn in turns)
    return f"{rate:,.0f} a second, {cost:.0f} us"


def ratios(turns: Sequence[dict[str, dict[str, float]]], name: str) -> str:
    """Against the bare handler of the same turn: a second, and by processor time."""
    per_s = sorted(turn[name]["per_s"] / turn["bare"]["per_s"] for turn in turns)
    cpu = statistics.median(turn["bare"]["cpu_us"] / turn[name]["cpu_us"] for turn in turns)
    return f"{statistics.median(per_s):.2f} ({per_s[0]:.2f} to {per_s[-1]:.2f}), by processor time {cpu:.2f}"


def cmdline(pid: int) -> bytes:
    """What a process was started with; nothing for one that has ended."""
    with contextlib.suppress(OSError):
        return Path(f"/proc/{pid}/cmdline").read_bytes()
    return b""


async def added(hub: HubProcess) -> list[str]:
    """The tokens of things."""
    tokens = []
    async with hub.session() as session:
        for number in range(CLIENTS):
            body = {"name": f"thing {number}", "kind": "thing", "profile": "thingsnxt"}
            async with session.post("/v1/devices", json=body) as response:
                tokens.append((await response.json())["token"])
    return tokens


async def rush(url: str, pid: int, paths: Sequence[str]) -> dict[str, float]:
    """One turn: answers a second, and processor time of each in microseconds."""
    port = url.rsplit(":", 1)[1]
    requests = [
        f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nUser-Agent: ESP32HTTPClient\r\n\r\n" for path in paths
    ]
    program = [sys.executable, str(HERE / "http_load.py"), port, str(SECONDS), str(CLIENTS), str(LOAD_CORE)]
    client = await asyncio.create_subprocess_exec(*program, stdin=PIPE, stdout=PIPE)
    before = cpu_s(pid)
    said, _ = await client.communicate(json.dumps(requests).encode())
    turn: dict[str, Any] = json.loads(said)
    assert set(turn["statuses"]) == {"200"}, turn["statuses"]
    count = sum(turn["statuses"].values())
    return {"per_s": count / turn["seconds"], "cpu_us": 1e6 * (cpu_s(pid) - before) / count}
