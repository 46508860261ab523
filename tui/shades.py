"""A picture in a terminal: two pixels a character cell, upper and lower half, or one sign for both where the
console's font has no half blocks."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby, zip_longest

from textual.content import Content

Greys = Sequence[Sequence[int]]  # rows of pixels, 0 black to 255 white

COLOURS = ("#000000", "#555555", "#aaaaaa", "#ffffff")
HALF = "▀"
SIGNS = "@%#*+=-:. "  # from black to white: paper stays blank, whatever the console's own colours are
WHITE = 255


def drawn(picture: Greys, *, blocks: bool) -> Content:
    """The picture, a line for two rows of it."""
    line, nothing = _halves if blocks else _signs, list[int]()
    pairs = zip_longest(picture[::2], picture[1::2], fillvalue=nothing)
    return Content("\n").join([line(top, low) for top, low in pairs])


def _halves(top: Sequence[int], low: Sequence[int]) -> Content:
    cells = [(_shade(up), _shade(down)) for up, down in zip_longest(top, low, fillvalue=WHITE)]
    runs = [(HALF * len(list(run)), f"{COLOURS[up]} on {COLOURS[down]}") for (up, down), run in groupby(cells)]
    return Content.assemble(*runs)


def _signs(top: Sequence[int], low: Sequence[int]) -> Content:
    return Content("".join(_sign(up, down) for up, down in zip_longest(top, low, fillvalue=WHITE)).rstrip())


def _shade(grey: int) -> int:
    return grey * len(COLOURS) // (WHITE + 1)


def _sign(up: int, down: int) -> str:
    return SIGNS[(up + down) * len(SIGNS) // (2 * (WHITE + 1))]
