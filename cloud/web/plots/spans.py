"""How far back a plot looks, and into how many points that time is put."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

import msgspec

from edge.serving.buckets import Grid, width_s

DAY_S = 86_400
SECOND_US = 1_000_000


class Span(msgspec.Struct, frozen=True):
    """A time back from now. `bucket`: as the API takes it, so that there are 168 to 366 points; of whole hours
    where that can be, since those are made from rollups."""

    name: str
    seconds: int
    bucket: str

    def grid(self, zone: ZoneInfo, now_us: int) -> Grid:
        """Where its buckets begin and end."""
        return Grid(width_s(self.bucket), zone, self.begin_us(now_us))

    def begin_us(self, now_us: int) -> int:
        """From when on it looks."""
        return now_us - self.seconds * SECOND_US


SPANS = {
    span.name: span
    for span in (
        Span("1h", 3600, "15s"),
        Span("24h", DAY_S, "5m"),
        Span("7d", 7 * DAY_S, "1h"),
        Span("30d", 30 * DAY_S, "3h"),
        Span("1y", 365 * DAY_S, "1d"),
    )
}
DEFAULT = "24h"
DEFAULT_NEW, NEW_S = "1h", 2 * 3600  # for a device that is known for less: its line would be a mark at the edge


def usual_span(known_s: float) -> Span:
    """What is shown at first of a device that is known for so long."""
    return SPANS[DEFAULT_NEW if known_s < NEW_S else DEFAULT]


class Tick(msgspec.Struct, frozen=True):
    """A time that the axis names. `form`: what of it is said: `clock`, `day`, `month`, `year`. `minor`: left out
    where there is little room."""

    at_us: int
    form: str
    minor: bool


def ticks(span: Span, from_us: int, to_us: int, zone: ZoneInfo) -> list[Tick]:
    """Round times of the zone in [from_us, to_us], in order: on the day that has 23 or 25 hours, 06:00 is 06:00."""
    first = datetime.fromtimestamp(from_us / SECOND_US, zone).date()
    last = datetime.fromtimestamp(to_us / SECOND_US, zone).date()
    found: list[Tick] = []
    if span.name == "1h":
        step_us = 600 * SECOND_US
        offset = datetime.fromtimestamp(from_us / SECOND_US, zone).utcoffset() or timedelta()
        offset_us = int(offset.total_seconds()) * SECOND_US
        begun = -(-(from_us + offset_us) // step_us) * step_us - offset_us
        return [Tick(at, "clock", False) for at in range(begun, to_us + 1, step_us)]
    day = first
    while day <= last:
        found += _of_day(span, day, zone)
        day += timedelta(days=1)
    return [tick for tick in found if from_us <= tick.at_us <= to_us]


def _of_day(span: Span, day: date, zone: ZoneInfo) -> list[Tick]:
    """The round times of one day of the zone."""
    match span.name:
        case "24h":
            hours = [(hour, "day" if hour == 0 else "clock", hour % 6 != 0) for hour in range(0, 24, 3)]
        case "7d":
            hours = [(0, "day", day.toordinal() % 2 != 0)]
        case "30d":
            hours = [(0, "day", day.toordinal() % 6 != 0)] if day.toordinal() % 3 == 0 else []
        case _:
            hours = [(0, "year" if day.month == 1 else "month", day.month % 3 != 1)] if day.day == 1 else []
    made = []
    for hour, form, minor in hours:
        local = datetime(day.year, day.month, day.day, hour, tzinfo=zone)
        at_us = round(local.timestamp()) * SECOND_US
        there = datetime.fromtimestamp(at_us // SECOND_US, zone)
        if (there.day, there.hour) == (day.day, hour):  # a time that the clocks leapt over is not there
            made.append(Tick(at_us, form, minor))
    return made
