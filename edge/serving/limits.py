"""Rate limits: a token bucket per caller, bounded in number."""

from __future__ import annotations

from collections import OrderedDict

from edge.clock import Clock
from edge.errors import RateLimited

CALLERS = 4096  # buckets kept; the one longest unused goes first, and starts full again when it returns


class RateLimit:
    """`count` requests in each `in_s` seconds for each caller, in bursts up to that number."""

    def __init__(self, count: int, clock: Clock, *, in_s: float = 60.0) -> None:
        self._capacity, self._per_s, self._clock = float(max(1, count)), max(1, count) / in_s, clock
        self._buckets: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def take(self, caller: str) -> None:
        """Count one request. Raises RateLimited with the time to wait."""
        now = self._clock.mono_s()
        self._buckets[caller] = (self._level(caller, now) - 1.0, now)
        self._buckets.move_to_end(caller)
        if len(self._buckets) > CALLERS:
            self._buckets.popitem(last=False)

    def require(self, caller: str) -> float:
        """How many requests the caller has left, counting none. Raises RateLimited when that is none."""
        return self._level(caller, self._clock.mono_s())

    def _level(self, caller: str, now: float) -> float:
        level, at = self._buckets.get(caller, (self._capacity, now))
        level = min(self._capacity, level + (now - at) * self._per_s)
        if level < 1.0:
            raise RateLimited(
                "Too many requests from here for now.", retry_after_s=max(0.0, (1.0 - level) / self._per_s)
            )
        return level
