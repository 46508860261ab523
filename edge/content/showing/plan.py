"""Whose turn it is on a panel, and until when exactly. Pure: schedules, a zone and a moment in, a turn out.

Days and hours are those of the site's clocks on the wall. A rule of 22:00-05:00 on a Friday goes on until Saturday
morning. Hours that a night skips do not come in it, and those it has twice come twice. Turns of a playlist are
counted in real seconds from the day's first moment, so that they are as long as they say in such a night too.

A hub asks this often and beside everything else, so the cost is bounded whatever is published: one step for each
hour that is named and passes unseen, none for turns that show the same.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable
from itertools import accumulate, groupby
from zoneinfo import ZoneInfo

import msgspec

from edge.content.showing.hours import DAY_MIN, MINUTE_US, SECOND_US, Stretch, Times, stretch_at
from edge.wire.playlists import Entry, Playlist, Schedule

DAY_US = DAY_MIN * MINUTE_US
AHEAD_US = 15 * DAY_US  # a week has all days and hours but those that a night skips, and no two weeks skip the same
TURNS_KEPT = 512  # of a playlist: as many as a day has whose hours all differ
NOTHING = ""

Playlists = Callable[[str], Playlist | None]
"""A published playlist by its id; None for one that is not published."""


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


class Turn(msgspec.Struct, frozen=True, kw_only=True):
    """Whose turn it is. `until_us`: when another begins, None for never; `rule_until_us`: when another rule of the
    schedule holds, or none."""

    screen: Screen
    schedule: str = NOTHING
    refresh_s: int = 60
    until_us: int | None = None
    rule_until_us: int | None = None


def turn(name: str, schedule: Schedule, playlists: Playlists, at_us: int, zone: ZoneInfo) -> Turn:
    """Whose turn it is at a moment (UTC microseconds) by the schedule of this name."""
    return Plan(name, schedule, playlists, zone).turn(at_us)


class _Seen(msgspec.Struct, frozen=True):
    """What there is at a moment: a screen, or the number of a rule. `until`: the minute of the day in which others
    may hold; `left_us`: how long until it is the next one's turn, None where turns change nothing."""

    what: Screen | int | None
    until: int
    left_us: int | None = None


class Plan:
    """One schedule with the playlists it names, as they are published. `steps` counts what its turns have cost:
    each is one look at what holds."""

    def __init__(self, name: str, schedule: Schedule, playlists: Playlists, zone: ZoneInfo) -> None:
        self._name, self._schedule, self._playlists, self._zone = name, schedule, playlists, zone
        self._rules = Times(schedule.rules)
        self._lists: dict[str, _Entries | None] = {}
        self.steps = 0

    def turn(self, at_us: int) -> Turn:
        """Whose turn it is at a moment (UTC microseconds)."""
        return Turn(
            screen=self.screen(at_us),
            schedule=self._name,
            refresh_s=self._schedule.refresh_s,
            until_us=self._until(at_us, self._screen),
            rule_until_us=self._until(at_us, self._rule),
        )

    def screen(self, at_us: int) -> Screen:
        """What is shown at a moment."""
        found = self._screen(stretch_at(at_us, self._zone), at_us).what
        assert isinstance(found, Screen)
        return found

    # --- inside

    def _until(self, at_us: int, look: Callable[[Stretch, int], _Seen]) -> int | None:
        """The first moment after `at_us` at which `look` finds another, looked for where it may become so."""
        last_us, stretch = at_us + AHEAD_US, stretch_at(at_us, self._zone)
        first = look(stretch, at_us).what
        while at_us < last_us:
            seen = look(stretch, at_us)
            if seen.what != first:
                return at_us
            end_us = stretch.moment(seen.until)
            if seen.left_us is not None and at_us + seen.left_us < end_us:
                return at_us + seen.left_us
            at_us = end_us
            if at_us >= stretch.end_us:
                stretch = stretch_at(at_us, self._zone)
        return None

    def _rule(self, stretch: Stretch, at_us: int) -> _Seen:
        """The number of the first rule that holds."""
        self.steps += 1
        minute = stretch.minute(at_us)
        holding = self._rules.holding(stretch.weekday, minute)
        number = (holding & -holding).bit_length() - 1 if holding else None
        return _Seen(number, self._rules.next_minute(minute))

    def _screen(self, stretch: Stretch, at_us: int) -> _Seen:
        """What that rule shows."""
        seen = self._rule(stretch, at_us)
        if not isinstance(seen.what, int):
            return _Seen(Screen(), seen.until)
        rule = self._schedule.rules[seen.what]
        if not rule.playlist:
            return _Seen(Screen(layout=rule.layout, picture=rule.picture), seen.until)
        entries = self._entries(rule.playlist)
        if entries is None:
            return _Seen(Screen(missing=rule.playlist), seen.until)
        minute = stretch.minute(at_us)
        turns = entries.turns(stretch.weekday, minute)
        until = min(seen.until, entries.times.next_minute(minute))
        if turns is None:
            return _Seen(Screen(playlist=rule.playlist), until)
        screen, left_us = turns.at(at_us - stretch.day_us)
        return _Seen(screen, until, left_us)

    def _entries(self, name: str) -> _Entries | None:
        if name not in self._lists:
            playlist = self._playlists(name)
            self._lists[name] = _Entries(name, playlist) if playlist is not None else None
        return self._lists[name]


class _Entries:
    """A playlist: its entries, when each holds, and the turns of those that do."""

    def __init__(self, name: str, playlist: Playlist) -> None:
        entries = [entry for entry in playlist.entries if _shows(entry)]
        self.times = Times(entries)
        self._entries = [
            (Screen(layout=entry.layout, picture=entry.picture, playlist=name), entry.seconds) for entry in entries
        ]
        self._turns: dict[int, _Turns] = {}

    def turns(self, weekday: int, minute: int) -> _Turns | None:
        """The turns in this minute of such a day; None where no entry holds."""
        holding = self.times.holding(weekday, minute)
        if not holding:
            return None
        found = self._turns.get(holding)
        if found is None:
            if len(self._turns) >= TURNS_KEPT:
                self._turns.clear()
            found = _turns([one for number, one in enumerate(self._entries) if holding >> number & 1])
            self._turns[holding] = found
        return found


class _Turns(msgspec.Struct, frozen=True):
    """What takes turns, no two neighbours the same, and when each ends, counted from the first one's begin."""

    screens: tuple[Screen, ...]
    ends_us: tuple[int, ...]

    def at(self, since_us: int) -> tuple[Screen, int | None]:
        """Whose turn it is so long after the day's begin, and how long until it is another's; None for never."""
        into_us = since_us % self.ends_us[-1]
        number = bisect_right(self.ends_us, into_us)
        if len(self.screens) == 1:
            return self.screens[0], None
        left_us = self.ends_us[number] - into_us
        if number == len(self.screens) - 1 and self.screens[0] == self.screens[-1]:
            left_us += self.ends_us[0]
        return self.screens[number], left_us


def _turns(entries: list[tuple[Screen, int]]) -> _Turns:
    """Those of these screens, each with its seconds."""
    runs = [(screen, sum(seconds for _, seconds in run)) for screen, run in groupby(entries, lambda one: one[0])]
    return _Turns(
        tuple(screen for screen, _ in runs), tuple(accumulate(seconds * SECOND_US for _, seconds in runs))
    )


def _shows(entry: Entry) -> bool:
    return bool(entry.layout or entry.picture)
