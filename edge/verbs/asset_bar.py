"""The states of a machine over a time, as a line of characters: the same as in the technician's terminal."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from edge.wire.state_line import SIGNS, UNKNOWN, WORDS, Piece, cells

State = tuple[datetime, datetime, str]
"""From when until before when, and how it was."""


def bar(states: Iterable[State], begin: datetime, end: datetime, width: int) -> str:
    """`width` characters. What no state covers is unknown."""
    pieces = [Piece(since.timestamp(), until.timestamp(), state) for since, until, state in states]
    shown = cells(pieces, (begin.timestamp(), end.timestamp()), width) or [UNKNOWN] * width
    return "".join(SIGNS.get(state, SIGNS[UNKNOWN]) for state in shown)


def legend() -> str:
    """What the characters mean."""
    return "  ".join(f"{sign} {WORDS[state]}" for state, sign in SIGNS.items())
