"""How long head office's pages take to be made, and how heavy they are, with 1,000 sites and 20,000 devices.

The centre is a process of its own, over a database that was filled before: a year of readings of one device, some
hundred thousand facts and commands. Each page is asked for in turn over one connection, as a browser does: what is
shown is the time of the whole answer, and the centre's processor time for it, which other work on the machine
changes less. SQLite's is in it, PostgreSQL's own is not.
"""

from __future__ import annotations

import statistics
import time
from pathlib import Path

import aiohttp
import psutil
import pytest

from cloud.db.database import Database
from cloud.db.partitions import Months
from cloud.service import DATABASE_NAME, Centre
from cloud.settings import CloudSettings
from edge.clock import SystemClock
from tests.bench.office_fill import FIRST_DEVICE, fill_office
from tests.bench.report import Report
from tests.bench.test_sync_catch_up import a_database
from tests.centre_process import CentreProcess
from tests.web.every_page import every_page

pytestmark = [pytest.mark.bench, pytest.mark.timeout(1800)]

ROUNDS = 30
VALUES = {
    "sites.site": "shop-0001",
    "devices.device": FIRST_DEVICE,
    "commands.id": "c00199999",
    "commands.kind": "identify",
    "slots.slot": "1",
    "keys.id": "none",
    "people.id": "none",
    "logins.login": "none",
}
MORE = (
    "/office/commands?kind=identify",
    "/office/commands?who=nobody",
    "/office/commands?device=none&state=waiting",
    "/office/fleet?state=away",
    "/office/fleet?q=99",
    "/office/sites/shop-0001?q=vending",
    *(f"/office/sites/shop-0001/devices/{FIRST_DEVICE}?range={span}" for span in ("1h", "24h", "7d", "30d", "1y")),
)


@pytest.mark.parametrize("engine", ["sqlite", "postgresql"])
async def test_pages(engine: str, tmp_path: Path, report: Report) -> None:
    pages = [*every_page(Centre(tmp_path / "none", CloudSettings()), VALUES), *MORE]
    async with a_database(engine) as url:
        data = tmp_path / "centre"
        data.mkdir()
        clock = SystemClock()
        database = Database(url or f"sqlite:///{data / DATABASE_NAME}")
        try:
            await database.prepare()
            began = time.perf_counter()
            await fill_office(database, Months(database, clock), clock.now().at_us)
            filled_s = time.perf_counter() - began
        finally:
            await database.close()
        centre = CentreProcess(data, database=url)
        await centre.start()
        try:
            async with centre.session(auto_decompress=False) as http:
                rows = [(page, await looked_at(http, centre.pid, page)) for page in pages]
        finally:
            await centre.stop()
    report(
        f"Pages of head office, {engine} (filled in {filled_s:.0f} s): median, p99, processor time, as sent", rows
    )


async def looked_at(http: aiohttp.ClientSession, pid: int, page: str) -> str:
    """Its figures; the first answers, which fill caches, are not counted."""
    process, took, size, status, before_s = psutil.Process(pid), [], 0, 0, 0.0
    for number in range(ROUNDS + 3):
        if number == 3:
            before_s = _used_s(process)
        began = time.perf_counter()
        async with http.get(page, headers={"Accept-Encoding": "gzip"}, allow_redirects=False) as response:
            size, status = len(await response.read()), response.status
        if number >= 3:
            took.append(1000 * (time.perf_counter() - began))
    slowest = statistics.quantiles(took, n=100, method="inclusive")[98]
    said = "" if status == 200 else f"  HTTP {status}"
    used = 1000 * (_used_s(process) - before_s) / ROUNDS
    return f"{statistics.median(took):7.1f} ms {slowest:7.1f} ms {used:7.1f} ms {size / 1000:8.1f} kB{said}"


def _used_s(process: psutil.Process) -> float:
    times = process.cpu_times()
    return float(times.user + times.system)
