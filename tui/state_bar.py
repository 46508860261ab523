"""An asset's states over a time as a line of characters: their height says it, colour only helps.

Which cell shows what is settled in edge/wire/state_line.py, so that the command line draws the same.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import date, datetime, timedelta, tzinfo
from itertools import groupby
from math import inf
from typing import NamedTuple

from rich.text import Text

from edge.wire.assets import BandView
from edge.wire.state_line import NOTHING, PARTLY, SIGNS, WORDS, Piece
from tui import ages
from tui.looks import STYLES


class Glyphs(NamedTuple):
    """A character for each state, `mark` before a time of day, and those of bars: what is full, a half of a cell,
    what went wrong, and what is left."""

    running: str
    partly: str
    stopped: str
    planned: str
    unknown: str
    mark: str
    full: str
    part: str
    wrong: str
    left: str


BLOCKS = Glyphs(*SIGNS.values(), *"│█▌▒·")
PLAIN = Glyphs("#", "=", "_", ".", "?", "|", "#", "-", "x", ".")
"""For the console of the Pi, whose font lacks some of the others."""
COLOURS = {"running": "good", PARTLY: "warn", "stopped": "bad", "planned": "quiet", "unknown": "quiet"}
HOURS = (1, 2, 3, 4, 6, 12)
LABEL_CELLS = 8  # of a time of day or a day, with its mark and a blank


def seconds(text: str) -> float:
    """A time of the wire in seconds since 1970; 0 for one that cannot be read."""
    when = ages.moment(text)
    return when.timestamp() if when else 0.0


def pieces(bands: Iterable[BandView]) -> list[Piece]:
    """Bands of the wire as times; one that goes on has no end."""
    return [Piece(seconds(it.at), inf if it.to is None else seconds(it.to), it.state) for it in bands]


def drawn(shown: Sequence[str], glyphs: Glyphs = BLOCKS) -> Text:
    """The line itself."""
    text = Text(no_wrap=True, overflow="crop", end="")
    for state, run in groupby(shown):
        text.append(_glyph(state, glyphs) * len(list(run)), STYLES[COLOURS.get(state, "")])
    return text


def marks(span: tuple[float, float], width: int, zone: tzinfo, glyphs: Glyphs = BLOCKS) -> str:
    """The line below: times of day, or days where the span is long."""
    begin, end = span
    if end <= begin or width <= 0:
        return ""
    line = [" "] * width
    free = 0
    for at, label in _labels(span, width, zone):
        place = int((at - begin) * width / (end - begin))
        text = glyphs.mark + label
        if free <= place and place + len(text) <= width:
            line[place : place + len(text)] = text
            free = place + len(text)
    return "".join(line).rstrip()


def legend(glyphs: Glyphs = BLOCKS) -> str:
    """What the characters mean."""
    return "  ".join(f"{_glyph(state, glyphs)} {word}" for state, word in WORDS.items())


def share_bar(share: float, width: int, glyphs: Glyphs = BLOCKS) -> str:
    """A bar for a share of 1, at least a part of a cell for what is not nothing."""
    halves = round(2 * max(0.0, min(1.0, share)) * width)
    if not halves and share > 0:
        halves = 1
    return glyphs.full * (halves // 2) + glyphs.part * (halves % 2)


def _glyph(state: str, glyphs: Glyphs) -> str:
    return " " if state == NOTHING else getattr(glyphs, state, glyphs.unknown)


def _labels(span: tuple[float, float], width: int, zone: tzinfo) -> Iterator[tuple[float, str]]:
    begin, end = span
    fewest_s = (end - begin) * LABEL_CELLS / width
    step = next((hours for hours in HOURS if hours * ages.HOUR_S >= fewest_s), 24)
    day = datetime.fromtimestamp(begin, zone).date()
    while (midnight := _at(day, 0, zone)) < end:
        for hour in range(0, 24, step):
            at = midnight if hour == 0 else _at(day, hour, zone)
            if begin <= at < end:
                yield at, f"{day:%a %d}" if step == 24 else f"{hour:02}:00"
        day += timedelta(days=1)


def _at(day: date, hour: int, zone: tzinfo) -> float:
    return datetime(day.year, day.month, day.day, hour, tzinfo=zone).timestamp()
