"""The axis of values: from where to where, and which round numbers stand at it."""

from __future__ import annotations

import math

import msgspec

GREATEST = 1e300  # beyond, differences and sums are no numbers any more
FLAT = 1e-9  # of a value: less is no difference that a picture shows
STEPS = (1.0, 2.0, 5.0, 10.0)
ROOM = 0.04  # of the height, above and below


class Scale(msgspec.Struct, frozen=True):
    """Values from `low` to `high`, which differ. `ticks`: round numbers between them, rising; `digits`: how many
    behind the point tell them apart."""

    low: float
    high: float
    ticks: list[float]
    digits: int

    def share(self, value: float) -> float:
        """How far up a value is: 0 at the bottom, 1 at the top."""
        return min(1.0, max(0.0, (bounded(value) - self.low) / (self.high - self.low)))


def bounded(value: float) -> float:
    """A value as it can be drawn. A NaN, which is none, must not come here."""
    return min(GREATEST, max(-GREATEST, value))


def scale(least: float, greatest: float, count: int = 5) -> Scale:
    """A scale that shows these two with some room, and about so many ticks."""
    low, high = bounded(least), bounded(greatest)
    flat = max(abs(low), abs(high)) * FLAT
    if high - low <= max(flat, 1e-290):
        middle = low / 2 + high / 2
        half = max(abs(middle) * 0.05, 1e-280) if middle else 1.0
        low, high = middle - half, middle + half
    room = (high - low) * ROOM
    low, high = low - room, high + room
    step = _step((high - low) / count)
    first, last = math.ceil(low / step), math.floor(high / step)
    digits = min(12, max(0, -math.floor(math.log10(step) + 1e-9)))
    return Scale(low, high, [number * step for number in range(first, last + 1)], digits)


def _step(rough: float) -> float:
    """The round number that is `rough` or a little more."""
    unit = 10.0 ** math.floor(math.log10(rough))
    return next((step * unit for step in STEPS if step * unit >= rough), 10 * unit)
