"""An e-paper panel that is a PNG file."""

from outpost.port import Paper
from ports.unix_panel import PngPanel


class PngPaper(Paper):
    """The file is replaced whole, once all rows are there, as a panel is refreshed."""

    def __init__(self, path: str) -> None:
        self._panel = PngPanel(path, self.width, self.height)

    def slices(self, rows):
        stride = self.width // 8
        pieces = rows()
        yield from self._panel.draw(
            piece[at : at + stride] for piece in pieces for at in range(0, len(piece), stride)
        )
        for _ in pieces:
            yield  # to its end, which closes what it is read from
