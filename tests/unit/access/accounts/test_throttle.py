"""Guessing at passwords: slow for the guesser, from wherever; nobody else is locked out; memory is bounded."""

from __future__ import annotations

import pytest

from edge.access.accounts import throttle
from edge.access.accounts.throttle import PER_ADDRESS, PER_NAME, PER_PLACE, REFILL_S, Throttle
from edge.clock import ManualClock
from edge.errors import RateLimited

HOME, ELSEWHERE = "192.0.2.1", "198.51.100.7"


def guesses(slow: Throttle, names: list[str], addresses: list[str]) -> int:
    """How many of these attempts, each wrong, were let through."""
    let = 0
    for name, address in zip(names, addresses, strict=True):
        try:
            slow.attempt(name, address)
        except RateLimited:
            continue
        let += 1
    return let


def test_one_guesser_at_one_name_gets_few_attempts_then_one_a_minute() -> None:
    clock = ManualClock()
    slow = Throttle(clock)
    assert guesses(slow, ["ann"] * 50, [ELSEWHERE] * 50) == PER_PLACE
    clock.advance(REFILL_S)
    assert guesses(slow, ["ann"] * 50, [ELSEWHERE] * 50) == 1


def test_many_addresses_at_one_name_are_limited_together() -> None:
    addresses = [f"10.0.{n // 250}.{n % 250}" for n in range(500)]
    assert guesses(Throttle(ManualClock()), ["ann"] * 500, addresses) == PER_NAME


def test_one_address_at_many_names_is_limited() -> None:
    names = [f"user{n}" for n in range(500)]
    assert guesses(Throttle(ManualClock()), names, [ELSEWHERE] * 500) == PER_ADDRESS


def test_a_person_at_home_is_not_locked_out_by_guessers_elsewhere() -> None:
    slow = Throttle(ManualClock())
    slow.worked("ann", HOME)
    guesses(slow, ["ann"] * 500, [f"10.0.{n // 250}.{n % 250}" for n in range(500)])
    slow.attempt("ann", HOME)
    slow.attempt("bob", ELSEWHERE)
    with pytest.raises(RateLimited) as limited:
        slow.attempt("ann", ELSEWHERE)
    assert limited.value.retry_after_s >= 1


def test_a_person_at_home_is_not_locked_out_by_who_fails_at_others_there() -> None:
    slow = Throttle(ManualClock())
    slow.worked("ann", HOME)
    assert guesses(slow, [f"user{n}" for n in range(99)], [HOME] * 99) == PER_ADDRESS
    assert guesses(slow, ["ann"] * 50, [HOME] * 50) == PER_PLACE
    with pytest.raises(RateLimited):
        slow.attempt("bob", HOME)


def test_an_attempt_at_two_accounts_of_one_name_stays_counted_where_it_was_wrong() -> None:
    clock = ManualClock()
    slow = Throttle(clock)
    for number in range(PER_PLACE):
        assert slow.attempts(["ann", "namesake"], HOME) == ["ann", "namesake"], number
        slow.worked_at(["namesake"], ["ann", "namesake"], HOME)
    assert slow.attempts(["ann", "namesake"], HOME) == ["namesake"]
    slow.worked("namesake", HOME)
    with pytest.raises(RateLimited):
        slow.attempt("ann", HOME)
    assert guesses(slow, [f"user{n}" for n in range(99)], [HOME] * 99) == PER_ADDRESS - PER_PLACE
    slow.attempt("namesake", HOME)
    with pytest.raises(RateLimited):
        slow.attempts(["ann", "eve"], HOME)
    clock.advance(REFILL_S)
    assert slow.attempts(["ann", "eve"], HOME) == ["ann", "eve"]
    slow.forgive_all(["ann", "eve"], HOME)
    assert slow.attempts(["eve", "ann"], HOME) == ["eve", "ann"]


def test_a_right_password_forgives_the_wrong_ones_before_it() -> None:
    slow = Throttle(ManualClock())
    for _ in range(6):  # no more than one address may: whose names they are is not known there
        assert guesses(slow, ["ann"] * (PER_PLACE - 1), [HOME] * (PER_PLACE - 1)) == PER_PLACE - 1
        slow.attempt("ann", HOME)
        slow.worked("ann", HOME)


def test_a_right_password_counts_as_nothing_however_often() -> None:
    slow = Throttle(ManualClock())
    for number in range(200):
        slow.attempt("ann", HOME)
        slow.worked("ann", HOME)
        slow.attempt(f"code {number}", HOME)
        slow.forgive(f"code {number}", HOME)


def test_it_remembers_so_many_and_no_more(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(throttle, "COUNTS", 50)
    slow = Throttle(ManualClock())
    for number in range(300):
        guesses(slow, [f"user{number}"], [f"10.0.0.{number % 250}"])
        slow.worked(f"user{number}", "10.1.0.1")
    for kept in (slow._names._levels, slow._places._levels, slow._addresses._levels, slow._known):
        assert len(kept) <= 50
