"""A finished drawing to a panel's bytes, and those bytes back to pixels so that they can be checked."""

from __future__ import annotations

import hashlib
import io
import zlib

import msgspec
from PIL import Image, ImageOps

from edge.content.render.panels import Panel, PanelFormat

ZLIB_LEVEL = 9
ZLIB_WINDOW_BITS = 10  # 1 KB of history: 25 rows of a 320 px panel, all that repeated module rows need
PHOTO_JPEG_QUALITY = 60  # stored pictures are sent once, at leisure; 15 to 25 KB at 320x480


class Rendered(msgspec.Struct, frozen=True, kw_only=True):
    """One picture, ready for one kind of panel.

    `width` and `height` are those of the encoded picture in pixels, `module_px` the pixels per QR module (0: not a
    QR). `content_hash` is the SHA-256 of `data` in hex: same hash, same picture, nothing to send.
    """

    data: bytes
    content_hash: str
    width: int
    height: int
    module_px: int = 0


def rendered(data: bytes, panel: Panel, module_px: int = 0) -> Rendered:
    """`data`, encoded for `panel`, with its name."""
    width, height = panel.native_size
    content_hash = hashlib.sha256(data).hexdigest()
    return Rendered(data=data, content_hash=content_hash, width=width, height=height, module_px=module_px)


def turned(image: Image.Image, panel: Panel) -> Image.Image:
    """`image` (as seen) turned to how the panel is addressed."""
    return image.rotate(panel.rotation, expand=True) if panel.rotation else image


def zlib_1bpp(image: Image.Image) -> bytes:
    """Mode "1" pixels as PanelFormat.ZLIB_1BPP."""
    squeeze = zlib.compressobj(ZLIB_LEVEL, zlib.DEFLATED, ZLIB_WINDOW_BITS)
    return squeeze.compress(image.tobytes()) + squeeze.flush()


def png(image: Image.Image) -> bytes:
    """A PNG in the image's own depth, without metadata."""
    out = io.BytesIO()
    image.save(out, "PNG", optimize=True)
    return out.getvalue()


def jpeg(image: Image.Image, quality: int) -> bytes:
    """A baseline grey JPEG with optimised Huffman tables, `quality` 1..95."""
    out = io.BytesIO()
    image.convert("L").save(out, "JPEG", quality=quality, optimize=True, progressive=False)
    return out.getvalue()


def decoded(data: bytes, panel: Panel) -> Image.Image:
    """What a panel shows for `data` (made by this module), mode "L", as the panel is addressed."""
    width, height = panel.native_size
    if panel.format is PanelFormat.ZLIB_1BPP:
        pixels = zlib.decompress(data, ZLIB_WINDOW_BITS)
        return Image.frombytes("1", (width, height), pixels).convert("L")
    image = Image.open(io.BytesIO(data), formats=("PNG", "JPEG"))
    if image.size != (width, height):
        raise ValueError(f"encoded as {image.size}, the panel is {width}x{height}")
    return image.convert("L")


def photo_bytes(image: Image.Image, panel: Panel) -> bytes:
    """A fitted picture (mode "L", as seen) in the panel's format; 1-bit formats by Floyd-Steinberg."""
    native = turned(image, panel)
    if panel.format is PanelFormat.JPEG_GREY:
        return jpeg(native, PHOTO_JPEG_QUALITY)
    dithered = ImageOps.autocontrast(native, cutoff=0.5).convert("1", dither=Image.Dither.FLOYDSTEINBERG)
    return zlib_1bpp(dithered) if panel.format is PanelFormat.ZLIB_1BPP else png(dithered)
