"""A settled scene: literal words, numbers and marks at their pixels. Nothing in it is looked up any more.

It is what a picture's identity is made of: two scenes with one key are the same picture, drawn once.
"""

from __future__ import annotations

import hashlib
from typing import Literal

import msgspec

from edge.wire.content import Note


class Pixels(msgspec.Struct, frozen=True, array_like=True):
    """A rectangle of the panel: left, top, and its width and height, at least one pixel each."""

    x: int
    y: int
    w: int
    h: int


class Look(msgspec.Struct, frozen=True, array_like=True):
    """How an element is written. `size`: of its largest letters in pixels, 0: as large as fits."""

    size: int = 0
    align: Literal["left", "centre", "right"] = "left"
    valign: Literal["top", "middle", "bottom"] = "middle"
    bold: bool = False
    colour: str = "black"
    invert: bool = False


class Row(msgspec.Struct, frozen=True, array_like=True):
    """One paragraph of a stack. `side`: it stands beside the main thing, and is set smaller: a label, an age."""

    text: str
    side: bool = False
    wrap: bool = False


class _Piece(msgspec.Struct, frozen=True, kw_only=True, tag_field="kind"):
    """What all pieces have. `element`: the number, from 0, of the layout's element that it is."""

    element: int
    box: Pixels
    look: Look


class Words(_Piece, frozen=True, kw_only=True, tag="words"):
    """Rows beneath each other."""

    rows: tuple[Row, ...]


class Mark(msgspec.Struct, frozen=True, array_like=True):
    """A column with readings: rows of the lowest, the mean and the highest, 0 the bottom one. `joined`: a line
    goes to it from the mark before."""

    column: int
    low: int
    mean: int
    high: int
    joined: bool


class Plot(_Piece, frozen=True, kw_only=True, tag="plot"):
    """A chart of `columns` by `rows`; a column without a mark is a gap. `label` stands above it, `high` and `low`
    beside it, `begin` and `end` beneath. Bars stand on row `base`."""

    label: str
    style: Literal["line", "bars"]
    columns: int
    rows: int
    marks: tuple[Mark, ...]
    base: int
    high: str
    low: str
    begin: str
    end: str
    empty: str = ""  # in place of it all: why there is nothing


class Code(_Piece, frozen=True, kw_only=True, tag="code"):
    """A QR code, and a line beneath."""

    payload: str
    caption: str


class Photo(_Piece, frozen=True, kw_only=True, tag="photo"):
    """An uploaded picture, by its hash."""

    picture: str
    fit: Literal["contain", "cover"]
    dither: bool


class Shape(_Piece, frozen=True, kw_only=True, tag="shape"):
    """A line or a box, `thick` pixels."""

    form: Literal["box", "filled", "line-across", "line-down"]
    thick: int


class Broken(_Piece, frozen=True, kw_only=True, tag="broken"):
    """What cannot be drawn: a sentence in a box says so."""

    says: str


AnyPiece = Words | Plot | Code | Photo | Shape | Broken


class Scene(msgspec.Struct, frozen=True, kw_only=True):
    """All that a panel shows. `changes_us`: when it becomes another by time alone, None for never. `notes`: what
    was wrong already when it was settled. Neither belongs to its identity."""

    panel: str
    width: int
    height: int
    dark: bool
    pieces: tuple[AnyPiece, ...]
    changes_us: int | None = None
    notes: tuple[Note, ...] = ()

    @property
    def key(self) -> str:
        """SHA-256, in hex, of what is drawn: the same words and numbers on the same kind of panel, the same key."""
        drawn = (self.panel, self.width, self.height, self.dark, self.pieces)
        return hashlib.sha256(msgspec.msgpack.encode(drawn)).hexdigest()
