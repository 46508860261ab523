"""Lines as they come, held still on request; what comes meanwhile is kept and counted."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable

from rich.text import Text
from textual.content import Content
from textual.widgets import RichLog

from tui.messages import PauseChanged

MOST_LINES = 10_000  # older ones are dropped from view


class Tail(RichLog):
    """Follows the end. `toggle()` pauses; the subtitle says live, or paused and how many lines wait."""

    def __init__(self, *, id: str, title: str) -> None:
        super().__init__(id=id, max_lines=MOST_LINES, wrap=False, markup=False, highlight=False, min_width=0)
        self.border_title = title
        self._waiting: deque[Text] = deque(maxlen=MOST_LINES)
        self._missed = 0
        self.paused = False
        self.ended = ""
        self._say()

    def add(self, line: Text) -> None:
        """One more line."""
        if self.paused:
            self._missed += len(self._waiting) == MOST_LINES
            self._waiting.append(line)
            self._say()
        else:
            self._put(line)

    def toggle(self) -> None:
        """Pause, or show what waited and follow again."""
        self.paused = not self.paused
        if not self.paused:
            for line in self._waiting:
                self._put(line)
            self._waiting.clear()
            self._missed = 0
            self.scroll_end(animate=False)
        self._say()
        self.post_message(PauseChanged(self.paused))

    def start_over(self, lines: Iterable[Text]) -> None:
        """Show these instead of all there are, also while paused; what waited is among them."""
        self.clear()
        self._waiting.clear()
        self._missed = 0
        for line in lines:
            self._put(line)
        self._say()

    def say_ended(self, why: str) -> None:
        """The source is gone, with the reason; empty: it is back."""
        if why != self.ended:
            self.ended = why
            self._say()

    def action_scroll_up(self) -> None:
        """Looking back holds the lines still."""
        self._hold()
        super().action_scroll_up()

    def action_page_up(self) -> None:
        """Looking back holds the lines still."""
        self._hold()
        super().action_page_up()

    def _hold(self) -> None:
        if not self.paused:
            self.toggle()

    def _put(self, line: Text) -> None:
        """In its full length: what is cut at the edge is reached with the arrow keys."""
        self.write(line, width=max(1, line.cell_len))

    def _say(self) -> None:
        if self.ended:
            text = f"✗ {self.ended}"
        elif self.paused:
            lost = f", {self._missed} lost" if self._missed else ""
            text = f"‖ paused, {len(self._waiting)} new{lost} · p follows"
        else:
            text = "● live"
        self.border_subtitle = Content(text)
