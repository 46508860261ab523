"""Sets of row numbers."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from edge.sync.ranges import Ranges

spans = st.lists(st.tuples(st.integers(1, 60), st.integers(0, 15)).map(lambda pair: (pair[0], sum(pair))))


def numbers(ranges: Ranges) -> set[int]:
    return {number for first, last in ranges.listed() for number in range(first, last + 1)}


@given(spans)
def test_it_holds_what_was_added_in_as_few_ranges_as_can_be(added: list[tuple[int, int]]) -> None:
    ranges = Ranges(added)
    assert numbers(ranges) == {number for first, last in added for number in range(first, last + 1)}
    listed = ranges.listed()
    assert all(after[0] > before[1] + 1 for before, after in pairwise(listed))


@given(spans, st.integers(0, 90))
def test_a_hole_is_the_first_that_is_missing_up_to_what_is_there(added: list[tuple[int, int]], after: int) -> None:
    ranges = Ranges(added)
    inside = numbers(ranges)
    first, upto = ranges.hole(after)
    assert first == next(number for number in range(after + 1, 200) if number not in inside)
    following = [number for number in sorted(inside) if number > first]
    assert upto == (following[0] - 1 if following else None)


@given(spans, st.integers(0, 90), st.integers(1, 90))
def test_missing_counts_the_numbers_that_are_not_in_it(added: list[tuple[int, int]], head: int, first: int) -> None:
    ranges = Ranges(added)
    assert ranges.missing(head, first) == len(set(range(first, head + 1)) - numbers(ranges))


def test_nothing_is_the_prefix_of_an_empty_set() -> None:
    assert Ranges().prefix == 0
    assert Ranges([(1, 4), (6, 9)]).prefix == 4
    assert Ranges([(2, 4)]).prefix == 0
