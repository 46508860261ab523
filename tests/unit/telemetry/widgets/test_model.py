"""Pins and states, as rules."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.errors import BadInput
from edge.telemetry.widgets.model import PINS, choose_pin, pin_number, switch_state

TAKEN = st.sets(st.integers(0, PINS - 2).map("v{}".format))


@given(TAKEN, st.one_of(st.none(), st.integers(), st.text(max_size=4), st.integers(0, PINS).map("v{}".format)))
def test_no_pin_is_given_twice_and_the_lowest_free_one_first(taken: set[str], wanted: object) -> None:
    pin = choose_pin("led", wanted, taken)
    assert pin is not None
    assert pin not in taken
    if pin != wanted:
        assert all(f"v{number}" in taken for number in range(pin_number(pin) or 0))


def test_what_shows_only_has_no_pin() -> None:
    assert choose_pin("gauge", "v0", ()) is None


def test_a_device_with_all_pins_taken_says_so() -> None:
    with pytest.raises(BadInput, match="all are taken"):
        choose_pin("led", None, {f"v{number}" for number in range(PINS)})


@pytest.mark.parametrize(("asked", "state"), [(0, 0), (1, 1), (True, 1), (False, 0), ("0", 0), ("1", 1)])
def test_a_state_is_taken_in_every_form_apps_send(asked: object, state: int) -> None:
    assert switch_state(asked) == state


@pytest.mark.parametrize("asked", [2, -1, "on", "", None, 0.5, [1], {"a": 1}, "01"])
def test_anything_else_is_no_state(asked: object) -> None:
    with pytest.raises(BadInput):
        switch_state(asked)
