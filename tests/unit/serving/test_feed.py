"""The feed of live readers: one translation for all, bounded queues, and a fault that passes."""

from __future__ import annotations

import asyncio

import pytest

from edge.bus import Bus, Event
from edge.serving import feed
from edge.serving.feed import Feed, Told, Wanted
from edge.wire.views import LiveEvent


class Happened(Event, frozen=True, kw_only=True):
    """Something about a device."""

    device_id: str
    number: int = 0


class Unheard(Event, frozen=True):
    """Something nobody outside is told."""


class Telling:
    """Translates, counts, and fails when told to."""

    def __init__(self) -> None:
        self.count = 0
        self.broken = False

    async def __call__(self, event: Event) -> LiveEvent | None:
        self.count += 1
        if self.broken:
            raise RuntimeError("a fault")
        return LiveEvent(topic="device", data={"number": event.number}) if isinstance(event, Happened) else None


async def got(reader: feed.Reader) -> Told:
    """The next message."""
    message = await asyncio.wait_for(reader.get(), 60)
    assert isinstance(message, Told)
    return message


async def test_all_readers_are_told_the_same_text_made_once() -> None:
    bus, telling = Bus(), Telling()
    here = Feed(bus, telling)
    readers = [here.join(Wanted()) for _ in range(5)]
    bus.publish(Happened(device_id="d"))
    texts = [(await got(reader)).text for reader in readers]
    assert telling.count == 1
    assert all(text is texts[0] for text in texts)


async def test_a_slow_reader_is_told_what_it_missed_and_the_others_miss_nothing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(feed, "READER_EVENTS", 3)
    bus = Bus()
    here = Feed(bus, Telling())
    slow, quick = here.join(Wanted()), here.join(Wanted())
    for number in range(10):
        bus.publish(Happened(device_id="d", number=number))
        assert f'"number":{number}' in (await got(quick)).text
    assert '"count":7' in (await got(slow)).text
    assert [f'"number":{number}' in (await got(slow)).text for number in (7, 8, 9)] == [True] * 3


async def test_a_device_that_nobody_asked_for_is_not_even_translated() -> None:
    bus, telling = Bus(), Telling()
    here = Feed(bus, telling)
    reader = here.join(Wanted(devices=frozenset({"mine"})))
    for device in ("other", "mine"):
        bus.publish(Happened(device_id=device))
    await got(reader)
    assert telling.count == 1


async def test_a_fault_ends_those_who_read_and_nobody_who_comes_later() -> None:
    bus, telling = Bus(), Telling()
    here = Feed(bus, telling)
    first = here.join(Wanted())
    telling.broken = True
    bus.publish(Happened(device_id="d"))
    with pytest.raises(RuntimeError):
        await got(first)
    telling.broken = False
    second = here.join(Wanted())
    here.leave(first)
    bus.publish(Unheard())
    bus.publish(Happened(device_id="d", number=2))
    assert '"number":2' in (await got(second)).text
    here.leave(second)
    assert bus._subscribers == []
