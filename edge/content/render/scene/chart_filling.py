"""A chart filled: its readings as marks, its scale and its times in words."""

from __future__ import annotations

from zoneinfo import ZoneInfo

from edge.content.render.scene import moments, numerals
from edge.content.render.scene.chart_marks import (
    Points,
    Window,
    bar_window,
    columns_of,
    line_window,
    marks_of,
    row_of,
    scale_of,
)
from edge.content.render.scene.given import ChartWanted, Given
from edge.content.render.scene.placing import Place
from edge.content.render.scene.settled import Plot
from edge.content.render.scene.signs import clean
from edge.wire.layouts import SELF, ChartElement

_TIME_OF_DAY_UP_TO_H = 48  # windows longer than that are labelled by days


def plot(element: ChartElement, place: Place, given: Given, zone: ZoneInfo) -> tuple[Plot, int]:
    """`element` filled, and when its window moves on."""
    bars = element.style == "bars"
    window = bar_window(element.hours, given.now_us, zone) if bars else line_window(element.hours, given.now_us)
    columns = columns_of(_points(element, given), window)
    rows = place.box.h
    label = clean(element.label + (f", {element.unit}" if element.label and element.unit else element.unit))
    if not columns:
        hours = "1 hour" if element.hours == 1 else f"{element.hours} hours"
        empty = Plot(
            element=place.element, box=place.box, look=place.look, label=label, style=element.style,
            columns=1, rows=1, marks=(), base=0, high="", low="", begin="", end="",
            empty=f"no readings in {hours}",
        )  # fmt: skip
        return empty, window.end_us
    scale = scale_of(columns, element.low, element.high, bars=bars)
    decimals = numerals.decimals_for(scale[1] - scale[0])
    begin, end = _times(element, window, zone) if given.clock_set else ("", "")
    made = Plot(
        element=place.element, box=place.box, look=place.look, label=label, style=element.style,
        columns=window.columns, rows=rows, marks=marks_of(columns, scale, rows), base=row_of(0, scale, rows),
        high=numerals.figure(scale[1], decimals), low=numerals.figure(scale[0], decimals), begin=begin, end=end,
    )  # fmt: skip
    return made, window.end_us


def _points(element: ChartElement, given: Given) -> Points:
    found = given.charts.get(ChartWanted(element.device, element.key, element.hours))
    if found is None and element.device == SELF:
        found = given.charts.get(ChartWanted(given.device, element.key, element.hours))
    return found or ()


def _times(element: ChartElement, window: Window, zone: ZoneInfo) -> tuple[str, str]:
    """What stands beneath the left and the right end: times of day, or the first and the last day."""
    begin, end = moments.local(window.begin_us, zone), moments.local(window.end_us, zone)
    if element.hours <= _TIME_OF_DAY_UP_TO_H:
        return moments.time_of_day(begin), moments.time_of_day(end)
    last = moments.local(window.end_us - 1, zone)
    return moments.day_and_month(begin), moments.day_and_month(last)
