"""Rows of text fitted into a box: as large as they may be, and when nothing fits cut so that one sees it.

What stands beside the main thing (a label, an age) has a size by the box, so that boxes of one height look alike;
the main thing gets the rest. Its size is guessed from widths at one size, which are kept, and then proved.
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from edge.content.render.scene.fonts import LINE
from edge.content.render.scene.settled import Row
from edge.content.render.scene.signs import Hand, direction_of, width
from edge.content.render.scene.wrapping import Width, shortened, wrapped

# The smallest letters. On two shades FiraGO keeps all its shapes apart down to 12 pixels ("e" and "a" close up at
# 11); with greys between, 10 still read. On a panel of 120 dots an inch that is 2.5 mm: read at arm's length.
SMALLEST_MONO_PX, SMALLEST_PX = 12, 10
SIDE_OF_BOX, SIDE_OF_SIZE = 0.17, 0.42  # what stands beside: of its box's height, or of the size asked for
LARGEST_SIDE_PX = 40  # a label that shouts is none
_GUESS_PX = 64  # the size widths are scaled from
_TRIES = 6  # sizes proved before the smallest is taken: a guess is off by a pixel or two


class Line(msgspec.Struct, frozen=True):
    """One line, in the order one reads. `direction`: that of its paragraph."""

    text: str
    hand: Hand
    direction: str


class Block(msgspec.Struct, frozen=True):
    """Lines beneath each other: the main ones, and what stands above and below these.

    `cut`: something was left off, and an ellipsis says so; `left_out`: rows at the side that had no room at all.
    """

    lines: tuple[Line, ...]
    above: tuple[Line, ...] = ()
    below: tuple[Line, ...] = ()
    cut: bool = False
    left_out: tuple[str, ...] = ()

    @property
    def height(self) -> int:
        """Pixels from the top of the first line to the bottom of the last."""
        return height_of(self.above) + height_of(self.lines) + height_of(self.below)


class Style(msgspec.Struct, frozen=True):
    """`size`: the largest letters wanted, in pixels, 0: as large as fits."""

    size: int
    bold: bool
    mono: bool

    @property
    def smallest(self) -> int:
        """The smallest letters that may be used."""
        return SMALLEST_MONO_PX if self.mono else SMALLEST_PX


def set_rows(rows: Sequence[Row], room: tuple[int, int], style: Style) -> Block | None:
    """`rows` set into `room` (width, height); None where not one line of legible letters has room.

    Rows at the side are left out one by one, the first first, where the main ones would have no room else.
    """
    rows = [row for row in rows if row.text.strip()]
    if line_height(style.smallest) > room[1] or room[0] < style.smallest // 2:
        return None
    left_out: list[str] = []
    while True:
        above, main, below = _parted(rows)
        px = _side_px([*above, *below], room, style)
        sides = [_side_lines(side, room[0], px, style) for side in (above, below)]
        rest = room[1] - sum(height_of(lines) for lines in sides)
        if rest >= line_height(style.smallest) or not (above or below):
            break
        dropped = (above or below)[0]
        rows.remove(dropped)
        left_out.append(dropped.text)
    lines, cut = _main_lines(main, (room[0], rest), style)
    return Block(lines, sides[0], sides[1], cut, tuple(left_out))


def height_of(lines: Sequence[Line]) -> int:
    """Pixels from the top of the first line to the bottom of the last."""
    return sum(line_height(line.hand.px) for line in lines)


def line_height(px: int) -> int:
    """Pixels of a line whose letters are `px`: no accent or tail leaves it."""
    return round(px * LINE + 0.5)


def _parted(rows: Sequence[Row]) -> tuple[list[Row], list[Row], list[Row]]:
    """`rows` above the main ones, those, and the rows below."""
    main = [number for number, row in enumerate(rows) if not row.side]
    if not main:
        return [], list(rows), []
    return list(rows[: main[0]]), [row for row in rows if not row.side], [r for r in rows[main[0] :] if r.side]


def _side_px(sides: Sequence[Row], room: tuple[int, int], style: Style) -> int:
    """One size for all rows at the side: by the box, less where one of them is too wide."""
    wanted = round(style.size * SIDE_OF_SIZE) if style.size else round(room[1] * SIDE_OF_BOX)
    px = max(style.smallest, min(LARGEST_SIDE_PX, wanted))
    while px > style.smallest and any(width(row.text, Hand(px, False, style.mono)) > room[0] for row in sides):
        px -= 1
    return px


def _side_lines(sides: Sequence[Row], room: int, px: int, style: Style) -> tuple[Line, ...]:
    wrapping = [msgspec.structs.replace(row, wrap=True) for row in sides]
    return _lines(wrapping, room, Hand(px, False, style.mono), break_words=True) or ()


def _main_lines(rows: Sequence[Row], room: tuple[int, int], style: Style) -> tuple[tuple[Line, ...], bool]:
    """The main rows at the wanted size or the largest that fits, words whole; at the smallest words are broken, and
    what then has no room is cut, which the second part of the answer tells."""
    if not rows:
        return (), False
    largest = int(room[1] / LINE)
    largest = max(style.smallest, min(largest, style.size) if style.size else largest)
    px = _guess(rows, room, style, largest)
    for size in range(px, max(px - _TRIES, style.smallest - 1), -1):
        lines = _lines(rows, room[0], Hand(size, style.bold, style.mono), break_words=False)
        if lines is not None and height_of(lines) <= room[1]:
            return lines, False
    return _cut(_lines(rows, room[0], Hand(style.smallest, style.bold, style.mono), break_words=True) or (), room)


def _cut(lines: Sequence[Line], room: tuple[int, int]) -> tuple[tuple[Line, ...], bool]:
    fitting = lines[: max(1, room[1] // line_height(lines[0].hand.px))] if lines else ()
    made = []
    for number, line in enumerate(fitting):
        goes_on = number == len(fitting) - 1 and len(fitting) < len(lines)
        if goes_on or width(line.text, line.hand) > room[0]:
            line = msgspec.structs.replace(line, text=shortened(line.text, room[0], _widths(line.hand)))
        made.append(line)
    return tuple(made), tuple(made) != tuple(lines)


def _lines(rows: Sequence[Row], room: float, hand: Hand, *, break_words: bool) -> tuple[Line, ...] | None:
    """All lines of `rows`; None where a word is too wide and may not be broken."""
    made: list[Line] = []
    for row in rows:
        for paragraph in row.text.split("\n"):
            lines = _paragraph(paragraph, row, room, hand, break_words)
            if lines is None:
                return None
            made += lines
    return tuple(made)


def _paragraph(paragraph: str, row: Row, room: float, hand: Hand, break_words: bool) -> list[Line] | None:
    direction = direction_of(paragraph)
    if row.wrap:
        lines = wrapped(paragraph, room, _widths(hand), break_words=break_words)
    else:
        lines = [paragraph] if break_words or width(paragraph, hand) <= room else None
    return None if lines is None else [Line(line, hand, direction) for line in lines]


def _widths(hand: Hand) -> Width:
    return lambda text: width(text, hand)


def _guess(rows: Sequence[Row], room: tuple[int, int], style: Style, largest: int) -> int:
    """The largest size that should fit, by widths at one size."""
    hand = Hand(_GUESS_PX, style.bold, style.mono)
    low, high = style.smallest, largest
    while low < high:
        middle = (low + high + 1) // 2
        lines = _lines(rows, room[0] * _GUESS_PX / middle, hand, break_words=False)
        if lines is not None and len(lines) * line_height(middle) <= room[1]:
            low = middle
        else:
            high = middle - 1
    return low
