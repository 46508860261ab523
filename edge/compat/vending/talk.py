"""What the old page's monitor shows: the last things said to and by the machines, newest last.

It is a window, not a record: a restart empties it. The record is the commands, the transactions and each device's
log.
"""

from __future__ import annotations

from collections import deque

from edge.clock import Clock, iso

KEPT = 200  # lines; the page asks for all of them twice a second


class Talk:
    """The window."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._lines: deque[dict[str, object]] = deque(maxlen=KEPT)

    def add(self, device_id: str, direction: str, message: str, *, level: str = "info") -> None:
        """Show a line. `direction`: `sent`, `received` or `system`."""
        self._lines.append(
            {
                "timestamp": iso(self._clock.now().at_us),
                "device_id": device_id,
                "direction": direction,
                "type": direction,
                "level": level,
                "message": message,
            }
        )

    def lines(self) -> list[dict[str, object]]:
        """All of it, oldest first."""
        return list(self._lines)

    def clear(self) -> None:
        """Empty the window."""
        self._lines.clear()
