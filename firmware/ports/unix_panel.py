"""A panel that is a PNG file, for a display without a board."""

import binascii
import os

from outpost.port import Panel
from ports.unix_files import sync

ROWS_A_SLICE = 64


class PngPanel(Panel):
    """A panel that is a PNG file: 1-bit grey, replaced whole, so a reader never sees half a picture."""

    def __init__(self, path: str, width: int, height: int) -> None:
        self._path = path
        self.width = width
        self.height = height

    def slices(self, picture: bytearray):
        stride = (self.width + 7) // 8
        yield from self.draw(picture[y * stride : (y + 1) * stride] for y in range(self.height))

    def draw(self, rows):
        """Write the file row by row, as a heap of a board's size has no room for it; pause now and then."""
        temporary = self._path + ".new"
        with open(temporary, "wb") as file:
            for i, piece in enumerate(self._pieces(rows)):
                file.write(piece)
                if i % ROWS_A_SLICE == 0:
                    yield
            sync(file)
        os.rename(temporary, self._path)

    def _pieces(self, rows):
        """The PNG's bytes, each row a stored block of zlib's: MicroPython inflates, but does not deflate."""
        stride = (self.width + 7) // 8
        header = self.width.to_bytes(4, "big") + self.height.to_bytes(4, "big") + b"\x01\x00\x00\x00\x00"
        yield b"\x89PNG\r\n\x1a\n" + _chunk(b"IHDR", header)
        yield (2 + self.height * (5 + 1 + stride) + 4).to_bytes(4, "big") + b"IDAT"
        crc = binascii.crc32(b"IDAT")
        adler = (1, 0)
        size = (stride + 1).to_bytes(2, "little") + ((stride + 1) ^ 0xFFFF).to_bytes(2, "little")
        for y, pixels in enumerate(rows):
            row = b"\0" + pixels  # no filter
            adler = _adler32(row, adler)
            piece = (b"\x78\x01" if y == 0 else b"") + (b"\1" if y == self.height - 1 else b"\0") + size + row
            crc = binascii.crc32(piece, crc)
            yield piece
        end = (adler[1] << 16 | adler[0]).to_bytes(4, "big")
        yield end + (binascii.crc32(end, crc) & 0xFFFFFFFF).to_bytes(4, "big") + _chunk(b"IEND", b"")


def _chunk(name: bytes, data: bytes) -> bytes:
    crc = binascii.crc32(data, binascii.crc32(name)) & 0xFFFFFFFF
    return len(data).to_bytes(4, "big") + name + data + crc.to_bytes(4, "big")


def _adler32(data: bytes, sums: "tuple[int, int]") -> "tuple[int, int]":
    """RFC 1950, continued from `sums`. A row is short enough to take the remainders once."""
    low, high = sums
    for byte in data:
        low += byte
        high += low
    return low % 65521, high % 65521
