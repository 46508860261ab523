"""What a caller calls a picture: which of the four forms it is. Pure; nothing is fetched or decoded here.

Rules, in this order; the first that fits decides, and a broken one is an error, never a try at the next:

1. bytes are a picture file.
2. Text that begins (spaces aside, any case) with `data:` is a data URI: `data:image/…;base64,…`.
3. Text that begins with `http://` or `https://` is the address of a picture. A QR code that shall *hold* an
   address is sent as a payload, not as a picture.
4. Text that begins as the base64 of a PNG, JPEG, GIF, WebP or BMP file begins is base64.
5. Any other text is the payload of a QR code, taken character by character as it is.

Base64 may be broken by spaces and newlines and may lack its `=`; nothing else is forgiven.
"""

from __future__ import annotations

import base64
import binascii
import re

import msgspec

from edge.errors import BadPicture, TooLarge

MAX_PICTURE_BYTES = 8 * 1024 * 1024
_DATA_URI = re.compile(r"data:(?P<type>[^,;]*)(?P<parameters>(?:;[^,;]*)*),", re.IGNORECASE)
_HEAD_CHARS = 256  # a data URI's part before its comma is never longer
# How files begin once they are base64: PNG, JPEG, GIF, RIFF (WebP), BMP (with its reserved zero bytes).
_BASE64_PICTURE = re.compile(r"iVBORw0KGgo|/9j/|R0lGOD[dl]|UklGR|Qk[0-3][A-Za-z0-9+/]{5}AAAA")
_SPACE = re.compile(r"\s+")


class PictureFile(msgspec.Struct, frozen=True):
    """The bytes of a picture file, of whatever format."""

    data: bytes


class PictureUrl(msgspec.Struct, frozen=True):
    """Where a picture is to be fetched."""

    url: str


class PayloadText(msgspec.Struct, frozen=True):
    """What a QR code shall hold."""

    text: str


Source = PictureFile | PictureUrl | PayloadText


def parse_source(source: str | bytes) -> Source:
    """Tell the forms apart by the rules above. Raises BadPicture (broken, empty), TooLarge (MAX_PICTURE_BYTES)."""
    if isinstance(source, bytes):
        return PictureFile(bounded(source))
    text = source.strip()
    if not text:
        raise BadPicture("the picture is empty")
    head = text[:_HEAD_CHARS]
    if head[:5].lower() == "data:":
        return PictureFile(_from_data_uri(text))
    if head.lower().startswith(("http://", "https://")):
        return PictureUrl(text)
    if _BASE64_PICTURE.match(_SPACE.sub("", head)):
        return PictureFile(_from_base64(text))
    return PayloadText(source)


def bounded(data: bytes) -> bytes:
    """`data` itself. Raises TooLarge past MAX_PICTURE_BYTES."""
    if len(data) > MAX_PICTURE_BYTES:
        raise TooLarge(f"the picture is {len(data):,} bytes, {MAX_PICTURE_BYTES:,} are taken")
    return data


def _from_data_uri(text: str) -> bytes:
    head = _DATA_URI.match(text[:_HEAD_CHARS])
    if head is None:
        raise BadPicture("the data URI has no comma before its data")
    kind = head["type"].strip().lower()
    if kind and not kind.startswith("image/"):
        raise BadPicture(f"the data URI holds {kind[:40]!r}, not a picture")
    if "base64" not in [part.strip().lower() for part in head["parameters"].split(";")]:
        raise BadPicture("the data URI is not base64")
    return _from_base64(text[head.end() :])


def _from_base64(text: str) -> bytes:
    if len(text) > 2 * MAX_PICTURE_BYTES:  # base64 takes 4/3; the rest is room for line breaks
        raise TooLarge(f"the picture's base64 is {len(text):,} characters")
    packed = _SPACE.sub("", text).rstrip("=")
    try:
        data = base64.b64decode(packed + "=" * (-len(packed) % 4), validate=True)
    except (binascii.Error, ValueError):
        raise BadPicture(
            "the picture's base64 is broken", hint="Encode the file's bytes as standard base64."
        ) from None
    if not data:
        raise BadPicture("the picture is empty")
    return bounded(data)
