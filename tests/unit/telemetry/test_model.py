"""What is taken of what devices send, what time it has, and what is newer."""

from __future__ import annotations

import math
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.clock import Quality, Stamp
from edge.telemetry.model import (
    CLOCK_SET_US,
    INTEGER_MAX,
    KEYS_PER_DEVICE,
    KEYS_PER_READING,
    REASONS,
    Latest,
    Moment,
    newer,
    parse,
    placed,
    plain,
    told,
)
from edge.wire.values import NUMBER_MAX

NOW_US = 1_763_700_000_000_000
NOW = Stamp(NOW_US, Quality.NTP, "boot-1", 100_000)
CLOCKLESS = Stamp(NOW_US, Quality.NONE, "boot-1", 100_000)
SECOND = 1_000_000

anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=5,
)
keys = st.text(max_size=70) | st.from_regex(r"[A-Za-z_][A-Za-z0-9_.-]{0,63}", fullmatch=True)


@given(st.dictionaries(keys, anything, max_size=80))
def test_each_value_is_taken_as_it_is_or_refused_with_a_reason(values: dict[str, Any]) -> None:
    taken, refused = parse(values)
    assert len(taken) + len(refused) == len(values)
    for key, value in taken:
        assert value is values[key]
        assert isinstance(value, bool | int | float | str)
        assert not isinstance(value, float) or math.isfinite(value)
    assert all(reason.isprintable() and len(reason) < 600 for reason in refused)
    assert len(taken) <= KEYS_PER_READING


@given(st.dictionaries(keys, anything, max_size=5), st.sets(keys, max_size=5))
def test_the_short_way_takes_nothing_that_the_long_one_refuses(values: dict[str, Any], more: set[str]) -> None:
    known = {key for key, _ in parse({**dict.fromkeys(more, 1), **values})[0]}  # a key is known once it was taken
    if plain(values, known):
        assert parse(values, known=known) == (list(values.items()), [])


@pytest.mark.parametrize(
    ("value", "why"),
    [
        (float("nan"), "NaN is no number"),
        (float("inf"), "infinity is no number"),
        (-float("inf"), "infinity is no number"),
        (NUMBER_MAX * 10, "a number beyond 1e+300"),
        (None, "null is no value"),
        ({"a": 1}, "a list or object is no value"),
        ([1], "a list or object is no value"),
        (2**64, "a whole number of more than 64 bits"),
        ("x" * 257, "text of more than 256 characters"),
        ("nan", "'nan' is no number"),
        ("-Infinity", "'-Infinity' is no number"),
        ("ovf", "'ovf' is no number"),
        ("half \ud800", "text with half a character in it"),
        ("a\0b", "text with the character of code 0 in it"),
    ],
)
def test_what_cannot_be_used_is_named(value: object, why: str) -> None:
    taken, refused = parse({"t": value, "u": 1})
    assert taken == [("u", 1)]
    assert len(refused) == 1
    assert refused[0].startswith(f"t: {why}")


@pytest.mark.parametrize("value", [True, False, 0, -1, 2**53 + 1, INTEGER_MAX, 21.5, 1e300, "open", "", "é", "12"])
def test_numbers_truth_and_text_are_taken(value: object) -> None:
    assert parse({"t": value}) == ([("t", value)], [])


@pytest.mark.parametrize("key", ["", "1a", "a b", "a" * 65, "é", "a\n", "a/b", "-a", ".a", "=a"])
def test_a_bad_key_is_refused(key: str) -> None:
    assert parse({key: 1, "good": 2})[0] == [("good", 2)]


def test_too_many_keys_are_refused() -> None:
    taken, refused = parse({f"k{number}": number for number in range(KEYS_PER_READING + 2)})
    assert (len(taken), len(refused)) == (KEYS_PER_READING, 2)
    taken, refused = parse({"a": 1, "b": 2, "c": 3}, known={"a"}, room=1)
    assert taken == [("a", 1), ("b", 2)]
    assert refused == [f"c: the device has used {KEYS_PER_DEVICE} different keys already."]


def test_an_answer_holds_a_bounded_number_of_reasons() -> None:
    reasons = told([str(number) for number in range(100)])
    assert len(reasons) == REASONS + 1
    assert reasons[-1] == "and 84 more"


@pytest.mark.parametrize(
    ("at_us", "age_ms", "received", "at", "quality", "live"),
    [
        # its own time is never changed
        (NOW_US - 3600 * SECOND, None, NOW, NOW_US - 3600 * SECOND, Quality.NTP, False),
        (NOW_US - 3600 * SECOND, 3_600_000, NOW, NOW_US - 3600 * SECOND, Quality.NTP, False),
        (NOW_US - SECOND, 1000, NOW, NOW_US - SECOND, Quality.NTP, True),
        (NOW_US - SECOND, None, NOW, NOW_US - SECOND, Quality.NTP, True),
        # but doubted where it cannot be right
        (NOW_US + 3600 * SECOND, None, NOW, NOW_US + 3600 * SECOND, Quality.NONE, False),
        (NOW_US + 3600 * SECOND, 500, NOW, NOW_US + 3600 * SECOND, Quality.NONE, True),
        (CLOCK_SET_US - 1, None, NOW, CLOCK_SET_US - 1, Quality.NONE, False),
        # a hub whose own clock is not set cannot tell
        (NOW_US + 3600 * SECOND, None, CLOCKLESS, NOW_US + 3600 * SECOND, Quality.NTP, False),
        # without a time of its own it is as old as its boot's clock says
        (0, 60_000, NOW, NOW_US - 60 * SECOND, Quality.NTP, False),
        (0, 60_000, CLOCKLESS, NOW_US - 60 * SECOND, Quality.NONE, False),
        (0, 0, NOW, NOW_US, Quality.NTP, True),
        # and of another boot nobody knows
        (0, None, NOW, NOW_US, Quality.NONE, False),
        (0, -5, NOW, NOW_US, Quality.NONE, False),
        (0, 2**80, NOW, NOW_US, Quality.NONE, False),
    ],
)
def test_when_a_reading_was_so(
    at_us: int, age_ms: int | None, received: Stamp, at: int, quality: Quality, live: bool
) -> None:
    assert msgspec.structs.replace(placed(at_us, age_ms, received), unset_ms=None) == Moment(at, quality, live)


@pytest.mark.parametrize(
    ("at_us", "age_ms", "unset_ms"),
    [
        (0, 60_000, 40_000),  # so long ago by the hub's monotonic clock
        (0, 200_000, -100_000),  # before the hub's boot
        (0, None, 100_000),  # nobody knows: when it came
        (NOW_US, None, None),  # a time of its own needs no other
    ],
)
def test_a_clock_that_nothing_has_set_is_told_by_its_monotonic_time(
    at_us: int, age_ms: int | None, unset_ms: int | None
) -> None:
    assert placed(at_us, age_ms, CLOCKLESS).unset_ms == unset_ms
    assert placed(at_us, age_ms, NOW).unset_ms is None


def test_history_never_overwrites_the_present() -> None:
    now = newer(None, 1, Moment(NOW_US, Quality.NTP, live=True), NOW)
    assert now is not None
    assert newer(now, 2, Moment(NOW_US - 1, Quality.NTP, live=False), NOW) is None
    same = newer(now, 2, Moment(NOW_US, Quality.NTP, live=False), NOW)
    assert same is not None, "of two of the same time the later one to arrive is the newer"
    assert same.value == 2


def test_a_wrong_clock_does_not_freeze_the_latest_value() -> None:
    """A reading from the year 2090 counts as being from when it came."""
    ahead = newer(None, 1, Moment(NOW_US * 2, Quality.NONE, live=False), NOW)
    assert ahead is not None
    assert ahead.at_us == NOW_US * 2
    later = Stamp(NOW_US + SECOND, Quality.NTP, "boot-1", 101_000)
    assert newer(ahead, 2, Moment(NOW_US + SECOND, Quality.NTP, live=False), later) is not None


def test_what_is_live_wins_though_the_clock_was_set_back() -> None:
    old = Latest(1, NOW_US, Quality.NTP, NOW_US, NOW_US)
    back = Stamp(NOW_US - 86_400 * SECOND, Quality.NONE, "boot-2", 1000)
    latest = newer(old, 2, Moment(back.at_us, Quality.NONE, live=True), back)
    assert latest is not None
    assert (latest.value, latest.order_us) == (2, NOW_US), "and nothing older than before can follow it"


@given(st.lists(st.tuples(st.integers(0, 20), st.booleans()), max_size=30))
def test_what_orders_the_latest_value_never_falls(story: list[tuple[int, bool]]) -> None:
    latest: Latest | None = None
    for offset, live in story:
        moment = Moment(NOW_US - offset * SECOND, Quality.NTP, live)
        following = newer(latest, offset, moment, NOW)
        if following is not None:
            assert latest is None or following.order_us >= latest.order_us
            latest = following
    if story and not any(live for _, live in story):
        assert latest is not None
        assert latest.value == min(offset for offset, _ in story)


def test_what_is_taken_can_be_told_as_json() -> None:
    taken, _ = parse({"a": 1e300, "b": INTEGER_MAX, "c": "\x00\x1b", "d": False})
    assert msgspec.json.decode(msgspec.json.encode(dict(taken))) == dict(taken)
