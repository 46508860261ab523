"""A logger's own clock counts where it agrees with the hub's, and never brings its words out of order."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.clock import Quality, Stamp
from edge.compat.assets.chatter import CHANGES, STILL_S, Chatter, Heed
from edge.compat.assets.times import WRAP_S, is_off, off_s, said_at, unwrapped

NOW_US = 1_763_700_000_000_000
NOW = Stamp(NOW_US, Quality.NTP, "b", 1000)
UNSET = Stamp(NOW_US, Quality.NONE, "b", 1000)
SECOND_US = 1_000_000


@pytest.mark.parametrize(
    ("told_us", "at_us"),
    [
        (NOW_US - 3 * SECOND_US, NOW_US - 3 * SECOND_US),
        (NOW_US - 5 * SECOND_US, NOW_US - 5 * SECOND_US),
        (NOW_US - 5 * SECOND_US - 1, None),
        (NOW_US + 4 * SECOND_US, NOW_US),
        (NOW_US + 6 * SECOND_US, None),
        (12 * SECOND_US, None),
        (None, None),
    ],
)
def test_five_seconds_are_believed(told_us, at_us):
    assert said_at(told_us, NOW, 0) == at_us


def test_no_word_is_of_before_the_word_before():
    last_us = NOW_US - SECOND_US
    assert said_at(NOW_US - 3 * SECOND_US, NOW, last_us) == last_us
    assert (
        said_at(NOW_US - 3 * SECOND_US, NOW, NOW_US + SECOND_US) == NOW_US - 3 * SECOND_US
    )  # a clock was set back


def test_a_clock_that_nothing_has_set_judges_none():
    assert said_at(NOW_US - 6 * SECOND_US, UNSET, 0) is None
    assert said_at(NOW_US - SECOND_US, UNSET, 0) == NOW_US - SECOND_US  # two clocks agree
    assert said_at(12 * SECOND_US, Stamp(12 * SECOND_US, Quality.NONE, "b", 1000), 0) is None
    assert off_s(NOW_US, UNSET) is None


def test_an_offset_is_told_when_it_changes():
    assert off_s(NOW_US - SECOND_US, NOW) == -0.5
    assert not is_off(-0.5, 0.0)
    assert is_off(-1_209_600.0, 0.0)


@given(st.floats(0, 3 * WRAP_S), st.floats(1, 90))
def test_an_uptime_that_wraps_is_no_restart(before_s, elapsed_s):
    told_s = (before_s + elapsed_s) % WRAP_S
    assert unwrapped(told_s, before_s, elapsed_s) == pytest.approx(before_s + elapsed_s, abs=1e-3)


@given(st.floats(1000, 2_000_000), st.floats(0, 300))
def test_a_restart_is_one(before_s, told_s):
    assert unwrapped(told_s, before_s, told_s + 20) == told_s


def test_an_input_that_changes_too_often_is_counted_until_it_is_still():
    chatter = Chatter()
    heeds = [chatter.changed(float(second)) for second in range(CHANGES + 20)]
    assert heeds == [Heed.TAKE] * CHANGES + [Heed.BEGINS] + [Heed.COUNT] * 19
    last_s = CHANGES + 19.0
    assert not chatter.is_over(last_s + STILL_S - 1)
    assert chatter.is_over(last_s + STILL_S)
    assert chatter.end() == 20
    assert chatter.changed(last_s + STILL_S) is Heed.TAKE


def test_a_busy_machine_is_none():
    chatter = Chatter()
    assert {chatter.changed(2.1 * turn) for turn in range(500)} == {Heed.TAKE}
