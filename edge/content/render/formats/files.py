"""PNG and JPEG, without metadata."""

from __future__ import annotations

import io
import struct
import zlib

from PIL import Image

_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_GREY = 0  # PNG's colour type; Pillow writes 2 bits as a palette, which some e-paper firmware does not read
_NO_FILTER = b"\0"  # before each row: filters are of no use below 8 bits a pixel


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


def png_grey4(image: Image.Image) -> bytes:
    """Mode "L" pixels as PanelFormat.GREY4; the two highest bits of each count."""
    width, height = image.size
    shades = Image.frombytes("P", image.size, image.point(lambda shade: shade >> 6).tobytes())
    packed = shades.tobytes("raw", "P;2")
    row_bytes = (width + 3) // 4
    rows = b"".join(_NO_FILTER + packed[at : at + row_bytes] for at in range(0, len(packed), row_bytes))
    head = struct.pack(">IIBBBBB", width, height, 2, _GREY, 0, 0, 0)
    return _SIGNATURE + _chunk(b"IHDR", head) + _chunk(b"IDAT", zlib.compress(rows, 9)) + _chunk(b"IEND", b"")


def from_file(data: bytes) -> Image.Image:
    """A PNG or JPEG as a picture, mode "L", or "RGB" where it has colours."""
    image = Image.open(io.BytesIO(data), formats=("PNG", "JPEG"))
    return image.convert("RGB" if image.mode in ("RGB", "P") else "L")


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
