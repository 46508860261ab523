"""Readings of a chart made into marks: one a column, in whole parts of the plot.

Readings that move nothing on the panel so change no mark, and the panel is not drawn anew for them.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from itertools import pairwise
from statistics import median
from zoneinfo import ZoneInfo

import msgspec

from edge.content.render.scene.moments import DAY_US, HOUR_US, MINUTE_US, local, micros, next_day
from edge.content.render.scene.settled import Mark

Points = Sequence[tuple[int, float | None]]

COLUMNS = 150  # of a line at most: 24 hours in steps of 10 minutes
STEPS_US = tuple(n * MINUTE_US for n in (1, 2, 5, 10, 15, 30, 60, 120, 180, 360))
HOURLY_BARS_UP_TO_H = 48  # more hours are a bar a day
GAP_OF_SPACING = 2.5  # readings further apart than so many times their usual distance: time without readings
GAP_OF_WINDOW = 8  # no gap is shorter than 2 steps, or longer than this part of the window


class Window(msgspec.Struct, frozen=True):
    """The time a chart shows: `begins_us` its columns' begins, then its end, which is when it moves on."""

    begins_us: tuple[int, ...]

    @property
    def begin_us(self) -> int:
        """When it begins."""
        return self.begins_us[0]

    @property
    def end_us(self) -> int:
        """When it ends, and another window begins to be shown."""
        return self.begins_us[-1]

    @property
    def columns(self) -> int:
        """How many columns it has."""
        return len(self.begins_us) - 1


class Column(msgspec.Struct, frozen=True):
    """The readings within a column's time. `joined`: no gap parts them from the column with readings before."""

    number: int
    low: float
    mean: float
    high: float
    joined: bool


def line_window(hours: int, now_us: int) -> Window:
    """The last `hours` in equal steps, the one under way included."""
    step = next((s for s in STEPS_US if hours * HOUR_US / s <= COLUMNS), STEPS_US[-1])
    end = (now_us // step + 1) * step
    count = -(-hours * HOUR_US // step)
    return Window(tuple(end - step * back for back in range(count, -1, -1)))


def bar_window(hours: int, now_us: int, zone: ZoneInfo) -> Window:
    """The last `hours`, a column for each hour or day of the site, the one under way included."""
    if hours <= HOURLY_BARS_UP_TO_H:
        offset = local(now_us, zone).utcoffset()
        shift = int(offset.total_seconds()) * 1_000_000 if offset else 0
        end = ((now_us + shift) // HOUR_US + 1) * HOUR_US - shift
        return Window(tuple(end - HOUR_US * back for back in range(hours, -1, -1)))
    edges = [next_day(now_us, zone)]
    for _ in range(-(-hours // 24)):
        here = local(edges[0] - 1, zone)
        edges.insert(0, micros(here.replace(hour=0, minute=0, second=0, microsecond=0, fold=0)))
        if edges[0] >= edges[1]:  # a clock before all years
            edges[0] = edges[1] - DAY_US
    return Window(tuple(edges))


def columns_of(points: Points, window: Window) -> list[Column]:
    """What was read in each column; columns without readings are left out."""
    within = [(at, _number(value)) for at, value in points if window.begin_us <= at < window.end_us]
    inside = sorted(within, key=lambda point: point[0])
    gap_us = _gap(inside, window)
    made: list[Column] = []
    number, edge, joined, before = -1, window.begin_us, False, None
    values: list[float] = []
    for at, value in inside:
        apart = before is None or at - before > gap_us or math.isnan(value)
        if math.isnan(value):
            before = None
            continue
        if at >= edge:
            _close(made, number, values, joined)
            values, joined = [], not apart
            while at >= edge:
                number += 1
                edge = window.begins_us[number + 1]
        values.append(value)
        before = at
    _close(made, number, values, joined)
    return made


def marks_of(columns: Iterable[Column], scale: tuple[float, float], rows: int) -> tuple[Mark, ...]:
    """`columns` as marks on `rows` rows, of which 0 is `scale`'s lower end; what lies outside is at its edge."""
    return tuple(
        Mark(
            c.number, row_of(c.low, scale, rows), row_of(c.mean, scale, rows), row_of(c.high, scale, rows), c.joined
        )
        for c in columns
    )


def row_of(value: float, scale: tuple[float, float], rows: int) -> int:
    """The row of `value`. Halves, lest the difference of two large numbers is infinite."""
    low, high = scale
    part = (value / 2 - low / 2) / (high / 2 - low / 2)
    return round(min(max(part, 0.0), 1.0) * (rows - 1))


def scale_of(
    columns: Sequence[Column], low: float | None, high: float | None, *, bars: bool
) -> tuple[float, float]:
    """The plot's lower and upper end: as fixed, else of the readings; for bars with zero in it."""
    lowest = min(c.mean if bars else c.low for c in columns)
    highest = max(c.mean if bars else c.high for c in columns)
    if bars:
        lowest, highest = min(lowest, 0.0), max(highest, 0.0)
    bottom = low if low is not None and math.isfinite(low) else lowest
    top = high if high is not None and math.isfinite(high) else highest
    if bottom < top:
        return bottom, top
    room = max(abs(bottom) * 0.01, 0.5)  # all the same: in the middle
    return bottom - room, bottom + room


def _number(value: float | None) -> float:
    try:
        number = float(value) if value is not None else math.nan
    except (OverflowError, ValueError, TypeError):
        return math.nan
    return number if math.isfinite(number) else math.nan


def _gap(inside: Sequence[tuple[int, float]], window: Window) -> float:
    """From which distance on two readings have a gap between them."""
    step = (window.end_us - window.begin_us) / window.columns
    spacings = [after - at for (at, _), (after, _) in pairwise(inside) if after > at]
    usual = median(spacings) if spacings else step
    longest = max((window.end_us - window.begin_us) / GAP_OF_WINDOW, 2 * step)
    return min(max(GAP_OF_SPACING * usual, 2 * step), longest)


def _close(made: list[Column], number: int, values: list[float], joined: bool) -> None:
    if values:
        mean = sum(value / len(values) for value in values)
        made.append(Column(number, min(values), mean, max(values), joined))
