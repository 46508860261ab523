"""What the e-paper shows of the board itself, made in bands: a whole picture would take 48 KB of the heap."""

from outpost.canvas import Canvas

try:
    from collections.abc import Iterator
except ImportError:  # MicroPython has none, and needs none
    pass

BAND_ROWS = 16
TITLE_Y, LINES_Y, LINE_STEP = 60, 190, 42
TITLE_SCALE, LINE_SCALE = 8, 4


class Face:
    """A title and lines under it. Two that look alike are equal in `shown`."""

    def __init__(self, title: str, lines: "list[str]") -> None:
        self.shown = (title,) + tuple(lines)

    def bands(self, width: int, height: int) -> "Iterator[bytes]":
        """Its rows from the top on, BAND_ROWS at a time; set bits are white."""
        band = bytearray((width + 7) // 8 * BAND_ROWS)
        for top in range(0, height, BAND_ROWS):
            rows = min(BAND_ROWS, height - top)
            canvas = Canvas(band, width, rows)
            canvas.clear()
            for text, y, scale in self._texts():
                if top - scale * 8 < y < top + rows:  # it reaches into this band
                    canvas.centred(text, y - top, scale)
            yield bytes(band[: (width + 7) // 8 * rows])

    def _texts(self) -> "Iterator[tuple[str, int, int]]":
        yield self.shown[0], TITLE_Y, TITLE_SCALE
        for number, line in enumerate(self.shown[1:]):
            yield line, LINES_Y + number * LINE_STEP, LINE_SCALE
