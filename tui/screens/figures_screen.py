"""What the screens of assets share: the time that is looked at, its figures, and what is done to an asset."""

from __future__ import annotations

from edge.wire.assets import AssetView
from tui import ages, asset_deeds, asset_words
from tui.asset_figures import AssetFigures
from tui.literal import literal
from tui.messages import SiteChanged
from tui.screens.site_screen import SiteScreen
from tui.session import Session
from tui.windows import Question


class FiguresScreen(SiteScreen):
    """A screen has `chosen()`, the asset it acts on, and calls `read_when_due` from `show()`."""

    def __init__(self, session: Session, question: Question, only: str = "") -> None:
        super().__init__(session)
        self.figures = AssetFigures(session, question, only)
        self._reading = False

    def chosen(self) -> AssetView | None:
        """The asset that keys act on."""
        return None

    def read_when_due(self, shown: list[str]) -> None:
        """Ask the hub again where what is shown is old; `shown` are assets whose states can be seen."""
        if not self.stale and not self._reading and self.figures.due(shown):
            self._reading = True
            self.run_worker(self._read(shown), group="figures")

    async def _read(self, shown: list[str]) -> None:
        try:
            await self.figures.read(shown)
        finally:
            self._reading = False
        self.post_message(SiteChanged())

    def window_text(self) -> str:
        """`last 8 h, all shifts · as of 12:04:31`, `yesterday, Early`, or why the figures could not be read."""
        figures = self.figures
        if figures.failed:
            return f"✗ figures not read: {literal(figures.failed)}"
        text = literal(figures.question.text(figures.rules.shifts), 40)
        if figures.as_of is None:
            return f"{text} · {asset_words.NOT_READ}"
        if not figures.question.goes_on:
            return text
        as_of = ages.clock_text(ages.moment(figures.as_of), self.site.zone, self.session.clock.now())
        return f"{text} · as of {as_of}"

    def heard(self, view: AssetView) -> str:
        """When its logger was heard; the time of it where the hub cannot tell an age."""
        heard_s, when = self.site.machines.heard_s(view.id), ages.moment(view.evidence_at)
        if heard_s is None and when is not None:
            return f"heard {ages.clock_text(when, self.site.zone, self.session.clock.now())}"
        return asset_words.heard(heard_s)

    # What can be done here

    def do_window(self) -> None:
        """The next window."""
        self._ask(self.figures.question.next_window())

    def do_shift(self) -> None:
        """The next shift."""
        shifts = self.figures.rules.shifts
        if not shifts:
            self.tell("This site has no shifts yet: head office or `outpost shift set` makes them.")
        self._ask(self.figures.question.next_shift(shifts))

    async def do_set_up(self) -> None:
        """Name, line, threshold."""
        if view := self._with_asset():
            await asset_deeds.set_up(self, view)
            self._changed()

    async def do_wire(self) -> None:
        """Another input."""
        if view := self._with_asset():
            await asset_deeds.wire(self, view)
            self._changed()

    def _with_asset(self) -> AssetView | None:
        view = self.chosen()
        if view is None:
            self.tell("Put the cursor on an asset first.")
        return view

    def _changed(self) -> None:
        self.figures.again()
        self.redraw()

    def _ask(self, question: Question) -> None:
        if self.stale:
            self.tell("The hub is away: what is shown stays as it was.")
            return
        self.figures.ask(question)
        self.redraw()
