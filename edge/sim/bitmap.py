"""A bitmap as e-paper firmware reads it: each checks little, and each checks something else."""

from __future__ import annotations

import struct
import zlib

from edge.content.render import panel_named, preview_png

WIDTH, HEIGHT = 800, 480
ROW_BYTES, DATA_BYTES = 100, 48_000
FILE_BYTES = 48_062
WINDOW_BITS = 10  # what panels with our firmware unpack


def as_sketch(body: bytes, length: int) -> bytes | None:
    """What a PersonalCMS sketch puts on its panel, rows from the top: it looks at `BM` and at where the pixels
    begin, and wants all of 48,000 bytes. None: it keeps what it has. `length`: as the answer's head told it.
    """
    if body[:2] != b"BM" or len(body) < 14:
        return None
    offset = struct.unpack_from("<I", body, 10)[0]
    wanted = min(length - offset, DATA_BYTES)
    data = body[offset : offset + max(0, wanted)]
    if wanted <= 0 or len(data) != wanted:
        return None
    data = data.ljust(DATA_BYTES, b"\0")
    return b"".join(data[row * ROW_BYTES : (row + 1) * ROW_BYTES] for row in reversed(range(HEIGHT)))


def as_terminal(body: bytes) -> bytes | None:
    """What a TRMNL puts on its panel, rows from the top: it looks at the whole header. None: an error screen."""
    if len(body) != FILE_BYTES or body[:2] != b"BM":
        return None
    offset, _, width, height = struct.unpack_from("<IIii", body, 10)
    planes, depth, compression = struct.unpack_from("<HHI", body, 26)
    if (offset, width, height, planes, depth, compression) != (62, WIDTH, HEIGHT, 1, 1, 0):
        return None
    black_first = {b"\0\0\0\0\xff\xff\xff\0": True, b"\xff\xff\xff\0\0\0\0\0": False}.get(body[54:62])
    rows = as_sketch(body, len(body))
    if black_first is None or rows is None:
        return None
    return rows if black_first else bytes(byte ^ 0xFF for byte in rows)


def png_of(rows: bytes) -> bytes:
    """A PNG of what a panel shows, for people."""
    packing = zlib.compressobj(wbits=WINDOW_BITS)
    return preview_png(packing.compress(rows) + packing.flush(), panel_named(f"eink-{WIDTH}x{HEIGHT}"))
