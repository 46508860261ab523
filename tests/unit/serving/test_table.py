"""CSV that a spreadsheet opens without running anything."""

from __future__ import annotations

import csv
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.serving.table import NAME_CHARS, attachment, cell, lines

SIGNS = ("=", "+", "-", "@")

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
    assert str(cell(text)).startswith("'")
    assert str(cell(text)).replace("'", "") == text


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("a;=1+1", "a;'=1+1"),
        ("a;b; +1;-1", "a;b; '+1;'-1"),
        ("a\t@SUM(A1)", "a\t'@SUM(A1)"),
        ("a\n=1", "a\n'=1"),
        ('a;"=1', "a;\"'=1"),
        ("a;\uff1d1", "a;'\uff1d1"),
        (";=1", ";'=1"),
        ("a; b=1", "a; b=1"),
    ],
)
def test_text_that_would_be_one_where_semicolons_or_tabs_part_cells_is_too(text: str, told: str) -> None:
    assert cell(text) == told


@pytest.mark.parametrize("text", ["", " ", "Cola", "a=1", "  cola - light", "x@y", "3-4", "'=1"])
def test_other_text_stays_as_it_is(text: str) -> None:
    assert cell(text) == text


def test_numbers_stay_numbers() -> None:
    assert read(lines([(-1, 2.5, -1e300, True, False, None)])) == [["-1", "2.5", "-1e+300", "true", "false", ""]]


@given(st.text())
def test_whatever_text_stays_in_its_cell(text: str) -> None:
    rows = read(lines([("a", text, "ntp"), ("b", 2, "none")]))
    assert [row[0] for row in rows] == ["a", "b"]
    assert rows[0][1].replace("'", "") == text.replace("'", "")
    assert not rows[0][1].startswith(SIGNS)


@given(st.text(";,\"\t\r\n=+-@' a\u200b"), st.sampled_from(",;\t"))
def test_no_spreadsheet_finds_a_formula_wherever_it_parts_cells(text: str, separator: str) -> None:
    written = io.StringIO(lines([("a", text, "ntp")]).decode(), newline="")
    for row in csv.reader(written, delimiter=separator):
        assert not [each for each in row if each.lstrip(" \t\r\n\u200b").startswith(SIGNS)], row


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("facts", "facts.csv"),
        ("readings-s1", "readings-s1.csv"),
        ("readings-x\"; filename*=UTF-8''invoice.bat; y=\"", "readings-x_filename_UTF-8_invoice.bat_y.csv"),
        ("d\r\nSet-Cookie: a=b", "d_Set-Cookie_a_b.csv"),
        ("../../x", "x.csv"),
        ("\u65e5\u672c\ud800\0", "table.csv"),
        ("W" * 500, "W" * NAME_CHARS + ".csv"),
    ],
)
def test_a_file_is_named_in_plain_letters_and_ends_as_what_it_is(name: str, told: str) -> None:
    assert attachment(name, "csv") == f'attachment; filename="{told}"'
