"""What is made into messages: as much of the newest readings as one holds, and how much of them is missing."""

from __future__ import annotations

from typing import Any

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from edge.automation.hooks.model import READINGS_BYTES
from edge.automation.hooks.watch import _fitting

READING = st.tuples(st.integers(1, 64), st.integers(0, 256))


@given(st.lists(READING, max_size=40))
def test_readings_are_cut_to_the_newest_that_fit_and_none_is_missing_without_a_word(
    readings: list[tuple[int, int]],
) -> None:
    items: list[dict[str, Any]] = [
        {"device": "d", "at": str(n), "values": {f"key_{k:058d}": "\u20b9" * chars for k in range(keys)}}
        for n, (keys, chars) in enumerate(readings)
    ]
    kept = _fitting(items)
    assert len(msgspec.json.encode(kept)) <= READINGS_BYTES
    newest = items[len(items) - len(kept) :]
    assert kept[1:] == newest[1:]
    if kept and kept[0] != newest[0]:
        values = newest[0]["values"]
        assert len(kept[0]["values"]) + kept[0]["values_left_out"] == len(values)
        assert kept[0]["values"].items() <= values.items()
    elif len(kept) < len(items):
        assert len(msgspec.json.encode(items[-len(kept) - 1 :])) > READINGS_BYTES - 1200, (
            "there is no room for more"
        )
