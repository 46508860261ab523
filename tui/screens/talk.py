"""The communication log: what went to every device and what came from it, with a filter and a pause."""

from __future__ import annotations

from typing import ClassVar

from rich.text import Text
from textual.app import ComposeResult
from textual.binding import BindingType

from edge.errors import OutpostError
from edge.wire.views import LogLine
from tui.actions import bindings
from tui.messages import FilterChanged
from tui.screens.site_screen import SiteScreen
from tui.session import Session
from tui.talk_lines import drawn, fields
from tui.widgets.cell import cell
from tui.widgets.filter_line import FilterLine
from tui.widgets.key_hints import KeyHints
from tui.widgets.tail import Tail

LENGTH = 300  # lines read at first


class TalkScreen(SiteScreen):
    """All devices; of one alone with the filter `device:NAME`."""

    SCOPE: ClassVar[str] = "talk"
    TAB: ClassVar[str] = "talk"
    AUTO_FOCUS = "Tail"
    BINDINGS: ClassVar[list[BindingType]] = bindings("talk")

    def __init__(self, session: Session) -> None:
        super().__init__(session)
        self._written = 0
        self._loaded_for = -1

    def body(self) -> ComposeResult:
        """One tail."""
        yield Tail(id="talk", title="To devices → and from them ←")

    def show(self) -> None:
        """What is new, as far as the filter lets it through."""
        if not self.stale and self._loaded_for != self.site.contact_since:
            self._loaded_for = self.site.contact_since
            self.run_worker(self._load(), group="load", exclusive=True)
        tail, lines = self.query_one(Tail), self.site.talk
        fresh = min(self.site.talk_count - self._written, len(lines))
        for line in list(lines)[len(lines) - fresh :]:
            text = self._drawn(line)
            if text is not None:
                tail.add(text)
        self._written = self.site.talk_count
        tail.say_ended("hub away: lines from here on are missing" if self.stale else "")

    def on_filter_changed(self, _: FilterChanged) -> None:
        """Everything again, through the new filter."""
        self._again()
        self.call_after_refresh(self.query_one(KeyHints).refresh)

    def do_pause(self) -> None:
        """Hold the lines still."""
        self.query_one(Tail).toggle()

    def back(self) -> None:
        """The filter first; below this there is nothing."""
        if self.query_one(FilterLine).clear_or_close():
            self.query_one(Tail).focus()

    async def _load(self) -> None:
        try:
            lines = await self.session.client.newest("/v1/log", LogLine, LENGTH)
        except OutpostError as error:
            self.query_one(Tail).say_ended(f"no log: {error.detail}")
            return
        self.site.open_talk(lines[::-1])
        self._again()

    def _again(self) -> None:
        shown = [text for line in self.site.talk if (text := self._drawn(line)) is not None]
        if not shown and self.site.talk:
            shown = [cell(f"None of the last {len(self.site.talk)} lines fits the filter.", "quiet")]
        self.query_one(Tail).start_over(shown)
        self._written = self.site.talk_count

    def _drawn(self, line: LogLine) -> Text | None:
        """The line as shown, None where the filter leaves it out."""
        device = self.site.device_name(line.device)
        if not self.query_one(FilterLine).filter.matches(fields(line, device)):
            return None
        return drawn(line, self.site.zone, self.session.clock.now(), device)
