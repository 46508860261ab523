"""The states of one asset over time as a strip, and figures over time as columns of the same states.

Pure. Places are per cent of a picture's width and height, so that the patterns on it keep their size however wide
it is drawn. What is seen and what can be pointed at are two layers: a week may have more pieces than anybody can
point at, and then its days are that.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime

import msgspec

from edge.wire.assets import AvailabilityRow, BandView

SECOND_US = 1_000_000
STATES = ("running", "planned", "unknown", "stopped")
"""In the order in which they are drawn: of a stop something is seen however short it is."""
STACKED = ("running", "stopped", "unknown", "planned")
"""From the ground up in a column."""
LEAST = 0.25  # per cent of the width: a stop is not drawn narrower
DIGITS = 2
BACKGROUND = "unknown"  # of a strip: what nobody saw is what nothing is drawn over


class Box(msgspec.Struct, frozen=True):
    """A part of the picture. `y` is from above."""

    x: float
    width: float
    y: float = 0.0
    height: float = 100.0


class Layer(msgspec.Struct, frozen=True):
    """All boxes of one state."""

    state: str
    boxes: list[Box]


class Piece(msgspec.Struct, frozen=True, kw_only=True):
    """A time in one state. `stop`: the id of the stop it is part of, None for none; `open`: it goes on."""

    state: str
    from_us: int
    to_us: int
    open: bool
    stop: str | None
    reason: str

    @property
    def seconds(self) -> float:
        """How long it lasts, so far."""
        return (self.to_us - self.from_us) / SECOND_US


class Spot(msgspec.Struct, frozen=True, kw_only=True):
    """What can be pointed at: a time, and the piece or the figures that it shows. Without either it is a time
    alone."""

    x: float
    width: float
    from_us: int
    to_us: int
    piece: Piece | None = None
    row: AvailabilityRow | None = None
    mark: float | None = None  # where its availability is, from above

    @property
    def span(self) -> tuple[int, int]:
        """From when until when."""
        return self.from_us, self.to_us


class Picture(msgspec.Struct, frozen=True, kw_only=True):
    """What is drawn, and what can be pointed at."""

    layers: list[Layer]
    spots: list[Spot]


def pieces(bands: Iterable[BandView], window: tuple[int, int], *, to_now: bool = False) -> list[Piece]:
    """The bands within a window, in order; neighbours that say the same are one piece. `to_now`: the window ends
    with the present, and what reaches its end goes on."""
    found: list[Piece] = []
    for band in bands:
        from_us, to_us = us(band.at), window[1] if band.to is None else us(band.to)
        if to_us <= window[0] or from_us >= window[1]:
            continue
        before = found[-1] if found else None
        same = before is not None and before.to_us == from_us and _says(before) == _says(band)
        if before is not None and same:
            from_us = found.pop().from_us
        found.append(
            Piece(
                state=band.state,
                from_us=from_us,
                to_us=to_us,
                open=band.to is None or (to_now and to_us >= window[1]),
                stop=band.stop,
                reason=band.reason,
            )
        )
    return found


def strip(found: Sequence[Piece], window: tuple[int, int], days: Sequence[tuple[int, int]], most: int) -> Picture:
    """Pieces drawn side by side. Up to `most` of them can be pointed at; of more, the `days` can."""
    boxes: dict[str, list[Box]] = {state: [] for state in STATES}
    for piece in found:
        boxes.setdefault(piece.state, []).append(_box(piece, window))
    layers = [Layer(state, of) for state, of in boxes.items() if of and state != BACKGROUND]
    if len(found) > most:
        return Picture(layers=layers, spots=_spots(days, window))
    spots = []
    for piece in sorted(found, key=lambda piece: piece.state == "stopped"):  # over the others, as they are drawn
        box = _box(piece, window)
        spot = Spot(x=box.x, width=box.width, from_us=piece.from_us, to_us=piece.to_us, piece=piece)
        spots.append(spot)
    return Picture(layers=layers, spots=spots)


def columns(
    rows: Iterable[AvailabilityRow], window: tuple[int, int], days: Sequence[tuple[int, int]] = (), most: int = 0
) -> Picture:
    """A column for each row that has any time, from its begin to its end: what of it was in which state. All can
    be pointed at, but for more than `most` the `days` can where these are given."""
    boxes: dict[str, list[Box]] = {state: [] for state in STACKED}
    spots = []
    for row in rows:
        spent = {
            "running": row.run_s, "stopped": row.stop_s, "unknown": row.unknown_s, "planned": row.planned_s,
        }  # fmt: skip
        whole = sum(spent.values())
        if whole <= 0:
            continue
        from_us, to_us = us(row.at), us(row.to)
        x, width = place(from_us, to_us, window)
        _stack(boxes, spent, whole, x, width)
        mark = None if row.availability is None else round(100 - 100 * row.availability, DIGITS)
        spots.append(Spot(x=x, width=width, from_us=from_us, to_us=to_us, row=row, mark=mark))
    layers = [Layer(state, of) for state, of in boxes.items() if of]
    if days and len(spots) > most:
        spots = _spots(days, window)
    return Picture(layers=layers, spots=spots)


def place(from_us: int, to_us: int, window: tuple[int, int]) -> tuple[float, float]:
    """Where a time is in the picture of a window, and how wide."""
    whole = max(1, window[1] - window[0])
    left = 100 * (min(max(from_us, window[0]), window[1]) - window[0]) / whole
    right = 100 * (min(max(to_us, window[0]), window[1]) - window[0]) / whole
    return round(left, DIGITS), round(round(right, DIGITS) - round(left, DIGITS), DIGITS)


def shares(values: Sequence[float]) -> list[tuple[float, float]]:
    """Each value's part of the greatest, and what it and all before it are of their sum: for bars, in per cent."""
    greatest, whole, so_far, found = max(values, default=0.0), sum(values), 0.0, []
    for value in values:
        so_far += value
        width = 100 * value / greatest if greatest else 0.0
        found.append((round(width, DIGITS), round(100 * so_far / whole, 1) if whole else 0.0))
    return found


def us(at: str) -> int:
    """A time of the API in UTC microseconds."""
    return round(datetime.fromisoformat(at).timestamp() * SECOND_US)


def _box(piece: Piece, window: tuple[int, int]) -> Box:
    x, width = place(piece.from_us, piece.to_us, window)
    if piece.state == "stopped" and width < LEAST:
        return Box(round(min(x, 100 - LEAST), DIGITS), LEAST)
    return Box(x, width)


def _spots(spans: Iterable[tuple[int, int]], window: tuple[int, int]) -> list[Spot]:
    found = []
    for from_us, to_us in spans:
        x, width = place(from_us, to_us, window)
        found.append(Spot(x=x, width=width, from_us=from_us, to_us=to_us))
    return found


def _says(band: BandView | Piece) -> tuple[str, str | None, str]:
    return band.state, band.stop, band.reason


def _stack(boxes: dict[str, list[Box]], spent: dict[str, float], whole: float, x: float, width: float) -> None:
    under = 0.0
    for state in STACKED:
        share = 100 * spent[state] / whole
        if share > 0:
            boxes[state].append(Box(x, width, round(100 - under - share, DIGITS), round(share, DIGITS)))
        under += share
