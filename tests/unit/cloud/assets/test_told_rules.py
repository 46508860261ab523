"""What a hub tells of its rules is taken as far as it can be read: by the calendar, and by the pages."""

from __future__ import annotations

import msgspec

from cloud.assets.definitions import told_rules
from edge.wire.assets import SHIFTS_MAX, AssetRules, PlannedView, ShiftView

AT, TO = "2026-11-21T00:00:00Z", "2026-11-22T00:00:00Z"


def shift(of: str, begins: str = "06:00", ends: str = "24:00", days: tuple[int, ...] = (1, 7)) -> ShiftView:
    return ShiftView(id=of, name=of, begins=begins, ends=ends, days=[*days])


def told(**rules: object) -> AssetRules:
    return told_rules(msgspec.json.encode({"timezone": "Europe/Berlin", **rules}), "UTC")


def test_shifts_are_times_of_day_on_days_of_a_week() -> None:
    bad = [
        shift("days", days=(9, 0, -3)),
        shift("clock", begins="25:99"),
        shift("far", ends="99999999999:00"),
        shift("word", begins="z"),
        shift("line", begins="06:00\n"),
    ]
    assert [one.id for one in told(shifts=[*bad, shift("good")]).shifts] == ["good"]
    many = [shift(f"s{number}") for number in range(SHIFTS_MAX + 1)]
    assert len(told(shifts=many).shifts) == SHIFTS_MAX


def test_planned_time_is_weekly_or_once() -> None:
    weekly = PlannedView(id="weekly", name="W", begins="22:00", ends="06:00", days=[1], first="2026-01-01")
    once = PlannedView(id="once", name="O", at=AT, to=TO)
    bad = [
        PlannedView(id="neither", name="N"),
        PlannedView(id="half", name="H", at=AT),
        PlannedView(id="long ago", name="L", at="0001-01-01T00:00:00Z", to=TO),
        PlannedView(id="nobody's", name="N", at="2026-11-21T00:00:00", to=TO),
        PlannedView(id="days", name="D", at=AT, to=TO, days=[8]),
        PlannedView(id="first", name="F", begins="22:00", ends="06:00", days=[1], first="2026-02-31"),
    ]
    assert told(planned=[*bad, weekly, once]).planned == [weekly, once]


def test_what_is_no_rules_is_none() -> None:
    for view in ("", "null", "[]", '{"shifts":[{}]}'):
        assert told_rules(view, "Europe/Berlin") == AssetRules(timezone="Europe/Berlin")
