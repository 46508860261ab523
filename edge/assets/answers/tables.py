"""Answers about assets as tables for a spreadsheet: their columns, and all of their rows page by page."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable

import msgspec

from edge.assets.answers.asking import Bands, Chosen, K, Scope
from edge.assets.answers.stops import StopPage, Wanted, stops
from edge.assets.answers.timeline import BandPage, timeline
from edge.assets.answers.windows import Question
from edge.assets.model import Span

ROWS_AT_ONCE = 500  # in memory at a time

FIGURES = (
    "of",
    "name",
    "at",
    "to",
    "availability",
    "coverage",
    "run_s",
    "stop_s",
    "planned_s",
    "unknown_s",
    "stops",
    "ended_stops",
    "short_stops",
    "mtbf_s",
    "mttr_s",
    "longest_stop_s",
)
STOPS = (
    "id",
    "asset",
    "name",
    "line",
    "at",
    "to",
    "stopped_s",
    "short",
    "reason",
    "reason_name",
    "note",
    "said_by",
    "said_at",
)
BANDS = ("asset", "at", "to", "state", "stop", "reason")
PARETO = ("reason", "name", "stop_s", "stops", "share")

Cells = tuple[object, ...]


def cells(views: Iterable[msgspec.Struct], columns: Iterable[str]) -> list[Cells]:
    """Views as rows."""
    names = tuple(columns)
    return [tuple(getattr(view, name) for name in names) for view in views]


async def every_stop(
    bands: Bands[K], scope: Scope[K], question: Question, wanted: Wanted, columns: Iterable[str] = STOPS
) -> AsyncIterator[list[Cells]]:
    """All stops that are wanted. What is wrong with the question is raised by the first step."""
    page: StopPage[K] = await stops(bands, scope, question, wanted, None, ROWS_AT_ONCE)
    yield cells(page.stops, columns)
    while page.next is not None:
        page = await stops(bands, scope, question, wanted, page.next, ROWS_AT_ONCE)
        yield cells(page.stops, columns)


async def every_band(bands: Bands[K], one: Chosen[K], span: Span, now_us: int) -> AsyncIterator[list[Cells]]:
    """All states of an asset in a span."""
    next_us: int | None = span[0]
    while next_us is not None:
        page: BandPage = await timeline(bands, one, (next_us, span[1]), ROWS_AT_ONCE, now_us)
        yield cells(page.bands, BANDS)
        next_us = page.next_us
