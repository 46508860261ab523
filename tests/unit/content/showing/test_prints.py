"""Pictures are drawn once for all who ask, kept within their bound, and drawn again when they were let go."""

from __future__ import annotations

import asyncio
import threading

import pytest

from edge.content.render import Rendered, panel_named
from edge.content.showing import prints
from edge.content.showing.flights import Flights
from edge.content.showing.prints import Print, Prints

PANEL = panel_named("eink-800x480")


def print_of(name: str, size: int = 10) -> Print:
    return Print(Rendered(data=name[:1].encode() * size, content_hash=name, width=1, height=1), PANEL, ())


async def test_many_who_ask_at_once_cost_one_drawing() -> None:
    made, held = Prints(), threading.Event()

    def draw() -> Print:
        held.wait(60)
        return print_of("a")

    asking = [asyncio.create_task(made.of("key", draw)) for _ in range(100)]
    await asyncio.sleep(0)
    asking[0].cancel()  # who asked first gives up
    held.set()
    found = await asyncio.gather(*asking[1:])
    assert {one.rendered.content_hash for one in found} == {"a"}
    assert (made.drawn, await made.of("key", draw) is found[0]) == (1, True)


async def test_what_falls_out_is_drawn_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(prints, "KEPT_BYTES", 25)
    made = Prints()
    for name in "abc":
        await made.of(name, lambda name=name: print_of(name))
    assert (made.bytes, made.find("a"), made.find("c") is not None) == (20, None, True)
    await made.of("a", lambda: print_of("a"))
    assert (made.drawn, made.find("b")) == (4, None)


async def test_a_drawing_that_fails_is_told_to_all_and_tried_again() -> None:
    made = Prints()

    def breaks() -> Print:
        raise RuntimeError("no")

    asked = await asyncio.gather(*(made.of("key", breaks) for _ in range(3)), return_exceptions=True)
    assert [str(one) for one in asked] == ["no"] * 3
    assert (await made.of("key", lambda: print_of("a"))).rendered.content_hash == "a"


async def test_flights_are_over_when_they_have_landed() -> None:
    flights: Flights[int] = Flights("count")
    counted = 0

    async def work() -> int:
        nonlocal counted
        counted += 1
        await asyncio.sleep(0)
        return counted

    assert await asyncio.gather(*(flights.join("a", work) for _ in range(5))) == [1] * 5
    assert await flights.join("a", work) == 2
    await flights.settled()
