"""Text from devices and clients, made safe to look at.

Anyone on the LAN can choose a name. It may carry terminal escapes, right-to-left overrides, zero-width letters or
ten kilobytes. Here such characters become visible escapes, so that a name looks like what it is. Markup is not
handled here: nothing from outside is ever parsed as markup.
"""

from __future__ import annotations

import unicodedata

LONGEST = 200  # characters shown of any one text; past it an ellipsis says so
MOST_MARKS = 2  # combining marks on one letter; more is decoration that spills over the lines around it
HIDDEN = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})
BLANKS = frozenset("\u115f\u1160\u2800\u3164\uffa0")  # letters that draw nothing
ELLIPSIS = "…"


def literal(text: str, longest: int = LONGEST) -> str:
    """`text` on one line with every invisible or steering character escaped, cut at `longest` characters."""
    shown: list[str] = []
    marks = 0
    for char in text[: longest + 1]:
        marks = marks + 1 if unicodedata.combining(char) else 0
        shown.append(_escape(char) if marks > MOST_MARKS or _steers(char) else char)
    line = "".join(shown)
    return line if len(text) <= longest and len(line) <= longest else line[: longest - 1] + ELLIPSIS


def typeable(text: str, longest: int = 40) -> bool:
    """Whether a person can be asked to type `text`: short, printable ASCII, no blanks at its ends."""
    return 0 < len(text) <= longest and text.isascii() and text.isprintable() and text == text.strip()


def _steers(char: str) -> bool:
    if char in BLANKS:
        return True
    category = unicodedata.category(char)
    return category in HIDDEN or (category == "Zs" and char != " ")


def _escape(char: str) -> str:
    code = ord(char)
    if code < 0x100:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"
