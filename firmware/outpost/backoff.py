"""How long to wait before the next try: longer after each failure, and at random, so that devices spread out."""

from outpost.port import Port

BASE_MS = 500
CAP_MS = 60000
DOUBLINGS_MAX = 16  # past the cap of any use, and small enough never to make a large number


class Backoff:
    """Exponential, with full jitter: anything from nothing to twice the last bound, up to the cap."""

    def __init__(self, port: Port, base_ms: int = BASE_MS, cap_ms: int = CAP_MS) -> None:
        self._port = port
        self._base_ms = base_ms
        self._cap_ms = cap_ms
        self.failures = 0

    def next_ms(self) -> int:
        """It failed: so many milliseconds until the next try."""
        bound = min(self._cap_ms, self._base_ms << min(self.failures, DOUBLINGS_MAX))
        self.failures += 1
        return int.from_bytes(self._port.random(4), "little") % (bound + 1)

    def reset(self) -> None:
        """It worked: the next failure is the first again."""
        self.failures = 0
