"""How many telemetry posts a second are stored durably, beside servers that do less, or do it in the usual way.

All servers have one core, the load (50 keep-alive clients in a process of its own) the other; they take turns, so
that what else the machine does hurts all. The hub does all it does on a site: the device's token is looked up, its
rate and presence kept, each value checked, the newest values kept in memory, everybody who listens told, and each
200 is sent after the FULL commit. Each post holds two values. Once more with every fsync 5 ms slower, as on a card.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import shutil
import statistics
import subprocess
import sys
from asyncio.subprocess import PIPE
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from tests.bench.report import Report
from tests.bench.test_idle import cpu_s
from tests.hub_process import HubProcess

pytestmark = [pytest.mark.bench, pytest.mark.timeout(900)]

CLIENTS = 50
SECONDS = 2.0
TURNS = 5
SLOW_US = 5000
HERE = Path(__file__).parent
SERVER_CORE, LOAD_CORE = sorted(os.sched_getaffinity(0))[0], sorted(os.sched_getaffinity(0))[-1]
ON_SERVER_CORE = ("taskset", "-c", str(SERVER_CORE))
VALUES = {"temperature": 21.5, "humidity": 40}
REFERENCES = {
    "bare": "bare aiohttp handler, stores nothing",
    "group": "sqlite3 in a thread, commits what came together",
    "group-aiosqlite": "aiosqlite, commits what came together",
    "each": "sqlite3 in a thread, a commit each",
    "fastapi": "FastAPI + SQLAlchemy + aiosqlite, a commit each",
}
HUB, HEARD = "hub", "hub, with a live reader"

Turns = dict[str, list[dict[str, Any]]]


@pytest.mark.parametrize("slow_us", [0, SLOW_US], ids=["this-disk", "slow-disk"])
async def test_telemetry_stored_a_second(slow_us: int, tmp_path: Path, report: Report) -> None:
    prefix = [*ON_SERVER_CORE, *slowed(slow_us, tmp_path)]
    hub = HubProcess(tmp_path / "data", prefix=prefix)
    await hub.start()
    try:
        tokens = await added(hub)
        async with references(prefix, tmp_path) as servers:
            turns: Turns = {kind: [] for kind in (*servers, HUB, HEARD)}
            for _ in range(TURNS):
                for kind, (url, pid) in servers.items():
                    turns[kind].append(await load(url, pid, tokens))
                turns[HUB].append(await load(hub.url, hub.pid, tokens))
                async with live_reader(hub):
                    turns[HEARD].append(await load(hub.url, hub.pid, tokens))
        answered = sum(turn["statuses"]["200"] for kind in (HUB, HEARD) for turn in turns[kind])
        on_the_way = CLIENTS * TURNS * 2  # stored, but a turn ended before their answer was read
        stored = await accepted(hub) // len(VALUES)
        assert answered <= stored <= answered + on_the_way
    finally:
        await hub.stop()
    disk = f"every fsync {slow_us / 1000:.0f} ms slower" if slow_us else "this machine's disk"
    report(f"Telemetry stored durably, {CLIENTS} clients, {disk}", rows(turns))


def rows(turns: Turns) -> list[tuple[str, str]]:
    """The medians, each beside the bare handler of the same turn: answers a second, and processor time an answer,
    which says more on a machine that has other work."""
    bare = [rate(turn) for turn in turns["bare"]]
    bare_us = [turn["cpu_us"] for turn in turns["bare"]]
    shown = []
    for kind, of_kind in turns.items():
        rates = [rate(turn) for turn in of_kind]
        ratios = sorted(one / other for one, other in zip(rates, bare, strict=True))
        p50, p99 = (statistics.median(turn[name] for turn in of_kind) for name in ("p50_ms", "p99_ms"))
        figures = f"{statistics.median(rates):7,.0f}/s  {statistics.median(ratios):.3f} of bare"
        spread = f"({ratios[0]:.3f} to {ratios[-1]:.3f})  p50 {p50:.1f} ms  p99 {p99:.1f} ms"
        cpu_us = statistics.median(turn["cpu_us"] for turn in of_kind)
        of_cpu = statistics.median(other / turn["cpu_us"] for other, turn in zip(bare_us, of_kind, strict=True))
        cost = f"cpu {cpu_us:.0f} us, {of_cpu:.2f} of bare"
        shown.append((REFERENCES.get(kind, kind), f"{figures} {spread}  {cost}"))
    usual = [rate(turn) for turn in turns["fastapi"]]
    times = sorted(rate(turn) / other for turn, other in zip(turns[HUB], usual, strict=True))
    shown.append(("hub beside FastAPI", f"{statistics.median(times):.1f} x ({times[0]:.1f} to {times[-1]:.1f})"))
    return shown


def rate(turn: dict[str, Any]) -> float:
    """Answers a second. Raises AssertionError for any but 200."""
    assert set(turn["statuses"]) == {"200"}, turn
    return float(turn["statuses"]["200"] / turn["seconds"])


def slowed(slow_us: int, folder: Path) -> Sequence[str]:
    """What goes before a command so that its fsyncs take longer."""
    if not slow_us:
        return ()
    if shutil.which("gcc") is None:
        pytest.skip("NOT TESTED: gcc is not installed (apt-get install gcc)")
    shim = folder / "slow_fsync.so"
    subprocess.run(["gcc", "-shared", "-fPIC", "-o", shim, HERE / "slow_fsync.c", "-ldl"], check=True)
    return ("env", f"LD_PRELOAD={shim}", f"SLOW_FSYNC_US={slow_us}")


async def added(hub: HubProcess) -> list[str]:
    """The tokens of devices that report."""
    tokens = []
    async with hub.session() as session:
        for number in range(CLIENTS):
            body = {"name": f"thing {number}", "kind": "thing", "profile": "thingsnxt"}
            async with session.post("/v1/devices", json=body) as response:
                tokens.append((await response.json())["token"])
    return tokens


async def accepted(hub: HubProcess) -> int:
    """Readings the hub says it has stored."""
    async with hub.session() as session, session.get("/metrics") as response:
        text = await response.text()
    (line,) = [line for line in text.splitlines() if line.startswith("outpost_readings_accepted_total ")]
    return int(float(line.split()[1]))


@contextlib.asynccontextmanager
async def references(prefix: Sequence[str], folder: Path) -> AsyncIterator[dict[str, tuple[str, int]]]:
    """The addresses and process ids of the servers it is measured beside."""
    servers: dict[str, asyncio.subprocess.Process] = {}
    there = {}
    try:
        for kind in REFERENCES:
            (folder / kind).mkdir()
            program = ["fastapi_server.py"] if kind == "fastapi" else ["ingest_servers.py", kind]
            command = [*prefix, sys.executable, str(HERE / program[0]), *program[1:], str(folder / kind)]
            servers[kind] = await asyncio.create_subprocess_exec(*command, stdout=PIPE)
            output = servers[kind].stdout
            assert output is not None
            url = (await asyncio.wait_for(output.readline(), 30)).decode().split()[-1]
            there[kind] = url, servers[kind].pid
        yield there
    finally:
        for server in servers.values():
            with contextlib.suppress(ProcessLookupError):
                server.kill()
            await server.wait()


@contextlib.asynccontextmanager
async def live_reader(hub: HubProcess) -> AsyncIterator[None]:
    """Somebody who watches everything the hub tells."""
    async with hub.session() as session, session.ws_connect("/v1/live") as socket:

        async def read() -> None:
            async for _ in socket:
                pass

        reader = asyncio.create_task(read())
        yield
        reader.cancel()
        await asyncio.gather(reader, return_exceptions=True)


async def load(url: str, pid: int, tokens: list[str]) -> dict[str, Any]:
    """One turn, with the processor time of each answer."""
    port = url.rsplit(":", 1)[1]
    requests = []
    for token in tokens:
        body = json.dumps({"device_token": token, "data": VALUES})
        head = f"Host: 127.0.0.1:{port}\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
        requests.append(f"POST /telemetry HTTP/1.1\r\n{head}{body}")
    program = [sys.executable, str(HERE / "http_load.py"), port, str(SECONDS), str(CLIENTS), str(LOAD_CORE)]
    client = await asyncio.create_subprocess_exec(*program, stdin=PIPE, stdout=PIPE)
    before = cpu_s(pid)
    said, _ = await client.communicate(json.dumps(requests).encode())
    turn = dict(json.loads(said))
    return {**turn, "cpu_us": 1_000_000 * (cpu_s(pid) - before) / sum(turn["statuses"].values())}
