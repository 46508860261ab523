"""Monotonic time that does not wrap, and the hub's time once it has told it.

The device's own wall clock is nobody's authority: what it knows of the date it has from the hub.
"""

from outpost.port import Port


class Clock:
    """Milliseconds since the start."""

    def __init__(self, port: Port) -> None:
        self._port = port
        self._now = 0
        self._offset_us = 0  # UTC less our own time; 0 while nobody told
        port.passed_ms()

    def ms(self) -> int:
        """Milliseconds since this clock was made."""
        self._now += self._port.passed_ms()
        return self._now

    def learn(self, utc_us: int) -> None:
        """The hub says what time it is now; 0 or less: that it does not know."""
        self._offset_us = utc_us - self.ms() * 1000 if utc_us > 0 else 0

    def utc_us(self) -> int:
        """The time by the hub's clock, 0 while it is not known."""
        return self.ms() * 1000 + self._offset_us if self._offset_us else 0
