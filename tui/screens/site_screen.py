"""What all screens share: the lines at top and bottom, redrawing when the site changes, and the way back."""

from __future__ import annotations

from typing import ClassVar

from textual.app import ComposeResult
from textual.screen import Screen
from textual.widgets import DataTable

from tui.actions import Action, of_scope
from tui.messages import ActionAsked, FilterChanged, SiteChanged, Tick
from tui.session import Session
from tui.site import Contact
from tui.widgets.banner import Banner
from tui.widgets.filter_line import FilterLine
from tui.widgets.key_hints import KeyHints
from tui.widgets.status_line import StatusLine


class SiteScreen(Screen[None]):
    """A screen fills `body()` and `show()`; `subject()` is the id that `y` copies."""

    SCOPE: ClassVar[str] = ""
    TAB: ClassVar[str] = ""
    AUTO_FOCUS = "DataTable"

    def __init__(self, session: Session) -> None:
        super().__init__()
        self.session = session
        self.site = session.site

    def compose(self) -> ComposeResult:
        """Status, banner, the screen's own, filter, keys."""
        yield StatusLine(self.session, self.TAB, self.crumb())
        yield Banner(self.session)
        yield from self.body()
        yield FilterLine()
        yield KeyHints(self.session, self.SCOPE, self.fits)

    def body(self) -> ComposeResult:
        """The widgets between the lines."""
        yield from ()

    def show(self) -> None:
        """Bring the widgets to what the site is now. Called often; must be cheap."""

    def subject(self) -> str | None:
        """The id under the cursor."""
        return None

    def fits(self, _: Action) -> bool:
        """Whether an action makes sense just now, so that its key is hinted."""
        return True

    def crumb(self) -> str:
        """Where one is below the tab."""
        return ""

    @property
    def stale(self) -> bool:
        """Whether what is shown may be out of date."""
        return self.site.contact is not Contact.LIVE

    def redraw(self) -> None:
        """Everything that depends on the site or the clock; nothing once it was closed, while the hub was asked."""
        if not self.query(StatusLine):
            return
        line = self.query_one(StatusLine)
        line.crumb = self.crumb()
        line.refresh()
        self.query_one(Banner).refresh_text()
        self.query_one(KeyHints).refresh()
        self.show()

    def back(self) -> None:
        """One step back: the filter first, then the screen, if there is one below."""
        if self.query_one(FilterLine).clear_or_close():
            self.screen.focus_next("DataTable")
        elif len(self.app.screen_stack) > 1:
            self.app.pop_screen()

    def tell(self, text: str) -> None:
        """A short word to the technician that goes away by itself."""
        self.app.notify(text, markup=False)

    def do_filter(self) -> None:
        """Open the filter line."""
        self.query_one(FilterLine).open()

    def on_mount(self) -> None:
        """Draw at once."""
        self.redraw()

    def on_screen_resume(self) -> None:
        """It may be long ago."""
        if self.is_mounted:
            self.call_after_refresh(self.redraw)

    def on_site_changed(self, _: SiteChanged) -> None:
        """Redraw."""
        self.redraw()

    def on_tick(self, _: Tick) -> None:
        """Redraw: ages went up."""
        self.redraw()

    def on_filter_changed(self, _: FilterChanged) -> None:
        """Redraw what is let through, and the keys that fit the row the cursor is on then."""
        self.show()
        self.call_after_refresh(self.query_one(KeyHints).refresh)

    def on_data_table_row_selected(self, event: DataTable.RowSelected) -> None:
        """Enter on a row, or a click: what this screen does on Enter."""
        event.stop()
        action = next((it for it in of_scope(self.SCOPE) if "enter" in it.keys), None)
        if action is not None:
            self.post_message(ActionAsked(action.id))
