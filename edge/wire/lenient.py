"""JSON as small devices write it: a number that is none (`NaN`, `Infinity`, `1e999`) spoils nothing but itself."""

from __future__ import annotations

import json
from typing import Any, TypeVar

import msgspec

T = TypeVar("T")


def decode(body: bytes) -> Any:
    """What is in `body`; what is no number is a float that is none, for the reader to refuse by name.

    Raises ValueError.
    """
    try:
        try:
            return msgspec.json.decode(body)
        except (msgspec.DecodeError, UnicodeDecodeError):
            return json.loads(body)
    except RecursionError as error:
        raise ValueError("it is nested too deeply") from error


def read(decoder: msgspec.json.Decoder[T], body: bytes) -> T:
    """The message in `body`, as `decoder` reads it where all of it is JSON. Raises what the decoder raises."""
    try:
        return decoder.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        try:
            value = decode(body)
            json.dumps(value, ensure_ascii=False).encode()  # half a character is no text, and nobody could store it
            return msgspec.convert(value, decoder.type)
        except (ValueError, RecursionError):
            pass  # the decoder says best what is wrong
        raise
