"""What readings tell of an asset: the statements of its inputs, and the signs of life of their loggers.

Readings are let go in the end, bands are not. So there is a floor: before it readings are missing, and what follows
from late ones of that time is not worked out any more. At the floor an asset is taken as its bands have it.
"""

from __future__ import annotations

import bisect
from collections.abc import Coroutine, Iterable, Iterator, Sequence
from operator import attrgetter
from typing import Any, Protocol, TypeVar

from edge.assets.deriving import Asset, Wiring
from edge.assets.model import ALIVE, Heard, Span, State, said

T = TypeVar("T")
Key = tuple[str, str]
"""A device and a key of it."""


class Record(Protocol):
    """The values of keys as of one moment, asked by time; of one time they are in the order of their arrival."""

    @property
    def floor_us(self) -> int:
        """Of what was before then readings have been let go, or nobody knows when it was."""

    def between(self, key: Key, span: Span) -> Sequence[tuple[int, object]]:
        """All of a span, its end left out."""

    def last_before(self, key: Key, at_us: int) -> tuple[int, object] | None:
        """The last before a time."""

    def first_from(self, key: Key, at_us: int, skip: int = 0) -> int | None:
        """When the first from a time on was, or the one so many behind it."""


def keys_of(asset: Asset) -> Iterator[Key]:
    """All keys that tell of an asset, or ever did."""
    for wiring in asset.wirings:
        yield from keys(wiring)


def keys(wiring: Wiring) -> tuple[Key, Key]:
    """The keys of statements and signs of life."""
    return (wiring.device, wiring.input), (wiring.device, ALIVE)


def sign_of_life(value: object) -> float | None:
    """How long the logger has run, None where the value cannot say so."""
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else None


class Recorded:
    """deriving.Evidence from a record; nothing in it ever waits."""

    def __init__(self, record: Record) -> None:
        self._record, self.floor_us = record, record.floor_us
        self._alive: dict[str, tuple[Span, list[Heard]]] = {}

    async def heard(self, wiring: Wiring, span: Span) -> Sequence[Heard]:
        """Of one time signs of life come first, since the sort keeps their order."""
        found, inverted = self._signs_of_life(wiring.device, span), wiring.inverted
        statements = self._record.between((wiring.device, wiring.input), span)
        if statements:
            found += [Heard(at_us, said(value, inverted=inverted)) for at_us, value in statements]
            found.sort(key=_time)
        return found

    def _signs_of_life(self, device: str, span: Span) -> list[Heard]:
        """Those of a span; read once for all inputs of a logger."""
        known, heard = self._alive.get(device, (None, []))
        if known is None or not known[0] <= span[0] <= span[1] <= known[1]:
            alive = self._record.between((device, ALIVE), span)
            heard = [Heard(at_us, None, sign_of_life(value)) for at_us, value in alive]
            self._alive[device] = span, heard
            return heard[:]
        return heard[bisect.bisect_left(heard, span[0], key=_time) : bisect.bisect_left(heard, span[1], key=_time)]

    async def statement_at(self, wiring: Wiring, at_us: int) -> int | None:
        """Of those that are left."""
        last = self._record.last_before(keys(wiring)[0], at_us + 1)
        return None if last is None else last[0]

    async def evidence_before(self, wiring: Wiring, at_us: int) -> int | None:
        """At the floor, and where nothing is left between it and then, the floor stands for what was let go."""
        last_us = self.last_us(wiring, at_us)
        if at_us >= self.floor_us > wiring.from_us and (last_us is None or last_us < self.floor_us):
            return self.floor_us
        return last_us

    async def alive_before(self, wiring: Wiring, at_us: int) -> float | None:
        """None at the floor: others may have come between."""
        last = self._record.last_before(keys(wiring)[1], at_us)
        return None if last is None or last[0] < min(self.floor_us, at_us - 1) else sign_of_life(last[1])

    def last_us(self, wiring: Wiring, at_us: int) -> int | None:
        """When the last evidence that is left was, before a time."""
        found = [last[0] for key in keys(wiring) if (last := self._record.last_before(key, at_us)) is not None]
        return max(found, default=None)

    def stated_before(self, wiring: Wiring, at_us: int) -> State | None:
        """The last statement that is left, before a time."""
        last = self._record.last_before(keys(wiring)[0], at_us)
        return None if last is None else said(last[1], inverted=wiring.inverted)

    def first_us(self, asset: Asset, at_us: int, skip: int = 0) -> int | None:
        """When evidence comes first from a time on, by whatever tells or told of the asset; or, by the key that has
        the most, the one so many behind it."""
        found = [
            first_us
            for key in set(keys_of(asset))
            if (first_us := self._record.first_from(key, at_us, skip)) is not None
        ]
        return min(found, default=None)


def at_once(work: Coroutine[Any, Any, T]) -> T:
    """Run what never waits, outside of any event loop: rules that are written for stores that do (deriving.py)."""
    try:
        work.send(None)
    except StopIteration as done:
        result: T = done.value
        return result
    work.close()
    raise AssertionError("it waited")


def earliest(times: Iterable[int | None]) -> int | None:
    """The earliest of those that are."""
    return min((at_us for at_us in times if at_us is not None), default=None)


_time = attrgetter("at_us")
