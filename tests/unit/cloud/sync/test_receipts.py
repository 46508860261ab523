"""Ranges of numbers behave as the sets of numbers they stand for."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from cloud.sync.receipts import Range, merged, missing, up_to, wanted_next, within

ranges = st.lists(
    st.tuples(st.integers(1, 40), st.integers(0, 8)).map(lambda at: (at[0], at[0] + at[1])), max_size=8
)
numbers = st.integers(1, 60)


def spelled(several: list[Range]) -> set[int]:
    """Every number of these ranges."""
    return {number for first, last in several for number in range(first, last + 1)}


@given(ranges)
def test_merged_ranges_are_the_same_numbers_apart_from_each_other(several: list[Range]) -> None:
    result = merged(several)
    assert spelled(result) == spelled(several)
    assert all(before[1] + 1 < after[0] for before, after in pairwise(result))


@given(ranges, numbers, numbers)
def test_what_is_missing_and_what_is_there_make_the_whole(several: list[Range], one: int, other: int) -> None:
    first, last = sorted((one, other))
    holes = missing(merged(several), first, last)
    assert spelled(holes) == set(range(first, last + 1)) - spelled(several)
    assert holes == merged(holes)


@given(ranges, numbers)
def test_a_number_is_within_or_not(several: list[Range], number: int) -> None:
    assert within(merged(several))(number) == (number in spelled(several))
    assert spelled(up_to(merged(several), number)) == {each for each in spelled(several) if each <= number}


@given(ranges)
def test_the_first_that_is_not_there_is_wanted_next(several: list[Range]) -> None:
    there = spelled(several)
    assert wanted_next(merged(several)) == next(number for number in range(1, 100) if number not in there)
