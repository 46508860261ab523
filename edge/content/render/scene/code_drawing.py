"""QR codes in a layout: whole pixels a module, dark on light whatever the layout is, and read back."""

from __future__ import annotations

from functools import lru_cache

from PIL import Image

from edge.content.render.qr import (
    MIN_MODULE_PX,
    QUIET_MODULES,
    bitmap,
    largest_module,
    modules_across,
    read_qr,
    symbol,
)
from edge.content.render.scene.canvas import Canvas, within
from edge.content.render.scene.settled import Code, Look, Pixels, Row
from edge.content.render.scene.signs import width
from edge.content.render.scene.typesetting import Block, Style, set_rows
from edge.content.render.scene.word_drawing import sign_warnings
from edge.errors import BadPicture

CODES_KEPT = 32  # drawn and read back; a code of 300 by 300 pixels is 90 KB
_CAPTION = 0.11  # of the box's height: of the caption's letters at most
_CAPTION_PX = 28  # and no larger than this


def draw_code(piece: Code, canvas: Canvas) -> list[str]:
    """`piece`, its caption beneath where that leaves the code readable. Raises BadPicture: too fine for its box."""
    box, look = piece.box, piece.look
    caption = _caption(piece, canvas)
    try:
        image = _code_image(piece.payload, box.w, box.h - (caption.height if caption else 0))
    except BadPicture:
        if caption is None:
            raise
        caption, image = None, _code_image(piece.payload, box.w, box.h)
    total = image.height + (caption.height if caption else 0)
    left, top = within(box, (image.width, total), look)
    canvas.image.paste(image.convert(canvas.panel.mode), (left, top))
    if caption:
        longest = max(width(line.text, line.hand) for line in caption.lines)
        start = left + (image.width - longest) // 2  # beneath the middle of its code, as far as the box lets it
        start = max(box.x, min(start, box.x + box.w - longest))
        room = Pixels(start, top + image.height, longest, caption.height)
        canvas.block(caption, room, Look(), canvas.ink("black"))
    missing = ["There is no room for the caption beneath the code."] if piece.caption and not caption else []
    cut = ["The caption is cut, with an ellipsis."] if caption and caption.cut else []
    return [*missing, *cut, *sign_warnings([piece.caption])]


def _caption(piece: Code, canvas: Canvas) -> Block | None:
    if not piece.caption.strip():
        return None
    style = Style(size=piece.look.size or _CAPTION_PX, bold=piece.look.bold, mono=canvas.mono)
    room = (piece.box.w, max(round(piece.box.h * _CAPTION * 1.3), round(style.smallest * 1.4)))
    return set_rows((Row(piece.caption),), room, style) if room[1] < piece.box.h else None


@lru_cache(maxsize=CODES_KEPT)
def _code_image(payload: str, across: int, down: int) -> Image.Image:
    """`payload` and its quiet zone, mode "L", as large as fits, and read back. Raises BadPicture."""
    code = symbol(payload)
    if min(across, down) < MIN_MODULE_PX * modules_across(code):
        raise BadPicture("this QR code is too fine for its box: make the box larger, or the text shorter")
    module_px = largest_module(code, across, down)
    side = modules_across(code) * module_px
    image = Image.new("L", (side, side), 255)
    image.paste(bitmap(code, module_px), (QUIET_MODULES * module_px, QUIET_MODULES * module_px))
    if read_qr(image) != payload:
        raise BadPicture("the drawn code does not read back as its payload", hint="Use a shorter payload.")
    return image
