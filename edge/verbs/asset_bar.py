"""The states of a machine over a time, as a line of characters: the same as in the technician's terminal.

A stop is seen however short it is: a character of which any part stood still is not that of running.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

RUNNING, STOPPED, PARTLY, UNKNOWN = "running", "stopped", "partly", "unknown"
SIGNS = {RUNNING: "█", PARTLY: "▄", STOPPED: "▁", "planned": "·", UNKNOWN: "░"}
WORDS = {RUNNING: "ran", PARTLY: "stood for a part", STOPPED: "stood", "planned": "planned", UNKNOWN: "unknown"}

State = tuple[datetime, datetime, str]
"""From when until before when, and how it was."""


def bar(states: Iterable[State], begin: datetime, end: datetime, width: int) -> str:
    """`width` characters. What no state covers is unknown."""
    share_s = (end - begin).total_seconds() / width
    spent: list[dict[str, float]] = [{} for _ in range(width)]
    for from_, to, state in states:
        first_s, last_s = (from_ - begin).total_seconds(), (to - begin).total_seconds()
        at = max(0, int(first_s // share_s)) if share_s else width
        while at < width and at * share_s < last_s:
            inside_s = min(last_s, (at + 1) * share_s) - max(first_s, at * share_s)
            spent[at][state] = spent[at].get(state, 0.0) + inside_s
            at += 1
    return "".join(SIGNS.get(_shown(share), SIGNS[UNKNOWN]) for share in spent)


def legend() -> str:
    """What the characters mean."""
    return "  ".join(f"{sign} {WORDS[state]}" for state, sign in SIGNS.items())


def _shown(spent: dict[str, float]) -> str:
    """What one character says of the seconds that its time was in each state."""
    ran, stood = spent.get(RUNNING, 0.0), spent.get(STOPPED, 0.0)
    if stood:
        return PARTLY if ran > stood else STOPPED
    return max(spent, key=spent.__getitem__, default=UNKNOWN)
