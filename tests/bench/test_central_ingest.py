"""How many readings a second a centre takes from 50 hubs at once, and what they cost it.

The hubs are scripted, in a process of their own, and send batches of 2,000 as fast as they are answered. One centre
on SQLite; one, then two, on one PostgreSQL, half of the hubs at each. All share this machine's cores, the load too:
so the processor time a row says more than the rate.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import sys
from asyncio.subprocess import PIPE
from collections.abc import AsyncIterator
from pathlib import Path

import psutil
import pytest

from tests.bench.report import Report
from tests.bench.test_sync_catch_up import a_database, cpu_s
from tests.centre_process import CentreProcess

pytestmark = [pytest.mark.bench, pytest.mark.timeout(1800)]

HUBS = 50
SECONDS = float(os.environ.get("SYNC_BENCH_SECONDS", "10"))
PROGRAM = "tests.bench.ingest_hubs"


@pytest.mark.parametrize(("engine", "instances"), [("sqlite", 1), ("postgresql", 1), ("postgresql", 2)])
async def test_fifty_hubs_at_once(engine: str, instances: int, tmp_path: Path, report: Report) -> None:
    async with a_database(engine) as url, centres(tmp_path, url, instances) as all_of_them:
        codes = []
        async with all_of_them[0].session() as office:
            for number in range(HUBS):
                async with office.post("/v1/sites", json={"name": f"Site {number}"}) as response:
                    assert response.status == 201, await response.text()
                    code = (await response.json())["code"]
                codes.append((all_of_them[number % instances].url, code))
        load = await asyncio.create_subprocess_exec(
            sys.executable, "-m", PROGRAM, str(SECONDS), stdin=PIPE, stdout=PIPE
        )
        assert load.stdin is not None
        assert load.stdout is not None
        load.stdin.write(json.dumps(codes).encode())
        load.stdin.write_eof()
        assert (await asyncio.wait_for(load.stdout.readline(), 120)).strip() == b"go"
        before = [cpu_s(centre.pid) for centre in all_of_them], database_cpu_s(url)
        said = json.loads(await asyncio.wait_for(load.stdout.read(), SECONDS + 120))
        centre_s = sum(cpu_s(centre.pid) for centre in all_of_them) - sum(before[0])
        database_s = database_cpu_s(url) - before[1]
        await load.wait()
    rows, took = said["rows"], said["seconds"]
    report(
        f"{HUBS} hubs at once, {engine}, {instances} centre{'s' * (instances > 1)}",
        [
            ("taken", f"{rows / took:,.0f} readings/s ({rows:,} in {took:.1f} s)"),
            (
                "processor time of the centre",
                f"{1e6 * centre_s / rows:.1f} us a reading, {centre_s / took:.2f} cores",
            ),
            ("of PostgreSQL", f"{1e6 * database_s / rows:.1f} us a reading, {database_s / took:.2f} cores"),
            ("longest answer", f"{said['longest_s']:.2f} s"),
        ],
    )


@contextlib.asynccontextmanager
async def centres(folder: Path, url: str, count: int) -> AsyncIterator[list[CentreProcess]]:
    """So many instances over one database."""
    running: list[CentreProcess] = []
    try:
        for number in range(count):
            admin = running[0].key if running else ""
            running.append(CentreProcess(folder / f"centre-{number}", database=url, admin=admin))
            await running[-1].start()
        yield running
    finally:
        for centre in running:
            await centre.stop()


def database_cpu_s(url: str) -> float:
    """Processor time of the PostgreSQL servers that this process has started, those that serve a connection too."""
    if not url:
        return 0.0
    used = 0.0
    for process in psutil.Process().children(recursive=True):
        with contextlib.suppress(psutil.NoSuchProcess):
            if process.name().startswith("postgres"):
                times = process.cpu_times()
                used += times.user + times.system
    return used
