"""Whether what a document names is there: a panel must never turn to what is not."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from typing import Any, Protocol

from edge.content.documents.book import DocumentBook, called
from edge.content.documents.model import WHOLE, Body, Named, faults, named
from edge.errors import Rejected
from edge.store.transaction import Transaction
from edge.wire.content import DocumentKind, Note, SourceDocument
from edge.wire.layouts import Layout
from edge.wire.playlists import Playlist, Schedule

Check = Callable[[Any], Sequence[Note]]
_PARTS = {Layout: "Element", Playlist: "Entry", Schedule: "Rule"}


class Held(Protocol):
    """The pictures that are kept here."""

    def has(self, sha256: str) -> bool:
        """Whether this one is."""

    def has_in(self, tx: Transaction, sha256: str) -> bool:
        """Whether it is, in this transaction."""


class Site(Protocol):
    """Who is at this site."""

    def has_device(self, named: str) -> bool:
        """Whether anything here is called so, as layouts name devices."""

    def nearest(self, named: str) -> str:
        """A sentence with the device that is called nearly so, a space before it; '' for none."""

    def bearers(self, named: str) -> Collection[str]:
        """The ids of the devices for which a schedule that names this device counts."""

    async def groups(self) -> Collection[str]:
        """The names of all groups of devices."""


class Holding:
    """Judges bodies against what there is."""

    def __init__(self, held: Held, site: Site) -> None:
        self._held, self._site = held, site
        self._book: DocumentBook | None = None
        self._checks: list[tuple[DocumentKind, Check]] = []

    def look_in(self, book: DocumentBook) -> None:
        """Where the other documents are."""
        self._book = book

    def check_with(self, check: Check, kind: DocumentKind) -> None:
        """Ask this, too, about each body of a kind."""
        self._checks.append((kind, check))

    async def notes(self, kind: DocumentKind, document_id: str, body: Body) -> list[Note]:
        """Errors, then warnings, each kind by element."""
        groups = await self._site.groups() if isinstance(body, Schedule) else ()
        checked = [note for of, check in self._checks if of is kind for note in check(body)]
        told_already = isinstance(body, SourceDocument) and checked  # that check knows presets besides
        found = [
            *([] if told_already else faults(body)),
            *self._missing(body),
            *self._strangers(body, groups),
            *self._doubly(document_id, body),
            *checked,
        ]
        return sorted(found, key=lambda note: (note.level != "error", note.element))

    def require_pictures(self, tx: Transaction, kind: DocumentKind, document_id: str, body: Body) -> None:
        """Raise Rejected where a picture that `body` names is not there, in the transaction that publishes it: it
        may have been removed since `notes` looked."""
        for sha256 in sorted(named(body).pictures):
            if not self._held.has_in(tx, sha256):
                raise Rejected(
                    f"{called(kind, document_id)} cannot be published: {_not_held(sha256)}",
                    hint="Upload it again, or take it out.",
                )

    def sentence(self, kind: DocumentKind, body: Body, note: Note) -> str:
        """A note that stands alone: it says of which element it is."""
        part = _PARTS.get(type(body))
        return note.text if note.element < 0 or part is None else f"{part} {note.element + 1}: {note.text}"

    # --- inside

    def _missing(self, body: Body) -> Iterator[Note]:
        """Documents and pictures that it names and that are not there."""
        for number, part in _parts(body):
            for of, document_id in sorted(part.documents):
                assert self._book is not None
                if self._book.published(of, document_id) is None:
                    known = any(one.kind is of and one.id == document_id for one in self._book.all())
                    why = "is not published yet" if known else "is not there"
                    yield Note(element=number, level="error", text=f"The {of.value} {document_id} {why}.")
            for sha256 in sorted(part.pictures):
                if not self._held.has(sha256):
                    yield Note(element=number, level="error", text=_not_held(sha256))

    def _strangers(self, body: Body, groups: Collection[str]) -> Iterator[Note]:
        """Devices and groups that nobody knows: they may come later."""
        known = self._site.bearers if isinstance(body, Schedule) else self._site.has_device
        for number, part in _parts(body):
            for device in sorted(part.devices):
                if not known(device):
                    yield _warning(number, f"No device here is called {device}.{self._site.nearest(device)}")
            for group in sorted(part.groups):
                if group not in groups:
                    yield _warning(number, f"There is no group {group} here.")

    def _doubly(self, document_id: str, body: Body) -> Iterator[Note]:
        """Devices that another schedule names directly as well: the first by name counts for them, alone."""
        if not isinstance(body, Schedule) or self._book is None:
            return
        mine = self._bearers(body)
        for other, (theirs, _) in self._book.all_published(DocumentKind.SCHEDULE).items():
            if other == document_id or not isinstance(theirs, Schedule):
                continue
            for device in sorted(mine & self._bearers(theirs)):
                first = min(other, document_id)
                text = (
                    f"The schedule {other} names {device} as well: for it {first} counts alone, the first by name."
                )
                yield _warning(WHOLE, text)

    def _bearers(self, schedule: Schedule) -> set[str]:
        return {device for named in schedule.devices for device in self._site.bearers(named)}


def _parts(body: Body) -> list[tuple[int, Named]]:
    """What each element, entry or rule names; and the whole, what it names besides."""
    if isinstance(body, Layout):
        return [(number, named(Layout(elements=(one,)))) for number, one in enumerate(body.elements)]
    if isinstance(body, Playlist):
        return [(number, named(Playlist(entries=(one,)))) for number, one in enumerate(body.entries)]
    if isinstance(body, Schedule):
        rules = [(number, named(Schedule(rules=(one,)))) for number, one in enumerate(body.rules)]
        return [*rules, (WHOLE, named(Schedule(devices=body.devices, groups=body.groups)))]
    return []


def _not_held(sha256: str) -> str:
    return f"The picture {sha256[:12]}… is not held here; upload it first."


def _warning(element: int, text: str) -> Note:
    return Note(element=element, level="warning", text=text)
