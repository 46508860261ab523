"""Strangers' picture files, opened: told by their content, bounded before a pixel is decoded, made plain."""

from __future__ import annotations

import io
import re

import msgspec
from PIL import Image, UnidentifiedImageError

from edge.errors import BadPicture, TooLarge

MAX_PIXELS = 25_000_000  # about any phone's camera; 100 MB while it is flattened
FORMATS = ("PNG", "JPEG", "GIF", "WEBP", "BMP")
KINDS = "Send a PNG, JPEG, GIF, WebP or BMP picture."
_HEAD_BYTES = 1024  # where what a file is stands


class Refused(msgspec.Struct, frozen=True):
    """A kind of file that people send and that is not taken: how it begins, what it is, what to do."""

    begins: re.Pattern[bytes]
    what: str
    hint: str


_SPACE_AND_COMMENTS = rb"(?:\xef\xbb\xbf)?(?:\s|<\?xml[^>]*>|<!DOCTYPE[^>]*>|<!--.*?-->)*"
REFUSED = (
    Refused(
        re.compile(_SPACE_AND_COMMENTS + rb"<(?:\w+:)?svg[\s>/]", re.DOTALL | re.IGNORECASE),
        "this is an SVG drawing, which may hold scripts and fonts of its own",
        "Export it as PNG, as large as the panel or larger: 800 pixels wide is enough for most.",
    ),
    Refused(
        re.compile(rb".{0,1000}?%PDF-", re.DOTALL), "this is a PDF document", "Export the page you mean as PNG."
    ),
    Refused(
        re.compile(rb"....ftyp(?:heic|heix|hevc|heim|heis|mif1|msf1)", re.DOTALL),
        "this is a HEIC photo, as iPhones take them",
        "Send it as JPEG: save a copy as one, or set the phone's camera to `most compatible`.",
    ),
    Refused(re.compile(rb"....ftypavi[fs]", re.DOTALL), "this is an AVIF picture", "Save it as PNG or JPEG."),
    Refused(re.compile(rb"II\*\0|MM\0\*"), "this is a TIFF picture", "Save it as PNG or JPEG."),
)


def open_picture(data: bytes) -> Image.Image:
    """The first frame of the picture in `data`, in grey or colour, transparency on white.

    Raises as `open_file`, and what Pillow raises over damaged files.
    """
    image = open_file(data)
    image.load()
    return flattened(image)


def open_file(data: bytes) -> Image.Image:
    """The picture file in `data`; its format and size are read from the header, no pixel is decoded yet.

    Raises BadPicture (no picture, another format, damaged), TooLarge (more than MAX_PIXELS).
    """
    try:
        image = Image.open(io.BytesIO(data), formats=FORMATS)
    except UnidentifiedImageError:
        raise _refusal(data[:_HEAD_BYTES]) from None
    width, height = image.size
    if width * height > MAX_PIXELS:
        raise TooLarge(f"the picture is {width}x{height} pixels, {MAX_PIXELS:,} are taken")
    return image


def flattened(image: Image.Image) -> Image.Image:
    """`image` in mode "L" or "RGB", its EXIF orientation kept; 16-bit shades scaled, not cut off."""
    if image.mode.startswith("I"):
        flat = image.convert("I").point(lambda shade: shade * (1 / 256)).convert("L")
    elif image.has_transparency_data:
        colour = image.convert("RGBA")
        flat = Image.new("RGB", image.size, "white")
        flat.paste(colour, mask=colour.getchannel("A"))
    else:
        flat = image.convert("L" if image.mode in ("1", "L") else "RGB")
    flat.info = {key: value for key, value in image.info.items() if key == "exif"}
    return flat


def _refusal(head: bytes) -> BadPicture:
    for kind in REFUSED:
        if kind.begins.match(head):
            return BadPicture(kind.what, hint=kind.hint)
    return BadPicture("this is no picture that can be read", hint=KINDS)
