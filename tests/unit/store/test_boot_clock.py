"""A clock that is set only after a while: one fact says when the boot began; every row's time follows from it."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from edge.bus import Bus
from edge.clock import ManualClock, Quality
from edge.store.boot_clock import BootClock
from edge.store.boots import Boots, unset
from edge.store.database import Store
from edge.store.ledger import facts, verify
from edge.wire.ledger import Fact
from edge.wire.times import FIXED, FIXED_FACT, clock_fixed, dated

TRUE_US = 1_763_700_000_000_000
SECOND = 1_000_000


@contextlib.asynccontextmanager
async def opened(folder: Path, clock: ManualClock) -> AsyncIterator[tuple[Store, BootClock]]:
    """A store and the watch over its clock, started."""
    store = Store(folder, Bus(), clock, free_floor_mb=0, ballast_mb=0)
    await store.open()
    try:
        watch = BootClock(store, clock)
        await watch.start()
        yield store, watch
    finally:
        await store.close()


def in_1970() -> ManualClock:
    """A Pi that has just started, half a minute after the beginning of time."""
    return ManualClock(30 * SECOND, Quality.NONE)


async def told(store: Store) -> list[Fact]:
    """The whole ledger, proven whole."""
    await verify(store.hub)
    return await facts(store.hub, 0, 1000)


async def tell(store: Store) -> None:
    """A fact."""
    await store.hub.write(lambda tx: tx.fact("test.happened", "it"))


def when(store: Store, fact: Fact) -> int:
    """What a fact is really of."""
    return store.boots.dated(fact.at_us, fact.quality, fact.boot_id, fact.mono_ms)[0]


async def test_what_happened_before_the_clock_was_set_is_shown_when_it_was(tmp_path: Path) -> None:
    clock = in_1970()
    async with opened(tmp_path, clock) as (store, watch):
        await tell(store)
        clock.advance(60)
        await watch.look()
        assert [fact.kind for fact in await told(store)] == ["test.happened"]
        clock.at_us, clock.quality = TRUE_US, Quality.NTP
        await watch.look()
        await watch.look()
        await tell(store)
        first, fixed, last = await told(store)
        assert (fixed.kind, fixed.subject) == (FIXED_FACT, "boot-1")
        assert clock_fixed(fixed.body).offset_us == TRUE_US - 90 * SECOND
        assert (when(store, first), when(store, last)) == (TRUE_US - 60 * SECOND, TRUE_US)
        assert first.at_us == 30 * SECOND  # as it was written
    async with opened(tmp_path, clock) as (store, _):
        ledger = await told(store)
        assert when(store, ledger[0]) == TRUE_US - 60 * SECOND
        assert len(ledger) == 3  # once a boot


async def test_a_clock_set_while_the_hub_was_down_is_noticed_at_its_start(tmp_path: Path) -> None:
    clock = in_1970()
    async with opened(tmp_path, clock) as (store, _):
        await tell(store)
    clock.advance(3600)
    clock.at_us, clock.quality = TRUE_US, Quality.NTP
    async with opened(tmp_path, clock) as (store, _):
        first, fixed = await told(store)
        assert (fixed.kind, when(store, first)) == (FIXED_FACT, TRUE_US - 3600 * SECOND)


async def test_a_boot_that_was_never_set_stays_as_it_is(tmp_path: Path) -> None:
    clock = in_1970()
    async with opened(tmp_path, clock) as (store, _):
        await tell(store)
    clock.reboot(wall_us=TRUE_US, quality=Quality.NTP)
    async with opened(tmp_path, clock) as (store, watch):
        await watch.look()
        (first,) = await told(store)
        assert when(store, first) == 30 * SECOND


async def test_a_clock_set_back_two_weeks_changes_nothing_that_was(tmp_path: Path) -> None:
    clock = in_1970()
    async with opened(tmp_path, clock) as (store, watch):
        await tell(store)
        clock.at_us, clock.quality = TRUE_US, Quality.NTP
        await watch.look()
        clock.at_us -= 14 * 86_400 * SECOND
        await watch.look()
        await tell(store)
        ledger = await told(store)
        assert [fact.kind for fact in ledger] == ["test.happened", FIXED_FACT, "test.happened"]
        assert [when(store, fact) for fact in ledger] == [TRUE_US, TRUE_US, TRUE_US - 14 * 86_400 * SECOND]


async def test_a_clock_that_is_good_from_the_start_is_none_of_its_business(tmp_path: Path) -> None:
    clock = ManualClock(TRUE_US, Quality.RTC)
    async with opened(tmp_path, clock) as (store, watch):
        clock.at_us, clock.quality = TRUE_US + 120 * SECOND, Quality.NTP
        await watch.look()
        assert await told(store) == []


async def test_of_two_facts_about_a_boot_the_later_counts(tmp_path: Path) -> None:
    boots = Boots()
    boots.keep("b", TRUE_US)
    boots.keep("b", TRUE_US + 5)
    assert boots.dated(17, "none", "b", 1000) == (TRUE_US + SECOND + 5, FIXED)
    assert boots.dated(17, "ntp", "b", 1000) == (17, "ntp")
    assert boots.dated(17, "none", "other", 1000) == (17, "none")


@given(
    steps=st.lists(
        st.tuples(st.integers(0, 86_400 * 40), st.none() | st.integers(-(10**15), 10**15)), min_size=1, max_size=30
    )
)
def test_however_often_it_was_set_by_hand_each_row_is_of_when_it_was(
    steps: list[tuple[int, int | None]],
) -> None:
    """Time passes and hands set the clock anywhere; then NTP comes."""
    clock, true_us, rows = in_1970(), TRUE_US, []
    for passed_s, jump_us in steps:
        rows.append((clock.now(), true_us))
        clock.advance(passed_s)
        true_us += passed_s * SECOND
        if jump_us is not None:
            clock.at_us = max(0, clock.at_us + jump_us)
    clock.at_us, clock.quality = true_us, Quality.NTP
    now, boots = clock.now(), Boots()
    boots.keep(now.boot_id, now.at_us - now.mono_ms * 1000)
    for stamp, was_us in rows:
        assert boots.dated(stamp.at_us, stamp.quality, stamp.boot_id, stamp.mono_ms) == (was_us, FIXED)
        assert boots.when(stamp.at_us, unset(stamp)) == was_us
    times = [dated(boots.known(), s.at_us, s.quality, s.boot_id, s.mono_ms)[0] for s, _ in rows]
    assert times == sorted(times)
