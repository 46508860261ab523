"""Points in order of time, put into runs: between two runs nothing was heard, and no line is drawn."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import msgspec

USUAL = 0.75  # of the distances between points so many are no longer than the usual one
SILENT = 1.5  # times the usual distance without a point: something is missing


class Point(msgspec.Struct, frozen=True):
    """What was measured from `from_us` up to `to_us`; where `count` is 1 all three are the same."""

    from_us: int
    to_us: int
    min: float
    mean: float
    max: float
    count: int

    @property
    def at_us(self) -> int:
        """Where it is drawn."""
        return (self.from_us + self.to_us) // 2


class Silence(msgspec.Struct, frozen=True):
    """A time in which nothing was heard. `open`: it goes on."""

    from_us: int
    to_us: int
    open: bool = False


def usual_us(points: Sequence[Point]) -> int:
    """How far apart points are where nothing is missing: a device that speaks every ten minutes is not silent in
    between, whatever the width of a point is. Two points alone tell nothing of that."""
    wide = max((point.to_us - point.from_us for point in points), default=0)
    apart = sorted(after.from_us - before.from_us for before, after in pairwise(points))
    return max(wide, apart[int((len(apart) - 1) * USUAL)]) if len(apart) > 1 else wide


def runs(points: Sequence[Point]) -> list[list[Point]]:
    """The points, parted where something is missing."""
    longest, found = SILENT * usual_us(points), list[list[Point]]()
    for point in points:
        if found and point.from_us - found[-1][-1].from_us <= longest:
            found[-1].append(point)
        else:
            found.append([point])
    return found


def silences(parted: Sequence[Sequence[Point]], from_us: int, to_us: int, usual: int) -> list[Silence]:
    """The times between the runs, before the first and behind the last one, from `from_us` up to `to_us`."""
    if not parted:
        return [Silence(from_us, to_us, open=True)] if from_us < to_us else []
    found = []
    if parted[0][0].from_us - from_us > SILENT * usual:
        found.append(Silence(from_us, parted[0][0].from_us))
    for before, after in pairwise(parted):
        found.append(Silence(before[-1].to_us, after[0].from_us))
    if to_us - parted[-1][-1].to_us > SILENT * usual:
        found.append(Silence(parted[-1][-1].to_us, to_us, open=True))
    return found
