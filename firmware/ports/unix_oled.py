"""A small screen that is a PNG file, for a logger without a board."""

from outpost.port import Oled
from ports.unix_panel import PngPanel

BAND = 8


class PngOled(Oled):
    """Lit pixels are white. The file is replaced whole, once all bands of a change are in."""

    def __init__(self, path: str) -> None:
        self._panel = PngPanel(path, self.width, self.height)
        self._bits = bytearray(self.width // 8 * self.height)

    def start(self) -> None:
        for at in range(len(self._bits)):
            self._bits[at] = 0

    def slices(self, picture: bytearray, bands: "list[int]"):
        for band in bands:
            self._take(picture, band)
            yield
        for _ in self._panel.slices(self._bits):
            yield

    def _take(self, picture: bytearray, band: int) -> None:
        """From bytes that are eight pixels of a column to bytes that are eight of a row."""
        stride = self.width // 8
        for row in range(BAND):
            at = (band * BAND + row) * stride
            for place in range(stride):
                first = band * self.width + place * 8
                byte = 0
                for columns in picture[first : first + 8]:
                    byte = byte << 1 | columns >> row & 1
                self._bits[at + place] = byte
