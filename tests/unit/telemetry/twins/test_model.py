"""What a device shall be, as rules."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.errors import Rejected, TooLarge
from edge.telemetry.twins.model import DESIRED_BYTES, DESIRED_KEYS, Twin, checked, merge, pending

KEYS = st.from_regex(r"[a-z][a-z0-9_]{0,8}", fullmatch=True)
VALUES = st.one_of(st.booleans(), st.integers(-(2**31), 2**31), st.text("abc", max_size=8))
CHANGES = st.dictionaries(KEYS, st.one_of(st.none(), VALUES), max_size=6)
NOBODY = Twin(device_id="d")


def changed(twin: Twin, changes: dict[str, object]) -> Twin:
    return merge(twin, checked(changes), at_us=1, by="tess")


@given(st.lists(CHANGES, max_size=12))
def test_the_version_rises_with_each_change_and_with_nothing_else(story: list[dict[str, object]]) -> None:
    twin = NOBODY
    for changes in story:
        after = changed(twin, changes)
        same = [(k, type(v), v) for k, v in sorted(after.desired.items())] == [
            (k, type(v), v) for k, v in sorted(twin.desired.items())
        ]
        assert after.version == twin.version + (0 if same else 1)
        twin = after


@given(st.lists(CHANGES, max_size=12))
def test_what_is_desired_is_what_was_last_said_of_each_key(story: list[dict[str, object]]) -> None:
    twin, said = NOBODY, {}
    for changes in story:
        twin, said = changed(twin, changes), {**said, **changes}
    assert twin.desired == {key: value for key, value in said.items() if value is not None}


@given(st.dictionaries(KEYS, VALUES, max_size=6), st.dictionaries(KEYS, VALUES, max_size=6))
def test_what_a_device_reports_changes_nothing_but_what_is_pending(
    desired: dict[str, bool | int | str], reported: dict[str, bool | int | str]
) -> None:
    still = pending(desired, reported)
    assert still == sorted(key for key in desired if reported.get(key) != desired[key])
    assert pending(desired, {**reported, **desired}) == []


def test_a_key_nobody_has_reported_is_pending() -> None:
    assert pending({"v0": 0}, {}) == ["v0"]


def test_true_and_one_are_the_same_to_a_device_but_not_where_they_are_written() -> None:
    assert pending({"v0": True}, {"v0": 1}) == []
    assert changed(changed(NOBODY, {"v0": 1}), {"v0": True}).desired["v0"] is True


@pytest.mark.parametrize(
    "changes", [{"v0": math.nan}, {"v0": [1]}, {"": 1}, {"a b": 1}, {"v0": {"a": 1}}, {"v0": "x" * 10_000}]
)
def test_what_cannot_be_used_is_refused_and_then_nothing_is_changed(changes: dict[str, object]) -> None:
    with pytest.raises(Rejected):
        checked({"v1": 1, **changes})


def test_a_twin_is_bounded() -> None:
    with pytest.raises(Rejected):
        checked({f"v{number}": 1 for number in range(DESIRED_KEYS + 1)})
    full = changed(NOBODY, {f"v{number}": 1 for number in range(DESIRED_KEYS)})
    with pytest.raises(TooLarge):
        changed(full, {"one_more": 1})
    with pytest.raises(TooLarge):
        changed(NOBODY, {f"v{number}": "x" * 200 for number in range(DESIRED_BYTES // 200 + 1)})
    assert changed(full, {"v0": None, "one_more": 1}).version == 2
