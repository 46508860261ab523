"""Guessing made slow: failed attempts are counted by who is guessed at, from where, and over all of one address.

Only failures count. A person who comes from an address where his login has worked before has a count of his own, so
nobody can lock him out, neither from elsewhere by guessing at his name, nor from there by guessing at others.
"""

from __future__ import annotations

import math
from collections import OrderedDict
from collections.abc import Collection

from edge.clock import Clock
from edge.errors import RateLimited

PER_NAME = 20  # failures at one name from everywhere unknown
PER_PLACE = 5  # failures at one name from one address
PER_ADDRESS = 30  # failures from one address at names that are strange there: an office behind one router mistypes
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
        self.attempts([name], address)

    def attempts(self, names: Collection[str], address: str) -> list[str]:
        """Count one attempt at several accounts, which have one name: those of them at which it may be made.

        Raises RateLimited where that is none.
        """
        may = self.require(names, address)
        self._count(may, may, address, 1.0)
        return may

    def require(self, names: Collection[str], address: str) -> list[str]:
        """Those of these at which an attempt may be made, counting none. Raises RateLimited where that is none."""
        now_s = self._clock.mono_s()
        waits_s = {name: self._wait_s(name, address, now_s) for name in names}
        may = [name for name, wait_s in waits_s.items() if wait_s <= 0]
        if not may:
            wait_s = math.ceil(min(waits_s.values()))
            raise RateLimited(f"Too many failed attempts. Try again in {wait_s} s.", retry_after_s=wait_s)
        return may

    def forgive(self, name: str, address: str) -> None:
        """The attempt was no guess: it counts as none."""
        self.forgive_all([name], address)

    def forgive_all(self, names: Collection[str], address: str) -> None:
        """The attempt at all of these was no guess."""
        self._count(names, names, address, -1.0)

    def worked(self, name: str, address: str) -> None:
        """The attempt was right: this person may mistype again from here, whatever others do elsewhere."""
        self.worked_at([name], [name], address)

    def worked_at(self, right: Collection[str], tried: Collection[str], address: str) -> None:
        """An attempt that was made at all of `tried` was right at some: at the others it stays a failure."""
        self._count(right, tried, address, -1.0)
        for name in right:
            place = _place(name, address)
            self._places.forget(place)
            self._known[place] = None
            self._known.move_to_end(place)
            if len(self._known) > COUNTS:
                self._known.popitem(last=False)

    def _wait_s(self, name: str, address: str, now_s: float) -> float:
        """Seconds until somebody may be guessed at from here. Where his login has worked, nobody else counts."""
        place = _place(name, address)
        own_s = self._places.wait_s(place, now_s)
        if place in self._known:
            return own_s
        return max(own_s, self._names.wait_s(name, now_s), self._addresses.wait_s(address, now_s))

    def _count(self, names: Collection[str], tried: Collection[str], address: str, count: float) -> None:
        """Count at these of the accounts that one attempt was made at; at its address, which that is one failure
        of, unless it remains one for another of them."""
        now_s = self._clock.mono_s()
        strange = [name for name in tried if _place(name, address) not in self._known]
        for name in names:
            self._places.add(_place(name, address), count, now_s)
            if name in strange:
                self._names.add(name, count, now_s)
        if strange and all(name in names for name in strange):
            self._addresses.add(address, count, now_s)


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
