"""One device: its facts, what its panel shows by its own word, its commands, what it says."""

from __future__ import annotations

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Horizontal, VerticalScroll

from edge.errors import OutpostError
from edge.wire.readings import LatestView, ReadingView, TwinView
from edge.wire.views import CommandView, DeviceView, LogLine
from tui import ages, command_deeds, deeds, value_deeds
from tui.actions import Action, bindings
from tui.dialogs.command import CommandDialog
from tui.dialogs.show_qr import ShowQr, Source
from tui.marks import of_command
from tui.screens.site_screen import SiteScreen
from tui.session import Session
from tui.talk_lines import drawn
from tui.values import Values
from tui.widgets.cell import cell, mark_cell, number_cell
from tui.widgets.facts import Facts
from tui.widgets.key_hints import KeyHints
from tui.widgets.keyed_table import Field, KeyedTable, Row
from tui.widgets.panel_view import PanelView
from tui.widgets.tail import Tail
from tui.widgets.values_table import ValuesTable
from tui.wording import by_text, kind_text

HISTORY = (
    Field("state", "State", 12),
    Field("kind", "Command", 13, share=1),
    Field("at", "Asked", 12),
    Field("took", "Took", 7),
    Field("tries", "Tries", 5, from_width=100),
    Field("by", "By", 10, share=1, from_width=100),
    Field("reason", "Reason", 8, share=3),
)
PANEL_VERBS = ("show_text", "show_file", "start_rotation", "stop_rotation")
COMMAND_VERBS = ("cancel", "retry", "resolve")
ABOVE_PICTURE = 5  # lines: three of text and the frame
BELOW_TOP = 14  # lines that commands, log and keys want
HISTORY_LENGTH = 50
LOG_LENGTH = 200
RECENT = {"from": "-2h", "bucket": "1m"}  # what the lines of bars begin with; live readings go on from there


class DeviceScreen(SiteScreen):
    """Opened from a list; Esc goes back there."""

    SCOPE: ClassVar[str] = "device"
    TAB: ClassVar[str] = ""
    AUTO_FOCUS = "#history"
    BINDINGS: ClassVar[list[BindingType]] = bindings("device")

    def __init__(self, session: Session, device: str) -> None:
        super().__init__(session)
        self.device = device
        self._written = 0
        self._loaded_for = -1

    def body(self) -> ComposeResult:
        """Facts and panel above, commands, log."""
        with Horizontal(id="top"):
            with VerticalScroll(id="facts-box"):
                yield Facts(id="facts")
            yield PanelView(id="panel")
            yield ValuesTable(id="values")
        yield KeyedTable(HISTORY, id="history")
        yield Tail(id="log", title="What it says")

    def on_mount(self) -> None:
        """Ask for what only this screen needs."""
        self.query_one("#facts-box").border_title = "Facts"
        self.query_one("#history").border_title = "Commands"
        self.site.values[self.device] = Values()
        super().on_mount()

    def on_unmount(self) -> None:
        """Its log is kept no longer."""
        self.site.close_log(self.device)
        self.site.values.pop(self.device, None)

    def crumb(self) -> str:
        """Its name."""
        return self.site.device_name(self.device)

    def subject(self) -> str | None:
        """The command's id when the history has the cursor, else the device's."""
        table = self.query_one("#history", KeyedTable)
        return table.current_key() if table.has_focus and table.current_key() else self.device

    def fits(self, action: Action) -> bool:
        """Approve what is pending, end what there is, show where there is a panel."""
        view = self.site.device(self.device)
        if view is None:
            return False
        verb = action.id.partition(".")[2]
        offers = {
            "approve": view.state == "pending" or (view.trust == "paired" and view.code_wanted),
            "confirm": view.epoch_new,
            "set_value": not view.panel and view.state == "approved",
            "link_agent": view.kind == "display",
            "bind_desk": view.kind == "display",
            "end_session": view.agent is not None,
            "unbind_desk": bool(view.workstations),
            **dict.fromkeys(PANEL_VERBS, bool(view.panel) and view.state != "pending"),
        }
        if verb in COMMAND_VERBS:
            return command_deeds.fits(verb, self._under_cursor())
        return offers.get(verb, True)

    def show(self) -> None:
        """Bring everything to what the site is now."""
        self._load_once_per_contact()
        view = self.site.device(self.device)
        facts = self.query_one(Facts)
        if view is None:
            facts.show_gone(self.device, self.site.ever_reached)
            return
        now = self.session.clock.now()
        facts.show(view, self.site, now, stale=self.stale)
        self._show_values(view)
        panel = self.query_one(PanelView)
        panel.show(view, self.site.zone, now, stale=self.stale)
        self._make_room(panel.picture_lines(view))
        self._show_history()
        self._show_log()

    def view(self) -> DeviceView | None:
        """The device as last known; says so when there is none."""
        found = self.site.device(self.device)
        if found is None:
            self.tell("This device is not known to the hub any more.")
        return found

    def on_data_table_row_highlighted(self) -> None:
        """The keys that fit the command under the cursor."""
        self.query_one(KeyHints).refresh()

    # What can be done here

    async def do_show_text(self) -> None:
        """A QR typed here."""
        await self._show_qr(Source.TEXT)

    async def do_show_file(self) -> None:
        """A QR from a picture file."""
        await self._show_qr(Source.FILE)

    async def do_start_rotation(self) -> None:
        """Start the rotation."""
        if view := self.view():
            await deeds.rotation(self, view, "start_rotation")

    async def do_stop_rotation(self) -> None:
        """Halt the rotation."""
        if view := self.view():
            await deeds.rotation(self, view, "stop_rotation")

    async def do_link_agent(self) -> None:
        """Seat an agent."""
        if view := self.view():
            await deeds.link_agent(self, view)

    async def do_end_session(self) -> None:
        """Unseat the agent."""
        if view := self.view():
            await deeds.end_session(self, view)

    async def do_bind_desk(self) -> None:
        """Bind to a computer."""
        if view := self.view():
            await deeds.bind_desk(self, view)

    async def do_unbind_desk(self) -> None:
        """Unbind."""
        if view := self.view():
            await deeds.unbind_desk(self, view)

    async def do_approve(self) -> None:
        """Let it act."""
        if view := self.view():
            await deeds.approve(self, view)

    async def do_confirm(self) -> None:
        """Let it act again."""
        if view := self.view():
            await deeds.confirm(self, view)

    async def do_set_value(self) -> None:
        """What one of its values shall be."""
        if view := self.view():
            table = self.query_one("#values", ValuesTable)
            chosen = (table.current_key() or "") if table.has_focus else ""
            await value_deeds.set_value(self, view, chosen)

    async def do_rename(self) -> None:
        """Another name."""
        if view := self.view():
            await deeds.rename(self, view)

    async def do_forget(self) -> None:
        """Remove it, and leave this screen."""
        view = self.view()
        if view and await deeds.forget(self, view) and self.is_current:
            self.app.pop_screen()

    async def do_cancel(self) -> None:
        """Take the command under the cursor back."""
        if view := self._selected():
            await command_deeds.cancel(self, view)

    async def do_retry(self) -> None:
        """Send the command under the cursor again."""
        if view := self._selected():
            await command_deeds.retry(self, view)

    async def do_resolve(self) -> None:
        """Say what happened to the command under the cursor."""
        if view := self._selected():
            await command_deeds.resolve(self, view)

    def do_pause(self) -> None:
        """Hold the log."""
        self.query_one(Tail).toggle()

    def do_open_row(self) -> None:
        """The command under the cursor."""
        if view := self._selected():
            self.app.push_screen(CommandDialog(self.session, view.id))

    def _under_cursor(self) -> CommandView | None:
        key = self.query_one("#history", KeyedTable).current_key()
        return self.site.commands.get(key or "")

    def _selected(self) -> CommandView | None:
        view = self._under_cursor()
        if view is None:
            self.tell("There is no command here yet.")
        return view

    async def _show_qr(self, source: Source) -> None:
        view = self.view()
        if view is None:
            return
        shown = await self.app.push_screen_wait(ShowQr(self.session, view, source))
        if shown is not None:
            self.site.put_commands([shown.command])
            self.query_one(PanelView).remember(shown)
            self.redraw()
            self.tell(f"Sent to {deeds.called(view)}; the list below says when it is shown.")

    # How it is drawn

    def _make_room(self, lines: int) -> None:
        """Give the panel the height its picture needs, where commands and log keep theirs."""
        wanted = lines + ABOVE_PICTURE
        fits = lines and wanted <= self.size.height - BELOW_TOP
        self.query_one("#top").styles.height = wanted if fits else None

    def _load_once_per_contact(self) -> None:
        if not self.stale and self._loaded_for != self.site.contact_since:
            self._loaded_for = self.site.contact_since
            self.run_worker(self._load(), group="load", exclusive=True)

    async def _load(self) -> None:
        client, ended = self.session.client, ""
        await self._load_values()
        try:
            newest = await client.newest(deeds.path(self.device, "/commands"), CommandView, HISTORY_LENGTH)
            self.site.put_commands(newest)
            lines = await client.newest(deeds.path(self.device, "/log"), LogLine, LOG_LENGTH)
        except OutpostError as error:
            lines, ended = [], f"no log: {error.detail}"
        if not self.query(Tail):
            return  # it was closed while the hub was asked
        self.query_one(Tail).say_ended(ended)
        if not ended:
            self.site.open_log(self.device, lines[::-1])
            self._written = 0
            self.query_one(Tail).clear()
        self.show()

    async def _load_values(self) -> None:
        values = self.site.values.get(self.device)
        if values is None:
            return
        client = self.session.client
        try:
            latest = await client.items(deeds.path(self.device, "/latest"), LatestView)
            recent = await client.items(deeds.path(self.device, "/readings"), ReadingView, **RECENT)
            values.load(latest, recent, self.session.clock.mono_s())
            values.twin = await client.get(deeds.path(self.device, "/twin"), TwinView)
        except OutpostError as error:
            self.tell(f"Its values could not be read: {error.detail}")

    def _show_values(self, view: DeviceView) -> None:
        """Beside the facts: the panel of what has one, the values of what measures."""
        table, values = self.query_one("#values", ValuesTable), self.site.values.get(self.device, Values())
        table.display = not view.panel
        self.query_one(PanelView).display = bool(view.panel)
        if table.display:
            table.show_values(values, self.session.clock.mono_s(), stale=self.stale)

    def _show_history(self) -> None:
        now = self.session.clock.now()
        rows = [
            Row(
                view.id,
                (
                    mark_cell(of_command(view.state)),
                    cell(kind_text(view.kind)),
                    cell(ages.clock_text(ages.moment(view.created_at), self.site.zone, now)),
                    number_cell(ages.span(view.duration_s)),
                    number_cell(str(view.attempts)),
                    cell(by_text(view)),
                    cell(view.reason or "-", "quiet"),
                ),
            )
            for view in self.site.history(self.device)[:HISTORY_LENGTH]
        ]
        self.query_one("#history", KeyedTable).show(rows, stale=self.stale)

    def _show_log(self) -> None:
        tail = self.query_one(Tail)
        lines = self.site.logs.get(self.device)
        if lines is None:
            return
        count = self.site.log_counts[self.device]
        fresh = min(count - self._written, len(lines))
        for line in list(lines)[len(lines) - fresh :]:
            tail.add(drawn(line, self.site.zone, self.session.clock.now()))
        self._written = count
        if self.stale:
            tail.say_ended("hub away: lines from here on are missing")
