"""Whether a picture's file is nothing but its pixels: what head office sends is kept byte for byte, and handed out.

What Outpost writes has no words, no place and no camera in it, and nothing behind its end. A file that has is
another's: whatever else it may be opened as, it is not kept.
"""

from __future__ import annotations

PNG, JPEG = b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff"
_CHUNKS = frozenset({b"IHDR", b"PLTE", b"IDAT", b"IEND"})
_FRAMED = 12  # bytes of a chunk besides what it holds: its length, its name, its checksum
_SEGMENTS = frozenset({0xC0, 0xC2, 0xC4, 0xDB, 0xDD, 0xE0})  # frames, tables, restarts, and JFIF's own header
_SCAN = 0xDA
_END = b"\xff\xd9"


def is_bare(data: bytes) -> bool:
    """Whether `data` is a PNG or JPEG of pixels alone."""
    if data.startswith(PNG):
        return _is_bare_png(data)
    return data.startswith(JPEG) and _is_bare_jpeg(data)


def _is_bare_png(data: bytes) -> bool:
    at, name = len(PNG), b""
    while at < len(data) and name != b"IEND":
        name = data[at + 4 : at + 8]
        if name not in _CHUNKS:
            return False
        at += int.from_bytes(data[at : at + 4]) + _FRAMED
    return at == len(data) and name == b"IEND"


def _is_bare_jpeg(data: bytes) -> bool:
    at = 2
    while at + 4 <= len(data) and data[at] == 0xFF and data[at + 1] in _SEGMENTS:
        at += 2 + int.from_bytes(data[at + 2 : at + 4])
    # within a scan 0xFF never stands before 0xD9, so the first end is the only one
    return data[at : at + 2] == bytes((0xFF, _SCAN)) and data.find(_END, at) == len(data) - len(_END)
