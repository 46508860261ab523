"""One command in full: what it is, where it stands, and every attempt at it."""

from __future__ import annotations

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Label, Static

from edge.errors import OutpostError
from edge.wire.views import AttemptView, CommandView
from tui import ages
from tui.client import segment
from tui.literal import literal
from tui.marks import of_command
from tui.session import Session
from tui.wording import by_text, kind_text, left_text

LABEL_WIDTH = 11
MOST_ATTEMPTS = 50
LONGEST = 110  # characters of one value: two lines


class CommandDialog(ModalScreen[None]):
    """Read only; Esc or Enter closes it."""

    CSS_PATH = "dialogs.tcss"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,enter", "dismiss(None)", "Close"),
        Binding("y", "copy", "Copy id"),
    ]

    def __init__(self, session: Session, command: str) -> None:
        super().__init__()
        self._session = session
        self.command = command

    def compose(self) -> ComposeResult:
        """Facts, then attempts."""
        with VerticalScroll(id="dialog"):
            yield Label("Command", id="title", markup=False)
            yield Static(id="effect", markup=False)
            yield Static("Asking the hub for its attempts …", id="attempts", markup=False)
            yield Label("Esc closes · y copies the id", classes="blank", markup=False)

    def on_mount(self) -> None:
        """Show what is known at once; ask for the rest."""
        view = self._session.site.commands.get(self.command)
        if view is not None:
            self.query_one("#effect", Static).update(self._facts(view))
        self.run_worker(self._load(), group="load", exclusive=True)

    def action_copy(self) -> None:
        """The id, to the clipboard."""
        self.app.copy_to_clipboard(self.command)
        self.app.notify("The command's id is copied.", markup=False)

    async def _load(self) -> None:
        area = self.query_one("#attempts", Static)
        where = f"/v1/commands/{segment(self.command)}/attempts"
        try:
            attempts = await self._session.client.newest(where, AttemptView, MOST_ATTEMPTS)
        except OutpostError as error:
            area.update(Content(literal(f"✗ {error.detail.rstrip('.')}. {error.advice}")))
            return
        lines = [self._attempt(attempt) for attempt in attempts] or ["No attempt yet."]
        area.update(Content("Attempts\n" + "\n".join(lines)))

    def _facts(self, view: CommandView) -> Content:
        site, now = self._session.site, self._session.clock.now()
        mark = of_command(view.state)
        pairs = [
            ("Id", view.id),
            ("State", f"{mark.glyph} {mark.word}"),
            ("Device", f"{site.device_name(view.device)} ({view.device})"),
            ("Command", kind_text(view.kind)),
            ("By", by_text(view)),
            ("Asked", ages.clock_text(ages.moment(view.created_at), site.zone, now)),
            ("Ended", ages.clock_text(ages.moment(view.ended_at), site.zone, now)),
            ("Good for", left_text(view)),
            ("Took", ages.span(view.duration_s)),
            ("Reason", view.reason),
            ("Resolved by", view.resolved_by),
            *[(key, str(value)) for key, value in view.args.items()],
        ]
        lines = [
            Content.assemble(
                (f"{literal(label, LABEL_WIDTH):<{LABEL_WIDTH}} ", "$foreground 60%"), literal(text, LONGEST)
            )
            for label, text in pairs
            if text and text != "-"
        ]
        return Content("\n").join(lines)

    def _attempt(self, view: AttemptView) -> str:
        at = ages.clock_text(ages.moment(view.at), self._session.site.zone, self._session.clock.now())
        took = ages.span(view.duration_s)
        line = f"{view.attempt:>2}  {at}  {literal(view.verdict, 12)}  {took}  {literal(view.link, 30)}"
        return f"{line}\n    {literal(view.reason, 60)}" if view.reason else line
