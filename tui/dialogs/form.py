"""A question with many blanks: each beside its label, and below them what the one that is being filled in means."""

from __future__ import annotations

from textual.app import ComposeResult
from textual.containers import Horizontal
from textual.widgets import Input, Label, Static

from tui.dialogs.question import Blank, QuestionDialog, line_of


class FormDialog(QuestionDialog):
    """Answers a Question whose blanks have a `help`."""

    def lines(self, blanks: tuple[Blank, ...]) -> ComposeResult:
        """The blanks, a line each; the help of one."""
        self._help = {f"blank-{blank.key}": blank.help for blank in blanks}
        for blank in blanks:
            with Horizontal(classes="field"):
                yield Label(blank.label, classes="blank", markup=False)
                yield line_of(blank)
        yield Static(id="help", markup=False)

    def start(self) -> None:
        """With the first blank, so that what it means is read; from the last one Enter goes to Cancel."""
        self.query(Input).first().focus()

    def on_descendant_focus(self) -> None:
        """What the blank means that one went to."""
        here = self.focused
        self.query_one("#help", Static).update(self._help.get(here.id or "", "") if isinstance(here, Input) else "")
