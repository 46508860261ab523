"""JSON that hubs tell, as far as it can be told again: whatever is kept of it, nobody who reads it stumbles."""

from __future__ import annotations

import msgspec

from edge.wire.views import Json

DEPTH_MAX = 32  # objects and lists within each other

_encode = msgspec.json.Encoder().encode


class NotPlain(ValueError):
    """It is no JSON, or is nested too deep, or has a number that is too long."""


def decoded(raw: str | bytes) -> Json:
    """What it says. Raises NotPlain."""
    try:
        told: Json = msgspec.json.decode(raw)
        if not _is_shallow(told):
            raise NotPlain(f"it is nested more than {DEPTH_MAX} deep")
        _encode(told)  # a number past 64 bit is read, and cannot be written
    except (msgspec.MsgspecError, RecursionError, OverflowError, ValueError, TypeError) as error:
        raise NotPlain(str(error)) from error
    return told


def plain_object(raw: str | bytes) -> dict[str, Json]:
    """The object it says, an empty one where it says none."""
    try:
        told = decoded(raw)
    except NotPlain:
        return {}
    return told if isinstance(told, dict) else {}


def _is_shallow(told: Json) -> bool:
    level = [told] if isinstance(told, dict | list) else []
    for _ in range(DEPTH_MAX):
        level = [part for each in level for part in _parts(each) if isinstance(part, dict | list)]
        if not level:
            return True
    return not level


def _parts(thing: Json) -> list[Json]:
    if isinstance(thing, dict):
        return list(thing.values())
    return thing if isinstance(thing, list) else []
