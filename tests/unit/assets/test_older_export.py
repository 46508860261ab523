"""What the records of an older asset logger's export come to."""

from __future__ import annotations

import itertools
from typing import Any

import pytest

from edge.assets.history import older_export as older
from edge.clock import iso

SECOND = 1_000_000
MINUTE = 60 * SECOND
NOW_US = 1_763_700_000 * SECOND


def event(what: str, ago_min: int, duration: object = None, **more: object) -> dict[str, Any]:
    """A record of asset 7."""
    at = iso(NOW_US - ago_min * MINUTE)
    return {"asset_id": 7, "event_type": what, "timestamp": at, "duration": duration, **more}


def of(record: dict[str, Any]) -> older.Past:
    """What a record that can be used tells."""
    found = older.past(record, NOW_US)
    assert isinstance(found, older.Past), found
    return found


@pytest.mark.parametrize(
    ("record", "before", "after", "lasted_s"),
    [
        (event("RUN_END", 10, 120), "RUNNING", "STOPPED", 120),
        (event("RUN_END", 10, "120", state="ERROR"), "RUNNING", "ERROR", 120),
        (event("STOP_END", 10, 60), "STOPPED", "RUNNING", 60),
        (event("STOP_END", 10), "STOPPED", "RUNNING", None),
        (event("STOP_END", 10, -8), "STOPPED", "RUNNING", None),
        (event("STOP_END", 10, 1.7e9), "STOPPED", "RUNNING", None),  # since 1970
        (event("STOP_END", 10, "nan"), "STOPPED", "RUNNING", None),
        (event("STATE_CHANGE", 10, 60, newState="RUNNING"), "", "RUNNING", None),
        (event("STATE_CHANGE", 10, 60, newState="RUNNING", previousState="ERROR"), "ERROR", "RUNNING", 60),
        (event("STOP_START", 10, 60), "", "STOPPED", None),
        (event("", 10, state="maintenance"), "", "MAINTENANCE", None),
    ],
)
def test_an_event_tells_two_states_and_how_long(
    record: dict[str, Any], before: str, after: str, lasted_s: float | None
) -> None:
    told = of(record)
    assert (told.machine, told.at_us) == ("7", NOW_US - 10 * MINUTE)
    assert (told.before, told.after) == (before, after)
    assert told.lasted_us == (None if lasted_s is None else lasted_s * SECOND)


@pytest.mark.parametrize(
    "record",
    [
        {},
        event("RUN_END", 10) | {"asset_id": None},
        event("RUN_END", 10) | {"timestamp": "yesterday"},
        event("RUN_END", 10) | {"timestamp": "2025-11-20T10:00:00"},  # nobody's time
        event("RUN_END", 10) | {"timestamp": "1970-01-01T00:00:12.000Z"},
        event("RUN_END", -10),
        event("RUN_END", 10) | {"timestamp": 1e300},
        event("SHIFT_START", 10),
        event("RUN_END", 10) | {"event_type": ["RUN_END"]},
    ],
)
def test_what_cannot_be_used_says_why(record: dict[str, Any]) -> None:
    assert isinstance(older.past(record, NOW_US), str)


def test_statements_and_watched_time_follow_from_durations() -> None:
    records = [event("STOP_END", 50, 600), event("RUN_END", 60, 1800), event("RUN_END", 10)]
    events = older.consistent(of(record) for record in records)
    ago = [(round((NOW_US - at) / MINUTE), value) for at, value in older.statements(events)]
    assert ago == [(90, True), (60, False), (60, False), (50, True), (10, False)]
    assert older.watched(events) == [(NOW_US - 90 * MINUTE, NOW_US - 50 * MINUTE)]


def test_a_duration_behind_the_event_before_is_a_clock_that_was_set() -> None:
    first, second, third = event("RUN_END", 60, 60), event("STOP_END", 30, 31 * 60), event("RUN_END", 10, 1201)
    _, broken, rounded = older.consistent(of(record) for record in (first, second, third))
    assert broken.lasted_us is None
    assert rounded.lasted_us == 1201 * SECOND  # a second more is no contradiction


def test_signs_of_life_leave_no_silence_and_are_the_same_for_every_asset() -> None:
    step = 90 * SECOND
    spans = [(NOW_US - 3600 * SECOND, NOW_US - 7 * SECOND), (NOW_US, NOW_US + 5 * SECOND)]
    signs = list(older.signs(spans, step))
    moments = [spans[0][0], *signs, spans[0][1]]
    assert all(0 < late - early <= step for early, late in itertools.pairwise(moments))
    assert set(older.signs([(NOW_US - 1800 * SECOND, NOW_US - 7 * SECOND)], step)) <= set(signs)


def test_reasons_and_notes_belong_to_stops() -> None:
    stop = of(event("STOP_END", 10, 60, stop_reason=" No  material!", note="belt\n2"))
    assert (stop.reason, stop.note, older.reason_id(stop.reason)) == ("No material!", "belt 2", "no-material")
    run = of(event("RUN_END", 10, 60, reason="who knows", note="x"))
    assert (run.reason, run.note) == ("", "")
    assert older.reason_id("  !!  ") == ""


def test_machines_and_loggers_are_found_under_several_names() -> None:
    record = {"id": 7, "name": "Press", "pin_number": "25", "short_stop_threshold": 60, "logger_id": 3, "x": {}}
    machine = older.machine(record)
    assert machine == older.Machine(id="7", name="Press", line="", logger="3", input="pin_25", short_stop_s=60)
    assert older.machine(record | {"short_stop_threshold": -1}).short_stop_s is None  # type: ignore[union-attr]
    assert older.machine({"id": 7, "name": "Press"}) is None
    nested = {"id": 7, "pinNumber": 25, "logger_info": {"logger_id": "ESP32_001"}}
    assert older.machine(nested).logger == "ESP32_001"  # type: ignore[union-attr]
    logger = older.logger({"id": 3, "logger_id": "ESP32_001", "logger_name": "Hall"})
    assert logger == older.Logger(("3", "ESP32_001"), "ESP32_001", "Hall")
    assert older.logger({"name": "nobody"}) is None
    assert older.asset_id("7") == "older-7"
    assert older.asset_id("0A-3f") == "older-0a-3f"
