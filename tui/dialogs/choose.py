"""One of several, found by typing."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar, NamedTuple

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.screen import ModalScreen
from textual.widgets import Button, DataTable, Input, Label, Static

from tui.filter import Filter
from tui.widgets.cell import cell
from tui.widgets.keyed_table import Field, KeyedTable, Row

CHOICES = (Field("name", "", 20, share=1), Field("note", "", 20, share=1))
LEAST_LINES, MOST_LINES = 3, 10
NO_MATCH = "Nothing matches what you typed."


class Choice(NamedTuple):
    """`key` is what is answered; `note` stands beside the name."""

    key: str
    name: str
    note: str = ""


class ChooseDialog(ModalScreen[str | None]):
    """Typing narrows the list, the arrows choose in it, Enter answers the key of the choice; Esc None."""

    CSS_PATH = "dialogs.tcss"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "cancel", "Cancel"),
        Binding("down", "move(1)", show=False),
        Binding("up", "move(-1)", show=False),
    ]

    def __init__(self, title: str, effect: str, choices: Sequence[Choice]) -> None:
        super().__init__()
        self._title, self._effect, self._choices = title, effect, choices

    def compose(self) -> ComposeResult:
        """A filter, the list, buttons."""
        with Vertical(id="dialog"):
            yield Label(self._title, id="title", markup=False)
            yield Static(self._effect, id="effect", markup=False)
            yield Input(placeholder="type to narrow the list, arrows choose", id="narrow", compact=True)
            yield KeyedTable(CHOICES, id="choices")
            yield Label("", id="wrong", markup=False)
            with Horizontal(id="buttons"):
                yield Button("Cancel", id="cancel", compact=True)
                yield Button("Choose", id="choose", compact=True, variant="primary")

    def on_mount(self) -> None:
        """All of them; the list keeps its height while it is narrowed."""
        table = self.query_one("#choices", KeyedTable)
        table.show_header = False
        table.styles.height = max(LEAST_LINES, min(MOST_LINES, len(self._choices)))
        self._list()
        self.query_one("#narrow").focus()

    def on_input_changed(self, event: Input.Changed) -> None:
        """Every letter narrows."""
        event.stop()
        self._list()

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Enter takes the one under the cursor."""
        event.stop()
        self._choose()

    def on_data_table_row_selected(self, event: DataTable.RowSelected) -> None:
        """Chosen with Enter or the mouse."""
        event.stop()
        self._choose()

    def on_button_pressed(self, event: Button.Pressed) -> None:
        """Cancel, or choose."""
        event.stop()
        if event.button.id == "cancel":
            self.dismiss(None)
        else:
            self._choose()

    def action_cancel(self) -> None:
        """Choose nothing."""
        self.dismiss(None)

    def action_move(self, step: int) -> None:
        """The arrows move in the list, wherever one types."""
        table = self.query_one("#choices", KeyedTable)
        table.move_cursor(row=table.cursor_row + step)

    def _choose(self) -> None:
        chosen = self.query_one("#choices", KeyedTable).current_key()
        if chosen is None:
            self.query_one("#wrong", Label).update(NO_MATCH)
            self.query_one("#narrow").focus()
        else:
            self.dismiss(chosen)

    def _list(self) -> None:
        wanted = Filter(self.query_one("#narrow", Input).value)
        rows = [
            Row(choice.key, (cell(choice.name, "strong"), cell(choice.note, "quiet")))
            for choice in self._choices
            if wanted.matches({"name": choice.name, "note": choice.note})
        ]
        self.query_one("#choices", KeyedTable).show(rows)
        self.query_one("#wrong", Label).update("" if rows or not self._choices else NO_MATCH)
