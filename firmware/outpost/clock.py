"""Monotonic time that does not wrap. The device's wall clock is nobody's authority, so there is none here."""

from outpost.port import Port


class Clock:
    """Milliseconds since the start."""

    def __init__(self, port: Port) -> None:
        self._port = port
        self._now = 0
        port.passed_ms()

    def ms(self) -> int:
        """Milliseconds since this clock was made."""
        self._now += self._port.passed_ms()
        return self._now
