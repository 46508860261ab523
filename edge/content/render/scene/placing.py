"""Where an element stands, in pixels of one panel, and how it is written there."""

from __future__ import annotations

import msgspec

from edge.content.render.panels import Panel
from edge.content.render.scene.settled import Look, Pixels
from edge.wire.layouts import AnyElement, Box

BEYOND = 0.05  # percent: that much over the edge is how numbers are written, not where something stands


class Place(msgspec.Struct, frozen=True):
    """The number of an element, its pixels, and how it is written."""

    element: int
    box: Pixels
    look: Look


def place_of(element: AnyElement, number: int, panel: Panel) -> Place:
    """`element`'s place on `panel`: within it, and at least a pixel."""
    look = Look(
        size=max(1, round(element.size * panel.height / 100)) if element.size else 0,
        align=element.align,
        valign=element.valign,
        bold=element.bold,
        colour=element.colour,
        invert=element.invert,
    )
    return Place(number, pixels_of(element.box, panel), look)


def pixels_of(box: Box, panel: Panel) -> Pixels:
    """`box` on `panel`; boxes that touch in percent touch in pixels."""
    left, right = _edges(box.x, box.w, panel.width)
    top, bottom = _edges(box.y, box.h, panel.height)
    return Pixels(left, top, right - left, bottom - top)


def reaches_beyond(box: Box) -> bool:
    """Whether a part of `box` is beyond the panel's edge."""
    return box.x + box.w > 100 + BEYOND or box.y + box.h > 100 + BEYOND


def _edges(begin: float, length: float, side: int) -> tuple[int, int]:
    first = min(round(begin * side / 100), side - 1)
    return first, min(max(round((begin + length) * side / 100), first + 1), side)
