"""Commands somebody waits for, those in doubt first: only a person can settle these."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import BindingType
from textual.widgets import Static

from edge.wire.commands import State
from edge.wire.views import CommandView
from tui import ages, command_deeds
from tui.actions import Action, bindings
from tui.deeds import name
from tui.dialogs.command import CommandDialog
from tui.marks import of_command
from tui.screens.device import DeviceScreen
from tui.screens.site_screen import SiteScreen
from tui.widgets.cell import cell, mark_cell, number_cell
from tui.widgets.filter_line import FilterLine
from tui.widgets.key_hints import KeyHints
from tui.widgets.keyed_table import Field, KeyedTable, Row
from tui.wording import by_text, kind_text, left_text

COMMANDS = (
    Field("state", "State", 10),
    Field("device", "Device", 12, share=2),
    Field("kind", "Command", 12),
    Field("asked", "Asked", 6),
    Field("left", "Left", 6),
    Field("tries", "Tries", 5),
    Field("by", "By", 8, share=1),
    Field("reason", "Reason", 12, share=3, from_width=100),
)


class QueueScreen(SiteScreen):
    """Cancel, retry, resolve."""

    SCOPE: ClassVar[str] = "queue"
    TAB: ClassVar[str] = "queue"
    BINDINGS: ClassVar[list[BindingType]] = bindings("queue")

    def body(self) -> ComposeResult:
        """Counts, commands, and what the one under the cursor waits for."""
        yield Static(id="counts", classes="heading", markup=False)
        yield KeyedTable(COMMANDS, id="commands")
        yield Static(id="detail", markup=False)

    def fits(self, action: Action) -> bool:
        """Resolve what is in doubt, take back what is queued."""
        verb = action.id.partition(".")[2]
        if verb not in {"cancel", "retry", "resolve"}:
            return True
        return command_deeds.fits(verb, self.site.commands.get(self.subject() or ""))

    def show(self) -> None:
        """Rows and counts."""
        waiting = self.site.waiting()
        wanted = self.query_one(FilterLine).filter
        shown = [view for view in waiting if wanted.matches(self._fields(view))]
        self.query_one("#commands", KeyedTable).show([self._row(view) for view in shown], stale=self.stale)
        self.query_one("#counts", Static).update(self._counts(waiting, len(shown), wanted.text))
        self._show_detail()

    def subject(self) -> str | None:
        """The command's id."""
        return self.query_one("#commands", KeyedTable).current_key()

    def on_data_table_row_highlighted(self) -> None:
        """Say more of the row under the cursor, and the keys that fit it."""
        self._show_detail()
        self.query_one(KeyHints).refresh()

    # What can be done here

    def do_open_row(self) -> None:
        """Everything about it."""
        if view := self._selected():
            self.app.push_screen(CommandDialog(self.session, view.id))

    def do_open_device(self) -> None:
        """The device it is for."""
        if view := self._selected():
            self.app.push_screen(DeviceScreen(self.session, view.device))

    async def do_cancel(self) -> None:
        """Take it back."""
        await self._with_selected(command_deeds.cancel)

    async def do_retry(self) -> None:
        """Send it again."""
        await self._with_selected(command_deeds.retry)

    async def do_resolve(self) -> None:
        """Say what happened."""
        await self._with_selected(command_deeds.resolve)

    async def _with_selected(self, deed: Callable[[SiteScreen, CommandView], Awaitable[None]]) -> None:
        if view := self._selected():
            await deed(self, view)

    def _selected(self) -> CommandView | None:
        view = self.site.commands.get(self.subject() or "")
        if view is None:
            self.tell("No command waits here.")
        return view

    # How it is drawn

    def _row(self, view: CommandView) -> Row:
        asked_s = ages.seconds_since(view.created_at, self.session.clock.now())
        return Row(
            view.id,
            (
                mark_cell(of_command(view.state)),
                cell(self.site.device_name(view.device), "strong"),
                cell(kind_text(view.kind)),
                number_cell(ages.age(asked_s)),
                number_cell(left_text(view)),
                number_cell(str(view.attempts)),
                cell(by_text(view), "quiet"),
                cell(view.reason or "-", "quiet"),
            ),
        )

    def _fields(self, view: CommandView) -> dict[str, str]:
        return {
            "state": f"{view.state} {of_command(view.state).word}",
            "device": f"{view.device} {self.site.device_name(view.device)}",
            "kind": f"{view.kind} {kind_text(view.kind)}",
            "by": by_text(view),
            "id": view.id,
        }

    def _counts(self, waiting: list[CommandView], shown: int, wanted: str) -> str:
        if not waiting:
            return "● Nothing waits and nothing is in doubt." if self.site.ever_reached else ""
        doubtful = sum(1 for view in waiting if view.state is State.IN_DOUBT)
        parts = [f"▲ {doubtful} in doubt: look at the device, then press v"] if doubtful else []
        parts += [f"{len(waiting) - doubtful} open"]
        text = " · ".join(parts)
        return f"Filter “{name(wanted)}” shows {shown} of {len(waiting)} · Esc clears it" if wanted else text

    def _show_detail(self) -> None:
        view = self.site.commands.get(self.subject() or "")
        text = ""
        if view is not None:
            text = f"{cell(view.id).plain} for {cell(self.site.device_name(view.device)).plain}"
            text += f"\n{cell(view.reason).plain}" if view.reason else ""
        self.query_one("#detail", Static).update(text)
