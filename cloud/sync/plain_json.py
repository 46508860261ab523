"""JSON that hubs tell, as far as it can be told again: whatever is kept of it, nobody who reads it stumbles."""

from __future__ import annotations

import msgspec

from edge.wire.views import Json

DEPTH_MAX = 32  # objects and lists within each other
INT_MAX = 2**64 - 1  # either way


class NotPlain(ValueError):
    """It is no JSON, or is nested too deep, or has a number that is too long."""


def decoded(raw: str | bytes) -> Json:
    """What it says. Raises NotPlain."""
    try:
        told: Json = msgspec.json.decode(raw)
        _require_plain(told)
    except (msgspec.MsgspecError, RecursionError, OverflowError, ValueError, TypeError) as error:
        raise NotPlain(str(error)) from error
    return told


def one_line(text: str, most: int) -> str:
    """A text as one line of up to `most` characters: without what moves a terminal's cursor or colours it."""
    return "".join(char if char.isprintable() else " " for char in text[:most]).strip()


def plain_object(raw: str | bytes) -> dict[str, Json]:
    """The object it says, an empty one where it says none."""
    try:
        told = decoded(raw)
    except NotPlain:
        return {}
    return told if isinstance(told, dict) else {}


def _require_plain(told: Json) -> None:
    level, depth = [told], 0
    while level:
        if any(isinstance(part, int) and not -INT_MAX <= part <= INT_MAX for part in level):
            raise NotPlain("a number in it is past 64 bit")
        within = [each for each in level if isinstance(each, dict | list)]
        depth += 1
        if within and depth > DEPTH_MAX:
            raise NotPlain(f"it is nested more than {DEPTH_MAX} deep")
        level = [part for each in within for part in _parts(each)]


def _parts(thing: dict[str, Json] | list[Json]) -> list[Json]:
    return list(thing.values()) if isinstance(thing, dict) else thing
