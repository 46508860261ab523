"""Dates, ages and numbers as people read them: in the site's time zone with UTC beside it, in their language."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import lru_cache
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from babel.dates import format_datetime, format_timedelta
from babel.numbers import format_decimal
from markupsafe import Markup

UNITS = ("B", "kB", "MB", "GB", "TB")
AXIS = {"day": "d MMM", "month": "MMM", "year": "yyyy"}
PLAIN = {"clock": "%H:%M", "minute": "%Y-%m-%d %H:%M", "full": "%Y-%m-%d %H:%M:%S"}  # alike in every language
FRENCH = str.maketrans({",": "\u202f", ".": ","})
LEAST, GREATEST = 1e-4, 1e9  # measured values outside of these are written with a power of ten
NOTHING = Markup('<span class="none">&ndash;</span>')


class Figures:
    """How one reader sees them. `language`: a Babel locale's name."""

    def __init__(self, language: str) -> None:
        self._language = language

    def when(self, at: str | None, zone: str = "UTC") -> Markup:
        """A time of the API (ISO 8601, UTC) in the zone, UTC beside it."""
        if not at:
            return NOTHING
        moment = datetime.fromisoformat(at)
        there = format_datetime(moment.astimezone(_zone(zone)), "yyyy-MM-dd HH:mm:ss", locale=self._language)
        utc = moment.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
        beside = "" if there == utc.removesuffix(" UTC") else f' <span class="utc">{utc[11:]}</span>'
        written = Markup('<time datetime="{}" title="{}"><span>{}</span>{}</time>')
        return written.format(at, utc, there, Markup(beside))  # noqa: S704 - ours

    def age(self, seconds: float | None) -> str | Markup:
        """How long something lasts or has lasted: 3 hours, 3 heures."""
        if seconds is None:
            return NOTHING
        return str(format_timedelta(max(0, round(seconds)), threshold=1.2, locale=self._language))

    def number(self, value: float | None, digits: int = 2) -> str | Markup:
        """A number with as many digits behind the point at most."""
        if value is None:
            return NOTHING
        return str(format_decimal(round(value, digits), locale=self._language))

    def measured(self, value: float | None, digits: int = 3) -> str | Markup:
        """What a device measured, however great or small it is."""
        if value is None:
            return NOTHING
        if value and not LEAST <= abs(value) < GREATEST:
            return f"{value:.4g}"
        text = f"{value:,.{digits}f}"  # a table has hundreds: Babel takes far longer for the same
        text = text.rstrip("0").rstrip(".") if digits else text
        text = "0" if text == "-0" else text
        return text if self._language == "en" else text.translate(FRENCH)

    def at(self, at_us: int, form: str, zone: str) -> str:
        """A time of a plot in the zone, in one of the forms of AXIS or PLAIN."""
        local = datetime.fromtimestamp(at_us // 1_000_000, _zone(zone))
        if form in PLAIN:
            return f"{local:{PLAIN[form]}}"
        return str(format_datetime(local, AXIS[form], locale=self._language))

    def size(self, count: float | None) -> str | Markup:
        """Bytes: 1.4 MB."""
        if count is None:
            return NOTHING
        value, unit = float(count), 0
        while value >= 1000 and unit < len(UNITS) - 1:
            value, unit = value / 1000, unit + 1
        return f"{self.number(value, 1)} {UNITS[unit]}"


@lru_cache(maxsize=128)
def _zone(name: str) -> ZoneInfo:
    """The zone of that name, UTC where there is none: a hub says what it likes."""
    try:
        return ZoneInfo(name)
    except (OSError, ValueError, ZoneInfoNotFoundError):
        return ZoneInfo("UTC")
