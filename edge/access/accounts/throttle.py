"""Guessing made slow: failed attempts are counted by who is guessed at, from where, and over all of one address.

Only failures count. A person who comes from an address where his login has worked before has a count of his own, so
nobody elsewhere can lock him out by guessing at his name.
"""

from __future__ import annotations

import math
from collections import OrderedDict

from edge.clock import Clock
from edge.errors import RateLimited

PER_NAME = 20  # failures at one name from everywhere unknown
PER_PLACE = 5  # failures at one name from one address
PER_ADDRESS = 30  # failures at any names from one address: an office behind one router mistypes too
REFILL_S = 60.0  # a failure is forgotten each minute
COUNTS = 4096  # kept of each kind; the one longest untouched goes first


class Throttle:
    """Counts failures, alike for names that exist and that do not. An account has several names: its id counts."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._names, self._places = _Counts(PER_NAME), _Counts(PER_PLACE)
        self._addresses = _Counts(PER_ADDRESS)
        self._known: OrderedDict[str, None] = OrderedDict()

    def attempt(self, name: str, address: str) -> None:
        """Count an attempt, as failed until `worked` or `forgive` says otherwise: many at once are many.

        Raises RateLimited while too many have failed.
        """
        now_s = self._clock.mono_s()
        counts = self._counts(name, address)
        wait_s = math.ceil(max(kept.wait_s(key, now_s) for kept, key in counts))
        if wait_s > 0:
            raise RateLimited(f"Too many failed attempts. Try again in {wait_s} s.", retry_after_s=wait_s)
        for kept, key in counts:
            kept.add(key, 1.0, now_s)

    def forgive(self, name: str, address: str) -> None:
        """The attempt was no guess: it counts as none."""
        now_s = self._clock.mono_s()
        for kept, key in self._counts(name, address):
            kept.add(key, -1.0, now_s)

    def worked(self, name: str, address: str) -> None:
        """The attempt was right: this person may mistype again from here, whatever others do elsewhere."""
        self.forgive(name, address)
        place = _place(name, address)
        self._places.forget(place)
        self._known[place] = None
        self._known.move_to_end(place)
        if len(self._known) > COUNTS:
            self._known.popitem(last=False)

    def _counts(self, name: str, address: str) -> list[tuple[_Counts, str]]:
        """Where an attempt counts. At a name from everywhere: not from where its owner has logged in before."""
        place = _place(name, address)
        counts = [(self._places, place), (self._addresses, address)]
        return counts if place in self._known else [*counts, (self._names, name)]


class _Counts:
    """Failures of each kind of one thing, each leaking away at one in REFILL_S."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._levels: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def wait_s(self, key: str, now_s: float) -> float:
        """Seconds until another failure is allowed; 0 when one is."""
        return max(0.0, (self._level(key, now_s) + 1 - self._limit) * REFILL_S)

    def add(self, key: str, count: float, now_s: float) -> None:
        self._levels[key] = (max(0.0, self._level(key, now_s) + count), now_s)
        self._levels.move_to_end(key)
        if len(self._levels) > COUNTS:
            self._levels.popitem(last=False)

    def forget(self, key: str) -> None:
        self._levels.pop(key, None)

    def _level(self, key: str, now_s: float) -> float:
        level, at_s = self._levels.get(key, (0.0, now_s))
        return max(0.0, level - (now_s - at_s) / REFILL_S)


def _place(name: str, address: str) -> str:
    return f"{address} {name}"
