"""One cell of a table, from text nobody vouches for."""

from __future__ import annotations

from rich.text import Text

from tui.literal import literal
from tui.looks import STYLES
from tui.marks import Mark


def cell(text: str, style: str = "") -> Text:
    """Text shown literally, on one line, with an ellipsis where the column ends."""
    return Text(literal(text), style=STYLES[style], no_wrap=True, overflow="ellipsis", end="")


def mark_cell(mark: Mark) -> Text:
    """A state: its mark and its word in its colour."""
    return cell(f"{mark.glyph} {mark.word}", mark.style)


def number_cell(text: str, style: str = "") -> Text:
    """Right-aligned, for figures and ages."""
    made = cell(text, style)
    made.justify = "right"
    return made
