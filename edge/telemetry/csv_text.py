"""Readings as CSV (RFC 4180), fit to be opened in a spreadsheet."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable

from edge.clock import iso
from edge.telemetry.history import Point
from edge.telemetry.model import Value

READINGS = ("at", "key", "value", "quality")
BUCKETS = ("at", "key", "mean", "min", "max", "count")
_FORMULA = ("=", "+", "-", "@", "\t", "\r")  # a spreadsheet would run what begins so


def head(*, bucketed: bool) -> str:
    """The line of names."""
    return _lines([BUCKETS if bucketed else READINGS])


def lines(points: Iterable[Point]) -> str:
    """A line each."""
    return _lines(_row(point) for point in points)


def cell(value: Value) -> str:
    """A value as a cell: text that a spreadsheet would take for a formula gets an apostrophe before it."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return f"'{value}" if value.startswith(_FORMULA) else value
    return repr(value)


def _row(point: Point) -> tuple[str, ...]:
    at, bucket = iso(point.at_us), point.bucket
    if bucket is None:
        return at, point.key, cell(point.value), point.quality.value
    return at, point.key, repr(bucket.mean), repr(bucket.min), repr(bucket.max), str(bucket.count)


def _lines(rows: Iterable[tuple[str, ...]]) -> str:
    text = io.StringIO()
    csv.writer(text).writerows(rows)
    return text.getvalue()
