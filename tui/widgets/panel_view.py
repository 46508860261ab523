"""What the device's panel shows, as far as there is evidence: its word, and the picture if it came from here."""

from __future__ import annotations

from datetime import datetime, tzinfo
from typing import NamedTuple

from textual.content import Content
from textual.widgets import Static

from edge.wire.views import CommandView, DeviceView
from tui import ages
from tui.half_blocks import Modules, drawn, lines_of
from tui.literal import literal

TEXT_LINES = 3  # above the picture
WORDS = {"qr": "a QR code", "rotation": "the rotation", "picture": "a picture", "idle": "its idle screen"}


class Shown(NamedTuple):
    """A command asked for here, and its picture."""

    command: CommandView
    modules: Modules | None


class PanelView(Static):
    """`remember()` keeps the last picture sent from here; it is drawn only while the device says it shows it."""

    def __init__(self, *, id: str) -> None:
        super().__init__(id=id, markup=False)
        self.border_title = "On its panel"
        self._last: Shown | None = None

    def remember(self, shown: Shown) -> None:
        """A picture is on its way."""
        self._last = shown

    def show(self, view: DeviceView, where: tzinfo, now: datetime, *, stale: bool) -> None:
        """Its word, since when, and the picture if it is that one."""
        text = Content(self._words(view, where, now))
        picture = self._picture(view)
        if picture:
            text = Content.assemble(text, "\n", (picture, "black on white"))
        self.update(text.stylize("$foreground 40%") if stale else text)

    def picture_lines(self, view: DeviceView) -> int:
        """How high the picture of what the panel shows is; 0 when there is none to draw."""
        modules = self._modules(view)
        return lines_of(modules) if modules else 0

    def _words(self, view: DeviceView, where: tzinfo, now: datetime) -> str:
        screen = view.screen
        if screen is None:
            return "This kind of device has no panel." if not view.panel else "It has not said."
        if screen.shows == "unknown":
            return "Not known: it has not said since it was last away."
        words = WORDS.get(screen.shows, literal(screen.shows, 20))
        since = ages.moment(screen.since)
        lines = [f"Shows {words}"]
        if screen.command:
            lines.append(f"of command {literal(screen.command, 28)}")
        if since:
            age = ages.age((now - since).total_seconds())
            lines.append(f"since {ages.clock_text(since, where, now)} ({age})")
        return "\n".join(lines)

    def _picture(self, view: DeviceView) -> str:
        modules = self._modules(view)
        width, height = self.content_size
        return drawn(modules, width, height - TEXT_LINES) if modules else ""

    def _modules(self, view: DeviceView) -> Modules | None:
        """Those of the picture sent from here, while the device says that it shows it."""
        shows = view.screen.command if view.screen else None
        return self._last.modules if self._last and self._last.command.id == shows else None
