"""An input that changes oftener than any machine: a loose contact, or a pin that the logger's display uses too.

Its state cannot be told, and its changes would fill the disk. So it is said to be unknown, once; the changes are
counted from then on, and the state is said again when the input has been still.
"""

from __future__ import annotations

from collections import deque
from enum import Enum, auto

CHANGES, WITHIN_S = 30, 60.0  # more changes in that time are no machine's
STILL_S = 60.0


class Heed(Enum):
    """What becomes of a change."""

    TAKE = auto()
    BEGINS = auto()  # from here on the state is unknown
    COUNT = auto()


class Chatter:
    """One input. Times are seconds of a monotonic clock."""

    def __init__(self) -> None:
        self._last: deque[float] = deque(maxlen=CHANGES)
        self._stirred_s = 0.0
        self.on = False
        self.bounces = 0  # changes that were not taken

    def resume(self, now_s: float) -> None:
        """It was unknown for chatter before the hub was started anew."""
        self.on, self._stirred_s = True, now_s

    def changed(self, now_s: float) -> Heed:
        """One more change."""
        self._stirred_s = now_s
        if self.on:
            self.bounces += 1
            return Heed.COUNT
        if len(self._last) == CHANGES and now_s - self._last[0] <= WITHIN_S:
            self.on, self.bounces = True, 1
            return Heed.BEGINS
        self._last.append(now_s)
        return Heed.TAKE

    def is_over(self, now_s: float) -> bool:
        """Whether it chattered, and has been still for long enough."""
        return self.on and now_s - self._stirred_s >= STILL_S

    def end(self) -> int:
        """It is as any other input again; how many changes were only counted."""
        bounces, self.on, self.bounces = self.bounces, False, 0
        self._last.clear()
        return bounces
