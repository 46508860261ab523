"""A zlib stream of packed rows: black and white at a bit a pixel, colours at two bytes."""

from __future__ import annotations

import zlib

from PIL import Image, ImageChops

ZLIB_LEVEL = 9
ZLIB_WINDOW_BITS = 10  # 1 KB of history: 25 rows of a 320 px panel, all that repeated module rows need


def zlib_1bpp(image: Image.Image) -> bytes:
    """Mode "1" pixels as PanelFormat.ZLIB_1BPP."""
    return _squeezed(image.tobytes())


def from_zlib_1bpp(data: bytes, size: tuple[int, int]) -> Image.Image:
    """Those bytes as a picture of `size`, mode "1". Raises ValueError: not so many pixels; zlib.error: damaged."""
    return Image.frombytes("1", size, _inflated(data, (size[0] + 7) // 8 * size[1]))


def rgb565(image: Image.Image) -> bytes:
    """Mode "RGB" pixels as PanelFormat.RGB565; of each colour its highest bits count."""
    red, green, blue = image.split()
    high = ImageChops.add(red.point(lambda v: v & 0xF8), green.point(lambda v: v >> 5))
    low = ImageChops.add(green.point(lambda v: v << 3 & 0xE0), blue.point(lambda v: v >> 3))
    return _squeezed(Image.merge("LA", (high, low)).tobytes())


def from_rgb565(data: bytes, size: tuple[int, int]) -> Image.Image:
    """Those bytes as a picture of `size`, mode "RGB", each colour spread over 0..255. Raises as from_zlib_1bpp."""
    high, low = Image.frombytes("LA", size, _inflated(data, 2 * size[0] * size[1])).split()
    red = high.point(lambda v: v & 0xF8 | v >> 5)
    green = ImageChops.add(high.point(lambda v: (v & 7) << 5 | (v & 7) >> 1), low.point(lambda v: v >> 5 << 2))
    blue = low.point(lambda v: (v & 0x1F) << 3 | (v & 0x1F) >> 2)
    return Image.merge("RGB", (red, green, blue))


def _squeezed(rows: bytes) -> bytes:
    squeeze = zlib.compressobj(ZLIB_LEVEL, zlib.DEFLATED, ZLIB_WINDOW_BITS)
    return squeeze.compress(rows) + squeeze.flush()


def _inflated(data: bytes, length: int) -> bytes:
    """The rows of `data`, which must be `length` bytes."""
    inflate = zlib.decompressobj(ZLIB_WINDOW_BITS)
    rows = inflate.decompress(data, length + 1)
    if len(rows) != length or not inflate.eof:
        raise ValueError(f"these are not the {length} bytes of pixels the panel has")
    return rows
