"""Whose turn it is, against a reference that looks at every second."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from edge.content.showing.hours import SECOND_US, Times, stretch_at
from edge.content.showing.plan import Plan, Screen, turn
from edge.content.showing.plans import Plans
from edge.wire.playlists import Entry, Playlist, Rule, Schedule

BERLIN = ZoneInfo("Europe/Berlin")
ZONES = [
    BERLIN,  # 02:00 to 03:00 in spring, 03:00 to 02:00 in autumn
    ZoneInfo("Africa/Cairo"),  # a night that skips midnight
    ZoneInfo("America/Havana"),  # 01:00 to 00:00: a midnight that comes twice
    ZoneInfo("Australia/Lord_Howe"),  # half an hour
    ZoneInfo("Asia/Kolkata"),
]
NIGHTS = [
    datetime(2026, 3, 29, tzinfo=UTC),
    datetime(2026, 10, 25, tzinfo=UTC),
    datetime(2026, 4, 24, tzinfo=UTC),
    datetime(2026, 10, 30, tzinfo=UTC),
    datetime(2026, 11, 1, tzinfo=UTC),
    datetime(2026, 3, 8, tzinfo=UTC),
    datetime(2026, 4, 5, tzinfo=UTC),
    datetime(2026, 10, 4, tzinfo=UTC),
    datetime(2026, 11, 21, tzinfo=UTC),
]


def us(when: datetime) -> int:
    return int(when.timestamp()) * SECOND_US


def holds(rule: Rule, at_us: int, zone: ZoneInfo) -> bool:
    stretch = stretch_at(at_us, zone)
    return bool(Times([rule]).holding(stretch.weekday, stretch.minute(at_us)))


def reference_holds(days: tuple[int, ...], hours: str, at_us: int, zone: ZoneInfo) -> bool:
    """By the words: what the clock on the wall says, compared as text."""
    local = datetime.fromtimestamp(at_us // SECOND_US, zone)
    began = local
    if hours:
        begins, ends = hours.split("-")
        said = local.strftime("%H:%M")
        if begins < ends:
            if not begins <= said < ends:
                return False
        elif said < begins:
            if said >= ends:
                return False
            began = local - timedelta(days=1)
    return not days or began.isoweekday() in days


def reference(schedule: Schedule, playlists: dict[str, Playlist], at_us: int, zone: ZoneInfo) -> Screen:
    """What is shown at a moment, counted second by second from the first of the day."""
    for rule in schedule.rules:
        if not reference_holds(rule.days, rule.hours, at_us, zone):
            continue
        if not rule.playlist:
            return Screen(rule.layout, rule.picture)
        if rule.playlist not in playlists:
            return Screen(missing=rule.playlist)
        active = [
            entry
            for entry in playlists[rule.playlist].entries
            if reference_holds(entry.days, entry.hours, at_us, zone)
        ]
        shown = [entry for entry in active for _ in range(entry.seconds)]
        if not shown:
            return Screen(playlist=rule.playlist)
        entry = shown[seconds_into_day(at_us, zone) % len(shown)]
        return Screen(entry.layout, entry.picture, rule.playlist)
    return Screen()


def seconds_into_day(at_us: int, zone: ZoneInfo) -> int:
    """How many seconds of this date have been, found by going back to a second that is of another date."""
    second = at_us // SECOND_US
    today = datetime.fromtimestamp(second, zone).date()
    back = next(n for n in range(26 * 60 + 1) if datetime.fromtimestamp(second - n * 60, zone).date() != today)
    edge = next(
        n for n in range(60 * (back - 1), 60 * back + 1) if datetime.fromtimestamp(second - n, zone).date() != today
    )
    return edge - 1


days = st.lists(st.integers(1, 7), max_size=3).map(tuple)
clocks = st.builds("{:02}:{:02}".format, st.sampled_from([0, 1, 2, 3, 8, 22, 23]), st.sampled_from([0, 15, 30, 59]))
hours = st.one_of(st.just(""), st.builds("{}-{}".format, clocks, clocks))
entries = st.builds(
    Entry, layout=st.sampled_from("abc"), seconds=st.sampled_from([5, 7, 60, 3000, 86_400]), days=days, hours=hours
)
lists = st.builds(Playlist, entries=st.lists(entries, max_size=4).map(tuple))
rules = st.one_of(
    st.builds(Rule, layout=st.sampled_from("xyz"), days=days, hours=hours),
    st.builds(Rule, playlist=st.sampled_from(["one", "two", "gone"]), days=days, hours=hours),
)
schedules = st.builds(Schedule, rules=st.lists(rules, max_size=4).map(tuple))
moments = st.builds(
    lambda night, seconds: us(night) + seconds * SECOND_US, st.sampled_from(NIGHTS), st.integers(-90_000, 90_000)
)


@settings(max_examples=300, deadline=None)
@given(schedules, lists, lists, moments, st.sampled_from(ZONES))
def test_what_is_shown_is_what_the_clock_on_the_wall_says(schedule, one, two, at_us, zone):
    named = {"one": one, "two": two}
    assert Plan("s", schedule, named.get, zone).screen(at_us) == reference(schedule, named, at_us, zone)


@settings(max_examples=300, deadline=None)
@given(schedules, lists, lists, moments, st.sampled_from(ZONES), st.lists(st.floats(0, 1), max_size=6))
def test_until_is_the_first_second_of_another_turn(schedule, one, two, at_us, zone, between):
    named = {"one": one, "two": two}
    now = turn("s", schedule, named.get, at_us, zone)
    end_us = now.until_us if now.until_us is not None else at_us + 15 * 86_400 * SECOND_US
    assert now.screen == reference(schedule, named, at_us, zone)
    if now.until_us is not None:
        assert now.until_us > at_us
        assert reference(schedule, named, now.until_us, zone) != now.screen
    probes = [at_us + int((end_us - at_us) * part) for part in between]
    nearby = [end_us - seconds * SECOND_US for seconds in (1, 2, 60, 3600)]
    for probe in probes + nearby:
        if at_us <= probe < end_us:
            assert reference(schedule, named, probe, zone) == now.screen


@settings(max_examples=100, deadline=None)
@given(schedules, moments, st.sampled_from(ZONES))
def test_a_rule_ends_when_another_holds(schedule, at_us, zone):
    def rule(then_us: int) -> int | None:
        found = [n for n, one in enumerate(schedule.rules) if reference_holds(one.days, one.hours, then_us, zone)]
        return found[0] if found else None

    until_us = turn("s", schedule, lambda name: None, at_us, zone).rule_until_us
    if until_us is None:
        assert all(rule(at_us + day * 86_400 * SECOND_US) == rule(at_us) for day in range(8))
    else:
        assert rule(until_us) != rule(at_us)
        assert rule(until_us - SECOND_US) == rule(at_us) or until_us - SECOND_US < at_us


@given(days, hours, moments, st.sampled_from(ZONES))
@example((5,), "22:00-05:00", us(datetime(2026, 11, 21, 3, tzinfo=BERLIN)), BERLIN)
@example((7,), "02:30-02:45", us(datetime(2026, 3, 29, 3, 30, tzinfo=BERLIN)), BERLIN)
def test_days_and_hours(days, hours, at_us, zone):
    assert holds(Rule(days=days, hours=hours), at_us, zone) == reference_holds(days, hours, at_us, zone)


def test_a_window_over_midnight_belongs_to_the_day_it_begins_on():
    friday = Rule(layout="night", days=(5,), hours="22:00-05:00")
    assert holds(friday, us(datetime(2026, 11, 21, 4, 59, tzinfo=BERLIN)), BERLIN)  # a Saturday
    assert not holds(friday, us(datetime(2026, 11, 20, 4, 59, tzinfo=BERLIN)), BERLIN)
    schedule = Schedule(rules=(friday,))
    now = turn("s", schedule, lambda name: None, us(datetime(2026, 11, 20, 23, tzinfo=BERLIN)), BERLIN)
    assert now.until_us == us(datetime(2026, 11, 21, 5, tzinfo=BERLIN))


def test_a_schedule_without_times_never_changes():
    schedule = Schedule(rules=(Rule(playlist="p"),))
    one = Playlist(entries=(Entry(layout="a", seconds=5), Entry(layout="a", seconds=7)))
    assert turn("s", schedule, {"p": one}.get, us(NIGHTS[0]), BERLIN).until_us is None
    assert turn("s", Schedule(), {}.get, us(NIGHTS[0]), BERLIN).screen.nothing


def test_a_long_turn_is_cut_at_midnight_where_the_count_begins_anew():
    one = Playlist(entries=(Entry(layout="a", seconds=50_000), Entry(layout="b", seconds=50_000)))
    at_us = us(datetime(2026, 11, 20, 23, tzinfo=BERLIN))
    now = turn("s", Schedule(rules=(Rule(playlist="p"),)), {"p": one}.get, at_us, BERLIN)
    assert (now.screen.layout, now.until_us) == ("b", us(datetime(2026, 11, 21, tzinfo=BERLIN)))


@pytest.mark.parametrize(
    ("names", "groups", "found"),
    [
        ({"d1", "Door"}, {"hall"}, "own"),
        ({"d2", "Desk"}, {"hall", "desk"}, "a-hall"),
        ({"d2", "Desk"}, {"nobody"}, None),
        ({"d9", "Gate"}, set(), "b-own"),
    ],
)
def test_a_devices_own_schedule_goes_first_and_of_groups_the_first_by_name(names, groups, found):
    schedules = {
        "z-hall": Schedule(groups=("hall",)),
        "a-hall": Schedule(groups=("hall",)),
        "own": Schedule(devices=("Door",)),
        "b-own": Schedule(devices=("d9",)),
    }
    assert Plans(schedules, {}.get, BERLIN).deciding(names, groups) == found


def clock(minute: int) -> str:
    return f"{minute % 1440 // 60:02}:{minute % 60:02}"


def test_what_a_turn_costs_is_bounded_whatever_is_published():
    """The same screen for weeks, in all the ways that a body of the largest size can hide it."""
    same = Playlist(entries=tuple(Entry(layout="a", seconds=5) for _ in range(200)))
    rare = Playlist(entries=(*(Entry(layout="a", seconds=440) for _ in range(199)), Entry(layout="b", seconds=5)))
    hours = [f"{clock(7 * n)}-{clock(7 * n + 1433)}" for n in range(199)]
    timed = Playlist(entries=(*(Entry(layout="a", seconds=3600, hours=one) for one in hours), Entry(layout="b")))
    rules = [Rule(playlist="p", hours=f"{clock(14 * n)}-{clock(14 * n + 13)}", days=(1,)) for n in range(49)]
    at_us = us(datetime(2026, 11, 21, 12, tzinfo=BERLIN))
    for playlist in (same, rare, timed):
        for schedule in (Schedule(rules=(Rule(playlist="p"),)), Schedule(rules=(*rules, Rule(playlist="p")))):
            plan = Plan("s", schedule, {"p": playlist}.get, BERLIN)
            plan.turn(at_us)
            named = 2 * (199 + 49) + 2  # hours of one day, its midnight and a change of clocks
            assert plan.steps <= 2 * 15 * named + 4
    plan = Plan("s", Schedule(rules=(Rule(playlist="p"),)), {"p": rare}.get, BERLIN)
    assert plan.turn(at_us).screen.layout == "a"
    assert plan.steps < 70  # a few steps a day: turns that show the same are none


def test_devices_of_one_schedule_share_its_turn_until_it_ends():
    one = Playlist(entries=(Entry(layout="a", seconds=600), Entry(layout="b", seconds=600)))
    plans = Plans({"s": Schedule(rules=(Rule(playlist="p"),))}, {"p": one}.get, BERLIN)
    at_us = us(datetime(2026, 11, 21, 12, 5, tzinfo=BERLIN))
    first = plans.turn("s", at_us)
    cost = plans.steps
    assert all(plans.turn("s", at_us + n * SECOND_US) is first for n in range(300))
    assert (plans.steps, first.until_us) == (cost, at_us + 300 * SECOND_US)
    assert plans.turn("s", at_us + 300 * SECOND_US).screen.layout == "b"
    assert plans.turn("s", at_us).screen.layout == "a"  # the clock was set back
