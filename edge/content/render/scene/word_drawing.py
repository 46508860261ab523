"""Words in their box, and the boxes that say why something is not there."""

from __future__ import annotations

from collections.abc import Iterable

from edge.content.render.scene.canvas import Canvas, Colour
from edge.content.render.scene.fonts import shapes
from edge.content.render.scene.settled import Broken, Look, Pixels, Row, Words
from edge.content.render.scene.signs import needs_shaping, unknown_signs
from edge.content.render.scene.typesetting import Style, set_rows

NAMED_SIGNS = 12  # of those that no font has; more are not counted up
_PADDING = 0.08  # of a filled box's smaller side, between its edge and the words


def draw_words(piece: Words, canvas: Canvas) -> list[str]:
    """`piece`, and warnings: what was cut or left out, signs that no font has."""
    colour = canvas.begin(piece.box, piece.look)
    if not piece.rows:
        return []
    room = padded(piece.box, _padding(piece.box)) if piece.look.invert else piece.box
    return [*_write(piece.rows, room, piece.look, canvas, colour), *sign_warnings(row.text for row in piece.rows)]


def draw_broken(piece: Broken, canvas: Canvas) -> list[str]:
    """A bordered box with a sentence. No warnings: it is one."""
    ink, paper = canvas.ink("black"), canvas.paper
    canvas.rectangle(piece.box, paper)
    canvas.outline(piece.box, ink)
    room = padded(piece.box, 3 + _padding(piece.box))
    style = Style(size=max(16, canvas.panel.height // 24), bold=False, mono=canvas.mono)
    block = set_rows((Row(piece.says, wrap=True),), (room.w, room.h), style)
    if block is not None:
        canvas.block(block, room, Look(align="centre"), ink)
    return []


def padded(box: Pixels, by: int) -> Pixels:
    """`box` without `by` pixels at each side, as far as it has them."""
    by = max(0, min(by, (min(box.w, box.h) - 1) // 2))
    return Pixels(box.x + by, box.y + by, box.w - 2 * by, box.h - 2 * by)


def sign_warnings(texts: Iterable[str]) -> list[str]:
    """What is to be said of the signs of `texts`."""
    kept = [text for text in texts if not text.isascii()]
    unknown = sorted({sign for text in kept for sign in unknown_signs(text)})
    found = []
    if unknown:
        more = " and others" if len(unknown) > NAMED_SIGNS else ""
        named = " ".join(unknown[:NAMED_SIGNS])
        found.append(f"No font here has {named}{more}: an open box is drawn for each.")
    if not shapes() and any(needs_shaping(text) for text in kept):
        found.append("This script's letters are not joined here: FriBiDi is not installed on this machine.")
    return found


def _write(rows: tuple[Row, ...], room: Pixels, look: Look, canvas: Canvas, colour: Colour) -> list[str]:
    block = set_rows(rows, (room.w, room.h), Style(look.size, look.bold, canvas.mono))
    if block is None:
        canvas.outline(room, colour)
        return ["The box is too small for letters one can read: nothing is written in it."]
    canvas.block(block, room, look, colour)
    found = []
    if block.cut:
        found.append("The text is longer than its box has room for: it is cut, with an ellipsis.")
    if block.left_out:
        found.append(f"There is no room for {', '.join(repr(text) for text in block.left_out)}.")
    return found


def _padding(box: Pixels) -> int:
    return max(3, round(min(box.w, box.h) * _PADDING))
