"""Windows bitmaps of one bit a pixel, written byte by byte: the boards that read them check almost nothing."""

from __future__ import annotations

import io
import struct

from PIL import Image

HEADER_BYTES = 62
_FILE = struct.Struct("<2sIHHI")  # BM, length of the file, two reserved, where the pixels begin
_INFO = struct.Struct("<IiiHHIIiiII")  # BITMAPINFOHEADER
_PALETTE = bytes((0, 0, 0, 0, 255, 255, 255, 0))  # 0 is black, 1 white; as blue, green, red, reserved
_PIXELS_PER_METRE = 2835  # 72 dpi; nobody reads it
_NOT_COMPRESSED = 0


def bmp_1bpp(image: Image.Image) -> bytes:
    """Mode "1" pixels as PanelFormat.BMP_1BPP. A positive height says that the rows come bottom up."""
    width, height = image.size
    row_bytes = (width + 31) // 32 * 4
    pixels = image.tobytes("raw", "1", row_bytes, -1)
    file = _FILE.pack(b"BM", HEADER_BYTES + len(pixels), 0, 0, HEADER_BYTES)
    dpi = _PIXELS_PER_METRE
    info = _INFO.pack(_INFO.size, width, height, 1, 1, _NOT_COMPRESSED, len(pixels), dpi, dpi, 2, 2)
    return file + info + _PALETTE + pixels


def from_bmp(data: bytes) -> Image.Image:
    """Those bytes as a picture, mode "1"."""
    return Image.open(io.BytesIO(data), formats=("BMP",)).convert("1", dither=Image.Dither.NONE)
