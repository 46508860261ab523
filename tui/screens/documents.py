"""What people have written for panels: layouts, playlists, schedules, sources; published here, and taken back."""

from __future__ import annotations

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import BindingType
from textual.content import Content
from textual.widgets import Static

from edge.wire.content import DocumentView
from tui import ages, content_deeds, content_words
from tui.actions import Action, bindings
from tui.deeds import name
from tui.panels import key_of
from tui.screens.asking_screen import AskingScreen
from tui.widgets.cell import cell, mark_cell, number_cell
from tui.widgets.filter_line import FilterLine
from tui.widgets.key_hints import KeyHints
from tui.widgets.keyed_table import Field, KeyedTable, Row
from tui.wording import counted

FIELDS = (
    Field("state", "State", 11),
    Field("kind", "Kind", 8),
    Field("id", "Id", 12, share=2),
    Field("title", "Title", 10, share=3, from_width=90),
    Field("version", "Version", 7),
    Field("at", "Published", 12),
    Field("by", "By", 8, share=1),
    Field("used", "Used", 4),
)
NONE_YET = "Nothing is written yet: head office's page Content, or `outpost content put layouts ID FILE`."


class DocumentsScreen(AskingScreen):
    """Opened from Content."""

    SCOPE: ClassVar[str] = "documents"
    TAB: ClassVar[str] = "content"
    BINDINGS: ClassVar[list[BindingType]] = bindings("documents")

    def body(self) -> ComposeResult:
        """Counts, documents, the one under the cursor in words."""
        yield Static(id="counts", classes="heading", markup=False)
        yield KeyedTable(FIELDS, id="documents")
        yield Static(id="detail", markup=False)

    def crumb(self) -> str:
        """Where one is."""
        return "Documents"

    def fits(self, action: Action) -> bool:
        """A draft is published, versions are gone back to."""
        view, verb = self._document(), action.id.partition(".")[2]
        if verb == "publish":
            return view is not None and (view.draft or bool(view.conflict))
        return verb == "filter" or (view is not None and view.version > 0)

    def subject(self) -> str | None:
        """Its kind and id."""
        return self.query_one("#documents", KeyedTable).current_key()

    def on_data_table_row_highlighted(self) -> None:
        """All about the row under the cursor, and the keys that fit it."""
        self._show_detail()
        self.query_one(KeyHints).refresh()

    async def read(self) -> None:
        """All documents."""
        self.site.panels.put_documents(await self.session.client.items("/v1/content", DocumentView))

    def show(self) -> None:
        """Rows, counts, and the one under the cursor."""
        views, wanted = self.site.panels.documents(), self.query_one(FilterLine).filter
        shown = [view for view in views if wanted.matches(_fields(view))]
        self.query_one("#documents", KeyedTable).show([self._row(view) for view in shown], stale=self.stale)
        self.query_one("#counts", Static).update(Content(self._counts(views, len(shown), wanted.text)))
        self._show_detail()
        self.read_when_due()

    # What can be done here

    async def do_publish(self) -> None:
        """Let panels show the draft."""
        if view := self._document():
            await content_deeds.publish(self, view)
        else:
            self.tell("Put the cursor on a document first.")

    async def do_revert(self) -> None:
        """Publish an earlier version once more."""
        if view := self._document():
            await content_deeds.back(self, view)
        else:
            self.tell("Put the cursor on a document first.")

    # How it is drawn

    def _document(self) -> DocumentView | None:
        return self.site.panels.document(self.subject() or "")

    def _row(self, view: DocumentView) -> Row:
        at = ages.clock_text(ages.moment(view.published_at), self.site.zone, self.session.clock.now())
        return Row(
            key_of(view),
            (
                mark_cell(content_words.of_document(view)),
                cell(content_words.KINDS[view.kind]),
                cell(view.id, "strong"),
                cell(view.title or "-", "" if view.title else "quiet"),
                number_cell(str(view.version or "-")),
                cell(at, "quiet"),
                cell(view.published_by or "-", "quiet"),
                number_cell(str(view.used_by or "-")),
            ),
        )

    def _counts(self, views: list[DocumentView], shown: int, wanted: str) -> str:
        if self.failed:
            return f"✗ {self.failed}"
        if wanted:
            return f"Filter “{name(wanted)}” shows {shown} of {len(views)} · Esc clears it"
        if not views:
            return NONE_YET if self.site.ever_reached else ""
        conflicts, drafts = sum(bool(view.conflict) for view in views), sum(view.draft for view in views)
        parts = [f"▲ {counted(conflicts, 'conflict')} to settle"] if conflicts else []
        parts += [f"◐ {counted(drafts, 'draft')} not published"] if drafts else []
        return " · ".join([*parts, counted(len(views), "document")])

    def _show_detail(self) -> None:
        view, lines = self._document(), []
        if view is not None:
            at = ages.clock_text(ages.moment(view.changed_at), self.site.zone, self.session.clock.now())
            lines.append(f"Draft last changed {at} by {name(view.changed_by)}")
            if view.conflict:
                lines.append(
                    f"▲ Head office has sent version {view.conflict} without knowing what is published: publish"
                    " the draft (p), or go to that version (b)."
                )
        self.query_one("#detail", Static).update(Content("\n".join(lines)))


def _fields(view: DocumentView) -> dict[str, str]:
    return {
        "name": f"{view.id} {view.title}",
        "kind": content_words.KINDS[view.kind],
        "state": content_words.of_document(view).word,
        "by": view.published_by,
    }
