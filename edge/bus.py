"""Events inside the hub: typed, told after the commit that made them true, bounded, drops counted.

A subscriber owns a bounded queue. When it is slow its oldest events are shed and counted, and the next event it
reads is `Missed`, so that it can fetch the state anew instead of believing an incomplete story. It may name the
types it wants: an event of a type that nobody wants costs one look into a table.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Iterable

import msgspec

QUEUE_EVENTS = 1024  # about 10 s of the busiest hub; a live socket slower than that starts anew


class Event(msgspec.Struct, frozen=True, kw_only=True, tag_field="event", tag=str.lower):
    """Something that has become true. Subclasses are defined where the fact is."""


class Missed(Event, frozen=True):
    """`count` events were shed because this subscriber was slow."""

    count: int


class Subscription:
    """One reader's bounded queue."""

    def __init__(self, bus: Bus, limit: int, only: tuple[type[Event], ...] | None = None) -> None:
        self._bus, self._limit, self._only = bus, limit, only
        self._ignored: frozenset[type[Event]] = frozenset()
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

    def wants(self, kind: type[Event]) -> bool:
        """Whether events of exactly this type are queued."""
        return kind not in self._ignored and (self._only is None or issubclass(kind, self._only))

    def ignore(self, kinds: Iterable[type[Event]]) -> None:
        """From now on leave out exactly these types, in place of those left out before."""
        self._ignored = frozenset(kinds)
        self._bus.changed()

    def close(self) -> None:
        """Stop receiving."""
        self._bus.forget(self)


class Bus:
    """Hands each event to every subscriber. `dropped` counts what slow ones shed."""

    def __init__(self) -> None:
        self.dropped = 0
        self._subscribers: list[Subscription] = []
        self._wanting: dict[type[Event], tuple[Subscription, ...]] = {}  # by type, found once

    def publish(self, event: Event) -> None:
        """Tell everybody who wants events of this type; never blocks."""
        wanting = self._wanting.get(type(event))
        for subscriber in self._find(type(event)) if wanting is None else wanting:
            subscriber.offer(event)

    def wanted(self, kind: type[Event]) -> bool:
        """Whether anybody wants events of this type: what is costly to make need not be made for nobody."""
        wanting = self._wanting.get(kind)
        return bool(self._find(kind) if wanting is None else wanting)

    def subscribe(self, limit: int = QUEUE_EVENTS, only: tuple[type[Event], ...] | None = None) -> Subscription:
        """Start receiving events of the types in `only` and below them, of all when it is None; then `close`."""
        subscription = Subscription(self, limit, only)
        self._subscribers.append(subscription)
        self.changed()
        return subscription

    def forget(self, subscription: Subscription) -> None:
        """Drop a subscriber; unknown ones are fine."""
        if subscription in self._subscribers:
            self._subscribers.remove(subscription)
            self.changed()

    def changed(self) -> None:
        """Somebody wants other types than before."""
        self._wanting.clear()

    def _find(self, kind: type[Event]) -> tuple[Subscription, ...]:
        found = tuple(subscriber for subscriber in self._subscribers if subscriber.wants(kind))
        self._wanting[kind] = found
        return found
