"""Times and durations as a technician reads them: short, fixed in width, never more exact than they are."""

from __future__ import annotations

from datetime import UTC, datetime, tzinfo
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

MINUTE_S = 60
HOUR_S = 3600
DAY_S = 86400


def age(seconds: float | None) -> str:
    """How long ago: `3 s`, `12 min`, `5 h`, `9 d`; `never` for None."""
    if seconds is None:
        return "never"
    whole = max(0, int(seconds))
    if whole < MINUTE_S:
        return f"{whole} s"
    if whole < HOUR_S:
        return f"{whole // MINUTE_S} min"
    if whole < 2 * DAY_S:
        return f"{whole // HOUR_S} h"
    return f"{whole // DAY_S} d"


def span(seconds: float | None) -> str:
    """How long something took: `0.42 s`, `12.3 s`, `4 min`; a dash for None."""
    if seconds is None:
        return "-"
    if seconds < 10:
        return f"{seconds:.2f} s"
    return f"{seconds:.1f} s" if seconds < MINUTE_S else age(seconds)


def moment(text: str | None) -> datetime | None:
    """An ISO 8601 time from the wire; None where there is none or it is not one."""
    if not text:
        return None
    try:
        parsed = datetime.fromisoformat(text)
    except ValueError:
        return None
    return parsed if parsed.tzinfo else parsed.replace(tzinfo=UTC)


def zone(name: str) -> tzinfo:
    """The site's time zone, or UTC where this machine does not know it."""
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return UTC


def clock_text(when: datetime | None, where: tzinfo, now: datetime | None = None) -> str:
    """`12:04:31` at the site, with the date before it when it is not today's."""
    if when is None:
        return "-"
    local = when.astimezone(where)
    if now is not None and local.date() != now.astimezone(where).date():
        return f"{local:%d %b %H:%M}"
    return f"{local:%H:%M:%S}"


def seconds_since(text: str | None, now: datetime) -> float | None:
    """Seconds from a wire time to `now`."""
    when = moment(text)
    return None if when is None else (now - when).total_seconds()


def size(count: int) -> str:
    """Bytes for people: `812 B`, `14.2 GB`."""
    value = float(count)
    for unit in ("B", "kB", "MB", "GB"):
        if value < 1000:
            return f"{value:.0f} {unit}" if unit == "B" else f"{value:.1f} {unit}"
        value /= 1000
    return f"{value:.1f} TB"
