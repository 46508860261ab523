"""How the device fares: free heap, uptime, and the longest time it did not listen."""

from outpost.clock import Clock
from outpost.port import Port


class Health:
    """`listened` in every round of the link; `report` gives the figures and begins a new measurement."""

    def __init__(self, port: Port, clock: Clock) -> None:
        self._port = port
        self._clock = clock
        self._last = clock.ms()
        self._blocked_ms = 0

    def listened(self) -> None:
        """The link was served just now."""
        now = self._clock.ms()
        self._blocked_ms = max(self._blocked_ms, now - self._last)
        self._last = now

    def report(self) -> "dict[str, object]":
        """Fields of the state message."""
        blocked, self._blocked_ms = self._blocked_ms, 0
        return {"heap_free": self._port.heap_free(), "uptime_ms": self._clock.ms(), "blocked_ms": blocked}
