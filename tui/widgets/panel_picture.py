"""The picture on a panel, as large as there is room for."""

from __future__ import annotations

from textual import events
from textual.content import Content
from textual.message import Message
from textual.widgets import Static

from tui.shades import Greys, drawn


class PanelPicture(Static):
    """`show()` takes a picture that was asked for at `room()`. It posts `Resized` when that is another."""

    class Resized(Message):
        """There is more room now, or less."""

    def __init__(self, *, id: str, blocks: bool) -> None:
        super().__init__(id=id, markup=False)
        self._blocks = blocks

    def room(self) -> tuple[int, int]:
        """Width and height in pixels that can be shown; a cell has two, one above the other."""
        width, lines = self.content_size
        return max(0, width), max(0, lines) * 2

    def show(self, picture: Greys | None, words: str, *, stale: bool) -> None:
        """The picture, or `words` where there is none."""
        text = drawn(picture, blocks=self._blocks) if picture else Content(words)
        self.update(text.stylize("$foreground 40%") if stale and not picture else text)
        self.border_subtitle = "as last seen" if stale and picture else ""

    def on_resize(self, _: events.Resize) -> None:
        """Another size is another picture."""
        self.post_message(self.Resized())
