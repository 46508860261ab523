"""A page to draw on, in the shades its panel has: paper and ink, boxes, lines and text."""

from __future__ import annotations

from collections.abc import Iterable

from PIL import Image, ImageColor, ImageDraw

from edge.content.render.panels import Panel
from edge.content.render.scene.fonts import BASELINE, BOX_WIDTH, CAPITAL, font
from edge.content.render.scene.settled import Look, Pixels
from edge.content.render.scene.signs import Run, runs
from edge.content.render.scene.typesetting import Block, Line, height_of, line_height

_NAMES = {"black": (0, 0, 0), "white": (255, 255, 255), "grey": (128, 128, 128), "lightgrey": (200, 200, 200)}
_WHITE_FROM = 250  # of 255: on two shades only what is as good as white is white; all else has to be seen
Colour = tuple[int, int, int]


class Canvas:
    """The page of one panel. `dark`: paper is black, and what layouts call black is white."""

    def __init__(self, panel: Panel, *, dark: bool) -> None:
        self.panel, self.dark = panel, dark
        self.mono = panel.shades == 2
        self.paper: Colour = (0, 0, 0) if dark else (255, 255, 255)
        self.image = Image.new(panel.mode, (panel.width, panel.height), self.fill(self.paper))
        self.draw = ImageDraw.Draw(self.image)
        self.draw.fontmode = "1" if self.mono else "L"

    def ink(self, colour: str) -> Colour:
        """A layout's `colour` as this page has it: black and white change places on a dark one."""
        rgb: Colour = _NAMES.get(colour) or ImageColor.getrgb(colour)[:3]
        if self.mono:
            rgb = (255, 255, 255) if _grey(rgb) >= _WHITE_FROM else (0, 0, 0)
        if self.dark and rgb in (_NAMES["black"], _NAMES["white"]):
            return (255 - rgb[0], 255 - rgb[1], 255 - rgb[2])
        return rgb

    def fill(self, colour: Colour) -> int | Colour:
        """`colour` as Pillow wants it for this page."""
        return colour if self.panel.mode == "RGB" else _grey(colour)

    def begin(self, box: Pixels, look: Look) -> Colour:
        """Fill `box` where `look` is inverted; the colour to write in."""
        ink = self.ink(look.colour)
        if not look.invert:
            return ink
        self.rectangle(box, ink)
        return self.paper if ink != self.paper else self.ink("black")

    def rectangle(self, box: Pixels, colour: Colour) -> None:
        """`box`, filled."""
        self.draw.rectangle((box.x, box.y, box.x + box.w - 1, box.y + box.h - 1), fill=self.fill(colour))

    def outline(self, box: Pixels, colour: Colour, thick: int = 1) -> None:
        """The edge of `box`, `thick` pixels, all within it."""
        thick = max(1, min(thick, (min(box.w, box.h) + 1) // 2))
        corners = (box.x, box.y, box.x + box.w - 1, box.y + box.h - 1)
        self.draw.rectangle(corners, outline=self.fill(colour), width=thick)

    def block(self, block: Block, box: Pixels, look: Look, colour: Colour) -> None:
        """`block` within `box`, as `look` has it aligned. As large as fits and in the middle, what stands beside
        goes to the box's top and bottom, so that labels of boxes beside each other are in one line."""
        if look.size or look.valign != "middle":
            _, top = within(box, (0, block.height), look)
            self._lines((*block.above, *block.lines, *block.below), box, top, look.align, colour)
            return
        above, below = height_of(block.above), height_of(block.below)
        between = Pixels(box.x, box.y + above, box.w, max(1, box.h - above - below))
        _, top = within(between, (0, height_of(block.lines)), look)
        self._lines(block.above, box, box.y, look.align, colour)
        self._lines(block.lines, box, top, look.align, colour)
        self._lines(block.below, box, box.y + box.h - below, look.align, colour)

    def _lines(self, lines: Iterable[Line], box: Pixels, top: int, align: str, colour: Colour) -> None:
        for line in lines:
            self.line(line, box, top, align, colour)
            top += line_height(line.hand.px)

    def line(self, line: Line, box: Pixels, top: int, align: str, colour: Colour) -> None:
        """One line whose top is at `top`, between the left and right of `box`."""
        seen = runs(line.text, line.hand, line.direction)
        x = box.x + round((box.w - sum(run.width for run in seen)) * _PART[align])
        baseline = top + round(BASELINE * line.hand.px)
        for run in seen:
            self._run(run, line, x, baseline, colour)
            x += run.width

    def _run(self, run: Run, line: Line, x: int, baseline: int, colour: Colour) -> None:
        px, fill = line.hand.px, self.fill(colour)
        if run.face:
            face = font(run.face, px, run.shaped)
            self.draw.text((x, baseline), run.text, font=face, fill=fill, anchor="ls")
            return
        step = run.width // len(run.text)
        for number in range(len(run.text)):  # an open box for each sign that no font has
            left = x + number * step + 1
            right = max(left + 1, left + min(step, round(BOX_WIDTH * px)) - 3)
            corners = (left, baseline - round(CAPITAL * px), right, baseline)
            self.draw.rectangle(corners, outline=fill, width=max(1, px // 16))


def within(box: Pixels, size: tuple[int, int], look: Look) -> tuple[int, int]:
    """The upper left corner of something of `size` in `box`, as `look` has it aligned."""
    left = box.x + round((box.w - size[0]) * _PART[look.align])
    return left, box.y + round((box.h - size[1]) * _PART[look.valign])


_PART = {"left": 0.0, "centre": 0.5, "right": 1.0, "top": 0.0, "middle": 0.5, "bottom": 1.0}


def _grey(colour: Colour) -> int:
    """Its brightness, 0..255, as Pillow's "L" has it."""
    return (colour[0] * 19595 + colour[1] * 38470 + colour[2] * 7471 + 0x8000) >> 16
