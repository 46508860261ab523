"""An e-paper panel that is a PNG file."""

from outpost.port import Paper
from ports.unix_panel import PngPanel


class PngPaper(Paper):
    """The file is replaced whole, once all rows are there, as a panel is refreshed."""

    def __init__(self, path: str) -> None:
        self._panel = PngPanel(path, self.width, self.height)

    def slices(self, rows):
        picture = bytearray(self.width // 8 * self.height)
        at = 0
        for piece in rows():
            picture[at : at + len(piece)] = piece
            at += len(piece)
            yield
        yield from self._panel.slices(picture)
