"""Charts: a line or bars over a time axis, in words what the ends of both axes are."""

from __future__ import annotations

import msgspec

from edge.content.render.scene.canvas import Canvas, Colour
from edge.content.render.scene.settled import Look, Pixels, Plot, Row
from edge.content.render.scene.signs import Hand, width
from edge.content.render.scene.typesetting import Style, line_height, set_rows
from edge.content.render.scene.word_drawing import padded, sign_warnings

_LETTERS = 0.1  # of the box's height: of all that is written
_LETTERS_PX = 22  # and no larger than this
_AREA_PX = 24  # a plot area lower or narrower than this gives up its labels
_THICK_FROM_PX = 60  # a plot area as high as this has lines of 2 pixels
_DOT_PX = 4  # from one dot of a dotted line to the next


def draw_plot(piece: Plot, canvas: Canvas) -> list[str]:
    """`piece`, and warnings: words that had no room."""
    colour = canvas.begin(piece.box, piece.look)
    box = padded(piece.box, max(2, piece.box.h // 25)) if piece.look.invert else piece.box
    px = max(Style(0, False, canvas.mono).smallest, piece.look.size or min(_LETTERS_PX, round(box.h * _LETTERS)))
    pen = _Pen(canvas, colour, Hand(px, False, canvas.mono))
    left_out: list[str] = []
    area = box
    if piece.label:
        area = pen.heading(piece.label, area, left_out, bold=piece.look.bold)
    if piece.empty:
        return [*pen.instead(piece.empty, area), *left_out, *sign_warnings([piece.label])]
    area = pen.axes(piece, area, left_out)
    thick = 2 if area.h >= _THICK_FROM_PX else 1
    if piece.style == "bars":
        pen.bars(piece, area)
    else:
        pen.lines(piece, area, thick)
    return [*left_out, *sign_warnings([piece.label])]


class _Pen:
    """What a chart is drawn with: its page, colour and letters."""

    def __init__(self, canvas: Canvas, colour: Colour, hand: Hand) -> None:
        self._canvas, self._colour, self._hand = canvas, colour, hand

    def heading(self, label: str, area: Pixels, left_out: list[str], *, bold: bool) -> Pixels:
        """The label above; what is left of `area`."""
        height = line_height(self._hand.px)
        if area.h - height < _AREA_PX:
            left_out.append("There is no room for the chart's label.")
            return area
        self._write(label, Pixels(area.x, area.y, area.w, height), "left", bold=bold)
        return Pixels(area.x, area.y + height, area.w, area.h - height)

    def instead(self, sentence: str, area: Pixels) -> list[str]:
        """A sentence where there is nothing to plot, within a dotted frame."""
        self._dotted(area)
        room = padded(area, 3)
        style = Style(round(self._hand.px * 1.2), False, self._hand.mono)
        block = set_rows((Row(sentence, wrap=True),), (room.w, room.h), style)
        if block is None:
            return ["The box is too small for letters one can read: nothing is written in it."]
        self._canvas.block(block, room, Look(align="centre"), self._colour)
        return []

    def axes(self, piece: Plot, area: Pixels, left_out: list[str]) -> Pixels:
        """Scale, times and axes; what is left of `area` for the marks."""
        line = line_height(self._hand.px)
        gutter = max(width(piece.high, self._hand), width(piece.low, self._hand)) + self._hand.px // 2
        times = width(piece.begin, self._hand) + width(piece.end, self._hand) + self._hand.px
        if area.w - gutter >= max(_AREA_PX, times) and area.h - line >= max(_AREA_PX, 2 * line):
            inner = Pixels(area.x + gutter, area.y + line // 3, area.w - gutter, area.h - line - line // 3)
            scale = Pixels(area.x, 0, gutter - self._hand.px // 2, line)
            high_y, low_y = inner.y - line // 3, inner.y + inner.h - line + line // 4
            self._write(piece.high, msgspec.structs.replace(scale, y=high_y), "right")
            self._write(piece.low, msgspec.structs.replace(scale, y=max(low_y, high_y + line)), "right")
            below = Pixels(inner.x, area.y + area.h - line, inner.w, line)
            self._write(piece.begin, below, "left")
            self._write(piece.end, below, "right")
        else:
            left_out.append("There is no room for the chart's scale and times.")
            inner = area
        bottom = Pixels(inner.x, inner.y + inner.h - 1, inner.w, 1)
        self._canvas.rectangle(bottom, self._colour)
        self._canvas.rectangle(Pixels(inner.x, inner.y, 1, inner.h), self._colour)
        self._dots(inner.x, inner.y, inner.w, across=True)
        return Pixels(inner.x + 1, inner.y, max(1, inner.w - 1), max(1, inner.h - 1))

    def lines(self, piece: Plot, area: Pixels, thick: int) -> None:
        """A line through the means, broken at gaps; upright strokes from each column's lowest to its highest."""
        fill = self._canvas.fill(self._colour)
        stretch: list[tuple[int, int]] = []
        for mark in piece.marks:
            x = area.x + int((mark.column + 0.5) * area.w / piece.columns)
            if not mark.joined:
                self._stroke(stretch, thick)
                stretch = []
            low, high = _y(mark.low, piece, area), _y(mark.high, piece, area)
            if low - high > thick:
                self._canvas.draw.line((x, high, x, low), fill=fill, width=1)
            stretch.append((x, _y(mark.mean, piece, area)))
        self._stroke(stretch, thick)

    def bars(self, piece: Plot, area: Pixels) -> None:
        """A bar a column, from the base to the mean; one of no height is a line."""
        pitch = area.w / piece.columns
        between = 1 if pitch < 8 else 2 if pitch < 24 else round(pitch / 8)
        base = _y(piece.base, piece, area)
        for mark in piece.marks:
            left, right = (area.x + round((mark.column + side) * pitch) for side in (0, 1))
            if pitch >= 3:
                left += between - between // 2
                right -= between // 2
            top, bottom = sorted((_y(mark.mean, piece, area), base))
            self._canvas.rectangle(Pixels(left, top, max(1, right - left), max(1, bottom - top)), self._colour)
        if 0 < piece.base < piece.rows - 1:
            self._canvas.rectangle(Pixels(area.x, base, area.w, 1), self._colour)

    def _stroke(self, stretch: list[tuple[int, int]], thick: int) -> None:
        fill = self._canvas.fill(self._colour)
        if len(stretch) > 1:
            self._canvas.draw.line(stretch, fill=fill, width=thick, joint="curve" if thick > 2 else None)
        for x, y in stretch[:1] if len(stretch) == 1 else ():  # alone: a dot
            self._canvas.draw.rectangle((x - 1, y - 1, x - 1 + thick, y - 1 + thick), fill=fill)

    def _write(self, text: str, room: Pixels, align: str, *, bold: bool = False) -> None:
        style = Style(self._hand.px, bold, self._hand.mono)
        block = set_rows((Row(text),), (room.w, max(room.h, line_height(self._hand.px))), style)
        if block is not None:
            for line in block.lines:
                self._canvas.line(line, room, room.y, align, self._colour)

    def _dotted(self, box: Pixels) -> None:
        for y in (box.y, box.y + box.h - 1):
            self._dots(box.x, y, box.w, across=True)
        for x in (box.x, box.x + box.w - 1):
            self._dots(x, box.y, box.h, across=False)

    def _dots(self, x: int, y: int, length: int, *, across: bool) -> None:
        steps = range(0, length, _DOT_PX)
        points = [(x + step, y) if across else (x, y + step) for step in steps]
        self._canvas.draw.point(points, fill=self._canvas.fill(self._colour))


def _y(row: int, piece: Plot, area: Pixels) -> int:
    """The pixel row of a plot's `row`, 0 the bottom one."""
    part = row / (piece.rows - 1) if piece.rows > 1 else 0
    return area.y + area.h - 1 - round(part * (area.h - 1))
