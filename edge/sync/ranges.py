"""Sets of row numbers, kept as ranges: what the centre has of a stream."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable


class Ranges:
    """Numbers from 1 on; ranges have their ends included and never touch."""

    def __init__(self, ranges: Iterable[tuple[int, int]] = ()) -> None:
        self._firsts: list[int] = []
        self._lasts: list[int] = []
        for first, last in ranges:
            self.add(first, last)

    def add(self, first: int, last: int) -> None:
        """Take `first` to `last` in; nothing when that is empty."""
        if last < first or last < 1:
            return
        at = bisect_right(self._lasts, max(first, 1) - 2)  # the first range that touches it or lies behind it
        until = bisect_right(self._firsts, last + 1)
        if at < until:
            first, last = min(first, self._firsts[at]), max(last, self._lasts[until - 1])
        self._firsts[at:until] = [max(first, 1)]
        self._lasts[at:until] = [last]

    def hole(self, after: int = 0) -> tuple[int, int | None]:
        """The first numbers behind `after` that are missing: from, and up to (None: without an end)."""
        start, index = after + 1, bisect_right(self._firsts, after + 1) - 1
        if index >= 0 and self._lasts[index] >= start:
            start = self._lasts[index] + 1
        following = index + 1
        return start, self._firsts[following] - 1 if following < len(self._firsts) else None

    def missing(self, head: int, first: int = 1) -> int:
        """How many of the numbers `first` to `head` are not in it."""
        inside = sum(
            max(0, min(last, head) - max(begin, first) + 1)
            for begin, last in zip(self._firsts, self._lasts, strict=True)
        )
        return max(0, head - first + 1 - inside)

    @property
    def prefix(self) -> int:
        """The last number before the first hole."""
        return self.hole()[0] - 1

    def listed(self) -> list[tuple[int, int]]:
        """Its ranges in order."""
        return list(zip(self._firsts, self._lasts, strict=True))

    def copy(self) -> Ranges:
        """Another of its own."""
        return Ranges(self.listed())
