"""What the device page draws: for each key that is a number, its points of a span of time, asked of the API."""

from __future__ import annotations

import math
from collections.abc import AsyncIterator, Sequence
from datetime import datetime

import msgspec

from cloud.analytics.rollups import zone_named
from cloud.web.frame import Visit
from cloud.web.plots.lines import Point
from cloud.web.plots.picture import Loss, Plot, plot
from cloud.web.plots.spans import SECOND_US, SPANS, Span, usual_span
from edge.clock import iso
from edge.serving.buckets import Grid
from edge.serving.table import Row
from edge.wire.centre import SiteDevice, SiteGap, SiteLatest
from edge.wire.readings import ReadingView

AT_ONCE = 6  # plots on a page that names no key
POINTS = 1000  # of one key; a span has fewer
GAPS_SHOWN = 20
HEALTH = "health."  # how keys begin by which a device says how it is itself
COLUMNS = ("at", "key", "min", "mean", "max", "count")


class Drawn(msgspec.Struct, frozen=True):
    """The plots of a page, and what else there is to choose."""

    span: Span
    key: str
    plots: dict[str, Plot]
    others: list[str]
    gaps: list[SiteGap]
    spans: Sequence[str] = tuple(SPANS)


def span_of(visit: Visit, known_us: int) -> Span:
    """The one that `?range=` names; without, or for one that is not there, the usual one of a device that is known
    since then."""
    return SPANS.get(visit.query("range")) or usual_span((visit.now_us - known_us) / SECOND_US)


def measured_first(latest: Sequence[SiteLatest]) -> list[SiteLatest]:
    """What it measures, then what it says of its own health."""
    return sorted(latest, key=lambda each: each.key.startswith(HEALTH))


async def drawn(visit: Visit, timezone: str, device: SiteDevice, latest: Sequence[SiteLatest]) -> Drawn:
    """The plots of the keys that are numbers, in that order, or of the one that `?key=` names."""
    site, known_us = device.site, _known_us(device)
    newest = {each.key: float(each.value) for each in latest if _is_number(each.value)}
    keys = list(newest)
    span, only = span_of(visit, known_us), visit.query("key")
    chosen = [only] if only in keys else list(keys[:AT_ONCE])
    if not chosen:
        return Drawn(span, "", {}, [], [])
    zone = zone_named(timezone)
    grid = span.grid(zone, visit.now_us)
    window = grid.begin(span.begin_us(visit.now_us)), visit.now_us
    asked = {"site": site, "from": iso(window[0]), "to": iso(window[1]), "limit": GAPS_SHOWN}
    gaps: list[SiteGap] = (await visit.get("/v1/devices/{id}/gaps", asked, id=device.id)).items
    losses = [_loss(gap, number) for number, gap in enumerate(gaps, 1)]
    plots = {}
    for key in chosen:
        history = {"site": site, "key": key, "from": iso(window[0]), "bucket": span.bucket, "limit": POINTS}
        page = await visit.get("/v1/devices/{id}/readings", history, id=device.id)
        points = [_point(each, grid, window[1]) for each in page.items if _is_drawn(each)]
        plots[key] = plot(points, span, window, zone, losses, newest[key], known_us)
    return Drawn(span, only if only in keys else "", plots, [key for key in keys if key not in plots], gaps)


async def rows(visit: Visit, site: str, device: str) -> AsyncIterator[Sequence[Row]]:
    """The points as a table, of all keys or of the one that is named."""
    span = span_of(visit, known_us=0)
    asked = {"site": site, "key": visit.query("key"), "from": f"-{span.seconds}s", "bucket": span.bucket}
    async for page in visit.every("/v1/devices/{id}/readings", asked, id=device):
        yield [(each.at, each.key, each.min, each.value, each.max, each.count) for each in page]


def _point(view: ReadingView, grid: Grid, now_us: int) -> Point:
    begin_us = _us(view.at)
    end_us = min(grid.after(begin_us, 1), max(now_us, begin_us + 1))  # the last one is not over yet
    mean = float(view.value)
    least = mean if view.min is None else view.min
    greatest = mean if view.max is None else view.max
    return Point(begin_us, end_us, least, mean, greatest, view.count or 1)


def _loss(gap: SiteGap, number: int) -> Loss:
    found_us = _us(gap.at)
    return Loss(_us(gap.from_at) if gap.from_at else found_us, _us(gap.to_at) if gap.to_at else found_us, number)


def _is_drawn(view: ReadingView) -> bool:
    return all(_is_number(value) for value in (view.value, view.min, view.max))


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def _known_us(device: SiteDevice) -> int:
    """Since when its hub knows it; 0 where what it says is no time."""
    try:
        return _us(device.created_at)
    except (ValueError, OverflowError):
        return 0


def _us(at: str) -> int:
    return round(datetime.fromisoformat(at).timestamp() * SECOND_US)
