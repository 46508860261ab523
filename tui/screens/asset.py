"""One asset: how it stands, its states over the time looked at, its stops, and which reasons cost the most."""

from __future__ import annotations

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Horizontal
from textual.content import Content
from textual.widgets import Static

from edge.wire.assets import AssetView, ParetoRow, StopView
from tui import ages, asset_deeds, asset_words, state_bar
from tui.actions import Action, bindings
from tui.literal import literal
from tui.marks import of_asset
from tui.screens.device import DeviceScreen
from tui.screens.figures_screen import FiguresScreen
from tui.session import Session
from tui.widgets.cell import cell, number_cell
from tui.widgets.facts import COLOURS
from tui.widgets.key_hints import KeyHints
from tui.widgets.keyed_table import Field, KeyedTable, Row
from tui.windows import Question

STOPS = (
    Field("at", "Stopped", 12),
    Field("lasted", "For", 7),
    Field("short", "", 5),
    Field("reason", "Reason", 9, share=1),
    Field("by", "Said by", 8, from_width=60),
)
NO_REASON = "no reason"  # beside a bar, where room is scarce
REASON_CELLS = 14
BAR_CELLS = 4


class AssetScreen(FiguresScreen):
    """Opened from the list of assets; Esc goes back there."""

    SCOPE: ClassVar[str] = "asset"
    TAB: ClassVar[str] = "assets"
    AUTO_FOCUS = "#stops"
    BINDINGS: ClassVar[list[BindingType]] = bindings("asset")

    def __init__(self, session: Session, asset: str, question: Question) -> None:
        super().__init__(session, question, asset)
        self.asset = asset

    def body(self) -> ComposeResult:
        """Facts, the timeline, stops beside reasons."""
        yield Static(id="asset-facts", markup=False)
        yield Static(id="timeline", markup=False)
        with Horizontal():
            yield KeyedTable(STOPS, id="stops")
            yield Static(id="pareto", markup=False)

    def on_mount(self) -> None:
        """Titles, then draw."""
        self.query_one("#stops").border_title = "Stops"
        self.query_one("#pareto").border_title = "Why it stood"
        super().on_mount()

    def crumb(self) -> str:
        """Its name."""
        view = self.chosen()
        return view.name if view else self.asset

    def subject(self) -> str | None:
        """Its id."""
        return self.asset

    def chosen(self) -> AssetView | None:
        """The one that is open."""
        return self.site.machines.one(self.asset)

    def fits(self, action: Action) -> bool:
        """A reason needs a stop, the logger a device that is there."""
        view, verb = self.chosen(), action.id.partition(".")[2]
        if verb == "reason":
            return self._stop() is not None
        if verb == "shift":
            return bool(self.figures.rules.shifts)
        if verb == "open_device":
            return view is not None and self.site.device(view.device) is not None
        return verb == "window" or view is not None

    def on_data_table_row_highlighted(self) -> None:
        """The keys that fit the stop under the cursor."""
        self.query_one(KeyHints).refresh()

    def on_resize(self) -> None:
        """The timeline is as wide as the screen."""
        self.call_after_refresh(self.redraw)

    def show(self) -> None:
        """Everything."""
        view = self.chosen()
        facts, stale = self._facts(view), "$foreground 40%"
        self.query_one("#asset-facts", Static).update(facts.stylize(stale) if self.stale else facts)
        timeline = self._timeline()
        self.query_one("#timeline", Static).update(timeline.stylize(stale) if self.stale else timeline)
        stops = self.query_one("#stops", KeyedTable)
        stops.show([self._row(stop) for stop in self.figures.stops], stale=self.stale)
        stops.border_subtitle = "there are more" if self.figures.more_stops else ""
        pareto = self._pareto()
        self.query_one("#pareto", Static).update(pareto.stylize(stale) if self.stale else pareto)
        self.read_when_due([self.asset])

    # What can be done here

    async def do_reason(self) -> None:
        """Of the stop under the cursor."""
        view, stop = self.chosen(), self._stop()
        if view is None or stop is None:
            self.tell("There is no stop here: choose another time with w.")
            return
        given = await asset_deeds.give_reason(self, view, stop, self.figures.rules.reasons)
        if given is not None:
            self.figures.stops = [given if each.id == given.id else each for each in self.figures.stops]
            self._changed()

    def do_open_device(self) -> None:
        """Its logger."""
        view = self.chosen()
        if view is None or self.site.device(view.device) is None:
            self.tell("Its logger is not known to the hub any more.")
        else:
            self.app.push_screen(DeviceScreen(self.session, view.device))

    def _stop(self) -> StopView | None:
        key = self.query_one("#stops", KeyedTable).current_key()
        return next((stop for stop in self.figures.stops if stop.id == key), None)

    # How it is drawn

    def _facts(self, view: AssetView | None) -> Content:
        if view is None:
            why = "is not known to this hub (any more)." if self.site.ever_reached else "is not read yet."
            return Content(f"“{literal(self.asset)}” {why}")
        mark = of_asset(view, self.site.machines.heard_s(view.id))
        now = self.session.clock.now()
        since = ages.clock_text(ages.moment(view.since), self.site.zone, now) if view.since else ""
        why = asset_words.reason(view.reason, self.figures.rules.reasons)
        head = Content.assemble(
            (f"{mark.glyph} {mark.word}", f"bold {COLOURS.get(mark.style, '$foreground 70%')}"),
            f" since {since}" if since else "",
            f": {literal(why, 30)}" if why else "",
            f" · {self.heard(view)}",
            " · its input changes oftener than any machine" if view.chatter else "",
        )
        short, silent = asset_words.lasting(view.short_stop_s), asset_words.lasting(view.silent_s)
        place = asset_words.place(view, self.site.device_name(view.device))
        lines = [head, Content(f"{place} · short below {short}, silent after {silent}")]
        row = self.figures.rows.get(self.asset)
        if row is None:
            return Content("\n").join([*lines, Content(self.window_text())])
        ratio = f"Availability {asset_words.share(row.availability)}, {asset_words.share(row.coverage)} known"
        return Content("\n").join(
            [
                *lines,
                Content.assemble((ratio, "bold"), f" · {self.window_text()}"),
                Content(asset_words.times(row)),
                Content(asset_words.stops(row)),
            ]
        )

    def _timeline(self) -> Content:
        line, span, glyphs = self.figures.lines.get(self.asset), self.figures.span, self.session.glyphs
        if line is None or span is None:
            return Content("")
        width = self.query_one("#timeline", Static).content_size.width
        bar = state_bar.drawn(line.cells(span, width), glyphs)
        cut = "" if line.whole else "  ▲ it changes too often to draw all of it"
        return Content("\n").join(
            [
                Content.from_rich_text(bar),
                Content(state_bar.marks(span, width, self.site.zone, glyphs)),
                Content.styled(state_bar.legend(glyphs) + cut, "$foreground 60%"),
            ]
        )

    def _row(self, stop: StopView) -> Row:
        now = self.session.clock.now()
        open_ = stop.to is None
        said = stop.reason_name or stop.reason, stop.note
        return Row(
            stop.id,
            (
                cell(ages.clock_text(ages.moment(stop.at), self.site.zone, now)),
                number_cell(asset_words.lasting(stop.stopped_s), "bad" if open_ else ""),
                cell("now" if open_ else "short" if stop.short else "", "bad" if open_ else "quiet"),
                cell(": ".join(filter(None, said)) or asset_words.WITHOUT, "" if any(said) else "quiet"),
                cell(stop.said_by, "quiet"),
            ),
        )

    def _pareto(self) -> Content:
        rows = self.figures.pareto
        if not rows:
            return Content("" if self.figures.as_of is None else "It did not stand still.")
        area = self.query_one("#pareto", Static).content_size
        greatest = max(row.stop_s for row in rows) or 1.0
        return Content("\n").join([self._bar(row, greatest, area.width) for row in rows[: max(1, area.height)]])

    def _bar(self, row: ParetoRow, greatest: float, width: int) -> Content:
        figures = f"{asset_words.lasting(row.stop_s):>6} {row.stops:>3}x"
        left = max(0, width - len(figures) - 2)
        cells = min(REASON_CELLS, max(1, left - BAR_CELLS))
        room = max(0, left - cells)
        said = literal(row.name or row.reason or NO_REASON, cells)
        bar = state_bar.share_bar(row.stop_s / greatest, room, self.session.glyphs)
        colour = "$warning" if row.reason else "$foreground 60%"
        return Content.assemble(f"{said:<{cells}} ", (f"{bar:<{room}}", colour), f" {figures}")
