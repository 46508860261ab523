"""One piece of firmware in full: for whom it is, who signed it, what was looked at when it came."""

from __future__ import annotations

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Label, Static

from edge.wire.updates import ArtifactView
from tui import ages, update_words
from tui.literal import literal
from tui.session import Session
from tui.wording import counted

LABEL_WIDTH = 9
MOST_CHECKS = 30
ID_CHARS = 48  # as many as fit on a line; all of it is copied


class ArtifactDialog(ModalScreen[None]):
    """Read only; Esc or Enter closes it. `title` says why it is shown."""

    CSS_PATH = "dialogs.tcss"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,enter", "dismiss(None)", "Close"),
        Binding("y", "copy", "Copy id"),
    ]

    def __init__(self, session: Session, view: ArtifactView, title: str = "Firmware") -> None:
        super().__init__()
        self._session, self._view, self._title = session, view, title

    def compose(self) -> ComposeResult:
        """Facts, then checks."""
        checks = [f"● {literal(check)}" for check in self._view.checks[:MOST_CHECKS]]
        with VerticalScroll(id="dialog"):
            yield Label(self._title, id="title", markup=False)
            yield Static(self._facts(), id="effect", markup=False)
            yield Static(
                Content("\n".join(["What was looked at when it came", *checks])), id="attempts", markup=False
            )
            yield Label("Esc closes · y copies the id", classes="blank", markup=False)

    def action_copy(self) -> None:
        """The id, to the clipboard."""
        self.app.copy_to_clipboard(self._view.id)
        self.app.notify("The firmware's id is copied.", markup=False)

    def _facts(self) -> Content:
        view, site = self._view, self._session.site
        at = ages.clock_text(ages.moment(view.created_at), site.zone, self._session.clock.now())
        pairs = [
            ("Id", literal(view.id, ID_CHARS)),
            ("For", f"{view.target} on {view.chip}"),
            ("Version", f"{view.version}, security {view.security}"),
            ("Is", f"{update_words.kind(view.kind)}, {counted(view.files, 'file')}, {ages.size(view.size)}"),
            ("Signed", update_words.signed(view)),
            ("Came", f"{at} by {view.created_by}"),
            (
                "Used by",
                f"{counted(view.used_by, 'rollout')} under way" if view.used_by else "no rollout under way",
            ),
            ("Notes", view.notes),
        ]
        lines = [
            Content.assemble((f"{label:<{LABEL_WIDTH}} ", "$foreground 60%"), literal(text))
            for label, text in pairs
            if text
        ]
        return Content("\n").join(lines)
