"""When an old asset logger's words are of: by its own clock where that agrees with the hub's, else as received.

Its clock is set by NTP once, or never: then it tells 1970. A clock that is off by days must move no machine's stop
to another day, and one that lags must not bring two words of one logger out of their order.
"""

from __future__ import annotations

from edge.clock import Stamp
from edge.telemetry.model import CLOCK_SET_US

TRUSTED_US = 5_000_000  # its clock may differ from the hub's by so much: it waits 5 s at most for each answer
HALF_US = 500_000  # it tells whole seconds, cut off
OFF_S = 1.0  # a change of its clock's offset that is worth a reading
WRAP_S = 2**32 / 1000  # its uptime counts milliseconds in 32 bits: 49.7 days
NEAR_S = 300.0  # how well the time since its last word tells whether its uptime has wrapped


def said_at(told_us: int | None, received: Stamp, last_us: int) -> int | None:
    """When a change was, UTC microseconds; None: as received.

    `last_us` is of its word before, and a logger says one thing after another: so no word is of an earlier time.
    None is of the future. Two clocks that agree are believed, whatever has set them; not where they agree on 1970.
    """
    now_us = received.at_us
    if told_us is None or told_us < CLOCK_SET_US or abs(told_us - now_us) > TRUSTED_US:
        return None
    at_us = min(told_us, now_us)
    return max(at_us, last_us) if last_us <= now_us else at_us


def off_s(told_us: int | None, received: Stamp) -> float | None:
    """How far its clock is ahead of the hub's, in seconds; None where one of them tells nothing."""
    if told_us is None or not received.quality.good:
        return None
    return round((told_us + HALF_US - received.at_us) / 1_000_000, 1)


def is_off(off: float, before: float) -> bool:
    """Whether its clock's offset has changed."""
    return abs(off - before) > OFF_S


def unwrapped(uptime_s: float, before_s: float | None, elapsed_s: float) -> float:
    """Seconds since its start, where its counter may have begun anew without one.

    `before_s` is what it was `elapsed_s` ago. What is lower than that is a restart, unless the counter's whole
    range makes up the difference.
    """
    if before_s is None or uptime_s >= before_s:
        return uptime_s
    expected_s = before_s + elapsed_s
    wraps = round((expected_s - uptime_s) / WRAP_S)
    whole_s = uptime_s + wraps * WRAP_S
    return whole_s if wraps > 0 and abs(whole_s - expected_s) <= NEAR_S else uptime_s
