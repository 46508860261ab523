"""A paragraph made into lines: at spaces, after hyphens, and inside a word only where nothing else fits.

It works in the order one reads, on widths alone; what a sign looks like is not its business.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable

Width = Callable[[str], float]

ELLIPSIS = "…"
# What stays together: signs up to a space, or up to and with a hyphen that is no minus, and the spaces that follow.
_PART = re.compile(r"(?:[^ \-\u2010\u2013\u2014]|[\-\u2010\u2013\u2014](?=\d))*[\-\u2010\u2013\u2014]* *")


def wrapped(paragraph: str, room: float, width: Width, *, break_words: bool) -> list[str] | None:
    """The lines of `paragraph`, none wider than `room`; None where a word is too wide and may not be broken.

    Spaces at a line's end are left off. With `break_words` a sign that is wider than `room` stands alone, too wide.
    """
    lines: list[str] = []
    line, taken = "", 0.0
    for part in parts(paragraph):
        bare = width(part.rstrip(" "))
        if taken + bare <= room:
            line, taken = line + part, taken + width(part)
            continue
        if line.strip(" "):
            lines.append(line.rstrip(" "))
        if bare <= room:
            line = part
        elif break_words:
            *whole, line = _broken(part, room, width)
            lines.extend(whole)
        else:
            return None
        taken = width(line)
    return [*lines, line.rstrip(" ")]


def parts(paragraph: str) -> list[str]:
    """`paragraph` in pieces that stay together, spaces and hyphens at the end of each."""
    return [part for part in _PART.findall(paragraph) if part]


def shortened(line: str, room: float, width: Width) -> str:
    """As much of `line` as fits into `room` with an ellipsis behind it; '' where not even that does."""
    most = _most(len(line), lambda count: width(line[:count].rstrip() + ELLIPSIS) <= room)
    cut = line[: _whole_signs(line, most)].rstrip() + ELLIPSIS
    return cut if width(cut) <= room else ""


def _broken(word: str, room: float, width: Width) -> list[str]:
    """`word` in pieces no wider than `room`, the last with the spaces behind it."""
    pieces: list[str] = []
    length = len(word.rstrip(" "))
    begin = 0
    while length - begin > 1:
        rest = word[begin:]
        most = _most(length - begin, _fitting(rest, room, width))
        if most == length - begin:
            break
        at = _whole_signs(rest, max(1, most)) or _next_whole(rest, max(1, most))
        pieces.append(rest[:at])
        begin += at
    return [*pieces, word[begin:]]


def _fitting(text: str, room: float, width: Width) -> Callable[[int], bool]:
    return lambda count: width(text[:count]) <= room


def _most(limit: int, fits: Callable[[int], bool]) -> int:
    """The largest count up to `limit` that fits, 0 where none does. Small ones are tried first: what is tried is
    never much longer than a line, however long the word."""
    low, high = 0, 1
    while high < limit and fits(high):
        low, high = high, high * 2
    high = min(high, limit)
    while low < high:
        middle = (low + high + 1) // 2
        if fits(middle):
            low = middle
        else:
            high = middle - 1
    return low


def _whole_signs(text: str, at: int) -> int:
    """`at`, or less: where no accent is parted from its letter."""
    while 0 < at < len(text) and unicodedata.combining(text[at]):
        at -= 1
    return at


def _next_whole(text: str, at: int) -> int:
    while at < len(text) and unicodedata.combining(text[at]):
        at += 1
    return at
