"""Files in whole and in part, as RFC 9110 has it; turns and the line are shared."""

from __future__ import annotations

import asyncio

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.errors import BadRange, Crowded
from edge.serving.downloads import Downloads, Span, span

SIZE, ETAG = 1000, "ab" * 32


@pytest.mark.parametrize(
    ("asked", "start", "stop"),
    [
        ("bytes=0-", 0, 1000),
        ("bytes=0-0", 0, 1),
        ("bytes=200-299", 200, 300),
        ("bytes=999-999", 999, 1000),
        ("bytes=990-5000", 990, 1000),
        ("bytes=-1", 999, 1000),
        ("bytes=-5000", 0, 1000),
    ],
)
def test_a_part(asked: str, start: int, stop: int) -> None:
    found = span({"Range": asked}, SIZE, ETAG)
    assert (found, found.status) == (Span(start, stop, True), 206)


@pytest.mark.parametrize(
    "asked",
    [
        "",
        "bytes=",
        "bytes=-",
        "bytes=5-2",
        "bytes=a-b",
        "items=0-1",
        "bytes=0-1,5-6",
        "bytes=1 - 2",
        "bytes=\N{ARABIC-INDIC DIGIT THREE}-",
        "bytes=--1",
        "bytes=" + "9" * 40 + "-",
    ],
)
def test_what_cannot_be_read_is_answered_with_the_whole(asked: str) -> None:
    assert span({"Range": asked}, SIZE, ETAG) == Span(0, SIZE, False)


@pytest.mark.parametrize(
    ("asked", "size"), [("bytes=1000-", 1000), ("bytes=-0", 1000), ("bytes=0-", 0), ("bytes=-5", 0)]
)
def test_what_lies_behind_the_end_is_refused(asked: str, size: int) -> None:
    with pytest.raises(BadRange):
        span({"Range": asked}, size, ETAG)


@pytest.mark.parametrize(
    ("condition", "part"),
    [
        (f'"{ETAG}"', True),
        ('"other"', False),
        (f'W/"{ETAG}"', False),
        ("Sat, 21 Nov 2026 00:00:00 GMT", False),
        ("", False),
    ],
)
def test_another_content_is_never_mixed_in(condition: str, part: bool) -> None:
    assert span({"Range": "bytes=5-", "If-Range": condition}, SIZE, ETAG).part is part


@given(st.text(max_size=30), st.integers(0, 2000))
def test_nothing_gives_more_than_there_is(asked: str, size: int) -> None:
    try:
        found = span({"Range": "bytes=" + asked}, size, ETAG)
    except BadRange:
        return
    assert 0 <= found.start <= found.stop <= size


async def test_turns_are_given_in_order_and_not_for_ever() -> None:
    downloads, order = Downloads(2, wait_s=60.0), []
    go = asyncio.Event()

    async def fetch(number: int) -> None:
        async with downloads.turn():
            order.append(number)
            await go.wait()

    async with asyncio.TaskGroup() as group:
        for number in range(5):
            group.create_task(fetch(number))
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        assert (order, downloads.under_way, downloads.waiting) == ([0, 1], 2, 3)
        go.set()
    assert order == [0, 1, 2, 3, 4]
    assert (downloads.under_way, downloads.waiting, downloads.refused) == (0, 0, 0)


async def test_who_waits_too_long_is_told_when_to_come_again() -> None:
    downloads = Downloads(1, wait_s=0.01)
    async with downloads.turn():
        with pytest.raises(Crowded) as refused:
            async with downloads.turn():
                pass
        assert refused.value.retry_after_s > 0
    async with downloads.turn():  # what did not get a turn holds none
        assert downloads.refused == 1


async def test_who_leaves_while_waiting_takes_no_turn() -> None:
    downloads = Downloads(1, wait_s=60.0)

    async def wait() -> None:
        async with downloads.turn():
            pass

    async with downloads.turn():
        waiting = asyncio.create_task(wait())
        await asyncio.sleep(0)
        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting
    async with downloads.turn():
        assert downloads.waiting == 0


async def test_the_line_is_shared_evenly() -> None:
    """Three that fetch at once get a piece each in turn, whoever came first."""
    downloads, order = Downloads(3, 8000), []

    async def fetch(name: str) -> None:
        for _ in range(4):
            await downloads.pace(1000)
            order.append(name)

    await asyncio.gather(fetch("a"), fetch("b"), fetch("c"))
    assert downloads.bytes == 12_000
    assert [sorted(order[at : at + 3]) for at in range(0, 12, 3)] == [["a", "b", "c"]] * 4
