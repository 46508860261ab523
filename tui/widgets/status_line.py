"""The top line: the screens and their keys, where one is, and the hub's clock."""

from __future__ import annotations

from textual import events
from textual.app import RenderResult
from textual.content import Content
from textual.widget import Widget

from edge.wire.commands import State
from tui import ages, sync_words
from tui.actions import BY_ID
from tui.literal import literal
from tui.messages import ActionAsked
from tui.session import Session
from tui.site import Contact

TABS = ("overview", "queue", "serial", "vending", "talk", "sync", "assets", "firmware", "provision", "content")
FULL, SHORT, NONE = "full", "short", "none"
ROOM = ((" ", FULL, True), ("", FULL, True), ("", FULL, False), ("", SHORT, False), ("", NONE, True))
"""A blank before each tab, its name, how syncing stands: the most first."""
SHORT_NAMES = {
    "overview": "Over",
    "serial": "Ser",
    "vending": "Vend",
    "assets": "Asset",
    "firmware": "Fw",
    "provision": "Prov",
    "content": "Cont",
}
CLOCK_CELLS = 10  # what the right end wants at least


class StatusLine(Widget):
    """One line; redrawn on every tick. Where it is narrow, tabs lose a blank first, then letters, then names."""

    DEFAULT_CSS = "StatusLine { height: 1; background: $panel; }"

    def __init__(self, session: Session, tab: str, crumb: str = "") -> None:
        super().__init__()
        self._session = session
        self._tab = tab
        self.crumb = crumb

    def render(self) -> RenderResult:
        """Left: tabs and crumb. Right: site, role, time; cut first when it is narrow."""
        left = self._left()
        room = self.size.width - left.cell_length
        right = next((text for text in self._rights() if text.cell_length < room), Content())
        gap = Content(" " * max(1, room - right.cell_length))
        return Content.assemble(left, gap, right)

    def on_click(self, event: events.Click) -> None:
        """A tab is a button."""
        start = 0
        for tab, text in zip(TABS, self._tabs(), strict=True):
            if start <= event.x < start + text.cell_length:
                self.post_message(ActionAsked(f"app.go_{tab}"))
            start += text.cell_length

    def _left(self) -> Content:
        return Content.assemble(*self._tabs(), self._crumb())

    def _crumb(self) -> Content:
        return Content.styled(f" ▸ {literal(self.crumb, 24)}", "bold") if self.crumb else Content()

    def _tabs(self) -> list[Content]:
        """The tabs, in as many words as there is room for."""
        room = self.size.width - CLOCK_CELLS - self._crumb().cell_length
        offers = [[self._tab_text(tab, *how) for tab in TABS] for how in ROOM]
        fitting = (offer for offer in offers if sum(text.cell_length for text in offer) <= room)
        return next(fitting, offers[-1])

    def _tab_text(self, tab: str, blank: str, named: str, sync: bool) -> Content:
        action, here = BY_ID[f"app.go_{tab}"], tab == self._tab
        style = "bold $foreground on $primary-muted" if here else "$foreground 70%"
        short = SHORT_NAMES.get(tab, action.label) if named == SHORT else ""
        label = action.label if here or named == FULL else short
        label = f" {label}" if label else ""
        count = self._count(tab) if sync or tab != "sync" else self._trouble()
        return Content.styled(f"{blank}{action.key_text}{label}{count} ", style)

    def _count(self, tab: str) -> str:
        commands = self._session.site.waiting()
        doubtful = sum(1 for command in commands if command.state is State.IN_DOUBT)
        if tab == "queue" and commands:
            return f" ▲{doubtful}" if doubtful else f" {len(commands)}"
        if tab == "sync" and (word := sync_words.short(self._session.site.sync)):
            return f" {literal(word, 12)}"
        return ""

    def _trouble(self) -> str:
        """Of syncing only that it needs a person."""
        view = self._session.site.sync
        return " ▲" if view is not None and view.state == sync_words.REFUSED else ""

    def _rights(self) -> list[Content]:
        """What the right end may say, fullest first."""
        site = self._session.site
        name = literal(site.status.name, 24) if site.status else ""
        role = "read-only" if self._session.readonly else literal(site.status.role, 12) if site.status else ""
        offers = [(name, role, self._time()), (role, self._time()), (self._time(),)]
        return [
            Content.styled(" · ".join(part for part in offer if part) + " ", "$foreground 70%") for offer in offers
        ]

    def _time(self) -> str:
        site = self._session.site
        if site.contact is Contact.AWAY:
            return "✗ hub away"
        return ages.clock_text(self._session.clock.now(), site.zone)
