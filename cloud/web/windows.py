"""Which time a page of figures is about: today, the last days, or from one day to another, by a zone's clock."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

import msgspec

from edge.clock import iso
from edge.errors import BadInput
from edge.serving.moments import moment

NAMES = ("today", "yesterday", "7d", "month")
DEFAULT = "7d"
SECOND_US = 1_000_000
DAY_US = 86_400 * SECOND_US
BY_HOUR_US = 2 * DAY_US  # a window that is no longer is looked at by the hour, a longer one by the day
MOST_HOURS_US = 15 * DAY_US  # more columns than this has hours do not fit a picture
MOST_SHIFTS_US = 62 * DAY_US
_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", re.ASCII)


class Window(msgspec.Struct, frozen=True, kw_only=True):
    """A time from `from_us` until before `to_us`, which is now at the latest.

    `name`: of NAMES, '' where it was typed or clicked. `asked`: the parameters of a page's address that say it.
    `first`, `last`: its days where it was typed as such. `refused`: why another was not taken.
    """

    name: str
    from_us: int
    to_us: int
    zone: ZoneInfo
    asked: dict[str, str]
    first: str = ""
    last: str = ""
    refused: BadInput | None = None

    @property
    def query(self) -> dict[str, str]:
        """As the API takes it."""
        return {"from": iso(self.from_us), "to": iso(self.to_us)}

    @property
    def length_us(self) -> int:
        """How long it is."""
        return self.to_us - self.from_us

    @property
    def span(self) -> tuple[int, int]:
        """From when until when."""
        return self.from_us, self.to_us

    def days(self) -> list[tuple[int, int]]:
        """Its days by the zone's clock, whole ones: the first and the last may reach over its ends."""
        day, found = datetime.fromtimestamp(self.from_us // SECOND_US, self.zone).date(), []
        while (begin_us := _midnight(day, self.zone)) < self.to_us:
            day += timedelta(days=1)
            found.append((begin_us, _midnight(day, self.zone)))
        return found

    def asked_of(self, span: tuple[int, int]) -> dict[str, str]:
        """The parameters that say a part of it: as a day where it is one."""
        first, behind = (datetime.fromtimestamp(at_us // SECOND_US, self.zone) for at_us in span)
        is_day = first.date() + timedelta(days=1) == behind.date()
        midnights = (_midnight(each.date(), self.zone) for each in (first, behind))
        if is_day and tuple(midnights) == span:
            return {"from": first.date().isoformat()}
        return {"at": iso(span[0]), "until": iso(span[1])}

    def steps(self, *, shifts: bool) -> list[str]:
        """What a trend over it can be made by, as the API names it; the first is the usual one."""
        fitting = {
            "hour": self.length_us <= MOST_HOURS_US,
            "day": self.length_us > DAY_US,
            "shift": shifts and self.length_us <= MOST_SHIFTS_US,
        }
        found = [name for name, fits in fitting.items() if fits]
        return found if self.length_us <= BY_HOUR_US else sorted(found, key=lambda name: name != "day")


def window(query: Callable[[str], str], zone: ZoneInfo, now_us: int) -> Window:
    """The one that the parameters of a page say, '' for one that is not there.

    `?from=&to=` are days of the zone, both included; `?at=&until=` are moments, as a picture links to; `?window=`
    is a name. What cannot be read is refused, and the usual one taken.
    """
    try:
        if query("from") or query("to"):
            return _of_days(query("from"), query("to"), zone, now_us)
        if query("at") and query("until"):
            return _of_moments(query("at"), query("until"), zone, now_us)
    except BadInput as error:
        return msgspec.structs.replace(_named(DEFAULT, zone, now_us), refused=error)
    name = query("window")
    return _named(name if name in NAMES else DEFAULT, zone, now_us)


def _named(name: str, zone: ZoneInfo, now_us: int) -> Window:
    today = datetime.fromtimestamp(now_us // SECOND_US, zone).date()
    first, last = {
        "today": (today, today),
        "yesterday": (today - timedelta(days=1), today - timedelta(days=1)),
        "7d": (today - timedelta(days=6), today),
        "month": (today.replace(day=1), today),
    }[name]
    return _whole(name, first, last, zone, now_us, {"window": name})


def _of_days(first: str, last: str, zone: ZoneInfo, now_us: int) -> Window:
    begin, end = _day(first or last), _day(last or first)
    if end < begin:
        raise BadInput("The last day lies before the first one.")
    found = _whole("", begin, end, zone, now_us, {"from": begin.isoformat(), "to": end.isoformat()})
    return msgspec.structs.replace(found, first=begin.isoformat(), last=end.isoformat())


def _of_moments(at: str, until: str, zone: ZoneInfo, now_us: int) -> Window:
    from_us, to_us = moment("at", at, now_us), moment("until", until, now_us)
    asked = {"at": iso(from_us), "until": iso(to_us)}
    return _cut("", from_us, to_us, zone, now_us, asked)


def _whole(name: str, first: date, last: date, zone: ZoneInfo, now_us: int, asked: dict[str, str]) -> Window:
    """Days from their first midnight to the one behind the last of them."""
    return _cut(name, _midnight(first, zone), _midnight(last + timedelta(days=1), zone), zone, now_us, asked)


def _cut(name: str, from_us: int, to_us: int, zone: ZoneInfo, now_us: int, asked: dict[str, str]) -> Window:
    if to_us <= from_us:
        raise BadInput("This time ends before it begins.")
    if from_us > now_us:
        raise BadInput("This time has not begun yet.")
    to_us = max(min(to_us, now_us), from_us + SECOND_US)
    return Window(name=name, from_us=from_us, to_us=to_us, zone=zone, asked=asked)


def _day(text: str) -> date:
    try:
        found = date.fromisoformat(text) if _DAY.fullmatch(text) else None
    except ValueError:
        found = None
    if found is None or not 1970 < found.year < 9999:
        raise BadInput(f"{text[:20]!r} is no day: write 2026-11-21.")
    return found


def _midnight(day: date, zone: ZoneInfo) -> int:
    return round(datetime(day.year, day.month, day.day, tzinfo=zone).timestamp()) * SECOND_US
