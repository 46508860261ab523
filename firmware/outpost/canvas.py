"""Drawing into a 1-bit picture: rows of width/8 bytes, leftmost pixel highest, a set bit is white."""

from outpost import font


class Canvas:
    """Black on white into a buffer somebody else owns."""

    def __init__(self, buffer: bytearray, width: int, height: int) -> None:
        self._buffer = buffer
        self._width = width
        self._height = height
        self._stride = (width + 7) // 8

    def clear(self) -> None:
        """All white."""
        for i in range(len(self._buffer)):
            self._buffer[i] = 0xFF

    def box(self, x: int, y: int, width: int, height: int) -> None:
        """A black rectangle, clipped."""
        for row in range(max(y, 0), min(y + height, self._height)):
            for column in range(max(x, 0), min(x + width, self._width)):
                self._buffer[row * self._stride + (column >> 3)] &= ~(0x80 >> (column & 7)) & 0xFF

    def centred(self, text: str, y: int, scale: int) -> None:
        """One line of text around the middle, its top at `y`; made smaller until it fits."""
        while scale > 1 and len(text) * (font.COLUMNS + 1) * scale > self._width:
            scale -= 1
        step = (font.COLUMNS + 1) * scale
        x = (self._width - len(text) * step + scale) // 2
        for character in text:
            self._glyph(font.glyph(character), x, y, scale)
            x += step

    def _glyph(self, columns: bytes, x: int, y: int, scale: int) -> None:
        for i, bits in enumerate(columns):
            for row in range(font.ROWS):
                if bits >> row & 1:
                    self.box(x + i * scale, y + row * scale, scale, scale)
