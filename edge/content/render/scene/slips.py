"""What a layout's writer hardly meant, seen from the layout alone: it is drawn all the same."""

from __future__ import annotations

import re
from difflib import get_close_matches

from edge.content.render.scene.placing import reaches_beyond
from edge.wire.content import Note
from edge.wire.layouts import AnyElement, Layout, TextElement

BRACE_WORDS = ("{name}", "{site}")
_BRACES = re.compile(r"\{\{|\}\}|\{\w{1,32}\}")


def slips(layout: Layout) -> list[Note]:
    """Warnings about all its elements."""
    return [note for number, element in enumerate(layout.elements) for note in slips_of(number, element)]


def slips_of(number: int, element: AnyElement) -> list[Note]:
    """Warnings about the element of this number: `{nme}`, a box that is not all on the panel."""
    texts = []
    if isinstance(element, TextElement):
        found = dict.fromkeys(_BRACES.findall(element.text))
        texts = [_unknown(word) for word in found if word not in ("{{", "}}", *BRACE_WORDS)]
    if reaches_beyond(element.box):
        texts.append("Its box reaches beyond the panel's edge: what is there is not drawn.")
    return [Note(element=number, level="warning", text=text) for text in texts]


def nearest(word: str, known: list[str]) -> str:
    """` Did you mean …?` where a known word is close to `word`, else ''."""
    lower = {one.casefold(): one for one in known}
    close = get_close_matches(word.casefold(), list(lower), n=1)
    return f" Did you mean `{lower[close[0]]}`?" if close else ""


def _unknown(word: str) -> str:
    meant = nearest(word, list(BRACE_WORDS)) or " There are `{name}` and `{site}`."
    return f"`{word}` stands there as it is written.{meant} A brace that is meant is written twice."
