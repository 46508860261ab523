"""How fast a hub that was away catches up: a million readings from its file into the centre's, over loopback.

Hub and centre are the real processes, and do all they do: ranges, receipts, digests, sessions, the other lanes.
Beside them, in the same run, over the same file and into the same table, the least code that moves such rows: read,
msgpack, zstd, HTTP, executemany (SQLite) or COPY (PostgreSQL), one batch on the way, or two. They take turns, since
the machine has other work.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import statistics
import sys
import time
from asyncio.subprocess import PIPE
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import msgspec
import psutil
import pytest

from tests.bench.readings_fill import Plan, filled
from tests.bench.report import Report
from tests.centre_process import CentreProcess
from tests.hub_process import HubProcess
from tests.postgres import PostgresServer

pytestmark = [pytest.mark.bench, pytest.mark.timeout(1800)]

PLAN = Plan(devices=5, keys=4, each=int(os.environ.get("SYNC_BENCH_EACH", "50000")))
TURNS = int(os.environ.get("SYNC_BENCH_TURNS", "3"))
IN_FLIGHT = (1, 2)
LONGEST_S = 600.0
ASK_S = 0.1  # each answer costs the hub some milliseconds that it does not have for sending
HERE = Path(__file__).parent


class Caught(msgspec.Struct, frozen=True):
    """One catching up."""

    rows_per_s: float
    bytes_per_row: float
    hub_cpu_us: float  # a row
    centre_cpu_us: float


@pytest.mark.parametrize("engine", ["sqlite", "postgresql"])
async def test_a_million_readings_caught_up(engine: str, tmp_path: Path, report: Report) -> None:
    data = tmp_path / "hub"
    await filled(data, PLAN)
    synced: list[Caught] = []
    plain: dict[int, list[Caught]] = {count: [] for count in IN_FLIGHT}
    for turn in range(TURNS):
        async with a_database(engine) as url:
            synced.append(await caught_up(data, tmp_path / f"centre-{turn}", url))
        for count in IN_FLIGHT:
            async with a_database(engine) as url:
                folder = tmp_path / f"plain-{turn}-{count}"
                folder.mkdir()
                plain[count].append(await moved(data, folder, url, count))
    named = {"hub to centre": synced, **{f"plain, {count} on the way": took for count, took in plain.items()}}
    rows = [(what, shown(took)) for what, took in named.items()]
    for count, took in plain.items():
        ratios = sorted(one.rows_per_s / other.rows_per_s for one, other in zip(synced, took, strict=True))
        spread = f"{statistics.median(ratios):.2f} ({ratios[0]:.2f} to {ratios[-1]:.2f})"
        cpu = statistics.median(
            (other.hub_cpu_us + other.centre_cpu_us) / (one.hub_cpu_us + one.centre_cpu_us)
            for one, other in zip(synced, took, strict=True)
        )
        rows.append((f"of plain, {count} on the way", f"{spread}; by processor time {cpu:.2f}"))
    report(f"{PLAN.count:,} readings caught up, {engine}", rows)


def shown(took: list[Caught]) -> str:
    """The medians."""
    rate, size, hub, centre = (
        statistics.median(getattr(one, name) for one in took)
        for name in ("rows_per_s", "bytes_per_row", "hub_cpu_us", "centre_cpu_us")
    )
    return f"{rate:9,.0f} rows/s  {size:.1f} bytes a row  cpu a row: hub {hub:.1f} us, centre {centre:.1f} us"


async def caught_up(data: Path, folder: Path, url: str) -> Caught:
    """A hub that is enrolled now sends all it has."""
    centre, hub = CentreProcess(folder, database=url), HubProcess(data)
    await centre.start()
    await hub.start()
    try:
        async with centre.session() as office, hub.session() as desk:
            async with office.post("/v1/sites", json={"name": f"Bench {time.time_ns()}"}) as response:
                made = await response.json()
            before = cpu_s(hub.pid), cpu_s(centre.pid)
            began = time.perf_counter()
            async with desk.post("/v1/sync/enrol", json={"code": made["code"], "url": centre.url}) as response:
                assert response.status in (200, 201), await response.text()
            view: dict[str, Any] = {}
            async with asyncio.timeout(LONGEST_S):
                while is_behind(view, PLAN.count):
                    await asyncio.sleep(ASK_S)
                    async with desk.get("/v1/sync") as response:
                        view = await response.json()
            took = time.perf_counter() - began
            used = cpu_s(hub.pid) - before[0], cpu_s(centre.pid) - before[1]
        rows = next(lane["head"] for lane in view["lanes"] if lane["stream"] == "readings")
        assert rows == PLAN.count
        return Caught(rows / took, view["sent_bytes"] / rows, 1e6 * used[0] / rows, 1e6 * used[1] / rows)
    finally:
        await hub.stop()
        await centre.stop()
        (data / "site.token").unlink(missing_ok=True)


def is_behind(view: dict[str, Any], count: int) -> bool:
    """Whether one of the first `count` readings is not at the centre yet, by the hub's word."""
    lanes = {lane["stream"]: lane for lane in view.get("lanes", [])}
    return "readings" not in lanes or lanes["readings"]["next"] <= count


async def moved(data: Path, folder: Path, url: str, in_flight: int) -> Caught:
    """The same rows by the least code."""
    program = [sys.executable, str(HERE / "sync_plain.py")]
    target = url or f"sqlite:///{folder / 'cloud.db'}"
    receiver = await asyncio.create_subprocess_exec(*program, "receive", target, stdout=PIPE)
    try:
        assert receiver.stdout is not None
        address = (await asyncio.wait_for(receiver.stdout.readline(), 30)).decode().strip()
        before = cpu_s(receiver.pid)
        sender = await asyncio.create_subprocess_exec(
            *program, "send", str(data / "readings.db"), address, str(in_flight), stdout=PIPE
        )
        said, _ = await asyncio.wait_for(sender.communicate(), LONGEST_S)
        took = json.loads(said)
        used = cpu_s(receiver.pid) - before
    finally:
        receiver.kill()
        await receiver.wait()
    rows = took["rows"]
    assert rows == PLAN.count
    return Caught(rows / took["seconds"], took["bytes"] / rows, 1e6 * took["cpu_s"] / rows, 1e6 * used / rows)


def cpu_s(pid: int) -> float:
    """Processor time of a process and those it started, in seconds."""
    main = psutil.Process(pid)
    times = [process.cpu_times() for process in (main, *main.children(recursive=True))]
    return float(sum(each.user + each.system for each in times))


@contextlib.asynccontextmanager
async def a_database(engine: str) -> AsyncIterator[str]:
    """A new one; '' for SQLite in the folder of who uses it."""
    if engine == "sqlite":
        yield ""
        return
    server = PostgresServer()
    try:
        await asyncio.to_thread(server.start)
        yield await server.new_database()
    finally:
        await asyncio.to_thread(server.close)
