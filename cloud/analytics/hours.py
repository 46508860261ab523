"""Hours that rollups are made of: which of them some times fall into."""

from __future__ import annotations

from collections.abc import Iterable

from edge.serving.buckets import HOUR_US

CLOCK_SET_US = 1_577_836_800_000_000  # 2020: a clock before that was never set, and tells no age
Span = tuple[int, int]
"""From a time to another. Of times, both ends are in it; of hours, the end is where the next hour begins."""


def hour_of(at_us: int, offset_us: int) -> int:
    """When the hour that holds `at_us` begins; hours begin `offset_us` before those of UTC."""
    return (at_us + offset_us) // HOUR_US * HOUR_US - offset_us


def hours_of(times: Iterable[Span], offset_us: int) -> list[Span]:
    """The hours that these spans of time touch, those side by side as one span, in order."""
    merged: list[Span] = []
    for first_us, last_us in sorted(times):
        begin_us, end_us = hour_of(first_us, offset_us), hour_of(last_us, offset_us) + HOUR_US
        if merged and begin_us <= merged[-1][1]:
            merged[-1] = merged[-1][0], max(merged[-1][1], end_us)
        else:
            merged.append((begin_us, end_us))
    return merged


def outside(spans: Iterable[Span], hour_us: int) -> bool:
    """Whether an hour lies in none of the spans of hours."""
    return not any(begin_us <= hour_us < end_us for begin_us, end_us in spans)


def clipped(spans: Iterable[Span], window: Span) -> list[Span]:
    """What of the spans lies in the window."""
    cut = ((max(begin_us, window[0]), min(end_us, window[1])) for begin_us, end_us in spans)
    return [span for span in cut if span[0] < span[1]]
