"""A device's live values: what they are, where they have been, how old they are, and what they shall be."""

from __future__ import annotations

from rich.text import Text

from tui import ages
from tui.trend import sparkline
from tui.values import Trail, Values
from tui.widgets.cell import cell, number_cell
from tui.widgets.keyed_table import Field, KeyedTable, Row
from tui.wording import counted

TREND_CELLS = 60  # as wide as it gets; the table cuts it to its column, newest first kept by right alignment

FIELDS = (
    Field("key", "Value", 11, share=1),
    Field("is", "Is", 6, share=1),
    Field("shall", "Shall be", 8, from_width=56),
    Field("age", "Age", 6),
    Field("trend", "Trend", 6, share=3),
)


class ValuesTable(KeyedTable):
    """`show_values()` draws them."""

    def __init__(self, *, id: str) -> None:
        super().__init__(FIELDS, id=id, empty="It has reported nothing yet.")
        self.border_title = "Values"

    def show_values(self, values: Values, now_s: float, *, stale: bool) -> None:
        """Every key."""
        self.border_subtitle = counted(len(values.names()), "value")
        self.show([self._row(key, values, now_s) for key in values.names()], stale=stale)

    def _row(self, key: str, values: Values, now_s: float) -> Row:
        trail, shall = values.trails.get(key), values.desired(key)
        waits = shall is not None and values.twin is not None and key in values.twin.pending
        return Row(
            key,
            (
                cell(("▲ " if waits else "") + key, "warn" if waits else "strong"),
                number_cell(_text(trail.latest.value) if trail else "-"),
                number_cell("-" if shall is None else _text(shall), "warn" if waits else ""),
                number_cell(ages.age(trail.age_s(now_s)) if trail else "-", "quiet"),
                self._trend(trail),
            ),
        )

    def _trend(self, trail: Trail | None) -> Text:
        width = next((column.width for column in self.columns.values() if column.key.value == "trend"), TREND_CELLS)
        return cell(sparkline(trail.numbers, width) if trail else "", "busy")


def _text(value: object) -> str:
    """Short, and no more exact than a person reads."""
    if isinstance(value, bool):
        return "on" if value else "off"
    return f"{value:.6g}" if isinstance(value, float) else str(value)
