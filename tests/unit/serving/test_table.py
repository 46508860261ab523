"""CSV that a spreadsheet opens without running anything."""

from __future__ import annotations

import csv
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.serving.table import cell, lines

TEMPTING = [
    *("=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "\n=1", "\tx"),
    *("\uff1d1", "\uff0b1", "\uff0d1", "\uff20SUM(A1)"),  # full width
    *("  =1", "\xa0=1", "\u3000\uff1d1", "\u200b=1", "\ufeff =1", "\0=1"),
]


def read(text: bytes) -> list[list[str]]:
    """As a spreadsheet reads it."""
    return list(csv.reader(io.StringIO(text.decode(), newline="")))


@pytest.mark.parametrize("text", TEMPTING)
def test_text_that_looks_like_a_formula_is_made_text(text: str) -> None:
    assert cell(text) == f"'{text}"


@pytest.mark.parametrize("text", ["", " ", "Cola", "a=1", "  cola - light", "x@y", "3-4", "'=1"])
def test_other_text_stays_as_it_is(text: str) -> None:
    assert cell(text) == text


def test_numbers_stay_numbers() -> None:
    assert read(lines([(-1, 2.5, -1e300, True, False, None)])) == [["-1", "2.5", "-1e+300", "true", "false", ""]]


@given(st.text())
def test_whatever_text_stays_in_its_cell(text: str) -> None:
    rows = read(lines([("a", text, "ntp"), ("b", 2, "none")]))
    assert [row[0] for row in rows] == ["a", "b"]
    assert rows[0][1].removeprefix("'") == text.removeprefix("'")
    assert not rows[0][1].startswith(("=", "+", "-", "@"))
