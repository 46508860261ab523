"""A month without a line: what 20 devices measured every 10 s fits into 1 GB, and all of it is at the centre soon
after the line is back, each reading once. Where the space is not enough, what was let go is told, and no fact is.

The month passes on a clock that is moved by hand, and is written through the hub's own store; hub and centre are
the real processes then. `make test` takes a day of it.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from edge.clock import ManualClock
from edge.wire.field import RECORDS_MAX
from tests.bench.readings_fill import Filling, Plan, batch, filling
from tests.centre_process import CentreProcess
from tests.chaos.sync_books import CentreBooks, HubBooks
from tests.hub_process import HubProcess
from tests.postgres import PostgresServer
from tests.tools import share

pytestmark = [pytest.mark.chaos, pytest.mark.timeout(3600)]

DAYS = share(1, 31)
PLAN = Plan(devices=20, keys=1, each=DAYS * 8640)
BUDGET_MB, TIGHT_MB = 1024, share(8, 200)
MB = 1024 * 1024
DRAINED_S = share(300.0, 1800.0)
SERVING_S, SYNCING_S = 60.0, 60.0  # wanted: 5 s and 10 s, on a machine that has nothing else to do
RETAIN_EVERY = 10  # rounds of batches
FACTS_EACH = 5  # with every round


@pytest.fixture(params=share(["sqlite"], ["sqlite", "postgresql"]))
def server(request: pytest.FixtureRequest) -> Iterator[PostgresServer | None]:
    """A PostgreSQL of this test's own, for it is restarted; None for SQLite."""
    if request.param == "sqlite":
        yield None
        return
    own = PostgresServer()
    own.start()
    yield own
    own.close()


class Month(msgspec.Struct):
    """A hub that was away, with what its file came to."""

    data: Path
    readings: int
    size_bytes: int
    gone: int  # readings that the ledger says were let go


async def lived_through(data: Path, budget_mb: int) -> Month:
    """The month, at the hub alone."""
    clock = ManualClock(at_us=time.time_ns() // 1000 - DAYS * 86_400_000_000)
    last_us = clock.at_us + DAYS * 86_400_000_000
    async with filling(data, PLAN.devices, clock, readings_mb=budget_mb, readings_days=DAYS + 1) as hub:
        hub.folding.keep_unsent_with(lambda: 1)  # enrolled, and nothing of it is there yet
        for turn, first in enumerate(range(0, PLAN.each, RECORDS_MAX)):
            clock.advance(min(RECORDS_MAX, PLAN.each - first) * PLAN.every_s)
            for device in hub.devices:
                await hub.telemetry.ingest_batch(device, batch(PLAN, first, last_us), received=clock.now())
            await told(hub, turn)
            await hub.folding.fold_due()
            if turn % RETAIN_EVERY == RETAIN_EVERY - 1:
                await hub.fold()
                await hub.folding.retain()
        await hub.fold()
        await hub.folding.retain()
        size = await hub.telemetry.past.size_bytes()
        ((count,),) = await hub.store.readings.read("SELECT COUNT(*) FROM readings")
    return Month(data, int(count), size, hub.folding.dropped)


async def told(hub: Filling, turn: int) -> None:
    """A few facts, as every day has."""
    for number in range(FACTS_EACH):
        await hub.store.hub.write(lambda tx, n=number: tx.fact("day.told", f"turn-{turn}", n=n))  # type: ignore[misc]


async def test_a_month_offline_is_caught_up(tmp_path: Path, server: PostgresServer | None) -> None:
    month = await lived_through(tmp_path / "hub", BUDGET_MB)
    assert month.size_bytes < BUDGET_MB * MB, f"{month.size_bytes / MB:.0f} MB"
    assert (month.readings, month.gone) == (PLAN.count, 0)
    url = await server.new_database() if server is not None else ""
    centre, hub = CentreProcess(tmp_path / "centre", database=url), HubProcess(month.data)
    books = CentreBooks(tmp_path / "centre" / "cloud.db", server, url)
    try:
        await centre.start()
        await hub.start()
        began = time.monotonic()
        await enrolled(hub, centre)
        await some_arrived(books)
        await hub.kill()
        await hub.start()
        assert hub.start_s < SERVING_S, f"serving again after {hub.start_s:.1f} s"
        await drained(hub, DRAINED_S - (time.monotonic() - began))
        print(f"{PLAN.count:,} readings of {DAYS} days, {month.size_bytes / MB:.0f} MB: drained in "
              f"{time.monotonic() - began:.0f} s; serving {hub.start_s:.1f} s after kill -9")  # fmt: skip
        assert await counted(books) == (PLAN.count, PLAN.count)
        if server is not None:
            print(
                f"syncing {await back_after_restart(hub, server, books):.1f} s after PostgreSQL was started again"
            )
    finally:
        await hub.stop()
        await centre.stop()
    assert set(HubBooks.of(month.data).facts) == set(await books.facts())


async def test_what_did_not_fit_is_told(tmp_path: Path) -> None:
    """With less space readings go, and the ledger says which; all facts arrive, and all readings that are left."""
    month = await lived_through(tmp_path / "hub", TIGHT_MB)
    assert month.readings < PLAN.count, "all of it fitted: nothing was tested"
    centre, hub = CentreProcess(tmp_path / "centre"), HubProcess(month.data)
    books = CentreBooks(tmp_path / "centre" / "cloud.db", None, "")
    try:
        await centre.start()
        await hub.start()
        await enrolled(hub, centre)
        await drained(hub, DRAINED_S)
        there = await books.rows("SELECT seq FROM readings")
        gaps = await books.rows("SELECT body FROM facts WHERE kind = 'gap'")
    finally:
        await hub.stop()
        await centre.stop()
    said = set()
    for (body,) in gaps:
        told_gap: dict[str, Any] = msgspec.json.decode(body)
        said |= set(range(told_gap["first"], told_gap["last"] + 1))
    everything = set(range(1, PLAN.count + 1))
    assert {seq for (seq,) in there} | said == everything, "readings went without a word"
    assert len(there) == month.readings
    assert set(HubBooks.of(month.data).facts) == set(await books.facts())


async def enrolled(hub: HubProcess, centre: CentreProcess) -> None:
    """The line is there."""
    async with centre.session() as office, office.post("/v1/sites", json={"name": "Away"}) as response:
        assert response.status == 201, await response.text()
        code = (await response.json())["code"]
    body = {"code": code, "url": centre.url}
    async with hub.session() as desk, desk.post("/v1/sync/enrol", json=body) as response:
        assert response.status in (200, 201), await response.text()


async def some_arrived(books: CentreBooks) -> None:
    """Wait until it has begun."""
    async with asyncio.timeout(60):
        while (await counted(books))[0] == 0:  # noqa: ASYNC110 - another process
            await asyncio.sleep(0.05)


async def drained(hub: HubProcess, seconds: float) -> None:
    """Wait until nothing waits any more."""
    view: dict[str, Any] = {}
    try:
        async with asyncio.timeout(seconds), hub.session() as desk:
            while view.get("state") != "live" or any(lane["waiting"] for lane in view["lanes"]):
                await asyncio.sleep(0.1)
                async with desk.get("/v1/sync") as response:
                    view = await response.json()
    except TimeoutError:
        raise AssertionError(f"not drained: {view}") from None


async def counted(books: CentreBooks) -> tuple[int, int]:
    """Readings at the centre, and how many different ones by the hub's numbers."""
    ((rows, different),) = await books.rows("SELECT COUNT(*), COUNT(DISTINCT seq) FROM readings")
    return int(rows), int(different)


async def back_after_restart(hub: HubProcess, server: PostgresServer, books: CentreBooks) -> float:
    """Seconds from PostgreSQL's start to a new reading that is there."""
    async with hub.session() as desk:
        await asyncio.to_thread(server.restart, hard=True)
        began = time.monotonic()
        async with desk.get("/v1/devices?limit=1") as response:
            device = (await response.json())["items"][0]["id"]
        async with desk.post(f"/v1/devices/{device}/readings", json={"values": {"after": 1.0}}) as response:
            assert response.status == 200, await response.text()
        async with asyncio.timeout(SYNCING_S):
            while (await counted(books))[0] <= PLAN.count:  # noqa: ASYNC110 - another process
                await asyncio.sleep(0.05)
    return time.monotonic() - began
