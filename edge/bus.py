"""Events inside the hub: typed, told after the commit that made them true, bounded, drops counted.

A subscriber owns a bounded queue. When it is slow its oldest events are shed and counted, and the next event it
reads is `Missed`, so that it can fetch the state anew instead of believing an incomplete story.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator

import msgspec

QUEUE_EVENTS = 1024  # about 10 s of the busiest hub; a live socket slower than that starts anew


class Event(msgspec.Struct, frozen=True, kw_only=True, tag_field="event", tag=str.lower):
    """Something that has become true. Subclasses are defined where the fact is."""


class Missed(Event, frozen=True):
    """`count` events were shed because this subscriber was slow."""

    count: int


class Subscription:
    """One reader's bounded queue."""

    def __init__(self, bus: Bus, limit: int) -> None:
        self._bus, self._limit = bus, limit
        self._events: deque[Event] = deque()
        self._wake = asyncio.Event()
        self._missed = 0

    def offer(self, event: Event) -> None:
        """Queue an event, shedding the oldest when full."""
        if len(self._events) >= self._limit:
            self._events.popleft()
            self._missed += 1
            self._bus.dropped += 1
        self._events.append(event)
        self._wake.set()

    async def get(self) -> Event:
        """The next event, in order."""
        while not self._events:
            self._wake.clear()
            await self._wake.wait()
        if self._missed:
            missed, self._missed = self._missed, 0
            return Missed(count=missed)
        return self._events.popleft()

    async def __aiter__(self) -> AsyncIterator[Event]:
        while True:
            yield await self.get()

    def close(self) -> None:
        """Stop receiving."""
        self._bus.forget(self)


class Bus:
    """Hands each event to every subscriber. `dropped` counts what slow ones shed."""

    def __init__(self) -> None:
        self.dropped = 0
        self._subscribers: list[Subscription] = []

    def publish(self, event: Event) -> None:
        """Tell everybody; never blocks."""
        for subscriber in self._subscribers:
            subscriber.offer(event)

    def subscribe(self, limit: int = QUEUE_EVENTS) -> Subscription:
        """Start receiving; call `close` when done."""
        subscription = Subscription(self, limit)
        self._subscribers.append(subscription)
        return subscription

    def forget(self, subscription: Subscription) -> None:
        """Drop a subscriber; unknown ones are fine."""
        if subscription in self._subscribers:
            self._subscribers.remove(subscription)
