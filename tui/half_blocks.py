"""A QR code in a terminal: two modules a character cell, upper and lower half."""

from __future__ import annotations

from collections.abc import Sequence

Modules = Sequence[Sequence[bool]]  # rows of modules, True is dark; square

QUIET = 2  # modules of blank around it: phones read it with fewer than the four of the standard
BLOCKS = {(False, False): " ", (True, False): "▀", (False, True): "▄", (True, True): "█"}


def lines_of(modules: Modules) -> int:
    """How many lines a drawing takes."""
    return (len(modules) + 2 * QUIET + 1) // 2


def drawn(modules: Modules, columns: int, lines: int) -> str:
    """Dark modules as blocks, to be shown black on white; empty where it does not fit."""
    side = len(modules) + 2 * QUIET
    if side > columns or lines_of(modules) > lines:
        return ""
    padded = _padded(modules, side)
    return "\n".join(
        "".join(BLOCKS[top, low] for top, low in zip(padded[row], padded[row + 1], strict=True))
        for row in range(0, side + side % 2, 2)
    )


def _padded(modules: Modules, side: int) -> list[list[bool]]:
    blank = [False] * side
    middle = [[False] * QUIET + list(row) + [False] * QUIET for row in modules]
    rows = [blank] * QUIET + middle + [blank] * QUIET
    return [*rows, blank] if len(rows) % 2 else rows
