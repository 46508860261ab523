"""Assets: every machine that is watched, how it stands, and how it ran in the time that is looked at."""

from __future__ import annotations

from typing import ClassVar

from rich.text import Text
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.content import Content
from textual.widgets import Static

from edge.wire.assets import AssetView
from tui import ages, asset_deeds, asset_words, state_bar
from tui.actions import Action, bindings
from tui.deeds import name
from tui.marks import ASSETS, Mark, of_asset
from tui.screens.asset import AssetScreen
from tui.screens.figures_screen import FiguresScreen
from tui.session import Session
from tui.widgets.cell import cell, mark_cell, number_cell
from tui.widgets.filter_line import FilterLine
from tui.widgets.key_hints import KeyHints
from tui.widgets.keyed_table import Field, KeyedTable, Row
from tui.windows import Question
from tui.wording import counted

FIELDS = (
    Field("state", "State", 10),
    Field("name", "Name", 11, share=2),
    Field("for", "For", 6),
    Field("ratio", "Avail.", 7),
    Field("coverage", "Known", 7),
    Field("stops", "Stops", 5),
    Field("short", "Short", 5, from_width=100),
    Field("mtbf", "MTBF", 6, from_width=100),
    Field("mttr", "MTTR", 6, from_width=100),
    Field("line", "Timeline", 10, share=5),
)
ONE_SHOWN = 1  # rows whose states are read before the table has a height


class AssetsScreen(FiguresScreen):
    """Enter drills into an asset."""

    SCOPE: ClassVar[str] = "assets"
    TAB: ClassVar[str] = "assets"
    BINDINGS: ClassVar[list[BindingType]] = bindings("assets")

    def __init__(self, session: Session) -> None:
        super().__init__(session, Question())

    def body(self) -> ComposeResult:
        """A line of counts, assets, and the one under the cursor in full."""
        yield Static(id="counts", classes="heading", markup=False)
        yield KeyedTable(FIELDS, id="assets")
        yield Static(id="asset-row", markup=False)

    def fits(self, action: Action) -> bool:
        """A reason is given to a stop."""
        view, verb = self.chosen(), action.id.partition(".")[2]
        if verb == "reason":
            return view is not None and bool(view.stop)
        if verb == "shift":
            return bool(self.figures.rules.shifts)
        return verb in ("window", "filter") or view is not None

    def chosen(self) -> AssetView | None:
        """The one under the cursor."""
        return self.site.machines.one(self.subject() or "")

    def subject(self) -> str | None:
        """Its id."""
        return self.query_one("#assets", KeyedTable).current_key()

    def on_data_table_row_highlighted(self) -> None:
        """All about the row under the cursor, and the keys that fit it."""
        self._show_row()
        self.query_one(KeyHints).refresh()

    def show(self) -> None:
        """Rows, counts, and the one under the cursor."""
        every, wanted = self.site.machines.all(), self.query_one(FilterLine).filter
        shown = [view for view in every if wanted.matches(self._fields(view))]
        table = self.query_one("#assets", KeyedTable)
        table.show([self._row(view) for view in shown], stale=self.stale)
        self.query_one("#counts", Static).update(Content(self._counts(every, len(shown), wanted.text)))
        self._show_row()
        self.read_when_due(self._in_sight(table))

    # What can be done here

    def do_open_row(self) -> None:
        """The asset under the cursor."""
        if view := self._with_asset():
            self.app.push_screen(AssetScreen(self.session, view.id, self.figures.question))

    async def do_reason(self) -> None:
        """Of the stop under way."""
        view = self._with_asset()
        if view is None:
            return
        if not view.stop:
            self.tell(f"{asset_deeds.called(view)} does not stand still. Enter lists its stops.")
            return
        await asset_deeds.give_reason_now(self, view)
        self._changed()

    # How it is drawn

    def _in_sight(self, table: KeyedTable) -> list[str]:
        """The assets whose rows can be seen."""
        keys = [row.key.value for row in table.ordered_rows]
        first = int(table.scroll_y)
        some = keys[first : first + max(ONE_SHOWN, table.size.height)]
        return [key for key in some if key is not None]

    def _mark(self, view: AssetView) -> Mark:
        return of_asset(view, self.site.machines.heard_s(view.id))

    def _row(self, view: AssetView) -> Row:
        row = self.figures.rows.get(view.id)
        since_s = ages.seconds_since(view.since, self.session.clock.now())
        quiet = "" if view.named else "quiet"
        figures = (
            (asset_words.share(row.availability), asset_words.share(row.coverage), str(row.stops),
             str(row.short_stops), asset_words.lasting(row.mtbf_s), asset_words.lasting(row.mttr_s))
            if row
            else (asset_words.NOT_READ,) * 6
        )  # fmt: skip
        return Row(
            view.id,
            (
                mark_cell(self._mark(view)),
                cell(view.name, quiet or "strong"),
                number_cell(ages.age(since_s) if view.since else asset_words.DASH),
                *[number_cell(text) for text in figures],
                self._line(view),
            ),
        )

    def _line(self, view: AssetView) -> Text:
        line, span = self.figures.lines.get(view.id), self.figures.span
        if line is None or span is None:
            return cell("")
        table = self.query_one("#assets", KeyedTable)
        return state_bar.drawn(line.cells(span, table.width_of("line")), self.session.glyphs)

    def _show_row(self) -> None:
        area, view = self.query_one("#asset-row", Static), self.chosen()
        if view is None:
            area.update("")
            return
        row = self.figures.rows.get(view.id)
        came = "" if view.named else " · came by itself: e names it"
        why = f" · {name(asset_words.reason(view.reason, self.figures.rules.reasons))}" if view.reason else ""
        lines = [
            f"{name(view.name)} · {asset_words.place(view, self.site.device_name(view.device))}"
            f" · {self.heard(view)}{came}{why}",
            asset_words.times(row) if row else asset_words.NOT_READ,
            asset_words.stops(row) if row else "",
            state_bar.legend(self.session.glyphs),
        ]
        area.update(Content("\n").join([Content(line) for line in lines]))

    def _fields(self, view: AssetView) -> dict[str, str]:
        return {
            "name": f"{view.name} {view.id}",
            "state": f"{view.state} {self._mark(view).word}",
            "line": view.line,
            "logger": f"{view.device} {self.site.device_name(view.device)}",
            "input": view.input,
            "reason": asset_words.reason(view.reason, self.figures.rules.reasons),
        }

    def _counts(self, every: list[AssetView], shown: int, wanted: str) -> str:
        if not every:
            words = asset_words.OLDER_HUB if self.site.machines.absent else asset_words.NO_ASSETS
            return words if self.site.ever_reached else ""
        if wanted:
            return f"Filter “{name(wanted)}” shows {shown} of {len(every)} · Esc clears it"
        if self.figures.failed:
            return self.window_text()
        marks = [self._mark(view) for view in every]
        some = [(mark, marks.count(mark)) for mark in ASSETS.values()]
        parts = [f"{mark.glyph} {count} {mark.word}" for mark, count in some if count and mark.word != "running"]
        return " · ".join([counted(len(every), "asset"), *parts[:2], self.window_text()])
