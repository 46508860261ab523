"""How much comes in, so that what has time can leave the machine to it."""

from __future__ import annotations

from collections.abc import Callable

OVER_S = 1.0
BUSY_ROWS = 5_000  # in that time: a hub that catches up, or a thousand that are live


class Traffic:
    """Rows of readings that came to this instance lately. `mono_s` tells monotonic seconds."""

    def __init__(self, mono_s: Callable[[], float]) -> None:
        self._mono_s = mono_s
        self._since_s = 0.0
        self._rows = self._before = 0

    def came(self, rows: int) -> None:
        """So many came."""
        self._turn()
        self._rows += rows

    @property
    def is_busy(self) -> bool:
        """Whether that is very much."""
        self._turn()
        return max(self._rows, self._before) >= BUSY_ROWS

    def _turn(self) -> None:
        now_s = self._mono_s()
        passed_s = now_s - self._since_s
        if passed_s >= OVER_S:
            self._before = self._rows if passed_s < 2 * OVER_S else 0
            self._rows, self._since_s = 0, now_s
