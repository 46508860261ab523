"""Rate limits, against exact arithmetic: never more than allowed, and never refused without a time to wait."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.clock import ManualClock
from edge.errors import RateLimited
from edge.serving import limits
from edge.serving.limits import RateLimit

waits = st.lists(st.floats(0, 90), max_size=150)


def taken(limit: RateLimit, caller: str = "ann") -> bool:
    """Whether a request was let through."""
    try:
        limit.take(caller)
    except RateLimited:
        return False
    return True


@given(st.integers(1, 40), waits)
def test_never_more_than_a_burst_and_the_rate(per_minute: int, pauses: list[float]) -> None:
    clock = ManualClock()
    limit, began, passed = RateLimit(per_minute, clock), clock.mono_s(), 0
    for pause in pauses:
        clock.advance(pause)
        passed += taken(limit)
        assert passed <= per_minute + (clock.mono_s() - began) * per_minute / 60 + 1e-6


@given(st.integers(1, 200), st.integers(0, 20))
def test_who_waits_as_told_is_let_in(per_minute: int, again: int) -> None:
    clock = ManualClock()
    limit = RateLimit(per_minute, clock)
    assert all(taken(limit) for _ in range(per_minute))
    for _ in range(again + 1):
        with pytest.raises(RateLimited) as told:
            limit.take("ann")
        assert 0 < told.value.retry_after_s <= 60.0
        assert taken(limit, "bob") or again
        clock.advance(told.value.retry_after_s * (1 + 1e-9) + 1e-6)
        limit.take("ann")


@given(st.integers(1, 50))
def test_looking_costs_nothing(per_minute: int) -> None:
    limit = RateLimit(per_minute, ManualClock())
    for _ in range(per_minute * 2):
        assert limit.require("ann") == per_minute


def test_callers_kept_are_bounded_and_the_busiest_is_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "CALLERS", 10)
    limit = RateLimit(1, ManualClock())
    limit.take("stranger-0")
    for number in range(1, 100):
        limit.take(f"stranger-{number}")
    assert len(limit._buckets) == 10
    assert not taken(limit, "stranger-99")


def test_a_rate_below_one_is_one() -> None:
    limit = RateLimit(0, ManualClock())
    assert [taken(limit), taken(limit)] == [True, False]
