"""A table whose rows are updated in place by key, so that the cursor stays on its row and little is drawn anew."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar, NamedTuple

from rich.text import Text
from textual import events
from textual.binding import Binding, BindingType
from textual.widgets import DataTable

from tui.looks import STYLES

PADDING = 2  # blank cells a column costs beside its width
SCROLLBAR = 1


class Field(NamedTuple):
    """A column. `share` of the spare width goes to it; `from_width` hides it in narrower tables."""

    key: str
    label: str
    width: int
    share: int = 0
    from_width: int = 0


class Row(NamedTuple):
    """A row by key; one cell for every Field, also for the hidden ones."""

    key: str
    cells: Sequence[Text]


class KeyedTable(DataTable[Text]):
    """`show()` takes all rows in order; `stale` greys them."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("j", "cursor_down", "Down", show=False),
        Binding("k", "cursor_up", "Up", show=False),
    ]

    def __init__(self, fields: Sequence[Field], *, id: str, empty: str = "Nothing here.") -> None:
        super().__init__(id=id, cursor_type="row", zebra_stripes=False, cell_padding=1)
        self._fields = fields
        self._shown: list[Field] = []
        self._rows: list[Row] = []
        self._wide = 0
        self.stale = False
        self.empty = empty

    def current_key(self) -> str | None:
        """The key of the row under the cursor."""
        if not self._shown or not self.is_valid_row_index(self.cursor_row):
            return None
        return self.coordinate_to_cell_key(self.cursor_coordinate).row_key.value

    def width_of(self, field: str) -> int:
        """How many cells a column has now; 0 where it is not shown."""
        return next((column.width for column in self.columns.values() if column.key.value == field), 0)

    def show(self, rows: Sequence[Row], *, stale: bool = False) -> None:
        """Make the table show exactly these rows, in this order; of two with one key, the last."""
        self.stale = stale
        self._rows = list({row.key: row for row in rows}.values())
        if self._shown:
            self._apply()

    def on_resize(self, event: events.Resize) -> None:
        """Columns follow the width."""
        if event.size.width != self._wide:
            self._wide = event.size.width
            self._lay_out()

    def _lay_out(self) -> None:
        selected = self.current_key()
        self._shown = [field for field in self._fields if self._wide >= field.from_width]
        spare = self._wide - SCROLLBAR - sum(field.width + PADDING for field in self._shown)
        shares = sum(field.share for field in self._shown) or 1
        self.clear(columns=True)
        for field in self._shown:
            extra = max(0, spare) * field.share // shares
            label = Text(field.label, style=STYLES["quiet"], no_wrap=True)
            self.add_column(label, key=field.key, width=field.width + extra)
        self._apply(selected)

    def _apply(self, selected: str | None = None) -> None:
        selected = selected or self.current_key()
        old_row = self.cursor_row
        wanted = [row.key for row in self._rows]
        self._drop(set(wanted))
        for row in self._rows:
            self._put(row.key, self._visible(row))
        if [row.key.value for row in self.ordered_rows] != wanted:
            self._arrange(wanted)
        self._keep_cursor(selected, old_row, wanted)

    def _drop(self, wanted: set[str]) -> None:
        for key in [key for key in self.rows if key.value not in wanted]:
            self.remove_row(key)

    def _put(self, key: str, cells: list[Text]) -> None:
        if key not in self.rows:
            self.add_row(*cells, key=key)
            return
        for field, text in zip(self._shown, cells, strict=True):
            if not _same(self.get_cell(key, field.key), text):
                self.update_cell(key, field.key, text)

    def _visible(self, row: Row) -> list[Text]:
        pairs = zip(self._fields, row.cells, strict=True)
        cells = [text for field, text in pairs if self._wide >= field.from_width]
        return [_greyed(text) for text in cells] if self.stale else cells

    def _arrange(self, wanted: list[str]) -> None:
        first = self._shown[0].key
        rank = {id(self.get_cell(key, first)): index for index, key in enumerate(wanted)}
        self.sort(first, key=lambda text: rank[id(text)])

    def _keep_cursor(self, selected: str | None, old_row: int, wanted: list[str]) -> None:
        row = wanted.index(selected) if selected in wanted else min(old_row, len(wanted) - 1)
        if wanted and row != self.cursor_row:
            self.move_cursor(row=row, animate=False)


def _same(old: Text, new: Text) -> bool:
    return old.plain == new.plain and old.style == new.style and old.spans == new.spans


def _greyed(text: Text) -> Text:
    grey = text.copy()
    grey.style, grey.spans = STYLES["stale"], []
    return grey
