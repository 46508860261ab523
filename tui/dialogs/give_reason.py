"""Why a machine stood still: one of the site's reasons, found by typing, and a note in own words."""

from __future__ import annotations

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.screen import ModalScreen
from textual.widgets import Button, DataTable, Input, Label, Static

from edge.wire.assets import NOTE_CHARS, GiveReason, ReasonView, StopView
from tui.filter import Filter
from tui.literal import literal
from tui.widgets.cell import cell
from tui.widgets.keyed_table import Field, KeyedTable, Row

REASONS = (Field("name", "Reason", 20, share=1),)
NOTHING = " none"  # the key of the row that takes a reason away: no id of a reason has a blank
TAKE_AWAY = "(no reason)"
NO_REASONS = "This site has no reasons yet: head office or `outpost reason set` makes them."


class GiveReasonDialog(ModalScreen[GiveReason | None]):
    """Typing narrows the list, the arrows choose in it, Enter goes on to the note, Enter there says it."""

    CSS_PATH = "dialogs.tcss"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "cancel", "Cancel"),
        Binding("down", "move(1)", show=False),
        Binding("up", "move(-1)", show=False),
    ]

    def __init__(self, effect: str, stop: StopView, reasons: list[ReasonView]) -> None:
        super().__init__()
        self._effect, self._stop = effect, stop
        self._reasons = {each.id: each.name for each in reasons if not each.retired or each.id == stop.reason}

    def compose(self) -> ComposeResult:
        """The stop, a filter, the reasons, a note, buttons."""
        with Vertical(id="dialog"):
            yield Label("Why did it stand still?", id="title", markup=False)
            yield Static(self._effect, id="effect", markup=False)
            yield Input(placeholder="type to narrow the list, arrows choose", id="narrow", compact=True)
            yield KeyedTable(REASONS, id="reasons")
            yield Label("Note (may be empty)", classes="blank", markup=False)
            note = self._stop.note if literal(self._stop.note, NOTE_CHARS) == self._stop.note else ""
            yield Input(note, id="note", compact=True, max_length=NOTE_CHARS)
            yield Label("" if self._reasons else NO_REASONS, id="wrong", markup=False)
            with Horizontal(id="buttons"):
                yield Button("Cancel", id="cancel", compact=True)
                yield Button("Say it", id="give", compact=True, variant="primary")

    def on_mount(self) -> None:
        """All reasons, the cursor on the one it has."""
        self._list()
        self.query_one("#narrow").focus()
        self.call_after_refresh(self._choose_given)

    def on_input_changed(self, event: Input.Changed) -> None:
        """Every letter narrows."""
        event.stop()
        if event.input.id == "narrow":
            self._list()

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """From the filter to the note; from there it is said."""
        event.stop()
        if event.input.id == "narrow":
            self.query_one("#note").focus()
        else:
            self._give()

    def on_data_table_row_selected(self, event: DataTable.RowSelected) -> None:
        """Chosen with Enter or the mouse."""
        event.stop()
        self.query_one("#note").focus()

    def on_button_pressed(self, event: Button.Pressed) -> None:
        """Cancel, or say it."""
        event.stop()
        if event.button.id == "cancel":
            self.dismiss(None)
        else:
            self._give()

    def action_cancel(self) -> None:
        """Say nothing."""
        self.dismiss(None)

    def action_move(self, step: int) -> None:
        """The arrows move in the list, wherever one types."""
        table = self.query_one("#reasons", KeyedTable)
        table.move_cursor(row=table.cursor_row + step)

    def _give(self) -> None:
        chosen = self.query_one("#reasons", KeyedTable).current_key()
        if chosen is None:
            self.query_one("#wrong", Label).update("No reason matches what you typed.")
            self.query_one("#narrow").focus()
            return
        note = self.query_one("#note", Input).value.strip()
        self.dismiss(GiveReason(reason="" if chosen == NOTHING else chosen, note=note))

    def _list(self) -> None:
        wanted = Filter(self.query_one("#narrow", Input).value)
        rows = [
            Row(id, (cell(text, "strong" if id == self._stop.reason else ""),))
            for id, text in self._reasons.items()
            if wanted.matches({"name": text, "id": id})
        ]
        if not wanted:
            rows.append(Row(NOTHING, (cell(TAKE_AWAY, "quiet"),)))
        self.query_one("#reasons", KeyedTable).show(rows)

    def _choose_given(self) -> None:
        if self._stop.reason in self._reasons:
            row = list(self._reasons).index(self._stop.reason)
            self.query_one("#reasons", KeyedTable).move_cursor(row=row)
