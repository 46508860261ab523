"""What of a readings stream is here, as ranges of its numbers, ends included: sorted, apart, never touching.

Pure: numbers in, numbers out. By these a batch that comes again is known, however late, and in whatever pieces.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Iterable, Sequence

Range = tuple[int, int]


def merged(ranges: Iterable[Range]) -> list[Range]:
    """The same numbers in as few ranges as can be, in order."""
    result: list[Range] = []
    for first, last in sorted(ranges):
        if result and first <= result[-1][1] + 1:
            result[-1] = (result[-1][0], max(result[-1][1], last))
        else:
            result.append((first, last))
    return result


def missing(ranges: Iterable[Range], first: int, last: int) -> list[Range]:
    """What of `first` to `last` is in none of `ranges` (merged ones), in order."""
    holes, at = [], first
    for low, high in ranges:
        if high < at or low > last:
            continue
        if low > at:
            holes.append((at, low - 1))
        at = high + 1
    if at <= last:
        holes.append((at, last))
    return holes


def within(ranges: Sequence[Range]) -> Callable[[int], bool]:
    """Whether a number is in one of `ranges` (merged ones)."""
    firsts = [first for first, _ in ranges]

    def contains(number: int) -> bool:
        at = bisect_right(firsts, number) - 1
        return at >= 0 and number <= ranges[at][1]

    return contains


def up_to(ranges: Iterable[Range], last: int) -> list[Range]:
    """The part of `ranges` that is not beyond `last`."""
    return [(low, min(high, last)) for low, high in ranges if low <= last]


def wanted_next(ranges: Sequence[Range]) -> int:
    """The first number that is not here; numbers begin with 1."""
    return ranges[0][1] + 1 if ranges and ranges[0][0] <= 1 else 1
