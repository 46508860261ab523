"""Boards on a cable: what hangs on each port, what is done to it, and what a person has to do at its buttons."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import ClassVar

from rich.text import Text
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.content import Content
from textual.widgets import Static

from edge.wire.flashing import FlashState, FlashView
from edge.wire.views import PortView
from tui import ages, artifact_deeds, board_deeds, update_words
from tui.actions import Action, bindings
from tui.deeds import name
from tui.literal import literal
from tui.looks import STYLES
from tui.marks import Mark, of_job, of_port
from tui.screens.device import DeviceScreen
from tui.screens.site_screen import SiteScreen
from tui.session import Session
from tui.widgets.cell import cell, mark_cell, number_cell
from tui.widgets.facts import COLOURS
from tui.widgets.key_hints import KeyHints
from tui.widgets.keyed_table import Field, KeyedTable, Row
from tui.wording import counted

FIELDS = (
    Field("state", "State", 12),
    Field("path", "Port", 9, share=1),
    Field("device", "Device", 10, share=2),
    Field("percent", "%", 5),
    Field("progress", "Progress", 10, share=2),
    Field("step", "Now", 12, share=3),
)
BAR_CELLS = 40
VERBS = ("flash", "identify", "recover", "erase", "factory_reset")
WAIT = Mark("▲", "needs you", "warn")


class BoardsScreen(SiteScreen):
    """Opened from Firmware: flash, identify, recover, reset, erase."""

    SCOPE: ClassVar[str] = "boards"
    TAB: ClassVar[str] = "firmware"
    BINDINGS: ClassVar[list[BindingType]] = bindings("boards")

    def __init__(self, session: Session) -> None:
        super().__init__(session)
        self._sending = ""

    def body(self) -> ComposeResult:
        """Ports, and the work at the one under the cursor."""
        yield Static(id="counts", classes="heading", markup=False)
        yield KeyedTable(FIELDS, id="ports")
        yield Static(id="job", markup=False)

    def on_mount(self) -> None:
        """Titles, then draw."""
        self.query_one("#job").border_title = "The board at this port"
        super().on_mount()

    def crumb(self) -> str:
        """Where one is."""
        return "USB"

    def fits(self, action: Action) -> bool:
        """Work begins where none is under way."""
        verb, port = action.id.partition(".")[2], self._port()
        runs = port is not None and board_deeds.runs(self._job(port))
        if verb in VERBS:
            return port is not None and not runs
        if verb == "open_device":
            return port is not None and self.site.device(self._device(port)) is not None
        return runs if verb == "cancel" else True

    def subject(self) -> str | None:
        """The port's path."""
        return self.query_one("#ports", KeyedTable).current_key()

    def on_data_table_row_highlighted(self) -> None:
        """The work at the row under the cursor, and the keys that fit it."""
        self._show_job()
        self.query_one(KeyHints).refresh()

    def on_resize(self) -> None:
        """As much of what was done is listed as there is room for."""
        self.call_after_refresh(self.redraw)

    def show(self) -> None:
        """Rows, counts, the work."""
        ports = sorted(
            self.site.ports.values(), key=lambda port: (not board_deeds.runs(self._job(port)), port.path)
        )
        self.query_one("#ports", KeyedTable).show([self._row(port) for port in ports], stale=self.stale)
        self.query_one("#counts", Static).update(Content(self._counts(ports)))
        self._show_job()

    # What can be done here

    async def do_flash(self) -> None:
        """MicroPython, an app or both."""
        await self._at_port(board_deeds.flash)

    async def do_identify(self) -> None:
        """Ask it what it is."""
        await self._at_port(board_deeds.identify)

    async def do_recover(self) -> None:
        """Bring it back."""
        await self._at_port(board_deeds.recover)

    async def do_erase(self) -> None:
        """Every byte."""
        await self._at_port(board_deeds.erase)

    async def do_factory_reset(self) -> None:
        """It forgets its settings."""
        await self._at_port(board_deeds.factory_reset)

    async def do_cancel(self) -> None:
        """End what is being done."""
        port = self._port()
        job = self._job(port) if port else None
        if job is None or not board_deeds.runs(job):
            self.tell("Nothing is being done at this port.")
        else:
            await board_deeds.cancel(self, job)

    async def do_upload(self) -> None:
        """Give the hub a MicroPython."""
        await artifact_deeds.upload_image(self, self._say_sending)

    def do_open_device(self) -> None:
        """The device that the board is."""
        port = self._port()
        device = self._device(port) if port else ""
        if self.site.device(device) is None:
            self.tell("The hub does not know yet which device this board is.")
        else:
            self.app.push_screen(DeviceScreen(self.session, device))

    async def _at_port(self, deed: Callable[[SiteScreen, PortView], Awaitable[None]]) -> None:
        port = self._port()
        if port is None:
            self.tell("There is no port here.")
        elif board_deeds.runs(self._job(port)):
            self.tell(f"{name(port.path)} has work under way: wait for its end, or c ends it.")
        else:
            await deed(self, port)

    def _port(self) -> PortView | None:
        return self.site.ports.get(self.subject() or "")

    def _job(self, port: PortView) -> FlashView | None:
        return self.site.boards.job_at(port.path)

    def _device(self, port: PortView) -> str:
        job = self._job(port)
        return port.device or (job.board.device if job else "")

    def _say_sending(self, text: str) -> None:
        self._sending = text
        self.redraw()

    # How it is drawn

    def _row(self, port: PortView) -> Row:
        job, table = self._job(port), self.query_one("#ports", KeyedTable)
        device = self._device(port)
        row = (
            cell(port.path.removeprefix("/dev/"), "strong"),
            cell(self.site.device_name(device) if device else "-"),
        )
        if job is None:
            rest = (number_cell("-"), cell(""), cell("-", "quiet"))
            return Row(port.path, (mark_cell(of_port(port)), *row, *rest))
        bar = update_words.percent_bar(job.percent, table.width_of("progress"), self.session.glyphs)
        return Row(
            port.path,
            (
                mark_cell(_mark(job)),
                *row,
                number_cell(f"{job.percent} %"),
                Text(bar, style=STYLES[_mark(job).style], no_wrap=True, overflow="crop", end=""),
                cell(update_words.flashed(job), "quiet"),
            ),
        )

    def _counts(self, ports: list[PortView]) -> str:
        if self._sending:
            return f"◐ {name(self._sending)}"
        if not ports:
            return update_words.NO_PORTS if self.site.ever_reached else ""
        images = len(self.site.boards.images)
        held = f"{counted(images, 'MicroPython')} held" if images else update_words.NO_IMAGES
        runs = sum(board_deeds.runs(self._job(port)) for port in ports)
        return " · ".join([counted(len(ports), "port"), *([f"◐ {runs} at work"] if runs else []), held])

    def _show_job(self) -> None:
        area, port = self.query_one("#job", Static), self._port()
        text = self._told(port, area.content_size.height) if port else Content("")
        area.update(text.stylize("$foreground 40%") if self.stale else text)

    def _told(self, port: PortView, lines: int) -> Content:
        job = self._job(port)
        if job is None:
            wrong = [Content.styled(literal(port.detail), "$error")] if port.detail else []
            about = (
                "Nothing was done here yet. f flashes the board, i asks it what it is, v brings back a silent one."
            )
            return Content("\n").join([Content(literal(port.description or port.path)), *wrong, Content(about)])
        mark, now = _mark(job), self.session.clock.now()
        since = ages.clock_text(ages.moment(job.ended_at or job.started_at), self.site.zone, now)
        age = ages.age(ages.seconds_since(job.ended_at or job.started_at, now))
        bar = update_words.percent_bar(job.percent, BAR_CELLS, self.session.glyphs)
        head = Content.assemble(
            (f"{mark.glyph} {update_words.work(job.what)}", f"bold {COLOURS.get(mark.style, '$foreground 70%')}"),
            f": {mark.word} since {since} ({age}), by {literal(job.started_by, 20)}",
        )
        below = [Content(f"{bar} {job.percent} %  {literal(job.step)}")] if board_deeds.runs(job) else []
        if job.ask:
            below.append(Content.styled(f">> {literal(job.ask)}", "bold $warning"))
        if job.reason:
            below.append(Content.styled(f"Wrong  {literal(job.reason)}", "$error"))
        if job.hint:
            below.append(Content.styled(f"Do     {literal(job.hint)}", "$warning"))
        if found := update_words.board(job.board):
            below.append(Content(f"Board  {found}"))
        width = max(1, self.query_one("#job", Static).content_size.width)
        used = sum(1 + (part.cell_length - 1) // width for part in [head, *below] if part.cell_length)
        room = max(0, lines - used)
        log = [
            Content.styled(f"  {literal(line, width - 2)}", "$foreground 60%") for line in job.log[-room:] if room
        ]
        return Content("\n").join([head, *below, *log])


def _mark(job: FlashView) -> Mark:
    return WAIT if job.ask and job.state is FlashState.RUNNING else of_job(job.state)
