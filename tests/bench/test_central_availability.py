"""Availability at head office: 200 assets of ten sites, a year of 25,000 states each, asked as the pages ask it.

Times are those of a whole request to the API, the answer read to the end.
"""

from __future__ import annotations

import statistics
import time
from pathlib import Path

import pytest

from edge.clock import iso
from tests.bench.asset_fill import ASSETS, SITES, YEAR_US, fill
from tests.bench.report import Report
from tests.running_centre import ENGINES, RunningCentre, database_of, started

pytestmark = [pytest.mark.bench, pytest.mark.timeout(1800)]

TRIES = 20
MONTH_US = YEAR_US // 12


@pytest.mark.parametrize("engine", ENGINES)
async def test_availability_of_a_fleet(engine: str, tmp_path: Path, report: Report) -> None:
    async with database_of(engine) as url, started(tmp_path / "centre", database=url) as centre:
        now_us = centre.centre.clock.now().at_us
        began = time.perf_counter()
        count = await fill(centre.centre.db, now_us)
        filled_s = time.perf_counter() - began
        month, year = (f"from={iso(now_us - length_us)}&to={iso(now_us)}" for length_us in (MONTH_US, YEAR_US))
        site = "site=site-3"
        rows = [
            await figure(centre, what, path)
            for what, path in (
                (f"a site's month, {ASSETS} assets", f"/v1/availability?{month}&{site}"),
                ("a site's month, early shifts", f"/v1/availability?{month}&{site}&shift=early"),
                ("a site's month by day", f"/v1/availability?{month}&{site}&by=day"),
                ("a site's month by hour", f"/v1/availability?{month}&{site}&by=hour&limit=500"),
                ("a site's month: stops, a page", f"/v1/stops?{month}&{site}"),
                ("a site's month: what it stood for", f"/v1/pareto?{month}&{site}"),
                ("an asset's day", f"/v1/assets/asset-03-07/timeline?from={iso(now_us - YEAR_US // 2)}"),
                (f"the fleet's year, {SITES * ASSETS} assets", f"/v1/availability?{year}&by=all"),
                ("the fleet's year by site", f"/v1/availability?{year}&by=site"),
                ("the fleet's year by day", f"/v1/availability?{year}&by=day&limit=500"),
                ("the fleet's year: stops, a page", f"/v1/stops?{year}"),
                ("the fleet's year: what it stood for", f"/v1/pareto?{year}"),
            )
        ]
    report(f"{count:,} states of {SITES * ASSETS} assets, {engine}", [*rows, ("filled in", f"{filled_s:.0f} s")])


async def figure(centre: RunningCentre, what: str, path: str) -> tuple[str, str]:
    """How long it takes: the middle of several, and the longest."""
    took = []
    for _ in range(TRIES):
        began = time.perf_counter()
        answer = await centre.get(path)
        took.append(time.perf_counter() - began)
        assert answer.status == 200, answer.body
        assert "items" not in answer.body or answer.body["items"], path
    p95 = sorted(took)[int(TRIES * 0.95) - 1]
    return what, f"{1000 * statistics.median(took):.0f} ms (p95 of {TRIES}: {1000 * p95:.0f})"
