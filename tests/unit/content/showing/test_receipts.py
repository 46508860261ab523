"""What panels show, and by which evidence: kept, bounded, and never twice for one showing."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator
from pathlib import Path

from edge.bus import Bus
from edge.clock import ManualClock, Quality
from edge.content.showing import store as sql
from edge.content.showing.receipts import FETCHED, TOLD, Receipts
from edge.devices.registry import Registry
from edge.store.database import Store

A, B = "a" * 64, "b" * 64


@contextlib.asynccontextmanager
async def receipts(folder: Path, clock: ManualClock) -> AsyncIterator[tuple[Receipts, str, Store]]:
    """Those of a site with one panel."""
    store, bus = Store(folder, Bus(), clock, free_floor_mb=1, ballast_mb=1), Bus()
    await store.open()
    try:
        registry = Registry(store.hub, bus, clock, auto_approve=True, reports_kept=1)
        await registry.start()
        device = registry.find("Door") or (await registry.add("Door", "eink", "native", actor="test"))[0]
        kept = Receipts(store.hub, clock)
        await kept.start()
        yield kept, device.id, store
    finally:
        await store.close()


async def test_one_showing_is_one_receipt_and_better_evidence_of_it_is_kept(tmp_path: Path) -> None:
    clock = ManualClock()
    async with receipts(tmp_path, clock) as (kept, door, _):
        assert await kept.take(door, A, "hall", 3, FETCHED)
        first = kept.of(door)
        clock.advance(60)
        assert not await kept.take(door, A, "hall", 3, FETCHED)
        assert await kept.take(door, A, "", 0, TOLD)
        assert not await kept.take(door, A, "hall", 3, FETCHED)  # no step back
        assert not await kept.take(door, A, "hall", 3, TOLD)
    async with receipts(tmp_path, clock) as (kept, door, _):
        (again,) = await kept.page(door, 10**9, 10)
        assert kept.of(door) == again
        assert first is not None
        assert (again.at_us, again.evidence, again.screen, again.version) == (first.at_us, TOLD, "hall", 3)
        assert not await kept.take(door, A, "hall", 3, TOLD)
        assert await kept.take(door, B, "hall", 4, TOLD, shown_ms=20_000)
        now = kept.of(door)
        assert now is not None
        assert now.at_us == clock.at_us - 20_000_000
        await kept.forget(door)
        assert (kept.of(door), await kept.page("", 10**9, 10)) == (None, [])


async def test_the_last_are_kept_of_each_panel_and_come_in_pages(tmp_path: Path) -> None:
    async with receipts(tmp_path, ManualClock()) as (kept, door, _):
        for number in range(sql.KEPT + 5):
            await kept.take(door, f"{number:064x}", "hall", number, TOLD)
        page = await kept.page(door, 10**9, 500)
        assert len(page) == sql.KEPT
        assert [one.version for one in page[:2]] == [sql.KEPT + 4, sql.KEPT + 3]
        assert await kept.page(door, page[1].number, 1) == [page[2]]


async def test_pictures_that_nobody_offered_do_not_wash_out_what_is_known(tmp_path: Path) -> None:
    clock = ManualClock()
    async with receipts(tmp_path, clock) as (kept, door, _):
        assert await kept.take(door, A, "hall", 3, TOLD)
        for number in range(3):
            clock.advance(60)
            assert await kept.take(door, f"{number:064x}", "", 0, TOLD)
        assert await kept.take(door, "", "", 0, TOLD)  # nothing of the hub's: that is another thing
        assert [one.picture for one in await kept.page(door, 10**9, 10)] == ["", f"{2:064x}", A]
        assert (await kept.page(door, 10**9, 10))[1].at_us == clock.at_us


async def test_a_time_by_an_unset_clock_is_put_right_once_it_is_set(tmp_path: Path) -> None:
    clock = ManualClock(quality=Quality.NONE)
    async with receipts(tmp_path, clock) as (kept, door, store):
        await kept.take(door, A, "hall", 1, TOLD)
        one = kept.of(door)
        assert one is not None
        began_us = 1_800_000_000_000_000
        store.boots.keep(clock.boot_id, began_us)
        assert store.boots.when(one.at_us, one.at_clock) == began_us + 100_000_000
