"""Layouts, playlists, schedules and sources: saved, published, gone back to, removed; and taken from head office.

One change is made at a time, each in one transaction that looks at the document anew. Panels see what is published
alone, and what is published holds: all it names is there.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection, Sequence
from typing import Any, Protocol

from edge.clock import iso
from edge.content.documents import store as sql
from edge.content.documents.book import DocumentBook, called, unknown
from edge.content.documents.events import DocumentChanged, DocumentPublished
from edge.content.documents.holding import Holding
from edge.content.documents.lifecycle import Became, Stale, Standing, dropped, publish, remove, save, take
from edge.content.documents.model import Body, canonical, check_id, decode, hash_of, read
from edge.content.documents.store import Kept
from edge.errors import BadInput, Conflict, OutpostError, Rejected
from edge.store.database import Database
from edge.store.transaction import Transaction, Within, nothing
from edge.wire.content import DOCUMENTS_MAX, NOTE_CHARS, VERSIONS_KEPT, DocumentKind, Note
from edge.wire.layouts import NAME_CHARS


class End(Protocol):
    """Writes what became of an order of head office, in the transaction that does it."""

    def __call__(self, tx: Transaction, detail: str = "", refused: OutpostError | None = None) -> None:
        """It is done, with this to tell; or it is `refused`, whatever else the transaction writes."""


class Documents(DocumentBook):
    """Every document, and what may become of it. `holding` judges what is published."""

    def __init__(self, database: Database, holding: Holding) -> None:
        super().__init__(database)
        self._holding = holding
        holding.look_in(self)
        self._changing = asyncio.Lock()

    async def save(
        self, kind: DocumentKind, document_id: str, body: object, revision: int, title: str, *, actor: str
    ) -> Kept:
        """The draft is this now. `revision`: the one that was read, 0 for a new document. Without a `title` it
        keeps the one it has.

        Raises BadInput, TooLarge, or Conflict when somebody else has saved it since; then his stays.
        """
        check_id(document_id)
        found = read(kind, body)
        title = check_title(title)

        def work(tx: Transaction) -> None:
            at = sql.document(tx, kind, document_id)
            named = title or at.title
            renamed = named != at.title
            try:
                standing = save(at.standing, hash_of(found), revision, renamed=renamed)
            except Stale as stale:
                raise self._stale(at) from stale
            if standing == at.standing:
                return
            _require_room(tx, at)
            sql.put(tx, at, standing, named, canonical(found), actor)
            self._after(tx, at, None)
            tx.tell(DocumentChanged(kind=kind, id=document_id))

        async with self._changing:
            await self._db.write(work)
        return self.get(kind, document_id)

    async def publish(
        self,
        kind: DocumentKind,
        document_id: str,
        *,
        revision: int = 0,
        version: int = 0,
        note: str = "",
        actor: str,
    ) -> Kept:
        """Panels show the draft as it is at `revision`, or what `version` was, from now on.

        Raises BadInput, NotFound, Conflict when the draft is another meanwhile, or Rejected for what does not hold.
        """
        if bool(revision) is bool(version):
            raise BadInput(
                "Say what is published: the draft as it was read (`revision`), or an earlier `version`.",
                hint="`revision` is in the document as GET gives it.",
            )
        async with self._changing:
            kept = self.get(kind, document_id)
            if version:
                body = decode(kind, (await self.version(kept, version)).body)
            else:
                if revision != kept.standing.revision:
                    raise self._stale(kept)
                body = await self.draft(kind, document_id)
            await self._require_holding(kind, document_id, body)
            note = note[:NOTE_CHARS]
            await self._db.write(lambda tx: self._publish(tx, kept, body, note, version, actor))
            return self.get(kind, document_id)

    async def take(
        self,
        kind: DocumentKind,
        document_id: str,
        body: object,
        base: str | Collection[str],
        *,
        title: str = "",
        note: str = "",
        actor: str,
        within: End,
    ) -> Became:
        """A version that head office sends, in one transaction with `within`. It is published when it was written
        for what is published here (`base`: its hash, or several; '' for nothing), or is that already. Otherwise it
        is kept beside, panels show what they showed, and the order is refused with Conflict.

        Raises BadInput, TooLarge, or Rejected for what does not hold; then nothing of it is done.
        """
        check_id(document_id)
        found = read(kind, body)
        title, note = check_title(title), note[:NOTE_CHARS]
        bases = (base,) if isinstance(base, str) else base
        outcome = Became.SAME

        def work(tx: Transaction) -> None:
            nonlocal outcome
            at = sql.document(tx, kind, document_id)
            _require_room(tx, at)
            self._holding.require_pictures(tx, kind, document_id, found)
            standing, outcome = take(at.standing, hash_of(found), bases)
            within(tx, refused=self._beside(at, standing) if outcome is Became.CONFLICT else None)
            if standing == at.standing:
                return
            draft = canonical(found) if standing.revision != at.standing.revision else None
            sql.put(tx, at, standing, title or at.title, draft, actor)
            if outcome is not Became.SAME:
                self._add_version(tx, at, standing, found, actor, note, 0)
            is_published = outcome is Became.PUBLISHED
            if outcome is not Became.CONFLICT:
                self._tell_published(tx, at, standing, actor, 0)
            self._after(tx, at, found if is_published else None)
            event = DocumentPublished if is_published else DocumentChanged
            tx.tell(event(kind=kind, id=document_id))

        async with self._changing:
            await self._require_holding(kind, document_id, found)
            await self._db.write(work)
        return outcome

    async def remove(
        self,
        kind: DocumentKind,
        document_id: str,
        *,
        revision: int | None = None,
        actor: str,
        within: Within = nothing,
    ) -> None:
        """It is gone, with its versions. Raises NotFound, Conflict while published documents name it, or when it is
        at another `revision` than the one that was seen."""
        async with self._changing:
            kept = self.get(kind, document_id)
            if users := self.users(kind, document_id):
                names = ", ".join(f"{user_kind.value} {user}" for user_kind, user in users)
                raise Conflict(
                    f"{called(kind, document_id)} is named by what is published: {names}.",
                    hint="Take it out there and publish that, then remove it.",
                )

            def work(tx: Transaction) -> None:
                within(tx)
                at = sql.document(tx, kind, document_id)
                if not at.standing.here:
                    raise unknown(kind, document_id)
                if revision is not None and revision != at.standing.revision:
                    raise self._stale(at)
                sql.drop_versions(tx, at, sql.numbers(tx, at))
                gone = remove(at.standing)
                sql.put(tx, at, gone, "", b"", actor)
                sql.forget_removed(tx, DOCUMENTS_MAX)
                tx.fact("content.removed", document_id, kind=kind.value, version=at.standing.version, by=actor)
                tx.after(lambda: self._follow(Kept(kind=kind, id=document_id, standing=gone), None))
                was_shown = at.standing.version
                event = DocumentPublished if was_shown else DocumentChanged
                tx.tell(event(kind=kind, id=kept.id))

            await self._db.write(work)

    async def notes(self, kind: DocumentKind, document_id: str, body: Body) -> list[Note]:
        """What the writer of this body should know; an error among it keeps it from being published."""
        return await self._holding.notes(kind, document_id, body)

    def check_with(self, check: Callable[[Any], Sequence[Note]], kind: DocumentKind = DocumentKind.LAYOUT) -> None:
        """Ask this, too, about each body of a kind: an error that it finds keeps the body from being published."""
        self._holding.check_with(check, kind)

    # --- inside

    def _publish(self, tx: Transaction, kept: Kept, body: Body, note: str, back_to: int, actor: str) -> None:
        at = sql.document(tx, kept.kind, kept.id)
        self._holding.require_pictures(tx, kept.kind, kept.id, body)
        standing = publish(at.standing, hash_of(body))
        if standing == at.standing:
            return
        is_new = standing.version != at.standing.version
        draft = canonical(body) if standing.revision != at.standing.revision else None
        sql.put(tx, at, standing, at.title, draft, actor)
        if is_new:
            self._add_version(tx, at, standing, body, actor, note, back_to)
        self._tell_published(tx, at, standing, actor, back_to)
        self._after(tx, at, body if is_new else None)
        tx.tell(DocumentPublished(kind=kept.kind, id=kept.id))

    def _add_version(
        self, tx: Transaction, at: Kept, standing: Standing, body: Body, actor: str, note: str, back_to: int
    ) -> None:
        sql.add_version(tx, at, standing.newest, hash_of(body), canonical(body), actor, note, back_to)
        sql.drop_versions(tx, at, dropped(sql.numbers(tx, at), standing, VERSIONS_KEPT))

    def _tell_published(self, tx: Transaction, at: Kept, standing: Standing, actor: str, back_to: int) -> None:
        tx.fact(
            "content.published",
            at.id,
            kind=at.kind.value,
            version=standing.version,
            hash=standing.version_hash,
            by=actor,
            back_to=back_to,
        )

    def _after(self, tx: Transaction, at: Kept, published: Body | None) -> None:
        """Follow this once it is committed; `published`: what panels show from now on, None where that stays."""
        kept = sql.document(tx, at.kind, at.id)
        body = canonical(published).decode() if published is not None else ""
        tx.after(lambda: self._follow(kept, body))

    def _stale(self, at: Kept) -> Conflict:
        """Somebody else was there before."""
        name = called(at.kind, at.id)
        if not at.standing.here:
            return Conflict(f"{name} has been removed meanwhile.", hint="Save it as a new one: with revision 0.")
        when = iso(self._db.boots.when(at.changed_us, at.changed_clock))
        return Conflict(
            f"{name} was changed by {at.changed_by} at {when}; it is at revision {at.standing.revision} now.",
            hint=f"Look at it: `outpost content show {at.kind.value} {at.id}`; then save yours over it, or not.",
        )

    def _beside(self, at: Kept, standing: Standing) -> Conflict:
        return Conflict(
            f"{called(at.kind, at.id)} was published here meanwhile; what was sent is kept beside it as version"
            f" {standing.conflict}, and no panel shows it.",
            hint=f"`outpost content versions {at.kind.value} {at.id}`; publish the one that is meant.",
        )

    async def _require_holding(self, kind: DocumentKind, document_id: str, body: Body) -> None:
        """Raises Rejected when something of it does not hold."""
        wrong = [note for note in await self.notes(kind, document_id, body) if note.level == "error"]
        if wrong:
            sentences = [self._holding.sentence(kind, body, note) for note in wrong]
            more = f" And {len(wrong) - 5} more." if len(wrong) > 5 else ""
            raise Rejected(
                f"{called(kind, document_id)} cannot be published: {' '.join(sentences[:5])}{more}",
                hint="Correct it, save it, and publish it again; panels show what they showed.",
            )


def check_title(title: str) -> str:
    """A title as it is kept: one line. Raises BadInput."""
    title = title.strip()
    if len(title) > NAME_CHARS or not all(char.isprintable() for char in title):
        raise BadInput(f"A title is one line of at most {NAME_CHARS} characters.")
    return title


def _require_room(tx: Transaction, at: Kept) -> None:
    if not at.standing.here and sql.count(tx) >= DOCUMENTS_MAX:
        raise Conflict(f"A site has at most {DOCUMENTS_MAX} documents.", hint="Remove one that is not needed.")
