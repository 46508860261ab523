"""What the conversation decides."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.errors import BadInput
from edge.sync.model import (
    Course,
    Place,
    Verdict,
    address,
    buffer_days,
    is_word,
    judge,
    ledger_course,
    narrowed,
    place_of,
    readings_course,
    search_points,
)
from edge.sync.readings_lane import credible
from edge.wire.sync import POINTS_MAX, StreamState

HERE = Place("e1", 1, 100)


@pytest.mark.parametrize(
    ("there", "own", "course"),
    [
        (StreamState(epoch="e1", next=1), None, Course.ON),
        (StreamState(epoch="e1", next=51, hash="aa"), b"\xaa", Course.ON),
        (StreamState(epoch="e1", next=51, hash="aa"), b"\xbb", Course.ANEW),
        (StreamState(epoch="e1", next=201, hash="aa"), None, Course.ANEW),
        (StreamState(epoch="e1", next=51, hash="aa", order="new-epoch"), b"\xaa", Course.ANEW),
        (StreamState(epoch="e0", next=51, hash="aa"), b"\xaa", Course.REGISTER),
    ],
)
def test_the_ledger_goes_on_only_behind_the_very_row_the_centre_has(
    there: StreamState, own: bytes | None, course: Course
) -> None:
    assert ledger_course(HERE, there, own) is course


@pytest.mark.parametrize(
    ("here", "there", "own", "course"),
    [
        (HERE, StreamState(epoch="e1", next=1), None, Course.ON),
        (HERE, StreamState(epoch="e1", next=10, high=50, high_hash="aa"), b"\xaa", Course.ON),
        (HERE, StreamState(epoch="e1", next=10, high=50, high_hash="aa"), b"\xbb", Course.ANEW),
        (HERE, StreamState(epoch="e1", next=10, high=50, high_hash="aa"), None, Course.ANEW),
        (Place("e1", 60, 100), StreamState(epoch="e1", next=51, high=50, high_hash="aa"), None, Course.ON),
        (HERE, StreamState(epoch="e1", next=10, high=101, high_hash="aa"), None, Course.ANEW),
        (HERE, StreamState(epoch="e1", next=2**70), None, Course.ANEW),
        (HERE, StreamState(epoch="e0", next=10), None, Course.REGISTER),
    ],
)
def test_readings_go_on_where_the_highest_row_is_the_same_or_was_let_go(
    here: Place, there: StreamState, own: bytes | None, course: Course
) -> None:
    assert readings_course(here, there, own) is course


@given(st.integers(1, 1000), st.integers(0, 2**40), st.integers(0, 2**41))
def test_the_last_common_row_is_found_in_few_questions(low: int, more: int, common: int) -> None:
    high = low + more
    first, last, best = low, high, 0
    for _ in range(24):
        if first > last:
            break
        points = search_points(first, last)
        assert len(points) <= POINTS_MAX
        found, last = narrowed(points, [point <= common for point in points], last)
        if not found:
            break
        best, first = found, found + 1
    assert best == (min(common, high) if common >= low else 0)


@pytest.mark.parametrize(
    ("said", "status", "passes", "verdict"),
    [
        ("session-over", 409, True, Verdict.AGAIN),
        ("forked", 409, False, Verdict.AGAIN),
        ("second-hub", 409, True, Verdict.WAIT),
        ("second-hub", 409, False, Verdict.REFUSED),
        ("revoked", 401, False, Verdict.REFUSED),
        ("protocol", 409, False, Verdict.REFUSED),
        ("storage", 503, True, Verdict.WAIT),
        ("", 503, True, Verdict.WAIT),
        ("rate-limited", 429, True, Verdict.WAIT),
        ("error", 500, False, Verdict.WAIT),
    ],
)
def test_what_an_error_of_the_centre_means(said: str, status: int, passes: bool, verdict: Verdict) -> None:
    assert judge(said, status, passes=passes) is verdict


def test_a_token_goes_over_tls_or_not_off_this_machine() -> None:
    assert address("https://centre.example.com/", insecure=False) == "https://centre.example.com"
    assert address("http://127.0.0.1:9000", insecure=False) == "http://127.0.0.1:9000"
    assert address("http://[::1]:9000", insecure=False) == "http://[::1]:9000"
    assert address("http://10.0.0.1", insecure=True) == "http://10.0.0.1"
    for text in (
        "http://10.0.0.1",
        "http://centre",
        "ftp://a",
        "https://",
        "a",
        "https://u@h",
        "https://h/x",
        "https://h:x",
    ):
        with pytest.raises(BadInput):
            address(text, insecure=False)


def test_a_place_tells_machine_and_folder_apart_and_says_neither() -> None:
    assert place_of("m", "/a") != place_of("m", "/b") != place_of("n", "/b")
    assert "secret" not in place_of("secret", "/secret")


def test_words_of_the_centre_are_printable_and_short() -> None:
    assert is_word("pune-2", 10)
    for text in ("", "a b", "a\nb", "ä", "x" * 11):
        assert not is_word(text, 10)


def test_the_buffer_lasts_as_long_as_the_rate_says() -> None:
    assert buffer_days(1000, 100.0) == 10
    assert buffer_days(1000, None) is None


def test_what_a_centre_claims_beyond_our_rows_is_not_believed() -> None:
    state = StreamState(epoch="e", next=2**60, ranges=[(-5, 3), (7, 2**70)])
    assert credible(state, 10).listed() == [(1, 10)]
    assert credible(StreamState(epoch="e", next=-3), 10).listed() == []
