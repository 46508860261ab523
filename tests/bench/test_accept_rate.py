"""How many commands a second are accepted durably, beside a bare aiohttp handler that stores nothing.

Both servers have one core, the load (50 keep-alive clients in a process of its own) the other; they take turns, so
that what else the machine does hurts both. Each 201 of the hub is sent after the FULL commit that holds it.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import statistics
import sys
from asyncio.subprocess import PIPE
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from tests.bench.report import Report
from tests.hub_process import HubProcess

pytestmark = [pytest.mark.bench, pytest.mark.timeout(300)]

CLIENTS = 50
DEVICES = 50
SECONDS = 3.0
TURNS = 5
HERE = Path(__file__).parent
SERVER_CORE, LOAD_CORE = sorted(os.sched_getaffinity(0))[0], sorted(os.sched_getaffinity(0))[-1]
ON_SERVER_CORE = ("taskset", "-c", str(SERVER_CORE))
PAYLOAD = "upi://pay?pa=outpost.demo@example&pn=Outpost%20Cafe&am=125.00&cu=INR"
COMMANDS: dict[str, dict[str, Any]] = {
    "stop_rotation, one after the other": {"kind": "stop_rotation"},
    "display_qr, each replacing the one that waits": {"kind": "display_qr", "args": {"payload": PAYLOAD}},
}


@pytest.mark.parametrize(("what", "command"), COMMANDS.items(), ids=("alone", "replacing"))
async def test_commands_accepted_a_second(
    what: str, command: dict[str, Any], tmp_path: Path, report: Report
) -> None:
    roomy = {"OUTPOST_LIMITS__QUEUE_PER_DEVICE": "1000000"}
    hub = HubProcess(tmp_path / "data", prefix=ON_SERVER_CORE, more=roomy)
    await hub.start()
    try:
        devices = await added(hub)
        async with bare_server() as bare:
            turns = [
                (await load(bare, "", devices, command), await load(hub.url, hub.key, devices, command))
                for _ in range(TURNS)
            ]
        accepted = sum(turn[1]["statuses"].get("201", 0) for turn in turns)
        on_the_way = CLIENTS * TURNS  # accepted, but a turn ended before their answer was read
        assert accepted <= await queued_facts(hub) <= accepted + on_the_way
    finally:
        await hub.stop()
    ratios = sorted(rate(of_hub) / rate(of_bare) for of_bare, of_hub in turns)
    report(
        f"Commands accepted durably ({what})",
        [
            ("bare aiohttp handler", f"{statistics.median(rate(turn[0]) for turn in turns):,.0f} requests/s"),
            (
                "hub, FULL commit before each 201",
                f"{statistics.median(rate(turn[1]) for turn in turns):,.0f} requests/s",
            ),
            ("ratio, median of turns", f"{statistics.median(ratios):.2f} ({ratios[0]:.2f} to {ratios[-1]:.2f})"),
            ("hub, half within", f"{statistics.median(turn[1]['p50_ms'] for turn in turns):.1f} ms"),
            ("hub, 99 of 100 within", f"{statistics.median(turn[1]['p99_ms'] for turn in turns):.1f} ms"),
        ],
    )


def rate(turn: dict[str, Any]) -> float:
    """Answers a second. Raises AssertionError for any but 201."""
    assert set(turn["statuses"]) == {"201"}, turn
    return float(turn["statuses"]["201"] / turn["seconds"])


async def added(hub: HubProcess) -> list[str]:
    """Devices that wait for commands."""
    async with hub.session() as session:
        found = []
        for number in range(DEVICES):
            body = {"name": f"display {number}", "kind": "display", "profile": "native"}
            async with session.post("/v1/devices", json=body) as response:
                found.append((await response.json())["id"])
        return found


async def queued_facts(hub: HubProcess) -> int:
    """Every command accepted wrote one."""
    async with hub.session() as session, session.get("/v1/status") as response:
        seq = int((await response.json())["ledger_seq"])
    count, after = 0, 0
    async with hub.session() as session:
        while after < seq:
            async with session.get("/v1/ledger", params={"after": str(after), "limit": "500"}) as response:
                items = (await response.json())["items"]
            count += sum(item["kind"] == "command.queued" for item in items)
            after = items[-1]["seq"]
    return count


@contextlib.asynccontextmanager
async def bare_server() -> AsyncIterator[str]:
    """The yardstick's address."""
    command = [*ON_SERVER_CORE, sys.executable, str(HERE / "bare_server.py")]
    server = await asyncio.create_subprocess_exec(*command, stdout=PIPE)
    assert server.stdout is not None
    line = (await server.stdout.readline()).decode()
    try:
        yield line.split()[-1]
    finally:
        server.kill()
        await server.wait()


async def load(url: str, key: str, devices: list[str], command: dict[str, Any]) -> dict[str, Any]:
    """One turn."""
    port = url.rsplit(":", 1)[1]
    body = json.dumps(command)
    head = f"Host: 127.0.0.1:{port}\r\nAuthorization: Bearer {key}\r\nContent-Type: application/json\r\n"
    rest = f" HTTP/1.1\r\n{head}Content-Length: {len(body)}\r\n\r\n{body}"
    requests = json.dumps([f"POST /v1/devices/{device}/commands{rest}" for device in devices])
    program = [sys.executable, str(HERE / "http_load.py"), port, str(SECONDS), str(CLIENTS), str(LOAD_CORE)]
    client = await asyncio.create_subprocess_exec(*program, stdin=PIPE, stdout=PIPE)
    said, _ = await client.communicate(requests.encode())
    return dict(json.loads(said))
