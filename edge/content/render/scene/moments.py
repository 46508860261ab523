"""Times and ages in words, and when those words become others. Pure: moments are UTC in microseconds."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from babel import Locale, UnknownLocaleError
from babel.dates import format_date

SECOND_US = 1_000_000
MINUTE_US, HOUR_US, DAY_US = 60 * SECOND_US, 3600 * SECOND_US, 86_400 * SECOND_US
LAST_US = 253_370_764_800 * SECOND_US  # the year 9999: later moments are a broken clock's, and taken for this one
_HOURS_UNTIL_DAYS = 48  # an age is told in hours up to here
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def zone_named(name: str) -> ZoneInfo | None:
    """The time zone of that IANA name; None where there is none."""
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):  # OSError: the name of a folder of the zones
        return None


def local(at_us: int, zone: ZoneInfo) -> datetime:
    """`at_us` as the site's clocks show it."""
    return (_EPOCH + timedelta(microseconds=min(max(at_us, DAY_US), LAST_US))).astimezone(zone)


def micros(moment: datetime) -> int:
    """An aware `moment` in microseconds."""
    return (moment - _EPOCH) // timedelta(microseconds=1)


def time_of_day(moment: datetime, hours: int = 24) -> str:
    """`14:05`, or `2:05 pm`."""
    if hours == 24:
        return f"{moment:%H:%M}"
    return f"{moment.hour % 12 or 12}:{moment:%M} {'am' if moment.hour < 12 else 'pm'}"


def next_minute(now_us: int) -> int:
    """When the minute ends; zones differ by whole minutes."""
    return (now_us // MINUTE_US + 1) * MINUTE_US


def next_day(now_us: int, zone: ZoneInfo) -> int:
    """When the site's day ends: its midnight, or what stands for it where clocks are put forward then."""
    here = local(now_us, zone)
    midnight = datetime(here.year, here.month, here.day, tzinfo=zone) + timedelta(days=1)  # by the wall
    return max(micros(midnight.astimezone(UTC)), now_us + 1)


def day_and_month(moment: datetime) -> str:
    """`21 Nov`."""
    return format_date(moment.date(), "d MMM", locale="en")


def since(at_us: int, now_us: int, zone: ZoneInfo) -> str:
    """`09:12`, with the day before it where that is not today."""
    then, now = local(at_us, zone), local(now_us, zone)
    if then.date() == now.date():
        return time_of_day(then)
    day = day_and_month(then) if then.year == now.year else f"{day_and_month(then)} {then.year}"
    return f"{day}, {time_of_day(then)}"


def ago(at_us: int, now_us: int) -> tuple[str, int]:
    """How long ago `at_us` is, in words, and the moment from which other words say it."""
    age = max(0, now_us - at_us)
    if age < MINUTE_US:
        return "under 1 min ago", at_us + MINUTE_US
    if age < HOUR_US:
        return f"{age // MINUTE_US} min ago", at_us + (age // MINUTE_US + 1) * MINUTE_US
    if age < _HOURS_UNTIL_DAYS * HOUR_US:
        return f"{age // HOUR_US} h ago", at_us + (age // HOUR_US + 1) * HOUR_US
    return f"{age // DAY_US} days ago", at_us + (age // DAY_US + 1) * DAY_US


def duration(seconds: float) -> str:
    """`45 s`, `12 min`, `3 h 12 min`, `2 d 3 h`."""
    whole = round(min(max(seconds, 0), 1e12))
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min"
    if whole < 86_400:
        return f"{whole // 3600} h {whole % 3600 // 60} min" if whole % 3600 >= 60 else f"{whole // 3600} h"
    days, rest = divmod(whole, 86_400)
    return f"{days} d {rest // 3600} h" if rest >= 3600 else f"{days} d"


def date_words(moment: datetime, style: str, language: str) -> str | None:
    """The day in the words of `language`; None where babel does not know that."""
    locale = _locale(language)
    if locale is None:
        return None
    return format_date(moment.date(), "EEEE" if style == "weekday" else style, locale=locale)


@lru_cache(maxsize=64)
def _locale(language: str) -> Locale | None:
    try:
        return Locale.parse(language.replace("-", "_"))
    except (UnknownLocaleError, ValueError, TypeError):
        return None
