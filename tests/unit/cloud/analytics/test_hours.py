"""Hours of rollups, against the plainest way to count them."""

from __future__ import annotations

import itertools

from hypothesis import given
from hypothesis import strategies as st

from cloud.analytics.hours import clipped, hour_of, hours_of, outside
from edge.serving.buckets import HOUR_US

times = st.integers(0, 50 * HOUR_US)
offsets = st.sampled_from([0, HOUR_US // 2, HOUR_US // 4 * 3])
spans = st.lists(st.tuples(times, times).map(lambda two: (min(two), max(two))), max_size=8)


def slow(touched: list[tuple[int, int]], offset_us: int) -> set[int]:
    """The hours that any of the spans touches, one by one."""
    return {
        hour
        for hour in range(-HOUR_US - offset_us, 52 * HOUR_US, HOUR_US)
        for first, last in touched
        if hour <= last and first < hour + HOUR_US
    }


@given(spans, offsets)
def test_spans_touch_just_these_hours(touched: list[tuple[int, int]], offset_us: int) -> None:
    found = hours_of(touched, offset_us)
    hours = [hour for begin, end in found for hour in range(begin, end, HOUR_US)]
    assert hours == sorted(slow(touched, offset_us))
    assert all(end < begin for (_, end), (begin, _) in itertools.pairwise(found))
    for hour in range(-HOUR_US - offset_us, 52 * HOUR_US, HOUR_US):
        assert outside(found, hour) == (hour not in hours)


@given(times, offsets)
def test_a_time_lies_in_its_hour(at_us: int, offset_us: int) -> None:
    begin = hour_of(at_us, offset_us)
    assert begin <= at_us < begin + HOUR_US
    assert (begin + offset_us) % HOUR_US == 0


def test_what_lies_in_a_window() -> None:
    assert clipped([(0, 5), (6, 9), (10, 12)], (3, 10)) == [(3, 5), (6, 9)]
