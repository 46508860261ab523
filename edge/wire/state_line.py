"""States over a time, and waves, as cells of a line, for whoever draws with characters: terminal and command line.

A stop is seen however short it is: a cell of which any part stood still does not show that it ran.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

RUNNING, STOPPED, PLANNED, UNKNOWN = "running", "stopped", "planned", "unknown"
PARTLY = "partly"  # what a cell shows that ran and stood still
NOTHING = ""  # not known yet: not read, or behind the end
WORDS = {RUNNING: "ran", PARTLY: "stood for a part", STOPPED: "stood", PLANNED: "planned", UNKNOWN: "unknown"}
SIGNS = {RUNNING: "█", PARTLY: "▄", STOPPED: "▁", PLANNED: "·", UNKNOWN: "░"}


class Piece(NamedTuple):
    """A state and its time, in seconds since 1970."""

    since_s: float
    until_s: float
    state: str


def cells(of: Iterable[Piece], span: tuple[float, float], width: int) -> list[str]:
    """What each of `width` cells of a span shows: a state, PARTLY, or NOTHING where there is no piece."""
    begin, end = span
    if end <= begin or width <= 0:
        return []
    each_s = (end - begin) / width
    spent: list[dict[str, float]] = [{} for _ in range(width)]
    for piece in of:
        since, until = max(begin, piece.since_s), min(end, piece.until_s)
        if until <= since:
            continue
        last = min(width - 1, int((until - begin) / each_s))
        for index in range(min(width - 1, int((since - begin) / each_s)), last + 1):
            left = begin + index * each_s
            within = min(until, left + each_s) - max(since, left)
            if within > 0:
                spent[index][piece.state] = spent[index].get(piece.state, 0.0) + within
    return [_shown(each) for each in spent]


def _shown(spent: dict[str, float]) -> str:
    ran, stood = spent.get(RUNNING, 0.0), spent.get(STOPPED, 0.0)
    if stood:
        return PARTLY if ran > stood else STOPPED
    return max(sorted(spent), key=lambda state: spent[state], default=NOTHING)


def wave_cells(good: int, bad: int, total: int, width: int) -> tuple[int, int, int]:
    """How many of `width` cells show what of a wave went well, went wrong, and is left. Whatever went wrong is
    seen, however little it is."""
    if total <= 0 or width <= 0:
        return 0, 0, 0
    wrong = min(width, max(1, round(bad * width / total))) if bad else 0
    well = min(width - wrong, good * width // total)
    return well, wrong, width - well - wrong
