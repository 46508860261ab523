"""Dates, ages and numbers as people read them: in the site's time zone with UTC beside it, in their language.

A page has hundreds of them. So of Babel come the words alone, which are kept; what is put together here comes out
as Babel would write it, in a fraction of its time.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from functools import cache, lru_cache
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from babel.dates import TIMEDELTA_UNITS, get_month_names
from babel.units import format_unit
from markupsafe import Markup, escape

UNITS = ("B", "kB", "MB", "GB", "TB")
NEXT_UNIT = 1.2  # of hours are told as hours, less than that as minutes
PLAIN = {"clock": "%H:%M", "minute": "%Y-%m-%d %H:%M", "full": "%Y-%m-%d %H:%M:%S"}  # alike in every language
FRENCH = str.maketrans({",": "\u202f", ".": ","})
HOURS_ALONE = 100  # of so many hours minutes are not told
LEAST_S = 0.1  # what something takes is told no finer than so
LEAST, GREATEST = 1e-4, 1e9  # measured values outside of these are written with a power of ten
NOTHING = Markup('<span class="none">&ndash;</span>')


class Figures:
    """How one reader sees them. `language`: a Babel locale's name."""

    def __init__(self, language: str) -> None:
        self._language = language

    def when(self, at: str | None, zone: str = "UTC") -> Markup:
        """A time of the API (ISO 8601, UTC) in the zone, UTC beside it; what a hub told that is none, as it is."""
        if not at:
            return NOTHING
        try:
            moment = datetime.fromisoformat(at)
            there, utc = (str(moment.astimezone(tz).replace(tzinfo=None))[:19] for tz in (_zone(zone), UTC))
        except (ValueError, OverflowError):
            return Markup("<bdi>{}</bdi>").format(at)
        beside = "" if there == utc else f' <span class="utc">{utc[11:]} UTC</span>'
        return Markup(  # noqa: S704 - ours, but for what is escaped
            f'<time datetime="{escape(at)}" title="{utc} UTC"><span>{there}</span>{beside}</time>'
        )

    def age(self, seconds: float | None) -> str | Markup:
        """How long something lasts or has lasted: 3 hours, 3 heures."""
        if seconds is None:
            return NOTHING
        whole = max(0, round(seconds))
        unit, size = next((each for each in TIMEDELTA_UNITS if whole >= NEXT_UNIT * each[1]), ("second", 1))
        return _lasting(round(whole / size), unit, self._language)

    def hours(self, seconds: float | None) -> str | Markup:
        """How long a machine ran or stood, to compare and add up: 55 s, 9 min, 2 h 05, 1,432 h."""
        if seconds is None:
            return NOTHING
        minutes = round(seconds / 60)
        if seconds < 60 and round(seconds) < 60:
            return f"{round(seconds)} s"
        if minutes < 60:
            return f"{minutes} min"
        if minutes < HOURS_ALONE * 60:
            return f"{minutes // 60} h {minutes % 60:02}"
        return f"{decimal(round(minutes / 60), 0, self._language)} h"

    def lasted(self, seconds: float | None) -> str | Markup:
        """How long something took that may be over at once: 0.1 s, else as `age` has it."""
        if seconds is None or seconds >= 1:
            return self.age(seconds)
        tenths = decimal(max(seconds, LEAST_S), 1, self._language)
        return f"{'' if seconds >= LEAST_S / 2 else '< '}{tenths} s"

    def number(self, value: float | None, digits: int = 2) -> str | Markup:
        """A number with as many digits behind the point at most."""
        if value is None:
            return NOTHING
        return decimal(value, digits, self._language)

    def measured(self, value: float | None, digits: int = 3) -> str | Markup:
        """What a device measured, however great or small it is."""
        if value is None:
            return NOTHING
        if value and not LEAST <= abs(value) < GREATEST:
            return f"{value:.4g}"
        return decimal(value, digits, self._language)

    def at(self, at_us: int, form: str, zone: str) -> str:
        """A time of a plot in the zone: `day`, `month` or `year` as the axis names it, or one of PLAIN."""
        local = datetime.fromtimestamp(at_us // 1_000_000, _zone(zone))
        match form:
            case "day":
                return f"{local.day} {_months(self._language)[local.month]}"
            case "month":
                return _months(self._language)[local.month]
            case "year":
                return str(local.year)
            case _:
                return f"{local:{PLAIN[form]}}"

    def span(self, from_us: int, to_us: int, zone: str) -> str:
        """From when to when, to the minute; of a time within a day the day is said once."""
        first, last = self.at(from_us, "minute", zone), self.at(to_us, "minute", zone)
        return f"{first} \u2013 {last.removeprefix(first[: len('2026-11-21 ')])}"

    def size(self, count: float | None) -> str | Markup:
        """Bytes: 1.4 MB."""
        if count is None:
            return NOTHING
        value, unit = float(count), 0
        while value >= 1000 and unit < len(UNITS) - 1:
            value, unit = value / 1000, unit + 1
        return f"{self.number(value, 1)} {UNITS[unit]}"


def decimal(value: float, digits: int, language: str) -> str:
    """A number with so many digits behind the point at most, and its thousands apart."""
    text = f"{value:,}" if isinstance(value, int) else f"{value:,.{digits}f}"
    text = text.rstrip("0").rstrip(".") if "." in text else text
    text = "0" if text == "-0" else text
    return text if language == "en" else text.translate(FRENCH)


@lru_cache(maxsize=1024)
def _lasting(count: int, unit: str, language: str) -> str:
    return format_unit(count, f"duration-{unit}", locale=language)


@cache
def _months(language: str) -> Mapping[int, str]:
    """Their short names, from 1 on."""
    return get_month_names("abbreviated", locale=language)


@lru_cache(maxsize=128)
def _zone(name: str) -> ZoneInfo:
    """The zone of that name, UTC where there is none: a hub says what it likes."""
    try:
        return ZoneInfo(name)
    except (OSError, ValueError, ZoneInfoNotFoundError):
        return ZoneInfo("UTC")
