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

TABS = ("overview", "queue", "serial", "vending", "talk", "sync")


class StatusLine(Widget):
    """One line; redrawn on every tick."""

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
        for tab in TABS:
            width = self._tab_text(tab).cell_length
            if start <= event.x < start + width:
                self.post_message(ActionAsked(f"app.go_{tab}"))
            start += width

    def _left(self) -> Content:
        parts = [self._tab_text(tab) for tab in TABS]
        if self.crumb:
            parts.append(Content.styled(f" ▸ {literal(self.crumb, 24)}", "bold"))
        return Content.assemble(*parts)

    def _tab_text(self, tab: str) -> Content:
        action = BY_ID[f"app.go_{tab}"]
        style = "bold $foreground on $primary-muted" if tab == self._tab else "$foreground 70%"
        return Content.styled(f" {action.key_text} {action.label}{self._count(tab)} ", style)

    def _count(self, tab: str) -> str:
        commands = self._session.site.waiting()
        doubtful = sum(1 for command in commands if command.state is State.IN_DOUBT)
        if tab == "queue" and commands:
            return f" ▲{doubtful}" if doubtful else f" {len(commands)}"
        if tab == "sync" and (word := sync_words.short(self._session.site.sync)):
            return f" {literal(word, 12)}"
        return ""

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
