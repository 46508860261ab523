"""Events: in order, never blocking, and who is slow is told what was shed."""

from __future__ import annotations

import asyncio

from hypothesis import given
from hypothesis import strategies as st

from edge.bus import Bus, Event, Missed


class Counted(Event, frozen=True, kw_only=True):
    """An event with a number."""

    number: int


def drained(bus: Bus, limit: int, steps: list[int]) -> tuple[list[Event], int]:
    """What a reader gets: a step of `n` reads as many events, one of `-n` publishes as many."""

    async def played() -> tuple[list[Event], int]:
        subscription, got, number = bus.subscribe(limit), [], 0
        for step in steps:
            for _ in range(-step):
                bus.publish(Counted(number=number))
                number += 1
            for _ in range(step):
                if subscription._events:
                    got.append(await subscription.get())
        while subscription._events:
            got.append(await subscription.get())
        subscription.close()
        return got, number

    return asyncio.run(played())


@given(st.integers(1, 5), st.lists(st.integers(-8, 8), max_size=20))
def test_every_event_is_read_in_order_or_told_as_missed(limit: int, steps: list[int]) -> None:
    bus = Bus()
    got, published = drained(bus, limit, steps)
    expected = missed = 0
    for event in got:
        if isinstance(event, Missed):
            assert event.count > 0
            missed += event.count
            expected += event.count
        else:
            assert isinstance(event, Counted)
            assert event.number >= expected - limit
    numbers = [event.number for event in got if isinstance(event, Counted)]
    assert numbers == sorted(set(numbers))
    assert len(numbers) + missed == published
    assert bus.dropped == missed


async def test_the_oldest_go_and_the_reader_hears_it_first() -> None:
    bus = Bus()
    subscription = bus.subscribe(limit=2)
    for number in range(5):
        bus.publish(Counted(number=number))
    assert await subscription.get() == Missed(count=3)
    assert [await subscription.get() for _ in range(2)] == [Counted(number=3), Counted(number=4)]


async def test_a_waiting_reader_wakes() -> None:
    bus = Bus()
    subscription = bus.subscribe()
    waiting = asyncio.create_task(subscription.get())
    await asyncio.sleep(0)
    bus.publish(Counted(number=1))
    assert await asyncio.wait_for(waiting, 60) == Counted(number=1)


async def test_one_slow_reader_costs_the_others_nothing() -> None:
    bus = Bus()
    slow, quick = bus.subscribe(limit=1), bus.subscribe(limit=9)
    for number in range(9):
        bus.publish(Counted(number=number))
    assert [await quick.get() for _ in range(9)] == [Counted(number=number) for number in range(9)]
    assert await slow.get() == Missed(count=8)


async def test_a_closed_reader_gets_nothing_more() -> None:
    bus = Bus()
    subscription = bus.subscribe(limit=1)
    subscription.close()
    subscription.close()
    bus.publish(Counted(number=1))
    bus.publish(Counted(number=2))
    assert bus.dropped == 0


class Other(Event, frozen=True):
    """An event of another type."""


class Special(Counted, frozen=True, kw_only=True):
    """A kind of Counted."""


async def test_a_reader_gets_the_types_it_named_and_those_below_them() -> None:
    bus = Bus()
    subscription = bus.subscribe(only=(Counted,))
    for event in (Other(), Counted(number=1), Special(number=2), Other()):
        bus.publish(event)
    assert [await subscription.get() for _ in range(2)] == [Counted(number=1), Special(number=2)]
    assert not subscription._events


async def test_a_type_that_nobody_wants_is_queued_nowhere() -> None:
    bus = Bus()
    assert not bus.wanted(Counted)
    picky, all_of_it = bus.subscribe(only=(Other,)), bus.subscribe()
    assert bus.wanted(Counted)
    all_of_it.ignore([Counted])
    assert not bus.wanted(Counted)
    bus.publish(Counted(number=1))
    assert not picky._events
    assert not all_of_it._events
    all_of_it.ignore([])
    assert bus.wanted(Counted)
    all_of_it.close()
    assert not bus.wanted(Counted)
    assert bus.wanted(Other)
