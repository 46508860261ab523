"""What one live site costs its centre: 20 devices that report every 10 s, nothing to catch up.

The real hub posts to the real centre over a line that counts. docs/scale.md reckons with these figures.
"""

from __future__ import annotations

import asyncio
import itertools
import os
import random
from pathlib import Path

import pytest

from tests.bench.report import Report
from tests.bench.test_central_ingest import database_cpu_s
from tests.bench.test_sync_catch_up import a_database, cpu_s
from tests.bench.test_sync_live import enrolled, until_seen
from tests.centre_process import CentreProcess
from tests.chaos.line import Line
from tests.hub_process import HubProcess

pytestmark = [pytest.mark.bench, pytest.mark.timeout(600)]

DEVICES, EVERY_S = 20, 10.0
SECONDS = float(os.environ.get("SYNC_BENCH_SECONDS", "30"))


@pytest.mark.parametrize("engine", ["sqlite", "postgresql"])
async def test_a_live_site(engine: str, tmp_path: Path, report: Report) -> None:
    async with a_database(engine) as url:
        centre, hub = CentreProcess(tmp_path / "centre", database=url), HubProcess(tmp_path / "hub")
        await centre.start()
        await hub.start()
        line = Line(lambda: centre.url, random.Random(1))
        try:
            async with line, centre.session() as office, hub.session() as desk:
                devices = []
                for number in range(DEVICES):
                    body = {"name": f"sensor {number}", "kind": "sensor", "profile": "native"}
                    async with desk.post("/v1/devices", json=body) as response:
                        devices.append((await response.json())["id"])
                site = await enrolled(office, desk, line.url)
                await until_seen(office, f"/v1/devices/{devices[0]}?site={site}")
                before = line.counts["requests"], line.sent_bytes, cpu_s(centre.pid), database_cpu_s(url)
                loop = asyncio.get_running_loop()
                began = loop.time()
                for number in itertools.count():
                    path = f"/v1/devices/{devices[number % DEVICES]}/readings"
                    async with desk.post(path, json={"values": {"temperature": 20 + number % 7}}) as response:
                        assert response.status == 200, await response.text()
                    due = began + (number + 1) * EVERY_S / DEVICES
                    if due > began + SECONDS:
                        break
                    await asyncio.sleep(max(0.0, due - loop.time()))
                took = loop.time() - began
                after = line.counts["requests"], line.sent_bytes, cpu_s(centre.pid), database_cpu_s(url)
        finally:
            await hub.stop()
            await centre.stop()
    requests, size, centre_s, database_s = ((now - then) / took for now, then in zip(after, before, strict=True))
    report(
        f"A live site of {DEVICES} devices that report every {EVERY_S:.0f} s, {engine}",
        [
            ("requests to the centre", f"{requests:.1f}/s"),
            ("bytes to the centre", f"{size:,.0f}/s, {size * 86400 / 1e6:,.0f} MB a day"),
            ("processor time of the centre", f"{1000 * centre_s:.2f} ms a second"),
            ("of PostgreSQL", f"{1000 * database_s:.2f} ms a second"),
        ],
    )
