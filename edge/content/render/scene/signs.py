"""Text made ready for fonts: cleaned, its letters joined, and in the order they stand on the line.

Wrapping happens before, in the order one reads; only a finished line is put into the order one sees.
"""

from __future__ import annotations

import unicodedata
from functools import cache, lru_cache

import msgspec
from arabic_reshaper import ArabicReshaper  # type: ignore[import-untyped]  # it has no types

# Of python-bidi's two engines only this one turns brackets round where they are read from the right.
from bidi.algorithm import get_base_level, get_display  # type: ignore[import-untyped]  # nor has it

from edge.content.render.scene.fonts import face_of, font, shapes, width_of

# Scripts whose letters stack or change places: Indic ones and those of South-East Asia.
_STACKED = (range(0x0900, 0x0E00), range(0x0E00, 0x1000), range(0x1000, 0x10A0), range(0x1780, 0x1800))
_JOINED = (range(0x0600, 0x0700), range(0x0750, 0x0780))  # Arabic: each letter has up to four forms
_RIGHT_TO_LEFT = frozenset({"R", "AL", "AN", "RLE", "RLO", "RLI"})
WORDS_KEPT = 8192  # words and lines whose widths are remembered: those of a few hundred layouts
_REPLACED = "\N{REPLACEMENT CHARACTER}"
_NO_SIGNS = frozenset({"Cs", "Cn"})  # halves of pairs, and what Unicode has not given out: it has no direction


class Run(msgspec.Struct, frozen=True):
    """Signs of one face, left to right as they are seen. `face` '': no font has them. `width` in pixels."""

    text: str
    face: str
    shaped: bool
    width: int


class Hand(msgspec.Struct, frozen=True):
    """How something is written: the size in pixels, its weight, and whether pixels are black or white alone."""

    px: int
    bold: bool
    mono: bool


def clean(text: str) -> str:
    """`text` with nothing in it that is neither a sign nor a newline: controls are spaces, what is no sign is
    replaced, accents stand on their letters where there is such a sign."""
    if text.isascii() and text.isprintable():
        return text
    lines = text.replace("\r\n", "\n").replace("\r", "\n").replace("\u2028", "\n").replace("\u2029", "\n")
    return unicodedata.normalize("NFC", "".join(_clean_sign(sign) for sign in lines))


@lru_cache(maxsize=WORDS_KEPT)
def width(text: str, hand: Hand) -> int:
    """Pixels from the left to the right of `text`, one line, in the order one reads."""
    if needs_shaping(text):
        return sum(run.width for run in runs(text, hand))
    signs = text if text.isascii() else _joined(text)  # in which order they stand makes no difference
    return sum(width_of(sign, face_of(sign, hand.bold), hand.px, hand.mono) for sign in signs)


def runs(text: str, hand: Hand, direction: str = "") -> tuple[Run, ...]:
    """`text`, one line, as it is seen: runs of one face each, left to right. `direction`: "L" or "R", that of its
    paragraph; '' finds it by the first letter."""
    return _runs(text, hand, direction)


@lru_cache(maxsize=4096)
def direction_of(paragraph: str) -> str:
    """ "R" where a paragraph is read from the right, else "L"."""
    return "R" if not paragraph.isascii() and get_base_level(paragraph.translate(_ISOLATES)) == 1 else "L"


def unknown_signs(text: str) -> set[str]:
    """The signs of `text` that no font has."""
    return {sign for sign in _seen(text, "") if not sign.isspace() and not face_of(sign, False)}


def needs_shaping(text: str) -> bool:
    """Whether letters of `text` stack or change places, which takes libraqm."""
    return not text.isascii() and any(_is_in(sign, _STACKED) for sign in text)


@lru_cache(maxsize=4096)
def _runs(text: str, hand: Hand, direction: str) -> tuple[Run, ...]:
    found: list[tuple[str, bool, list[str]]] = []
    for sign in _seen(text, direction):
        face = face_of(sign, hand.bold)
        shaped = bool(face) and _is_in(sign, _STACKED) and shapes()
        if found and found[-1][:2] == (face, shaped):
            found[-1][2].append(sign)
        else:
            found.append((face, shaped, [sign]))
    return tuple(_run("".join(signs), face, shaped, hand) for face, shaped, signs in found)


def _run(text: str, face: str, shaped: bool, hand: Hand) -> Run:
    if shaped:
        long = font(face, hand.px, True).getlength(text, mode="1" if hand.mono else "L")
        return Run(text, face, True, round(long))
    return Run(text, face, False, sum(width_of(sign, face, hand.px, hand.mono) for sign in text))


def _seen(text: str, direction: str) -> str:
    """`text` in the order it is seen, letters joined, marks without a picture left off."""
    if text.isascii():
        return text
    joined = _joined(text, keep=True)
    if direction == "R" or any(unicodedata.bidirectional(sign) in _RIGHT_TO_LEFT for sign in text):
        joined = str(get_display(joined, base_dir=direction or None))
    return "".join(sign for sign in joined if _is_drawn(sign))


def _joined(text: str, *, keep: bool = False) -> str:
    """`text` in the order one reads, its Arabic letters joined. `keep`: with the marks that have no picture."""
    text = text.translate(_ISOLATES)
    if any(_is_in(sign, _JOINED) for sign in text):
        text = _reshaper().reshape(text)
    return text if keep else "".join(sign for sign in text if _is_drawn(sign))


@lru_cache(maxsize=8192)
def _is_drawn(sign: str) -> bool:
    return unicodedata.category(sign) != "Cf" and sign not in _SELECTORS


_ISOLATES = dict.fromkeys(range(0x2066, 0x206A))  # newer than the engine knows: taken out
_SELECTORS = frozenset(chr(code) for code in range(0xFE00, 0xFE10))  # "as a picture": no sign of their own


@cache
def _reshaper() -> ArabicReshaper:
    # FiraGO has the joined forms; a letter that stands alone is the letter itself.
    return ArabicReshaper({"use_unshaped_instead_of_isolated": True})


def _clean_sign(sign: str) -> str:
    category = unicodedata.category(sign)
    if sign == "\n":
        return sign
    if category in ("Cc", "Zl", "Zp") or (category == "Zs" and sign != "\u00a0"):
        return " "
    return _REPLACED if category in _NO_SIGNS else sign


def _is_in(sign: str, ranges: tuple[range, ...]) -> bool:
    return any(ord(sign) in within for within in ranges)
