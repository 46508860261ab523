"""The time a page asks about, under any of the names its pages have for that."""

from __future__ import annotations

import re
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from edge.assets.calendar import Weekly, spans
from edge.assets.model import SECOND_US, Span
from edge.compat.thingsnxt.door import Visit
from edge.errors import BadInput

DAY_US = 86_400 * SECOND_US
LAST_US = 253_402_300_799 * SECOND_US  # the end of the year 9999
FROM, TO = ("startDate", "start_date", "from", "start"), ("endDate", "end_date", "to", "end")
UNITS_DAYS = {"h": 1 / 24, "d": 1, "w": 7, "m": 30, "y": 365}
DAYS_MAX = 3660
FIRST_YEAR = 1970
EVERY_DAY = Weekly(begins_min=0, ends_min=0, days=frozenset(range(1, 8)))

_AGO = re.compile(r"([0-9]{1,5})\s*([hdwmy])[a-z]*", re.IGNORECASE)
_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_MONTH = re.compile(r"([0-9]{4})-([0-9]{1,2})")


def asked(visit: Visit, zone: ZoneInfo, now_us: int, *, days: int) -> Span:
    """The window of a question: from and to, or so long ago; the last `days` unless it says so. A day that is given
    without a time is a day of the site. Raises BadInput."""
    begin = next((visit.asked[name] for name in FROM if visit.asked.get(name)), "")
    end = next((visit.asked[name] for name in TO if visit.asked.get(name)), "")
    to_us = _at(end, zone, at_end=True) if end else now_us
    from_us = _at(begin, zone) if begin else to_us - round(_days(visit, days) * DAY_US)
    if from_us >= to_us:
        raise BadInput("The end is not behind the start")
    return max(0, from_us), min(to_us, LAST_US)


def day(text: str, zone: ZoneInfo, now_us: int) -> tuple[str, Span]:
    """A day of the site: that of the text, today for none; its date and its time. Raises BadInput."""
    if not text:
        text = _date(now_us, zone)
    begin_us, end_us = _at(text[:10], zone), _at(text[:10], zone, at_end=True)
    if end_us <= 0:
        raise BadInput("date lies outside the years 1970 to 9999")
    return text[:10], (max(0, begin_us), end_us)


def month(visit: Visit, zone: ZoneInfo, now_us: int) -> tuple[str, Span]:
    """A month of the site: `month=2026-11`, or `year` and `month`; this one for none. Raises BadInput."""
    today = datetime.fromtimestamp(now_us / SECOND_US, zone).date()
    given, year = visit.asked.get("month", ""), visit.asked.get("year", "")
    named = _MONTH.fullmatch(given)
    try:
        first = (
            date(int(named[1]), int(named[2]), 1)
            if named
            else date(int(year or today.year), int(given or today.month), 1)
        )
        following = (first + timedelta(days=31)).replace(day=1)
    except (ValueError, OverflowError) as error:
        raise BadInput("month is no month") from error
    if first.year < FIRST_YEAR:
        raise BadInput("month lies outside the years 1970 to 9999")
    return f"{first:%Y-%m}", (max(0, _midnight(first, zone)), _midnight(following, zone))


def days_of(span: Span, zone: ZoneInfo) -> list[tuple[str, Span]]:
    """The days of the site that overlap a span, cut to it, with their dates."""
    return [
        (_date(its[0], zone), (max(its[0], span[0]), min(its[1], span[1]))) for its in spans(EVERY_DAY, zone, span)
    ]


def _days(visit: Visit, days: int) -> float:
    text = visit.asked.get("period") or visit.asked.get("range") or visit.asked.get("days") or ""
    if text.isascii() and text.isdecimal() and len(text) < 6:
        return min(max(1, int(text)), DAYS_MAX)
    ago = _AGO.fullmatch(text)
    return min(int(ago[1]) * UNITS_DAYS[ago[2].lower()], DAYS_MAX) if ago and int(ago[1]) else days


def _at(text: str, zone: ZoneInfo, *, at_end: bool = False) -> int:
    """A time, or the begin or end of a day. Raises BadInput."""
    try:
        if _DATE.fullmatch(text):
            its = date.fromisoformat(text)
            return _midnight(its + timedelta(days=1) if at_end else its, zone)
        at = datetime.fromisoformat(text.replace(" ", "+") if "T" in text else text)
        at_us = round((at if at.tzinfo else at.replace(tzinfo=zone)).timestamp() * SECOND_US)
    except (ValueError, OverflowError) as error:
        raise BadInput(f"{text[:40]!r} is no time") from error
    return min(max(0, at_us), LAST_US)


def _midnight(its: date, zone: ZoneInfo) -> int:
    at = datetime(its.year, its.month, its.day, tzinfo=zone)
    return int(at.timestamp()) * SECOND_US


def _date(at_us: int, zone: ZoneInfo) -> str:
    return datetime.fromtimestamp(at_us // SECOND_US, zone).date().isoformat()
