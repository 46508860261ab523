"""Text of strangers made into text for a panel: no tags, no control characters, nothing that turns others around.

A feed's text may be HTML, a joke's may have entities in it, and either may hold characters that are not seen but
change what is: they reverse what follows, or hide. Plain right-to-left text stays as it is.
"""

from __future__ import annotations

import html
import re
import unicodedata

TEXT_CHARS = 1000  # of one value
RAW_CHARS = 8000  # looked at; what comes behind is never read
_SHORTENED = "…"

_HIDDEN = re.compile(r"<\s*(script|style)\b", re.IGNORECASE)
_BLOCKS = (
    "address article aside blockquote br dd div dl dt figure footer h1 h2 h3 h4 h5 h6 header hr li main nav ol p"
)
_BLOCKS += " pre section table tbody td tfoot th thead tr ul"
_INLINE = (
    "a abbr b bdi bdo big cite code del em font i iframe img ins kbd mark q s small span strong sub sup tt u var"
)
_INLINE += " video audio source picture script style html head body title link meta center strike"
_TAG = re.compile(r"</?([a-zA-Z][a-zA-Z0-9]{0,15})(?:[\s/][^<>]*)?>")
_SPACED, _CLOSE = frozenset(_BLOCKS.split()), frozenset(_INLINE.split())
_TURNING = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
_JOINING = frozenset("\u200c\u200d\u200e\u200f\u061c")  # Persian and emoji need the first two, mixed text the rest
_UNSEEN = frozenset({"Cc", "Cf", "Cs", "Co"})


def plain(text: str) -> str:
    """`text` on one line, at most TEXT_CHARS characters, an ellipsis where it was longer. HTML is turned to text;
    what only looks like it (`a < b`, `List<String>`) stays."""
    text = _without(text[:RAW_CHARS], re.compile("<!--"), re.compile("-->"))
    text = _without(text, _HIDDEN, re.compile(r"</\s*(script|style)\s*>", re.IGNORECASE))
    text = html.unescape(_TAG.sub(_tag, text))
    text = unicodedata.normalize("NFC", "".join(_seen(char) for char in text))
    text = " ".join(text.split())
    return text if len(text) <= TEXT_CHARS else text[: TEXT_CHARS - 1].rstrip() + _SHORTENED


def _without(text: str, opening: re.Pattern[str], closing: re.Pattern[str]) -> str:
    """`text` less what stands between the two, to its end where nothing closes it."""
    kept, at = [], 0
    while (begin := opening.search(text, at)) is not None:
        kept.append(text[at : begin.start()])
        end = closing.search(text, begin.end())
        at = end.end() if end else len(text)
    return "".join([*kept, text[at:]])


def _tag(found: re.Match[str]) -> str:
    """What stands in a tag's place: a space where it would begin a line; what is no tag of HTML, itself."""
    name = found[1].lower()
    if name in _SPACED:
        return " "
    return "" if name in _CLOSE else found[0]


def _seen(char: str) -> str:
    if char.isascii() and char.isprintable():
        return char
    if char.isspace():
        return " "
    if char in _TURNING or char in _JOINING:
        return char if char in _JOINING else ""
    category = unicodedata.category(char)
    return " " if category == "Cc" else "" if category in _UNSEEN else char
