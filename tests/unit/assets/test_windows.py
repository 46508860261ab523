"""Hours, days and shifts are those of the clock on the wall, also where it is put forward or back."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edge.assets.answers.windows import Part, Question, Shift, SiteRules, check, parts
from edge.assets.calendar import Weekly, cut, merged, spans
from edge.assets.model import SECOND_US, Span
from edge.errors import BadInput
from tests.tools import share

HALF_HOUR_US = 1800 * SECOND_US
HOUR_US = 2 * HALF_HOUR_US
DAY_US = 24 * HOUR_US
ALL_DAYS = frozenset(range(1, 8))

BERLIN, NEW_YORK = ZoneInfo("Europe/Berlin"), ZoneInfo("America/New_York")
KOLKATA, LORD_HOWE = ZoneInfo("Asia/Kolkata"), ZoneInfo("Australia/Lord_Howe")

CHANGES = [
    (BERLIN, date(2026, 3, 29), 23.0),
    (BERLIN, date(2026, 10, 25), 25.0),
    (NEW_YORK, date(2026, 3, 8), 23.0),
    (NEW_YORK, date(2026, 11, 1), 25.0),
    (LORD_HOWE, date(2026, 10, 4), 23.5),
    (LORD_HOWE, date(2026, 4, 5), 24.5),
    (KOLKATA, date(2026, 3, 29), 24.0),
]


def at(zone: ZoneInfo, day: date, hour: int = 0) -> int:
    """When the clock on the wall shows this."""
    return int(datetime.combine(day, time(hour), zone).timestamp()) * SECOND_US


def hours(found: list[Part]) -> list[float]:
    """How long each is."""
    return [sum(end - begin for begin, end in part.spans) / HOUR_US for part in found]


@pytest.mark.parametrize(("zone", "day", "length_h"), CHANGES)
def test_a_day_is_as_long_as_the_clock_makes_it(zone: ZoneInfo, day: date, length_h: float) -> None:
    week = at(zone, day - timedelta(days=2)), at(zone, day + timedelta(days=3))
    found = parts(Question(from_us=week[0], to_us=week[1], by="day"), SiteRules(zone=zone), week[1])
    assert hours(found) == [24, 24, length_h, 24, 24]
    assert found[2].name == f"{day:%Y-%m-%d}"


@pytest.mark.parametrize(("zone", "day", "length_h"), CHANGES)
def test_a_night_shift_is_longer_or_shorter_by_as_much(zone: ZoneInfo, day: date, length_h: float) -> None:
    rules = SiteRules(
        zone=zone, shifts={"night": Shift("Night", Weekly(begins_min=22 * 60, ends_min=360, days=ALL_DAYS))}
    )
    evening, morning = at(zone, day - timedelta(days=1), 14), at(zone, day, 14)
    question = Question(from_us=evening, to_us=morning, by="shift")
    assert hours(parts(question, rules, morning)) == [8 + length_h - 24]


WALLS = st.sampled_from([0, *range(4 * 60, 24 * 60, 30)])  # where no clock of these is put forward or back


@settings(max_examples=share(60, 1500), deadline=None)
@given(
    st.sampled_from(CHANGES),
    WALLS,
    WALLS,
    st.sets(st.integers(1, 7), min_size=1),
    st.integers(-40, 90),
    st.integers(0, 200),
)
def test_a_shift_is_when_the_clock_shows_so(
    change: tuple[ZoneInfo, date, float], begins: int, ends: int, days: set[int], since: int, length: int
) -> None:
    """Each half hour near a change of the clock, looked at by itself."""
    zone, day, _ = change
    begin = at(zone, day) + since * HALF_HOUR_US
    window = begin, begin + length * HALF_HOUR_US
    rule = Weekly(begins_min=begins, ends_min=ends, days=frozenset(days))
    found = merged(cut(list(spans(rule, zone, window)), window))
    assert found == by_looking(window, lambda at_us: is_in(at_us, zone, begins, ends, days))


def by_looking(window: Span, there: Callable[[int], bool]) -> list[Span]:
    """The half hours of a window in which it is so, put together."""
    halves = [at_us for at_us in range(*window, HALF_HOUR_US) if there(at_us)]
    return merged((at_us, at_us + HALF_HOUR_US) for at_us in halves)


def is_in(at_us: int, zone: ZoneInfo, begins: int, ends: int, days: set[int]) -> bool:
    """Whether a shift is under way, by what the clock on the wall shows."""
    local = datetime.fromtimestamp(at_us // SECOND_US, zone)
    minute = local.hour * 60 + local.minute
    today, yesterday = local.isoweekday() in days, (local - timedelta(days=1)).isoweekday() in days
    if begins < ends:
        return today and begins <= minute < ends
    return (today and minute >= begins) or (yesterday and minute < ends)


def test_a_time_that_the_clock_leaves_out_is_later_and_one_it_shows_twice_the_first() -> None:
    rule = Weekly(begins_min=150, ends_min=240, days=ALL_DAYS)  # 02:30 to 04:00
    spring = at(BERLIN, date(2026, 3, 29)), at(BERLIN, date(2026, 3, 30))
    autumn = at(BERLIN, date(2026, 10, 25)), at(BERLIN, date(2026, 10, 26))
    assert [end - begin for begin, end in spans(rule, BERLIN, spring)] == [HALF_HOUR_US]
    assert [end - begin for begin, end in spans(rule, BERLIN, autumn)] == [5 * HALF_HOUR_US]


def test_hours_are_those_of_the_wall_and_of_utc_where_walls_differ() -> None:
    begin = int(datetime(2026, 11, 21, 9, 10, tzinfo=UTC).timestamp()) * SECOND_US
    question = Question(from_us=begin, to_us=begin + 2 * HOUR_US, by="hour")
    rules = SiteRules(zone=KOLKATA)
    assert [part.of[11:16] for part in parts(question, rules, begin + DAY_US)] == ["08:30", "09:30", "10:30"]
    assert hours(parts(question, rules, begin + DAY_US)) == [pytest.approx(x) for x in (1 / 3, 1, 2 / 3)]
    together = parts(question, rules, begin + DAY_US, one_zone=False)
    assert [part.of[11:16] for part in together] == ["09:00", "10:00", "11:00"]


def test_what_has_not_come_yet_has_no_window() -> None:
    begin = at(BERLIN, date(2026, 11, 21))
    for by in ("hour", "day", "shift"):
        question = Question(from_us=begin, to_us=begin + DAY_US, by=by)
        rules = SiteRules(zone=BERLIN, shifts={"s": Shift("S", Weekly(begins_min=0, ends_min=720, days=ALL_DAYS))})
        assert parts(question, rules, begin) == []
        assert all(part.spans[-1][1] <= begin + HOUR_US + 5 for part in parts(question, rules, begin + HOUR_US + 5))


def test_a_trend_of_one_shift_has_only_its_time() -> None:
    begin = at(BERLIN, date(2026, 11, 20))
    early = Shift("Early", Weekly(begins_min=6 * 60, ends_min=14 * 60, days=frozenset({5})))
    rules = SiteRules(zone=BERLIN, shifts={"early": early})
    question = Question(from_us=begin, to_us=begin + 3 * DAY_US, by="day", shift="early")
    found = parts(question, rules, begin + 9 * DAY_US)
    assert [(part.name, hours([part])) for part in found] == [("2026-11-20", [8])]


@pytest.mark.parametrize(
    ("question", "says"),
    [
        (Question(from_us=0, to_us=DAY_US, by="week"), "by is one of"),
        (Question(from_us=0, to_us=63 * DAY_US, by="hour"), "62 days"),
        (Question(from_us=0, to_us=6 * 366 * DAY_US, by="day"), "five years"),
        (Question(from_us=0, to_us=6 * 366 * DAY_US, shift="early"), "five years"),
        (Question(from_us=0, to_us=DAY_US, shift="late"), "no shift 'late'"),
    ],
)
def test_what_is_too_much_or_is_not_there_is_said(question: Question, says: str) -> None:
    with pytest.raises(BadInput, match=says) as raised:
        check(question, {"early"})
    assert raised.value.advice
