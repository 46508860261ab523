"""How fast a stream goes, for those who look."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable

OVER_S = 30.0  # what has gone "lately"
KEPT = 256


class Pace:
    """Rows taken by the centre, lately. `mono_s` tells monotonic seconds."""

    def __init__(self, mono_s: Callable[[], float]) -> None:
        self._mono_s = mono_s
        self._taken: deque[tuple[float, int]] = deque(maxlen=KEPT)
        self.total = 0

    def took(self, rows: int) -> None:
        """The centre has taken so many rows."""
        self.total += rows
        self._taken.append((self._mono_s(), rows))

    def rows_per_s(self) -> float:
        """Over the last half minute, or since the first batch of it."""
        now_s = self._mono_s()
        lately = [(at_s, rows) for at_s, rows in self._taken if now_s - at_s <= OVER_S]
        if not lately:
            return 0.0
        return sum(rows for _, rows in lately) / max(1.0, now_s - lately[0][0])
