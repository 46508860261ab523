"""What a fact's body says, whatever it holds: a hub of another version, or a broken one, must not stop its
stream."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from edge.wire.sync import NAME_CHARS

TEXT_CHARS = 4000
NUMBER_MAX = 2**63 - 1
SMALL_MAX = 2**31 - 1

_decoder = msgspec.json.Decoder()


def body_of(raw: str) -> dict[str, Any]:
    """The body, empty when it is no JSON object."""
    try:
        body = _decoder.decode(raw)
    except (msgspec.DecodeError, UnicodeError, RecursionError):
        return {}
    return body if isinstance(body, dict) else {}


def text(body: Mapping[str, Any], name: str) -> str:
    """A text, '' when it is none; without what a database does not take, and cut short."""
    value = body.get(name)
    return value[:TEXT_CHARS].replace("\0", " ") if isinstance(value, str) else ""


def name(body: Mapping[str, Any], field: str) -> str:
    """A text that is an id or a kind, '' when it is none or longer than such a thing is."""
    value = text(body, field)
    return value if len(value) <= NAME_CHARS else ""


def number(body: Mapping[str, Any], name: str, most: int = NUMBER_MAX) -> int:
    """A whole number that a database holds, 0 when it is none or beyond `most`."""
    value = body.get(name)
    is_one = isinstance(value, int) and not isinstance(value, bool) and -most <= value <= most
    return value if is_one and isinstance(value, int) else 0


def numeral(body: Mapping[str, Any], name: str) -> float | None:
    """A number, None when it is none."""
    value = body.get(name)
    if isinstance(value, bool) or not isinstance(value, int | float) or not -NUMBER_MAX <= value <= NUMBER_MAX:
        return None
    return float(value)
