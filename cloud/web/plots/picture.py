"""One plot: the band from least to greatest, the line of the means, and where nothing was heard.

The picture is drawn on a field of WIDTH by HEIGHT, which the page stretches; what is written beside it stands at a
share of the width or height in per cent, so that letters keep their size on a phone and on paper.
"""

from __future__ import annotations

from collections.abc import Sequence
from zoneinfo import ZoneInfo

import msgspec

from cloud.web.plots.lines import Point, Silence, runs, silences, usual_us
from cloud.web.plots.scale import Scale, bounded, scale
from cloud.web.plots.spans import Span, Tick, ticks

WIDTH, HEIGHT = 1000, 240


class Loss(msgspec.Struct, frozen=True):
    """Readings known to be lost, in that time; where only the moment is known at which that was found out, both
    ends are that. `number` names it in the picture and in the list below."""

    from_us: int
    to_us: int
    number: int = 0


class Mark(msgspec.Struct, frozen=True):
    """A time shaded, in the field's units."""

    x: float
    width: float
    number: int = 0


class XTick(msgspec.Struct, frozen=True):
    """A time at the axis; `percent` of the width."""

    percent: float
    tick: Tick


class YTick(msgspec.Struct, frozen=True):
    """A value at the axis; `percent` of the height, from above."""

    percent: float
    value: float


class Plot(msgspec.Struct, frozen=True, kw_only=True):
    """What the template draws. `line`, `band`: path data, '' where there is nothing. `least`, `mean`, `greatest`:
    None without points; the mean counts each reading once. `last`: the newest value, which is told on its own."""

    line: str
    band: str
    silent: list[Mark]
    lost: list[Mark]
    x_ticks: list[XTick]
    y_ticks: list[YTick]
    digits: int
    silences: list[Silence]
    points: list[Point]
    count: int
    least: float | None
    mean: float | None
    greatest: float | None
    last: float | None


def plot(
    points: Sequence[Point],
    span: Span,
    window: tuple[int, int],
    zone: ZoneInfo,
    losses: Sequence[Loss] = (),
    last: float | None = None,
    known_us: int = 0,
) -> Plot:
    """Draw points in order of time within the window [from, to). Of a device that is known since `known_us`, within
    the window, it is not said that nothing was heard before its first point: it was not there, or not set up."""
    from_us, to_us = window
    parted = runs(points)
    first_us = from_us if known_us <= from_us else points[0].from_us if points else known_us
    quiet = silences(parted, first_us, to_us, usual_us(points))
    values = scale(min((p.min for p in points), default=0.0), max((p.max for p in points), default=1.0))
    place = _Place(from_us, to_us, values)
    count = sum(point.count for point in points)
    return Plot(
        line="".join(place.line(run) for run in parted),
        band="".join(place.band(run) for run in parted if _spread(run)),
        silent=[place.mark(each.from_us, each.to_us) for each in quiet],
        lost=[place.mark(each.from_us, each.to_us, each.number) for each in losses],
        x_ticks=[XTick(place.percent(tick.at_us), tick) for tick in ticks(span, from_us, to_us, zone)],
        y_ticks=[YTick(round(100 - 100 * values.share(tick), 2), tick) for tick in values.ticks],
        digits=values.digits,
        silences=quiet,
        points=list(points),
        count=count,
        least=min((point.min for point in points), default=None),
        mean=sum(bounded(point.mean) * (point.count / count) for point in points) if count else None,
        greatest=max((point.max for point in points), default=None),
        last=last,
    )


class _Place:
    """Where times and values are on the field."""

    def __init__(self, from_us: int, to_us: int, values: Scale) -> None:
        self._from_us, self._wide_us, self._values = from_us, max(1, to_us - from_us), values

    def x(self, at_us: int) -> float:
        return round(WIDTH * min(1.0, max(0.0, (at_us - self._from_us) / self._wide_us)), 1)

    def y(self, value: float) -> float:
        return round(HEIGHT * (1 - self._values.share(value)), 1)

    def percent(self, at_us: int) -> float:
        return round(100 * self.x(at_us) / WIDTH, 2)

    def mark(self, from_us: int, to_us: int, number: int = 0) -> Mark:
        """A time, of which at least a line is seen."""
        left = self.x(from_us)
        width = max(2.0, round(self.x(to_us) - left, 1))
        return Mark(round(min(left, WIDTH - width), 1), width, number)

    def line(self, run: Sequence[Point]) -> str:
        """Its means; a point alone is a line of no length, which its round ends make a dot."""
        path = "L".join(f"{self.x(point.at_us):g} {self.y(point.mean):g}" for point in run)
        return f"M{path}" if len(run) > 1 else f"M{path}h0"

    def band(self, run: Sequence[Point]) -> str:
        """From its least to its greatest, there and back; that of a point alone is as wide as its time."""
        if len(run) == 1:
            only = run[0]
            left, right = self.x(only.from_us), self.x(only.to_us)
            low, high = self.y(only.min), self.y(only.max)
            return f"M{left:g} {high:g}H{right:g}V{low:g}H{left:g}Z"
        over = "L".join(f"{self.x(point.at_us):g} {self.y(point.max):g}" for point in run)
        under = "L".join(f"{self.x(point.at_us):g} {self.y(point.min):g}" for point in reversed(run))
        return f"M{over}L{under}Z"


def _spread(run: Sequence[Point]) -> bool:
    return any(point.min != point.max for point in run)
