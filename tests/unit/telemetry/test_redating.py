"""Readings of a boot whose clock was not set: found where they belong once it is, and their hours with them."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from edge.clock import ManualClock, Quality
from edge.telemetry import redating_store
from edge.telemetry.folding import Folding, Keep
from edge.telemetry.redating import Redating
from edge.telemetry.telemetry import Telemetry
from edge.wire.field import Readings
from tests.tools import share
from tests.unit.telemetry.conftest import KOLKATA, Site

SECOND = 1_000_000
HOUR = 3600 * SECOND
TRUE_US = 1_763_700_000_000_000


async def history(telemetry: Telemetry, from_us: int = 0, to_us: int = 2 * TRUE_US) -> list[tuple[int, Any, str]]:
    """What a question for these times is answered."""
    page = await telemetry.history("dev-1", "n", from_us, to_us)
    return [(point.at_us, point.value, point.quality.value) for point in page.points]


async def hours(telemetry: Telemetry) -> list[tuple[int, int, float, float, float]]:
    """Every hour there is."""
    page = await telemetry.history("dev-1", "n", 0, 2 * TRUE_US, bucket_s=3600)
    found = [point.bucket for point in page.points if point.bucket]
    return [(hour.at_us, hour.count, hour.sum, hour.min, hour.max) for hour in found]


async def set_right(site: Site, redating: Redating, at_us: int) -> None:
    """NTP comes: what the watch over the clock does then."""
    site.clock.at_us, site.clock.quality = at_us, Quality.NTP
    now = site.clock.now()
    site.store.boots.keep(now.boot_id, now.at_us - now.mono_ms * 1000)
    await redating.move()


def folding(site: Site, telemetry: Telemetry) -> Folding:
    """Its background work, that keeps everything."""
    keep = Keep(readings_days=31, rollups_days=365, readings_mb=1000)
    return Folding(telemetry, site.store, site.clock, KOLKATA, keep)


@pytest.mark.parametrize("folded", [True, False])
async def test_what_was_measured_in_1970_is_found_when_it_was(site: Site, folded: bool) -> None:
    site.clock.at_us, site.clock.quality = 30 * SECOND, Quality.NONE
    async with site.opened() as telemetry:
        redating = Redating(site.store, KOLKATA)
        for n in range(3):
            await telemetry.ingest(site.device, {"n": n})
            site.clock.advance(10)
        if folded:
            await folding(site, telemetry).fold()
        assert [at_us for at_us, _, _ in await history(telemetry)] == [30 * SECOND, 40 * SECOND, 50 * SECOND]
        await set_right(site, redating, TRUE_US)
        await telemetry.ingest(site.device, {"n": 3})
        was = [(TRUE_US - (30 - 10 * n) * SECOND, n, "fixed") for n in range(3)]
        assert await history(telemetry) == [*was, (TRUE_US, 3, "ntp")]
        assert await history(telemetry, was[1][0], was[2][0]) == [was[1]]
        assert await history(telemetry, 0, TRUE_US - HOUR) == []
        await folding(site, telemetry).fold()
        assert [count for _, count, *_ in await hours(telemetry)] == [4]
        assert telemetry.latest("dev-1")["n"].at_us == TRUE_US
        rows = await site.store.readings.read("SELECT at_us, quality FROM readings ORDER BY seq LIMIT 3")
        assert [tuple(row) for row in rows] == [(30 * SECOND, 0), (40 * SECOND, 0), (50 * SECOND, 0)]


async def test_the_newest_value_gets_its_age_and_keeps_it_over_a_restart(site: Site) -> None:
    site.clock.at_us, site.clock.quality = 30 * SECOND, Quality.NONE
    async with site.opened() as telemetry:
        await telemetry.ingest(site.device, {"n": 1})
        await folding(site, telemetry).fold()
        site.clock.advance(100)
        await set_right(site, Redating(site.store, KOLKATA), TRUE_US)
        latest = telemetry.latest("dev-1")["n"]
        assert (latest.at_us, latest.quality.value) == (TRUE_US - 100 * SECOND, "fixed")
        assert telemetry.age_s(latest, site.clock.now()) == 100
    site.clock.reboot(wall_us=TRUE_US + HOUR)
    async with site.opened() as telemetry:
        assert telemetry.latest("dev-1")["n"].at_us == TRUE_US - 100 * SECOND


async def test_what_a_device_had_kept_without_a_time_of_its_own_follows_too(site: Site) -> None:
    site.clock.at_us, site.clock.quality = 30 * SECOND, Quality.NONE
    async with site.opened() as telemetry:
        records = [(1, 1000, 0, {"n": 1}), (1, 3_600_000, 0, {"n": 2}), (0, 5, TRUE_US - 7 * HOUR, {"n": 3})]
        sent = Readings(epoch="e1", first=0, boot=1, uptime_ms=3_600_000, records=records)
        await telemetry.ingest_batch(site.device, sent, received=site.clock.now())
        await telemetry.ingest(site.device, {"n": 4}, at_us=86_400 * SECOND)  # somebody's own wrong clock
        await folding(site, telemetry).fold()
        await set_right(site, Redating(site.store, KOLKATA), TRUE_US)
        assert await history(telemetry) == [
            (86_400 * SECOND, 4, "none"),
            (TRUE_US - 7 * HOUR, 3, "ntp"),
            (TRUE_US - 3_599 * SECOND, 1, "fixed"),
            (TRUE_US, 2, "fixed"),
        ]


async def test_a_power_cut_between_the_two_files_is_made_good(site: Site) -> None:
    site.clock.at_us, site.clock.quality = 30 * SECOND, Quality.NONE
    async with site.opened() as telemetry:
        for n in range(redating_store.MOVE_ROWS + 5):
            await telemetry.ingest(site.device, {"n": n})
            site.clock.advance(1)
        await folding(site, telemetry).fold()
        site.clock.at_us, site.clock.quality = TRUE_US, Quality.NTP
        now = site.clock.now()
        began_us = now.at_us - now.mono_ms * 1000
        await site.store.readings.write(lambda tx: redating_store.note(tx, {now.boot_id: began_us}))
        await site.store.readings.write(lambda tx: redating_store.move(tx, KOLKATA))  # and then the power is gone
    async with site.opened() as telemetry:
        site.store.boots.keep(now.boot_id, began_us)  # as the ledger's file has it
        redating = Redating(site.store, KOLKATA)
        await redating.start()
        work = asyncio.create_task(redating.run())
        async with asyncio.timeout(60):
            while await history(telemetry, 0, TRUE_US - 2 * HOUR):  # noqa: ASYNC110 - it lies in the database
                await asyncio.sleep(0.01)
        work.cancel()
        found = await history(telemetry)
        assert [value for _, value, _ in found] == list(range(redating_store.MOVE_ROWS + 5))
        assert sum(count for _, count, *_ in await hours(telemetry)) == len(found)


SETTINGS = settings(
    max_examples=share(12, 500), deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


@SETTINGS
@given(
    before=st.lists(st.integers(-50, 50), max_size=6),
    unset=st.lists(st.tuples(st.integers(0, 5000), st.integers(-50, 50)), min_size=1, max_size=12),
    label_s=st.integers(-20_000, 20_000),
    fold_at=st.integers(0, 12),
    twice=st.booleans(),
)
async def test_history_and_hours_are_what_they_had_been_with_a_good_clock(
    tmp_path_factory: pytest.TempPathFactory,
    before: list[int],
    unset: list[tuple[int, int]],
    label_s: int,
    fold_at: int,
    twice: bool,
) -> None:
    """A site that starts with a clock near or far from the truth, even among readings that are right."""
    clock = ManualClock(TRUE_US)
    site = Site(tmp_path_factory.mktemp("site"), clock)
    wanted: list[tuple[int, float]] = []
    async with site.opened() as telemetry:
        for value in before:
            await telemetry.ingest(site.device, {"n": value})
            wanted.append((clock.at_us, value))
            clock.advance(977)
        await folding(site, telemetry).fold()
    true_us = clock.at_us
    clock.reboot(wall_us=TRUE_US + label_s * SECOND, quality=Quality.NONE)
    async with site.opened() as telemetry:
        redating = Redating(site.store, KOLKATA)
        for at, (passed_s, value) in enumerate(unset):
            if at == fold_at:
                await folding(site, telemetry).fold()
            await telemetry.ingest(site.device, {"n": value})
            wanted.append((true_us, value))
            clock.advance(passed_s)
            true_us += passed_s * SECOND
        if twice:
            await set_right(site, redating, true_us + 3 * HOUR)  # and then a better word
        await set_right(site, redating, true_us)
        await folding(site, telemetry).fold_due()
        assert [(at_us, value) for at_us, value, _ in await history(telemetry)] == sorted(
            wanted, key=lambda each: each[0]
        )
        by_hour: dict[int, list[float]] = {}
        for at_us, value in wanted:
            by_hour.setdefault((at_us + HOUR // 2) // HOUR * HOUR - HOUR // 2, []).append(value)
        assert await hours(telemetry) == [
            (hour, len(values), sum(values), min(values), max(values)) for hour, values in sorted(by_hour.items())
        ]
