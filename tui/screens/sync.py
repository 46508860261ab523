"""Sync: how this site stands with the centre, what waits, what the centre would not take."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.widgets import Static

from edge.wire.site import DeadLetterView, LaneView, SyncView
from tui import ages, sync_deeds, sync_words
from tui.actions import Action, bindings
from tui.literal import literal
from tui.screens.site_screen import SiteScreen
from tui.widgets.cell import cell, number_cell
from tui.widgets.facts import COLOURS
from tui.widgets.key_hints import KeyHints
from tui.widgets.keyed_table import Field, KeyedTable, Row

LANES = (
    Field("stream", "What", 10, share=1),
    Field("complete", "Complete up to", 14, share=1),
    Field("waiting", "Waiting", 9, share=1),
    Field("rate", "Rate", 9, share=1),
    Field("left", "Time left", 10, share=1),
    Field("oldest", "Oldest waiting", 14, from_width=100),
)
LETTERS = (
    Field("stream", "What", 9),
    Field("seq", "Number", 9),
    Field("at", "Of", 12),
    Field("why", "Why", 20, share=2),
    Field("body", "Row", 20, share=2, from_width=100),
)
LABEL_WIDTH = 8


class SyncScreen(SiteScreen):
    """State above, streams in the middle, rows that were not taken below."""

    SCOPE: ClassVar[str] = "sync"
    TAB: ClassVar[str] = "sync"
    BINDINGS: ClassVar[list[BindingType]] = bindings("sync")

    def body(self) -> ComposeResult:
        """State, streams, dead letters."""
        yield Static(id="sync-state", markup=False)
        with Vertical():
            yield KeyedTable(LANES, id="lanes")
            yield Static(id="letters-heading", classes="heading", markup=False)
            yield KeyedTable(LETTERS, id="letters")
        yield Static(id="letter-row", classes="heading", markup=False)

    def on_mount(self) -> None:
        """Titles, then draw."""
        self.query_one("#sync-state").border_title = "This site and the centre"
        super().on_mount()

    def fits(self, action: Action) -> bool:
        """Leaving needs a centre, sending again something that was not taken."""
        view, verb = self.site.sync, action.id.partition(".")[2]
        if verb == "leave":
            return view is not None and view.state != "off"
        if verb in ("retry", "discard"):
            return bool(self.site.letters)
        return verb != "enrol" or view is not None

    def on_data_table_row_highlighted(self) -> None:
        """All of the row under the cursor."""
        self._show_letter()
        self.query_one(KeyHints).refresh()

    def show(self) -> None:
        """Everything."""
        view = self.site.sync
        text = self._state(view)
        self.query_one("#sync-state", Static).update(text.stylize("$foreground 40%") if self.stale else text)
        lanes = view.lanes if view is not None and view.state != "off" else []
        self.query_one("#lanes", KeyedTable).show([self._lane(lane) for lane in lanes], stale=self.stale)
        self.query_one("#lanes").display = bool(lanes)
        self.query_one("#letters").display = bool(self.site.letters)
        rows = [self._letter(letter) for letter in self.site.letters]
        self.query_one("#letters", KeyedTable).show(rows, stale=self.stale)
        heading = sync_words.letters(view.dead_letters) if lanes and view is not None else ""
        self.query_one("#letters-heading", Static).update(heading)
        self._show_letter()

    def subject(self) -> str | None:
        """The site's id at the centre."""
        return self.site.sync.site or None if self.site.sync else None

    # What can be done here

    async def do_enrol(self) -> None:
        """Type the code."""
        await self._with_view(sync_deeds.enrol)

    async def do_leave(self) -> None:
        """Work alone."""
        view = self.site.sync
        if view is not None and view.state == "off":
            self.tell("This hub is not enrolled anywhere.")
            return
        await self._with_view(sync_deeds.leave)

    async def do_retry(self) -> None:
        """Once more."""
        if not self.site.letters:
            self.tell("The centre took every row.")
            return
        await sync_deeds.retry(self)

    async def do_discard(self) -> None:
        """Never."""
        if not self.site.letters:
            self.tell("The centre took every row.")
            return
        await sync_deeds.discard(self, self._letter_under_cursor())

    async def _with_view(self, deed: Callable[[SiteScreen, SyncView], Awaitable[None]]) -> None:
        if self.site.sync is None:
            self.tell(sync_words.NO_SYNC if self.site.sync_absent else "The hub has not said yet how it stands.")
            return
        await deed(self, self.site.sync)

    # How it is drawn

    def _state(self, view: SyncView | None) -> Content:
        if view is None:
            return Content(sync_words.NO_SYNC if self.site.sync_absent else "The hub is asked.")
        mark = sync_words.mark_of(view)
        since = self._when(view.since)
        colour = COLOURS.get(mark.style, "$foreground 70%")
        head = Content.assemble(
            (f"{mark.glyph} {literal(mark.word)}", f"bold {colour}"), f" since {since}" if view.since else ""
        )
        wrong = [("Problem", view.problem, "$error"), ("Do", view.hint, "$warning")]
        lines = [head] + [_line(label, text, style) for label, text, style in wrong if text]
        if view.state == "off":
            return Content("\n").join([*lines, Content(sync_words.NOT_ENROLLED)])
        named = f"{view.name} ({view.site})" if view.name and view.name != view.site else view.site
        pairs = [
            ("Site", f"{named} of {view.tenant}" if view.tenant else named),
            ("Centre", view.url),
            ("Contact", f"{self._when(view.contact_at)}, {ages.size(view.sent_bytes)} sent"),
            ("Buffer", sync_words.buffer(view)),
        ]
        return Content("\n").join([*lines, *[_line(label, text) for label, text in pairs]])

    def _lane(self, lane: LaneView) -> Row:
        waits = f"{lane.waiting:,}"
        return Row(
            lane.stream,
            (
                cell(sync_words.stream(lane.stream), "strong"),
                cell(self._when(lane.complete_to, "nothing yet")),
                number_cell(waits, "warn" if lane.waiting else "quiet"),
                number_cell(sync_words.rate(lane), "quiet"),
                number_cell(sync_words.left(lane)),
                cell(self._when(lane.oldest_waiting_at, "-"), "quiet"),
            ),
        )

    def _letter(self, letter: DeadLetterView) -> Row:
        return Row(
            str(letter.id),
            (
                cell(sync_words.stream(letter.stream)),
                number_cell(str(letter.seq)),
                cell(self._when(letter.at), "quiet"),
                cell(letter.why, "warn"),
                cell(letter.body, "quiet"),
            ),
        )

    def _show_letter(self) -> None:
        found = self._letter_under_cursor()
        self.query_one("#letter-row", Static).update(Content(literal(found.body)) if found else "")

    def _letter_under_cursor(self) -> DeadLetterView | None:
        key = self.query_one("#letters", KeyedTable).current_key()
        return next((letter for letter in self.site.letters if str(letter.id) == key), None)

    def _when(self, text: str | None, otherwise: str = "never") -> str:
        when = ages.moment(text)
        return ages.clock_text(when, self.site.zone, self.session.clock.now()) if when else otherwise


def _line(label: str, text: str, style: str = "") -> Content:
    said = Content.styled(literal(text), style) if style else Content(literal(text))
    return Content.assemble((f"{label:<{LABEL_WIDTH}} ", "$foreground 60%"), said)
