"""Whose turn it is on a panel, and until when exactly. Pure: schedules, a zone and a moment in, a turn out.

Days and hours are those of the site's clocks on the wall. A rule of 22:00-05:00 on a Friday goes on until Saturday
morning. Hours that a night skips do not come in it, and those it has twice come twice. Turns of a playlist are
counted in real seconds from the day's first moment, so that they are as long as they say in such a night too.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Container, Iterable, Sequence
from datetime import datetime, timedelta
from typing import Protocol
from zoneinfo import ZoneInfo

import msgspec

from edge.windows import Window
from edge.wire.playlists import Entry, Playlist, Schedule

SECOND_US = 1_000_000
HOUR_MIN = 60
AHEAD_DAYS = 15  # a week has all days and hours but those that a night skips, and no two weeks skip the same
NOTHING = ""

Playlists = Callable[[str], Playlist | None]
"""A published playlist by its id; None for one that is not published."""


class Timed(Protocol):
    """What holds on some days and in some hours."""

    @property
    def days(self) -> tuple[int, ...]:
        """Days of the week, Monday is 1; none: all."""

    @property
    def hours(self) -> str:
        """HH:MM-HH:MM; '': all."""


class Screen(msgspec.Struct, frozen=True):
    """What is shown: a layout or a picture, by its id, and the playlist it comes from. Nothing: all are ''.
    `missing`: a playlist that is named and not published."""

    layout: str = NOTHING
    picture: str = NOTHING
    playlist: str = NOTHING
    missing: str = NOTHING

    @property
    def nothing(self) -> bool:
        """Whether nothing is shown."""
        return not (self.layout or self.picture)


class _Turns(msgspec.Struct, frozen=True):
    """The entries of a playlist that hold now, each as the screen it is, and how long each is."""

    screens: tuple[Screen, ...]
    seconds: tuple[int, ...]

    @property
    def alike(self) -> bool:
        """Whether all show the same, so that turns are nothing one sees."""
        return len(set(self.screens)) <= 1


class Turn(msgspec.Struct, frozen=True, kw_only=True):
    """Whose turn it is. `until_us`: when another begins, None for never; `rule_until_us`: when another rule of the
    schedule holds, or none."""

    screen: Screen
    schedule: str = NOTHING
    refresh_s: int = 60
    until_us: int | None = None
    rule_until_us: int | None = None


def schedule_for(
    schedules: Iterable[tuple[str, Schedule]], names: Container[str], groups: Container[str]
) -> tuple[str, Schedule] | None:
    """The one schedule that decides for a device: its own, else one of its groups; of several the first by id.

    `names`: the device's id and name; `groups`: those it is in.
    """
    ordered = sorted(schedules, key=lambda one: one[0])
    for one in ordered:
        if any(device in names for device in one[1].devices):
            return one
    for one in ordered:
        if any(group in groups for group in one[1].groups):
            return one
    return None


def turn(name: str, schedule: Schedule, playlists: Playlists, at_us: int, zone: ZoneInfo) -> Turn:
    """Whose turn it is at a moment (UTC microseconds) by the schedule of this name."""
    shown, rule = screen_at(schedule, playlists, at_us, zone), _rule(schedule, at_us, zone)
    named = [playlists(one.playlist) for one in schedule.rules if one.playlist]
    lists = [playlist for playlist in named if playlist is not None]
    timed: list[Timed] = [*schedule.rules, *(entry for playlist in lists for entry in playlist.entries)]

    def other_screen(then_us: int) -> bool:
        return screen_at(schedule, playlists, then_us, zone) != shown

    def turns_over(then_us: int) -> int | None:
        return _turns_over(schedule, playlists, then_us, zone)

    return Turn(
        screen=shown,
        schedule=name,
        refresh_s=schedule.refresh_s,
        until_us=_until(at_us, zone, _Edges(timed, midnights=bool(lists)), other_screen, turns_over),
        rule_until_us=_until(
            at_us, zone, _Edges(schedule.rules), lambda then_us: _rule(schedule, then_us, zone) != rule
        ),
    )


def screen_at(schedule: Schedule, playlists: Playlists, at_us: int, zone: ZoneInfo) -> Screen:
    """What is shown at a moment."""
    number = _rule(schedule, at_us, zone)
    if number is None:
        return Screen()
    rule = schedule.rules[number]
    if not rule.playlist:
        return Screen(layout=rule.layout, picture=rule.picture)
    playlist = playlists(rule.playlist)
    if playlist is None:
        return Screen(missing=rule.playlist)
    turns = _turns(rule.playlist, playlist, at_us, zone)
    return turns.screens[_place(turns, at_us, zone)[0]] if turns.screens else Screen(playlist=rule.playlist)


def holds(timed: Timed, at_us: int, zone: ZoneInfo) -> bool:
    """Whether it is the day and the hour of a rule or an entry."""
    if not timed.days and not timed.hours:
        return True
    local = _local(at_us, zone)
    began = _window(timed.hours).holds(local.hour * HOUR_MIN + local.minute) if timed.hours else 0
    if began is None:
        return False
    return not timed.days or (local.date() + timedelta(days=began)).isoweekday() in timed.days


# --- turns of a playlist


def _turns(name: str, playlist: Playlist, at_us: int, zone: ZoneInfo) -> _Turns:
    entries = [entry for entry in playlist.entries if _shows(entry) and holds(entry, at_us, zone)]
    return _Turns(
        tuple(Screen(layout=entry.layout, picture=entry.picture, playlist=name) for entry in entries),
        tuple(entry.seconds for entry in entries),
    )


def _shows(entry: Entry) -> bool:
    return bool(entry.layout or entry.picture)


def _place(turns: _Turns, at_us: int, zone: ZoneInfo) -> tuple[int, int]:
    """Which entry's turn it is, by its number, and how many microseconds are left of it."""
    into_us = (at_us - _begin_of(_local(at_us, zone), zone)) % (sum(turns.seconds) * SECOND_US)
    for number, seconds in enumerate(turns.seconds):
        if into_us < seconds * SECOND_US:
            return number, seconds * SECOND_US - into_us
        into_us -= seconds * SECOND_US
    raise AssertionError("a moment lies within the turns, whose sum it was divided by")


def _turns_over(schedule: Schedule, playlists: Playlists, at_us: int, zone: ZoneInfo) -> int | None:
    """When the entry whose turn it is has had its time; None where turns make no difference."""
    number = _rule(schedule, at_us, zone)
    name = schedule.rules[number].playlist if number is not None else NOTHING
    playlist = playlists(name) if name else None
    if playlist is None:
        return None
    turns = _turns(name, playlist, at_us, zone)
    return None if turns.alike else at_us + _place(turns, at_us, zone)[1]


# --- days and hours


def _rule(schedule: Schedule, at_us: int, zone: ZoneInfo) -> int | None:
    """The number of the first rule that holds."""
    return next((number for number, rule in enumerate(schedule.rules) if holds(rule, at_us, zone)), None)


class _Edges:
    """When it may be another rule's time: at midnight, at an hour that is named, or when clocks are changed."""

    def __init__(self, timed: Sequence[Timed], *, midnights: bool = False) -> None:
        windows = [_window(one.hours) for one in timed if one.hours]
        self._minutes = sorted({minute for window in windows for minute in (window.begins, window.ends)})
        self._any = midnights or bool(windows) or any(one.days for one in timed)

    def after(self, at_us: int, zone: ZoneInfo) -> int | None:
        """The next one; None where nothing depends on the time."""
        if not self._any:
            return None
        local = _local(at_us, zone)
        end_us = _next_day(local, at_us, zone)
        if _offset(end_us - 1, zone) != local.utcoffset():
            end_us = _changes(at_us, end_us - 1, zone)
        minute_us = HOUR_MIN * SECOND_US
        into_us = (local.hour * HOUR_MIN + local.minute) * minute_us + local.second * SECOND_US
        begin_us = at_us - at_us % SECOND_US - into_us  # midnight, had the clocks always stood as they do now
        named = (begin_us + minute * minute_us for minute in self._minutes)
        return min((edge_us for edge_us in named if at_us < edge_us < end_us), default=end_us)


def _until(
    at_us: int,
    zone: ZoneInfo,
    edges: _Edges,
    other: Callable[[int], bool],
    step: Callable[[int], int | None] = lambda at_us: None,
) -> int | None:
    """The first moment after `at_us` at which it is another, looked for where it may become so."""
    then_us, last_us = at_us, at_us + AHEAD_DAYS * 24 * 3600 * SECOND_US
    while then_us < last_us:
        moments = [moment for moment in (edges.after(then_us, zone), step(then_us)) if moment is not None]
        if not moments:
            return None
        then_us = min(moments)
        if other(then_us):
            return then_us
    return None


@functools.lru_cache(maxsize=1024)
def _window(hours: str) -> Window:
    """Hours as a document has them, whose form was checked when it was saved."""
    begins, _, ends = hours.partition("-")
    return Window(_minutes(begins), _minutes(ends))


def _minutes(clock: str) -> int:
    hour, _, minute = clock.partition(":")
    return int(hour) * HOUR_MIN + int(minute)


def _local(at_us: int, zone: ZoneInfo) -> datetime:
    return datetime.fromtimestamp(at_us // SECOND_US, zone)


def _offset(at_us: int, zone: ZoneInfo) -> timedelta | None:
    return _local(at_us, zone).utcoffset()


def _begin_of(local: datetime, zone: ZoneInfo) -> int:
    """The first moment of the day of `local`; where clocks skip midnight, when they do."""
    return _at(datetime(local.year, local.month, local.day, tzinfo=zone))


def _next_day(local: datetime, at_us: int, zone: ZoneInfo) -> int:
    """The first moment after `at_us` that is midnight after the day of `local`."""
    day = local.date() + timedelta(days=1)
    midnight = datetime(day.year, day.month, day.day, tzinfo=zone)
    first_us = _at(midnight)
    return first_us if first_us > at_us else _at(midnight.replace(fold=1))


def _at(local: datetime) -> int:
    return int(local.timestamp()) * SECOND_US


def _changes(from_us: int, to_us: int, zone: ZoneInfo) -> int:
    """When the clocks are changed, between two moments at which they stand otherwise: the first second of it."""
    before, first, last = _offset(from_us, zone), from_us // SECOND_US, to_us // SECOND_US
    while last - first > 1:
        middle = (first + last) // 2
        if _offset(middle * SECOND_US, zone) == before:
            first = middle
        else:
            last = middle
    return last * SECOND_US
