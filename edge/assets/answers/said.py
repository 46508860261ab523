"""What was said last of any time, when much was said: found by going through time once, not entry by entry.

Of a stop counts what was said last of any span that overlaps it. So at each moment only the entry said last of all
that cover it matters, and of a stop the last of those that matter within it.
"""

from __future__ import annotations

import bisect
import heapq
from collections.abc import Iterable, Iterator, Sequence
from typing import Generic

from edge.assets.answers.asking import Explanation, K
from edge.assets.model import Span

NOTHING = -1


class Said(Generic[K]):
    """What was said of one asset; `entries` in the order in which it was said."""

    def __init__(self, entries: Iterable[Explanation[K]]) -> None:
        self._entries = list(entries)
        pieces = list(_pieces([(one.from_us, max(one.to_us, one.from_us + 1)) for one in self._entries]))
        self._begins = [begin_us for begin_us, _ in pieces]
        self._last = [number for _, number in pieces]

    def of(self, span: Span) -> Explanation[K] | None:
        """What was said last of a stop's span, as `stops.explanation_of` finds it."""
        first = max(0, bisect.bisect_right(self._begins, span[0]) - 1)
        behind = bisect.bisect_left(self._begins, span[1])
        last = max(self._last[first:behind], default=NOTHING)
        return None if last == NOTHING else self._entries[last]


def _pieces(spans: Sequence[Span]) -> Iterator[tuple[int, int]]:
    """When the number of the last span that covers a moment changes, and to what."""
    starts = sorted(range(len(spans)), key=lambda number: spans[number][0])
    cuts = sorted({at_us for span in spans for at_us in span})
    covering: list[int] = []  # a heap of numbers, the greatest first, each below 0
    started, before = 0, NOTHING
    for at_us in cuts:
        while started < len(starts) and spans[starts[started]][0] <= at_us:
            heapq.heappush(covering, -starts[started])
            started += 1
        while covering and spans[-covering[0]][1] <= at_us:
            heapq.heappop(covering)
        last = -covering[0] if covering else NOTHING
        if last != before:
            yield at_us, last
            before = last
