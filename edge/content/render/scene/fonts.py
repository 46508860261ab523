"""The letters panels are written in: FiraGO, then Noto's symbols; shipped with Outpost, never the machine's own.

So a picture is the same on every machine, and its hash with it. A glyph is asked for in one size again and again:
fonts are kept open, and each sign's width is looked up once.
"""

from __future__ import annotations

import io
import threading
from functools import cache, lru_cache

import pymupdf_fonts  # type: ignore[import-untyped]  # it has no types
from PIL import ImageFont, features

REGULAR, BOLD = "figo", "figbo"
_SYMBOLS = ("symbol2", "symbol1", "math")  # the fullest first; they have one weight
FONTS_OPEN = 24  # each holds its file: 0.8 MB for the largest
WIDTHS_KEPT = 20_000  # signs in a size; more than a site's panels use together
BASELINE, LINE = 0.94, 1.21  # of the size: from a line's top to its baseline, and to the next line's top
CAPITAL = 0.69  # of the size: how high capitals and figures stand
BOX_WIDTH = 0.62  # of the size: of the box that stands for a sign no font has
_PROBE_PX = 20  # the size in which fonts are asked what they have
_NO_SUCH_SIGN = "\U0010ffff"  # a noncharacter: its picture is what a font draws for what it lacks

_opening = threading.Lock()  # a font file is unpacked once, however many threads ask


@cache
def shapes() -> bool:
    """Whether this machine can join and stack the letters of scripts that need it (libraqm with FriBiDi)."""
    return bool(features.check("raqm") and features.check("fribidi"))


@lru_cache(maxsize=FONTS_OPEN)
def font(face: str, px: int, shaped: bool = False) -> ImageFont.FreeTypeFont:
    """`face` at `px` pixels. `shaped`: its letters joined by libraqm; else each stands as it is."""
    engine = ImageFont.Layout.RAQM if shaped else ImageFont.Layout.BASIC
    return ImageFont.truetype(io.BytesIO(_file(face)), px, layout_engine=engine)


@lru_cache(maxsize=4096)
def face_of(sign: str, bold: bool) -> str:
    """The face that has `sign`; '' where none has."""
    faces = (BOLD if bold else REGULAR, *_SYMBOLS)
    return next((face for face in faces if _has(face, sign)), "")


@lru_cache(maxsize=WIDTHS_KEPT)
def width_of(sign: str, face: str, px: int, mono: bool) -> int:
    """How far `sign` moves the next one, in pixels. `face` '': the box for a sign no font has."""
    if not face:
        return max(3, round(BOX_WIDTH * px))
    return round(font(face, px).getlength(sign, mode="1" if mono else "L"))


def _file(face: str) -> bytes:
    with _opening:
        return _unpacked(face)


@cache
def _unpacked(face: str) -> bytes:
    data: bytes = pymupdf_fonts.fontbuffers[face]()
    return data


def _has(face: str, sign: str) -> bool:
    return sign in " \u00a0" or _picture(face, sign) != _picture(face, _NO_SUCH_SIGN)


@lru_cache(maxsize=8192)
def _picture(face: str, sign: str) -> tuple[tuple[int, int], bytes]:
    mask = font(face, _PROBE_PX).getmask(sign)
    return mask.size, bytes(mask)
