"""The line `/` opens. Esc empties it, and Esc again closes it."""

from __future__ import annotations

from textual.widgets import Input

from tui.filter import Filter
from tui.messages import FilterChanged

LONGEST = 120


class FilterLine(Input):
    """Says FilterChanged as one types; Enter goes back to the table and keeps the filter."""

    DEFAULT_CSS = """
    FilterLine { height: 1; border: none; padding: 0 1; background: $surface; display: none; }
    FilterLine.-open { display: block; }
    FilterLine:focus { border: none; background: $boost; }
    """

    def __init__(self) -> None:
        super().__init__(
            placeholder="words, state:offline, !word   Enter keep, Esc clear", compact=True, max_length=LONGEST
        )

    @property
    def filter(self) -> Filter:
        """What is asked for now."""
        return Filter(self.value)

    def open(self) -> None:
        """Show it and type into it."""
        self.add_class("-open")
        self.focus()

    def clear_or_close(self) -> bool:
        """Take one step back; False when there was nothing to take back."""
        if self.value:
            self.value = ""
            return True
        if self.has_class("-open"):
            self.remove_class("-open")
            return True
        return False

    def on_input_changed(self, event: Input.Changed) -> None:
        """Every letter counts."""
        event.stop()
        self.post_message(FilterChanged(event.value))

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Back to the rows."""
        event.stop()
        self.set_class(bool(self.value), "-open")
        self.screen.focus_next("DataTable")
