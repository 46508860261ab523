"""The documents of this hub as they stand now: looked up here, changed elsewhere.

What is published is held in memory, decoded once and following its commits, because each look of each panel asks
for it. Drafts stay in the database.
"""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from edge.content.documents import store as sql
from edge.content.documents.model import Body, Named, decode, named
from edge.content.documents.store import Kept, Version
from edge.errors import BadInput, NotFound
from edge.store.database import Database
from edge.store.transaction import Transaction
from edge.wire.content import DocumentKind

Key = tuple[DocumentKind, str]


class Published(msgspec.Struct, frozen=True):
    """What panels may show of a document."""

    body: Body
    version: int
    hash: str
    named: Named


class DocumentBook:
    """Every document by kind and id."""

    def __init__(self, database: Database) -> None:
        self._db = database
        self._kept: dict[Key, Kept] = {}
        self._published: dict[Key, Published] = {}
        self._unread: dict[Key, str] = {}  # published, and not to be decoded: why
        self._users: dict[Key, list[Key]] | None = None

    async def start(self) -> None:
        """Load all of it."""
        for row in await self._db.read(sql.ALL):
            values = tuple(row)
            self._follow(sql.kept(values[:-1]), values[-1])

    def published(self, kind: DocumentKind, document_id: str) -> tuple[Body, int] | None:
        """What panels show of it, and the number of that version; None while nothing is published."""
        found = self._published.get((kind, document_id))
        return (found.body, found.version) if found else None

    def all_published(self, kind: DocumentKind) -> dict[str, tuple[Body, int]]:
        """The same of all of a kind, by id, in the order of their ids."""
        of_kind = sorted(key for key in self._published if key[0] is kind)
        return {key[1]: (self._published[key].body, self._published[key].version) for key in of_kind}

    def hash_of(self, kind: DocumentKind, document_id: str) -> str:
        """Of what is published; '' for nothing."""
        found = self._kept.get((kind, document_id))
        return found.standing.version_hash if found else ""

    def title(self, kind: DocumentKind, document_id: str) -> str:
        """What people call it; its id where it has no title."""
        found = self._kept.get((kind, document_id))
        return found.title or document_id if found else document_id

    def all(self) -> list[Kept]:
        """Every document, by kind and id."""
        return [self._kept[key] for key in sorted(self._kept)]

    def get(self, kind: DocumentKind, document_id: str) -> Kept:
        """One. Raises NotFound."""
        found = self._kept.get((kind, document_id))
        if found is None:
            raise unknown(kind, document_id)
        return found

    def find(self, kind: DocumentKind, document_id: str) -> Kept | None:
        """One, or None."""
        return self._kept.get((kind, document_id))

    async def draft(self, kind: DocumentKind, document_id: str) -> Body:
        """What is being written. Raises NotFound, or BadInput where this version of Outpost cannot read it."""
        return decode(kind, await self.draft_text(kind, document_id))

    async def draft_text(self, kind: DocumentKind, document_id: str) -> str:
        """The same as JSON. Raises NotFound."""
        rows = await self._db.read(sql.DRAFT, (kind.value, document_id))
        if not rows:
            raise unknown(kind, document_id)
        return str(rows[0][0])

    async def versions(self, kept: Kept, before: int | None, limit: int) -> list[Version]:
        """A page of its versions, newest first."""
        last = kept.standing.newest + 1 if before is None else before
        rows = await self._db.read(sql.VERSIONS, (kept.kind.value, kept.id, last, limit))
        return [sql.version(tuple(row)) for row in rows]

    async def version(self, kept: Kept, number: int) -> Version:
        """One with its body. Raises NotFound."""
        rows = await self._db.read(sql.VERSION, (kept.kind.value, kept.id, number))
        if not rows:
            raise NotFound(
                f"{called(kept.kind, kept.id)} has no version {number}.",
                hint=f"`outpost content versions {kept.kind.value} {kept.id}` shows what it has; the oldest go.",
            )
        return sql.version(tuple(rows[0]))

    def users(self, kind: DocumentKind, document_id: str) -> list[Key]:
        """The published documents that name this one, in order."""
        if self._users is None:
            self._users = {}
            for key in sorted(self._published):
                for one in self._published[key].named.documents:
                    self._users.setdefault(one, []).append(key)
        return self._users.get((kind, document_id), [])

    def users_of_picture(self, sha256: str) -> list[Key]:
        """The published documents that name this picture, in order."""
        return sorted(key for key, found in self._published.items() if sha256 in found.named.pictures)

    def users_of_picture_in(self, tx: Transaction, sha256: str) -> int:
        """How many published documents name this picture, in a transaction. What cannot be read any more counts:
        it may name it."""
        return sum(_names(kind, body, sha256) for kind, body in sql.published_with(tx, sha256))

    def pictures(self) -> Mapping[str, int]:
        """How many published documents name each picture."""
        counts: dict[str, int] = {}
        for found in self._published.values():
            for sha256 in found.named.pictures:
                counts[sha256] = counts.get(sha256, 0) + 1
        return counts

    def problems(self) -> list[str]:
        """What of it nobody can read, and what waits for a person, in sentences."""
        unread = [
            f"{called(*key)} is published, but this version of Outpost cannot read it, so it is not shown: {why}"
            " Publish it anew."
            for key, why in sorted(self._unread.items())
        ]
        waiting = [called(one.kind, one.id) for one in self.all() if one.standing.conflict]
        if waiting:
            unread.append(
                f"Head office has sent what was not written for what is published here: {', '.join(waiting[:5])}"
                f"{f' and {len(waiting) - 5} more' if len(waiting) > 5 else ''}. Panels show what they showed until"
                " somebody publishes one of the versions: `outpost content versions KIND ID` shows them."
            )
        return unread

    # --- inside

    def _follow(self, kept: Kept, body: str | None) -> None:
        """Follow a commit; `body`: what is published, None for nothing, '' where that is as it was."""
        key = kept.kind, kept.id
        if kept.standing.here:
            self._kept[key] = kept
        else:
            self._kept.pop(key, None)
        if body == "":
            return
        self._users = None
        self._published.pop(key, None)
        self._unread.pop(key, None)
        if not body or not kept.standing.version:
            return
        try:
            found = decode(kept.kind, body)
        except BadInput as error:
            self._unread[key] = error.detail
            return
        standing = kept.standing
        self._published[key] = Published(found, standing.version, standing.version_hash, named(found))


def _names(kind: DocumentKind, body: str, sha256: str) -> bool:
    try:
        return sha256 in named(decode(kind, body)).pictures
    except BadInput:
        return True


def called(kind: DocumentKind, document_id: str) -> str:
    """How a sentence names a document, at its begin."""
    return f"{kind.value.capitalize()} {document_id}"


def unknown(kind: DocumentKind, document_id: str) -> NotFound:
    """There is no such document."""
    return NotFound(
        f"There is no {kind.value} {document_id[:64]!r}.", hint="`outpost content list` shows them all."
    )
