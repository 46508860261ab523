"""A few words beneath a QR code: a name, an amount. They never cost the code a pixel."""

from __future__ import annotations

import unicodedata
from functools import lru_cache

from PIL import Image, ImageDraw, ImageFont

MAX_LINES = 2
MAX_ASKED_LINES = 8  # looked through for lines that can be written
LARGEST_PX, SMALLEST_PX = 32, 18  # font sizes tried, in this order, before a line is cut with an ellipsis
SIDE_MARGIN_PX = 8
LINE_PX = 42  # from one line's top to the next one's, whatever its size
MAX_LINE_CHARS = 120  # more is cut before it is looked at: no panel here holds half of it
_ELLIPSIS = "…"
_NO_SUCH_GLYPH = "\U0010ffff"  # a noncharacter: its picture is the font's empty box
# Signs the built-in font lacks, as they are written without them. The yen sign stays out: it is two currencies.
_SPELLED = {
    "₹": "Rs ", "€": "EUR ", "£": "GBP ", "\u2013": "-", "\u2014": "-", "•": "·", "ß": "ss", "æ": "ae", "Æ": "AE",
    "œ": "oe", "Œ": "OE", "ø": "o", "Ø": "O", "ł": "l", "Ł": "L", "đ": "d", "Đ": "D", "\u0131": "i",
}  # fmt: skip


def draw_caption(page: Image.Image, caption: str, top: int, bottom: int) -> None:
    """Draw up to MAX_LINES lines of `caption`, centred, into rows top..bottom of `page` (mode "1").

    A line too wide is set smaller, then cut with an ellipsis, never clipped. The font is Pillow's own (Aileron,
    Latin): accents it lacks are left off, a few currency signs spelled out (₹ as Rs), and a line with any other
    glyph it lacks (Devanagari, Chinese, emoji) is dropped whole: nobody sees boxes, or half a name.
    Lines without room are left out, the last first.
    """
    draw = ImageDraw.Draw(page)
    for number, line in enumerate(caption_lines(caption)[: (bottom - top) // LINE_PX]):
        fitted, font = _fitted(line, page.width - 2 * SIDE_MARGIN_PX)
        draw.text((page.width / 2, top + number * LINE_PX), fitted, font=font, anchor="ma", fill=0)


def caption_height(caption: str, room_px: int) -> int:
    """Rows that draw_caption needs of `room_px`: whole lines only, so 0 where not even one has room."""
    return LINE_PX * min(len(caption_lines(caption)), max(0, room_px) // LINE_PX)


def caption_lines(caption: str) -> list[str]:
    """The lines of `caption` that can be drawn, as they will be written."""
    lines = (_writable(line[:MAX_LINE_CHARS]) for line in caption.splitlines()[:MAX_ASKED_LINES])
    return [line for line in lines if line][:MAX_LINES]


def _writable(line: str) -> str:
    """`line` in glyphs the font has; empty when it cannot be."""
    spelled = "".join(_SPELLED.get(sign, sign) for sign in unicodedata.normalize("NFC", line))
    text = "".join(_known(sign) for sign in spelled)
    text = " ".join(text.split())
    return text if all(_has_glyph(sign) for sign in text) else ""


def _known(sign: str) -> str:
    """`sign`, or its base letter when only the accent is missing; spaces for controls and separators."""
    category = unicodedata.category(sign)
    if category in ("Cc", "Zs", "Zl", "Zp"):
        return " "
    if category == "Cf":  # joiners, direction marks: no picture of their own
        return ""
    if _has_glyph(sign):
        return sign
    base = unicodedata.normalize("NFD", sign)[0]
    return base if base.isascii() else sign


def _fitted(line: str, width: int) -> tuple[str, ImageFont.FreeTypeFont]:
    for size in range(LARGEST_PX, SMALLEST_PX - 1, -2):
        if _font(size).getlength(line) <= width:
            return line, _font(size)
    font, kept = _font(SMALLEST_PX), line
    while kept and font.getlength(kept + _ELLIPSIS) > width:
        kept = kept[:-1].rstrip()
    return kept + _ELLIPSIS, font


@lru_cache(maxsize=2048)
def _has_glyph(sign: str) -> bool:
    return sign == " " or _drawn(sign) != _drawn(_NO_SUCH_GLYPH)


def _drawn(sign: str) -> tuple[tuple[int, int], bytes]:
    mask = _font(SMALLEST_PX).getmask(sign)
    return mask.size, bytes(mask)


@lru_cache(maxsize=16)
def _font(size: int) -> ImageFont.FreeTypeFont:
    font = ImageFont.load_default(size)
    if not isinstance(font, ImageFont.FreeTypeFont):  # a Pillow built without FreeType
        raise RuntimeError("Pillow was built without FreeType; install the wheel from PyPI")
    return font
