"""CSV that a spreadsheet opens without running anything."""

from __future__ import annotations

import csv
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.clock import Quality
from edge.telemetry.buckets import Bucket
from edge.telemetry.csv_text import cell, head, lines
from edge.telemetry.history import Point


def read(text: str) -> list[list[str]]:
    """As a spreadsheet reads it."""
    return list(csv.reader(io.StringIO(text, newline="")))


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1"])
def test_text_that_looks_like_a_formula_is_made_text(text: str) -> None:
    assert cell(text) == f"'{text}"


def test_numbers_stay_numbers() -> None:
    assert [cell(value) for value in (-1, 2.5, -1e300, True, False)] == ["-1", "2.5", "-1e+300", "true", "false"]


@given(st.text())
def test_whatever_text_stays_in_its_cell(text: str) -> None:
    rows = read(lines([Point("a", 0, text, Quality.NTP), Point("b", 1, 2, Quality.NONE)]))
    assert [row[1] for row in rows] == ["a", "b"]
    assert rows[0][2].removeprefix("'") == text.removeprefix("'")
    assert not rows[0][2].startswith(("=", "+", "-", "@"))


def test_buckets_have_columns_of_their_own() -> None:
    text = head(bucketed=True) + lines([Point("a", 0, 1.5, Quality.NONE, Bucket(0, 2, 3.0, 1.0, 2.0))])
    assert read(text) == [
        ["at", "key", "mean", "min", "max", "count"],
        ["1970-01-01T00:00:00.000Z", "a", "1.5", "1.0", "2.0", "2"],
    ]
