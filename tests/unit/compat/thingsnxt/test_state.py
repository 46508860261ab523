"""What an older switch board is told fits its memory, and holds its own outputs alone."""

from __future__ import annotations

import re
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from edge.compat.thingsnxt.state import REPLY_KEYS, orders, whole
from tests.fakes.thingsnxt_device import POOL_BYTES, as_int, pool_bytes

KEYS = st.one_of(
    st.integers(0, 120).map("v{}".format), st.sampled_from(["led", "temperature", "v", "v01", "vx", "V1"])
)
VALUES = st.one_of(st.integers(), st.floats(allow_nan=False), st.booleans(), st.text("0123456789-on", max_size=6))
DESIRED = st.dictionaries(KEYS, VALUES, max_size=130)


@given(DESIRED)
def test_a_reply_fits_the_boards_memory(desired: dict[str, Any]) -> None:
    reply = {"device_id": "f" * 24, "data": orders(desired).data, "timestamp": "2026-11-21T00:00:00.000"}
    assert pool_bytes(reply) <= POOL_BYTES


@given(DESIRED)
def test_it_holds_outputs_as_the_board_takes_them_and_led_never_beside_one(desired: dict[str, Any]) -> None:
    told = orders(desired)
    assert all(isinstance(state, int) and not isinstance(state, bool) for state in told.data.values())
    assert all(as_int(state) == as_int(desired[key]) for key, state in told.data.items())
    assert "led" not in told.data or list(told.data) == ["led"]
    assert all(key == "led" or key[1:].isdecimal() for key in told.data)


@given(DESIRED)
def test_nothing_is_left_out_unless_there_is_no_room(desired: dict[str, Any]) -> None:
    told = orders(desired)
    assert not told.left_out or len(told.data) == REPLY_KEYS
    outputs = {key for key in desired if re.fullmatch(r"v(0|[1-9]\d?)", key) and whole(desired[key]) is not None}
    assert outputs == {*told.data, *told.left_out} - {"led"}


def test_the_pool_is_counted_as_it_was_seen_to_be() -> None:
    """60 numbers were seen to fit with room left, 80 not."""
    assert pool_bytes({"device_id": "f" * 24, "data": {f"sensor_{n:02}": n for n in range(60)}}) <= POOL_BYTES
    assert pool_bytes({"device_id": "f" * 24, "data": {f"sensor_{n:02}": n for n in range(80)}}) > POOL_BYTES


def test_a_number_in_a_text_is_one_and_another_text_is_nothing() -> None:
    assert [whole(value) for value in ("1", "-5", "on", "", None, True, 2.9, 2**40, "²")] == [
        1, -5, None, None, None, 1, 2, None, None,
    ]  # fmt: skip
