"""A finished drawing to a panel's bytes, and those bytes back to pixels, to be checked and looked at."""

from __future__ import annotations

import hashlib
from collections.abc import Callable

import msgspec
from PIL import Image

from edge.content.render.formats.bitmap import bmp_1bpp, from_bmp
from edge.content.render.formats.files import from_file, jpeg, png, png_grey4
from edge.content.render.formats.zlib_bits import from_rgb565, from_zlib_1bpp, rgb565, zlib_1bpp
from edge.content.render.panels import Panel, PanelFormat
from edge.content.render.shades import flattened

JPEG_QUALITY = 60  # of all but QR codes: sent once, at leisure; 15 to 25 KB at 320x480


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


class _Codec(msgspec.Struct, frozen=True):
    """A format: of a picture in mode `mode`, as the panel is addressed, its bytes; and the picture of bytes."""

    mode: str
    encode: Callable[[Image.Image], bytes]
    decode: Callable[[bytes, tuple[int, int]], Image.Image]


def rendered(data: bytes, panel: Panel, module_px: int = 0) -> Rendered:
    """`data`, encoded for `panel`, with its name."""
    width, height = panel.native_size
    content_hash = hashlib.sha256(data).hexdigest()
    return Rendered(data=data, content_hash=content_hash, width=width, height=height, module_px=module_px)


def encoded(image: Image.Image, panel: Panel) -> Rendered:
    """`image` (as seen, the panel's size; mode "1", "L" or "RGB") in the panel's shades and format.

    Raises ValueError when it is not the panel's size.
    """
    if image.size != panel.size:
        raise ValueError(f"the picture is {image.size}, the panel {panel.name} is {panel.width}x{panel.height}")
    codec = _CODECS[panel.format]
    native = turned(flattened(image, panel), panel)
    return rendered(codec.encode(native.convert(codec.mode, dither=Image.Dither.NONE)), panel)


def decoded(data: bytes, panel: Panel) -> Image.Image:
    """What a panel's viewer sees for `data` (made here), mode "L", or "RGB" on a panel with colours.

    Raises ValueError when it is a picture of another size, and what Pillow and zlib raise over damaged data.
    """
    native = _CODECS[panel.format].decode(data, panel.native_size)
    if native.size != panel.native_size:
        width, height = panel.native_size
        raise ValueError(f"encoded as {native.size}, the panel is {width}x{height}")
    return _turned_back(native, panel).convert(panel.mode)


def preview_png(data: bytes, panel: Panel, within: tuple[int, int] | None = None) -> bytes:
    """A PNG of exactly what the panel's viewer sees for `data`, for people; `within` so many pixels across and down
    where that is less, in greys. Raises as `decoded`."""
    image = decoded(data, panel)
    if within is None or (image.width <= within[0] and image.height <= within[1]):
        return png(image)
    small = image.convert("L")
    small.thumbnail(within, Image.Resampling.BOX)
    return png(small)


def turned(image: Image.Image, panel: Panel) -> Image.Image:
    """`image` (as seen) turned to how the panel is addressed."""
    return image.rotate(panel.rotation, expand=True) if panel.rotation else image


def _turned_back(image: Image.Image, panel: Panel) -> Image.Image:
    return image.rotate(-panel.rotation, expand=True) if panel.rotation else image


_CODECS: dict[PanelFormat, _Codec] = {
    PanelFormat.ZLIB_1BPP: _Codec("1", zlib_1bpp, from_zlib_1bpp),
    PanelFormat.JPEG_GREY: _Codec("L", lambda image: jpeg(image, JPEG_QUALITY), lambda data, _: from_file(data)),
    PanelFormat.PNG: _Codec("1", png, lambda data, _: from_file(data)),
    PanelFormat.BMP_1BPP: _Codec("1", bmp_1bpp, lambda data, _: from_bmp(data)),
    PanelFormat.GREY4: _Codec("L", png_grey4, lambda data, _: from_file(data)),
    PanelFormat.RGB565: _Codec("RGB", rgb565, from_rgb565),
}
