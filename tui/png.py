"""Reads the PNG of a preview: just enough of the format for pictures the hub makes.

Grey, RGB, RGBA and palette pictures of up to 8 bits, not interlaced (PNG specification, third edition, 7.2 and 9).
"""

from __future__ import annotations

import struct
import zlib
from typing import NamedTuple

SIGNATURE = b"\x89PNG\r\n\x1a\n"
CHANNELS = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}  # samples a pixel by colour type
PALETTE = 3
DEPTHS = (1, 2, 4, 8)
HEAD_BYTES = 13
LARGEST_PIXELS = 4_000_000
DARK = 128  # a sample below it is dark


class Bad(ValueError):
    """Not a picture this file can read."""


class Head(NamedTuple):
    """What IHDR says."""

    width: int
    height: int
    depth: int
    colour: int

    @property
    def row_bytes(self) -> int:
        """Bytes of one row without its filter byte."""
        return (self.width * self.depth * CHANNELS[self.colour] + 7) // 8


def dark_pixels(data: bytes) -> list[list[bool]]:
    """Rows of pixels, True for dark. Raises Bad."""
    return [[sample < DARK for sample in row] for row in samples(data)]


def samples(data: bytes) -> list[list[int]]:
    """Rows of pixels, 0 black to 255 white; of colours the red. Raises Bad."""
    if not data.startswith(SIGNATURE):
        raise Bad("no PNG")
    head: Head | None = None
    palette, packed, place = b"", bytearray(), len(SIGNATURE)
    while place + 8 <= len(data):
        length, kind = struct.unpack_from(">I4s", data, place)
        body = data[place + 8 : place + 8 + length]
        place += length + 12
        if kind == b"IHDR":
            head = _head(body)
        elif kind == b"PLTE":
            palette = body
        elif kind == b"IDAT":
            packed += body
    if head is None:
        raise Bad("no header")
    return [_samples(row, head, palette) for row in _rows(bytes(packed), head)]


def _head(body: bytes) -> Head:
    if len(body) != HEAD_BYTES:
        raise Bad("no header")
    width, height, depth, colour, _, _, interlaced = struct.unpack(">IIBBBBB", body)
    if colour not in CHANNELS or depth not in DEPTHS or interlaced or not 0 < width * height <= LARGEST_PIXELS:
        raise Bad("a kind of PNG that is not read here")
    return Head(width, height, depth, colour)


def _rows(packed: bytes, head: Head) -> list[bytes]:
    size = (head.row_bytes + 1) * head.height
    try:
        raw = zlib.decompressobj().decompress(packed, size)
    except zlib.error as error:
        raise Bad(str(error)) from error
    if len(raw) < size:
        raise Bad("cut short")
    step = max(1, head.depth * CHANNELS[head.colour] // 8)
    rows, above = [], bytes(head.row_bytes)
    for start in range(0, size, head.row_bytes + 1):
        above = _unfiltered(raw[start], raw[start + 1 : start + 1 + head.row_bytes], above, step)
        rows.append(above)
    return rows


def _unfiltered(kind: int, row: bytes, above: bytes, step: int) -> bytes:
    if kind == 0:
        return row
    out = bytearray(row)
    for i in range(len(out)):
        left = out[i - step] if i >= step else 0
        corner = above[i - step] if i >= step else 0
        out[i] = (out[i] + _guess(kind, left, above[i], corner)) & 0xFF
    return bytes(out)


def _guess(kind: int, left: int, up: int, corner: int) -> int:
    if kind == 1:
        return left
    if kind == 2:
        return up
    if kind == 3:
        return (left + up) // 2
    if kind != 4:
        raise Bad("an unknown filter")
    base = left + up - corner
    return min((left, up, corner), key=lambda it: abs(base - it))


def _samples(row: bytes, head: Head, palette: bytes) -> list[int]:
    channels = CHANNELS[head.colour]
    if head.depth == 8:
        found = list(row[::channels])[: head.width]
    else:
        per, top = 8 // head.depth, (1 << head.depth) - 1
        bits = [(row[x // per] >> (8 - head.depth * (x % per + 1))) & top for x in range(head.width)]
        found = bits if head.colour == PALETTE else [bit * 255 // top for bit in bits]
    if head.colour == PALETTE:
        found = [palette[3 * it] if 3 * it < len(palette) else 0 for it in found]
    return found
