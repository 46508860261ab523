"""What people write about assets, tidied and bounded before it is kept."""

from __future__ import annotations

import re

from edge.assets.model import ALIVE
from edge.errors import BadInput
from edge.wire.assets import ID_CHARS, NAME_CHARS, NOTE_CHARS

_INPUT = re.compile(r"[A-Za-z_][A-Za-z0-9_.-]{0,63}", re.ASCII)  # as the key of a reading
_SLUG = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,38}[a-z0-9])?", re.ASCII)


def name(text: str, what: str = "A name") -> str:
    """A name. Raises BadInput for an empty or overlong one, or control characters."""
    text = text.strip()
    if not 1 <= len(text) <= NAME_CHARS or not text.isprintable():
        raise BadInput(f"{what} has 1 to {NAME_CHARS} printable characters.")
    return text


def line(text: str) -> str:
    """The line an asset belongs to, '' for none. Raises BadInput."""
    return name(text, "A line") if text.strip() else ""


def note(text: str) -> str:
    """What a person writes about a stop. Raises BadInput."""
    text = text.strip()
    if len(text) > NOTE_CHARS or not text.isprintable():
        raise BadInput(f"A note has at most {NOTE_CHARS} printable characters.")
    return text


def input_key(text: str) -> str:
    """An input of a logger: the key of the readings that tell of it. Raises BadInput."""
    if not _INPUT.fullmatch(text) or text == ALIVE:
        raise BadInput(
            f"{text[:64]!r} is no input.",
            hint="An input is the key of a reading, such as in1 or pin_25; `outpost reading latest ID` lists a"
            " device's.",
        )
    return text


def slug(text: str, what: str) -> str:
    """An id that people choose. Raises BadInput."""
    if not _SLUG.fullmatch(text):
        raise BadInput(
            f"{text[:ID_CHARS]!r} is no id of a {what}.",
            hint=f"It has up to {ID_CHARS} small letters, digits and - between them, such as no-material.",
        )
    return text
