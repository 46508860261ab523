"""Room for the bodies that are on their way: bounded for all, one address cannot have it all, and it comes back."""

from __future__ import annotations

import contextlib

import pytest

from edge.errors import RateLimited
from edge.serving.bodies import KNOWN_BYTES, SMALL_BYTES, UNKNOWN_AT_ONCE, UNKNOWN_BYTES, Bodies

MIB = 1024 * 1024


def test_the_room_of_strangers_is_bounded_and_takes_none_of_the_others() -> None:
    bodies = Bodies(10 * MIB)
    with contextlib.ExitStack() as open_ones:
        for number in range(UNKNOWN_BYTES // (256 * 1024 - SMALL_BYTES)):
            open_ones.enter_context(bodies.arriving(f"10.0.0.{number}"))(256 * 1024)
        with bodies.arriving("10.0.9.9") as hold, pytest.raises(RateLimited):
            hold(256 * 1024)
        with bodies.arriving("10.0.9.9") as hold:
            hold(SMALL_BYTES)  # an old machine's few bytes still come in
        with bodies.arriving(None) as hold:
            hold(10 * MIB)  # and a picture of who has a key
    with bodies.arriving("10.0.9.9") as hold:
        hold(UNKNOWN_BYTES)  # all of it came back


def test_a_body_as_large_as_may_be_always_fits() -> None:
    with Bodies(50 * MIB).arriving(None) as hold:
        hold(50 * MIB)
    with Bodies(10 * MIB).arriving(None) as hold:
        hold(10 * MIB)
        with Bodies(10 * MIB).arriving(None) as other, pytest.raises(RateLimited):
            other(KNOWN_BYTES + SMALL_BYTES + 1)


def test_memory_is_counted_once_as_a_body_of_unsaid_length_grows() -> None:
    bodies = Bodies(10 * MIB)
    with bodies.arriving("10.0.0.1") as hold:
        for size in range(0, UNKNOWN_BYTES + SMALL_BYTES, SMALL_BYTES):
            hold(size)
        with pytest.raises(RateLimited):
            hold(UNKNOWN_BYTES + SMALL_BYTES + 1)


def test_one_address_has_only_so_many_on_their_way() -> None:
    bodies = Bodies(10 * MIB)
    with contextlib.ExitStack() as open_ones:
        for _ in range(UNKNOWN_AT_ONCE):
            open_ones.enter_context(bodies.arriving("10.0.0.1"))
        with pytest.raises(RateLimited), bodies.arriving("10.0.0.1"):
            pass
        with bodies.arriving("10.0.0.2"), bodies.arriving(None):
            pass
    with bodies.arriving("10.0.0.1"):
        pass
