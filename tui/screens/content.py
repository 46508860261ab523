"""Content: what each panel shows, by what evidence, and the picture itself."""

from __future__ import annotations

import asyncio
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import BindingType
from textual.content import Content
from textual.widgets import Static

from edge.errors import NotFound, OutpostError
from edge.wire.content import PanelView
from tui import ages, content_words, png
from tui.actions import Action, bindings
from tui.client import segment
from tui.deeds import name
from tui.screens.asking_screen import AskingScreen
from tui.screens.device import DeviceScreen
from tui.screens.documents import DocumentsScreen
from tui.session import Session
from tui.shades import Greys
from tui.state_bar import BLOCKS
from tui.widgets.cell import cell, mark_cell, number_cell
from tui.widgets.filter_line import FilterLine
from tui.widgets.key_hints import KeyHints
from tui.widgets.keyed_table import Field, KeyedTable, Row
from tui.widgets.panel_picture import PanelPicture
from tui.wording import counted

FIELDS = (
    Field("state", "State", 11),
    Field("device", "Device", 12, share=2),
    Field("shows", "Shows", 14, share=3),
    Field("since", "Since", 6),
    Field("next", "Next", 12),
    Field("panel", "Panel", 14, from_width=100),
)
SMALLEST = 16  # cells across: less shows nothing
Asked = tuple[str, str, int, int]
"""Device, hash, width and height of a picture."""


class ContentScreen(AskingScreen):
    """Panels above, and beneath what the one under the cursor shows; `w` turns to what it should show."""

    SCOPE: ClassVar[str] = "content"
    TAB: ClassVar[str] = "content"
    BINDINGS: ClassVar[list[BindingType]] = bindings("content")

    def __init__(self, session: Session) -> None:
        super().__init__(session)
        self._wanted = False
        self._picture: Greys | None = None
        self._picture_of: Asked | None = None

    def body(self) -> ComposeResult:
        """Counts, panels, what is known of one, its picture."""
        yield Static(id="counts", classes="heading", markup=False)
        yield KeyedTable(FIELDS, id="panels")
        yield Static(id="panel-facts", markup=False)
        yield PanelPicture(id="panel-picture", blocks=self.session.glyphs is BLOCKS)

    def fits(self, action: Action) -> bool:
        """A row is needed, but for documents and the filter."""
        verb = action.id.partition(".")[2]
        return verb in ("open_documents", "filter") or self._panel() is not None

    def subject(self) -> str | None:
        """The device's id."""
        return self.query_one("#panels", KeyedTable).current_key()

    def on_data_table_row_highlighted(self) -> None:
        """Another panel."""
        self._show_panel()
        self.query_one(KeyHints).refresh()

    def on_panel_picture_resized(self, event: PanelPicture.Resized) -> None:
        """Another size is asked for."""
        event.stop()
        self._show_panel()

    async def read(self) -> None:
        """The picture of the panel under the cursor, as it fits."""
        asked = self._asked()
        if asked is None or asked == self._picture_of:
            return
        device, _, width, height = asked
        of = "wanted" if self._wanted else "shown"
        try:
            data = await self.session.client.picture(
                f"/v1/content/panels/{segment(device)}/picture.png", of=of, w=width, h=height
            )
            picture = await asyncio.to_thread(png.samples, data)
        except NotFound:
            picture = None
        except png.Bad as error:
            raise OutpostError(f"the hub's picture cannot be read: {error}") from error
        self._picture, self._picture_of = picture, asked

    def show(self) -> None:
        """Everything."""
        panels, wanted = self.site.panels.all(), self.query_one(FilterLine).filter
        shown = [view for view in panels if wanted.matches(self._fields(view))]
        self.query_one("#panels", KeyedTable).show([self._row(view) for view in shown], stale=self.stale)
        self.query_one("#counts", Static).update(Content(self._counts(panels, len(shown), wanted.text)))
        self._show_panel()

    # What can be done here

    def do_turn(self) -> None:
        """What it shows, or what it should."""
        self._wanted = not self._wanted
        self._show_panel()

    def do_open_documents(self) -> None:
        """What people have written."""
        self.app.push_screen(DocumentsScreen(self.session))

    def do_open_device(self) -> None:
        """The device under the cursor."""
        if view := self._panel():
            self.app.push_screen(DeviceScreen(self.session, view.device))

    # How it is drawn

    def _panel(self) -> PanelView | None:
        return self.site.panels.of(self.subject() or "")

    def _asked(self) -> Asked | None:
        """The picture that should be seen; None where there is none, or no room."""
        view = self._panel()
        width, height = self.query_one(PanelPicture).room()
        hash = "" if view is None else view.wanted if self._wanted else view.shown
        return (view.device, hash, width, height) if view and hash and width >= SMALLEST and height else None

    def _show_panel(self) -> None:
        view, box = self._panel(), self.query_one(PanelPicture)
        box.border_title = "What it should show" if self._wanted else "On the panel"
        lines = content_words.told(view, self.site.zone, self.session.clock.now()) if view else []
        if self.failed:
            lines = [f"✗ {self.failed}", *lines]
        self.query_one("#panel-facts", Static).update(Content("\n".join(lines)))
        asked = self._asked()
        there = asked is not None and self._picture_of is not None and asked[:2] == self._picture_of[:2]
        words = "" if asked is None else "…" if not there else "The hub has this picture no more."
        box.show(self._picture if there else None, words, stale=self.stale)
        self.read_when_due(more=asked is not None and asked != self._picture_of)

    def _row(self, view: PanelView) -> Row:
        now = self.session.clock.now()
        since_s = ages.seconds_since(view.shown_at, now)
        return Row(
            view.device,
            (
                mark_cell(content_words.of_panel(view)),
                cell(view.name or view.device, "strong"),
                cell(content_words.screen(view.shown_screen, view.shown_version)),
                number_cell(ages.age(since_s) if view.shown else "-"),
                cell(content_words.next_turn(view, self.site.zone, now), "quiet"),
                cell(view.panel, "quiet"),
            ),
        )

    def _fields(self, view: PanelView) -> dict[str, str]:
        return {
            "name": f"{view.name} {view.device}",
            "shows": f"{view.shown_screen} {view.screen} {view.playlist} {view.schedule}",
            "panel": view.panel,
            "state": content_words.of_panel(view).word,
        }

    def _counts(self, panels: list[PanelView], shown: int, wanted: str) -> str:
        if not self.site.ever_reached:
            return ""
        if self.site.panels.absent:
            return content_words.OLDER_HUB
        if wanted:
            return f"Filter “{name(wanted)}” shows {shown} of {len(panels)} · Esc clears it"
        if not panels:
            return content_words.NO_PANELS
        behind = sum(bool(view.wanted) and not view.sharp for view in panels)
        parts = [f"◐ {behind} behind"] if behind else []
        return " · ".join([*parts, counted(len(panels), "panel")])
