"""Days and hours of many rules or entries at once, and the site's days they are looked up in. Pure.

What holds can change at hours that are named, at midnight, and when clocks are changed, and at no other moment. So
it is worked out once for each hour that is named, as bits; a question between two of them is a lookup, however many
rules there are.
"""

from __future__ import annotations

import functools
import itertools
import operator
from bisect import bisect_right
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Protocol
from zoneinfo import ZoneInfo

import msgspec

from edge.windows import Window

SECOND_US = 1_000_000
MINUTE_US = 60 * SECOND_US
HOUR_MIN = 60
DAY_MIN = 24 * HOUR_MIN


class Timed(Protocol):
    """What holds on some days and in some hours."""

    @property
    def days(self) -> tuple[int, ...]:
        """Days of the week, Monday is 1; none: all."""

    @property
    def hours(self) -> str:
        """HH:MM-HH:MM; '': all."""


class Times:
    """When each of these holds, as bits: the first is the lowest. `always`: all hold at any time."""

    def __init__(self, timed: Sequence[Timed]) -> None:
        windows = [_window(one.hours) if one.hours else None for one in timed]
        named = {minute for window in windows if window is not None for minute in (window.begins, window.ends)}
        self.always = not named and not any(one.days for one in timed)
        self._minutes: list[int] = sorted({0, *named})
        today, before = dict.fromkeys(self._minutes, 0), dict.fromkeys(self._minutes, 0)
        for number, window in enumerate(windows):
            bit = 1 << number
            if window is None:
                today[0] ^= bit
                continue
            today[window.begins] ^= bit
            if window.begins < window.ends:
                today[window.ends] ^= bit
            else:  # it goes on over midnight
                before[0] ^= bit
                before[window.ends] ^= bit
        self._today: list[int] = list(itertools.accumulate(today.values(), operator.xor))
        self._before: list[int] = list(itertools.accumulate(before.values(), operator.xor))
        self._of_day = {
            day: sum(1 << number for number, one in enumerate(timed) if not one.days or day in one.days)
            for day in range(1, 8)
        }

    def holding(self, weekday: int, minute: int) -> int:
        """The bits of those that hold on this weekday in this minute since midnight, by the clocks on the wall. A
        window over midnight belongs to the day on which it began."""
        number = bisect_right(self._minutes, minute) - 1
        yesterday = (weekday - 2) % 7 + 1
        return self._today[number] & self._of_day[weekday] | self._before[number] & self._of_day[yesterday]

    def next_minute(self, minute: int) -> int:
        """The first minute after this one in which others may hold; DAY_MIN where there is none on this day."""
        number = bisect_right(self._minutes, minute)
        return self._minutes[number] if number < len(self._minutes) else DAY_MIN


class Stretch(msgspec.Struct, frozen=True):
    """A part of a day in which nobody changes the clocks: nearly always what is left of it. `day_us`: the day's
    first moment; `midnight_us`: when midnight was, had the clocks always stood as they do now; `end_us`: when it
    ends."""

    weekday: int
    day_us: int
    midnight_us: int
    end_us: int

    def minute(self, at_us: int) -> int:
        """The minute since midnight that the clocks show."""
        return (at_us - self.midnight_us) // MINUTE_US

    def moment(self, minute: int) -> int:
        """When the clocks show this minute; the end where they do not within it."""
        return min(self.midnight_us + minute * MINUTE_US, self.end_us)


def stretch_at(at_us: int, zone: ZoneInfo) -> Stretch:
    """The stretch that a moment (UTC microseconds) is in, from then on."""
    local = _local(at_us, zone)
    end_us = _next_day(local, at_us, zone)
    if _offset(end_us - 1, zone) != local.utcoffset():
        end_us = _changes(at_us, end_us - 1, zone)
    into_us = (local.hour * HOUR_MIN + local.minute) * MINUTE_US + local.second * SECOND_US
    return Stretch(
        weekday=local.isoweekday(),
        day_us=_at(datetime(local.year, local.month, local.day, tzinfo=zone)),
        midnight_us=at_us - at_us % SECOND_US - into_us,
        end_us=end_us,
    )


# --- inside


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
