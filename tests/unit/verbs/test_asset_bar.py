"""States as a line of characters, in which no stop is lost."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from edge.verbs import asset_bar
from edge.verbs.asset_bar import State, bar
from tui import state_bar

BEGIN = datetime(2026, 11, 21, 6, tzinfo=UTC)


def state(first_min: float, last_min: float, name: str) -> State:
    return BEGIN + timedelta(minutes=first_min), BEGIN + timedelta(minutes=last_min), name


def drawn(*states: State, minutes: int = 10, width: int = 10) -> str:
    return bar(states, BEGIN, BEGIN + timedelta(minutes=minutes), width)


def test_each_state_has_its_share() -> None:
    assert drawn(state(0, 4, "running"), state(4, 7, "stopped"), state(7, 9, "planned")) == "████▁▁▁··░"


def test_a_short_stop_is_seen() -> None:
    assert drawn(state(0, 4.9, "running"), state(4.9, 5, "stopped"), state(5, 10, "running")) == "████▄█████"
    assert drawn(state(0, 4.1, "running"), state(4.1, 5, "stopped"), state(5, 10, "planned")) == "████▁·····"
    assert drawn(state(0, 4.9, "unknown"), state(4.9, 5, "stopped"), state(5, 10, "running")) == "░░░░▁█████"


def test_what_lies_outside_and_what_nobody_knows() -> None:
    assert drawn(state(-5, 2, "running"), state(8, 20, "running")) == "██░░░░░░██"
    assert drawn(state(0, 10, "a word of a later version")) == "░░░░░░░░░░"
    assert drawn(state(0, 0, "running"), minutes=0) == "░░░░░░░░░░"


def test_it_says_what_the_terminal_says() -> None:
    assert asset_bar.legend() == state_bar.legend()
