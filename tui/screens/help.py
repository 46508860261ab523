"""All keys of the screen one came from, out of the table of actions."""

from __future__ import annotations

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Label, Static

from tui.actions import ANYWHERE, KEY_NAMES, Action, of_scope

KEY_WIDTH = 9
LABEL_WIDTH = 12
MORE = (
    "Arrows or j k move, Tab changes the list.",
    "● fine  ○ offline, waiting  ◐ under way  ▲ needs a person  ✗ failed",
)


class HelpScreen(ModalScreen[None]):
    """Esc closes it."""

    CSS_PATH = "../dialogs/dialogs.tcss"
    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape,q,question_mark,f1,enter", "dismiss(None)", "Close")]

    def __init__(self, scope: str, may_change: bool) -> None:
        super().__init__()
        self._scope = scope
        self._may_change = may_change

    def compose(self) -> ComposeResult:
        """The screen's own keys, then those of everywhere."""
        with VerticalScroll(id="dialog", classes="-help"):
            yield Label(f"Keys of {self._scope.capitalize()}", id="title", markup=False)
            yield Static(self._lines(), markup=False)
            yield Label("Esc closes", classes="blank", markup=False)

    def _lines(self) -> Content:
        own = [it for it in of_scope(self._scope) if it.scope != ANYWHERE]
        rest = [it for it in of_scope(self._scope) if it.scope == ANYWHERE]
        lines = [self._line(it) for it in own] + [Content("")] + [self._line(it) for it in rest]
        return Content("\n").join(
            [*lines, Content(""), *[Content.styled(text, "$foreground 60%") for text in MORE]]
        )

    def _line(self, action: Action) -> Content:
        keys = " ".join(KEY_NAMES.get(key, key) for key in action.keys)
        off = action.changes and not self._may_change
        return Content.assemble(
            (f"{keys:<{KEY_WIDTH}}", "$foreground 40%" if off else "bold $accent"),
            f"{action.label:<{LABEL_WIDTH}}",
            ("off: you may only look" if off else action.help, "$foreground 60%"),
        )
