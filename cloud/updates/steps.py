"""What a hub's word of a device changes, and when an order to a hub grows too old. Pure.

A hub tells in the order of its ledger, so its last word counts, whatever was concluded here meanwhile: a device
that was given up and comes back with the new version runs it. Two things stand against it: what ended well is never
undone by news of the way there, and what went wrong is not made better by having been taken back behind it.
"""

from __future__ import annotations

from zoneinfo import ZoneInfo

from edge.windows import is_open
from edge.wire.updates import BAD, ENDED, GOOD, PAST_SWITCH, Step

MINUTE_S, MINUTE_US = 60.0, 60_000_000
CLOSED_MAX_S = 60 * 86_400.0  # an order is never good for longer, however rarely its window is open
LATE = "It came back after its time was over."


def heard(now: Step, told: Step, reason: str, *, over: bool = False) -> tuple[Step, str] | None:
    """Where a device that is at `now` is by this word, and why; None where it stays where it is. `over`: so is its
    rollout; then what was taken back is opened again by nothing but the news that it had switched."""
    if told is Step.WAITING or now in GOOD:
        return None
    if over and now is Step.WITHDRAWN and told not in ENDED | PAST_SWITCH:
        return None
    if now in BAD and told is Step.WITHDRAWN:
        return None
    if told is now and told is not Step.ROLLED_BACK:
        return None
    if told in GOOD and now is Step.TIMED_OUT:
        return Step.CONFIRMED, reason or LATE
    return told, reason


def good_until_us(now_us: int, open_s: float, window: str, zone: ZoneInfo) -> int:
    """When the window has been open for `open_s` from now on: up to then a hub may make an offer."""
    if not window:
        return now_us + int(open_s * 1_000_000)
    at_us, left_s, most_us = now_us, open_s, now_us + int((open_s + CLOSED_MAX_S) * 1_000_000)
    while left_s > 0 and at_us < most_us:
        if is_open(window, at_us, zone):
            left_s -= MINUTE_S
        at_us += MINUTE_US
    return at_us + int(min(left_s, 0.0) * 1_000_000)
