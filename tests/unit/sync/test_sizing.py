"""Sizes of batches, the search for a refused row, and shares of a bounded line."""

from __future__ import annotations

import asyncio

from hypothesis import given
from hypothesis import strategies as st

from edge.sync.share import LEDGER, READINGS, STATE, Share
from edge.sync.sizing import IN_FLIGHT, LEAST_BYTES, SLOW_S, SMALL_BYTES, Bisection, Sizer
from edge.wire.sync import PACKED_BYTES, ROWS_MAX


def test_batches_grow_while_the_line_takes_them_fast_and_are_halved_when_it_does_not() -> None:
    sizer = Sizer(IN_FLIGHT)
    assert (sizer.bytes, sizer.window) == (SMALL_BYTES, 1)
    for _ in range(20):
        sizer.went(0.1)
    assert (sizer.bytes, sizer.window) == (PACKED_BYTES, IN_FLIGHT)
    sizer.went(SLOW_S + 1)
    assert (sizer.bytes, sizer.window) == (PACKED_BYTES // 2, IN_FLIGHT // 2)
    for _ in range(20):
        sizer.went(SLOW_S + 1)
    assert (sizer.bytes, sizer.window) == (LEAST_BYTES, 1)
    assert sizer.rows >= 1


def test_rows_follow_what_rows_have_come_to() -> None:
    sizer = Sizer()
    for _ in range(10):
        sizer.went(0.1)
        sizer.measured(1000, 10_000)
    assert 45_000 <= sizer.rows <= ROWS_MAX
    sizer.too_large(1000)
    assert sizer.rows == 500


@given(st.integers(1, 2000), st.sets(st.integers(1, 2000), max_size=5))
def test_every_refused_row_is_found_and_nothing_else_is_set_aside(head: int, bad: set[int]) -> None:
    search, first, aside, sent, questions = Bisection(), 1, set(), set(), 0
    while first <= head:
        questions += 1
        last = min(first + (search.most(first) or 500) - 1, head)
        rows = set(range(first, last + 1)) - aside
        if rows & bad:
            if search.refused(first, last):
                aside.add(first)
        else:
            sent |= rows
            first = last + 1
    assert aside == {row for row in bad if row <= head}
    assert sent == set(range(1, head + 1)) - bad
    assert questions <= 30 * (len(bad) + 1) + head // 100


async def test_state_goes_first_and_nobody_is_starved() -> None:
    share = Share(8 * 64)  # 64 kB/s
    order: list[str] = []

    async def send(lane: str) -> None:
        await share.take(lane, 8_000)
        order.append(lane)

    async with asyncio.TaskGroup() as group:
        for lane in [READINGS] * 6 + [LEDGER] * 6 + [STATE] * 6:
            group.create_task(send(lane))
    assert order.index(STATE) < 3
    assert READINGS in order[:12], "readings have their share while others wait"
    assert order[-1] == READINGS


async def test_a_bounded_line_is_not_passed() -> None:
    share, loop = Share(8 * 100), asyncio.get_running_loop()  # 100 kB/s
    began = loop.time()
    for _ in range(6):
        await share.take(READINGS, 50_000)
    assert loop.time() - began >= 1.0  # 100 kB at once, 150 kB at its rate, the last on credit


async def test_without_a_bound_nobody_waits() -> None:
    share = Share(0)
    await share.take(READINGS, 10**12)
    assert share.sent_bytes == 10**12
