"""The only SQL for documents and their versions."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from edge.content.documents.lifecycle import NEW, Standing
from edge.store.boots import unset
from edge.store.transaction import Row, Transaction
from edge.wire.content import DocumentKind

_DOCUMENT = (
    "d.kind, d.id, d.title, d.revision, d.hash, d.version, d.newest, d.conflict, d.removed, d.changed_us,"
    " d.changed_clock, d.changed_by, v.hash, v.at_us, v.clock, v.by"
)
_WITH_PUBLISHED = (
    " FROM documents AS d LEFT JOIN document_versions AS v ON v.kind = d.kind AND v.id = d.id"
    " AND v.version = d.version"
)
ONE = f"SELECT {_DOCUMENT}{_WITH_PUBLISHED} WHERE d.kind = ? AND d.id = ?"
ALL = f"SELECT {_DOCUMENT}, v.body{_WITH_PUBLISHED} WHERE d.removed = 0"
DRAFT = "SELECT draft FROM documents WHERE kind = ? AND id = ? AND removed = 0"
_VERSION = "version, hash, at_us, clock, by, note, back_to"
VERSIONS = (
    f"SELECT {_VERSION} FROM document_versions WHERE kind = ? AND id = ? AND version < ?"
    " ORDER BY version DESC LIMIT ?"
)
VERSION = f"SELECT {_VERSION}, body FROM document_versions WHERE kind = ? AND id = ? AND version = ?"


class Kept(msgspec.Struct, frozen=True, kw_only=True):
    """A document as stored, without its bodies. Each clock is of the time before it."""

    kind: DocumentKind
    id: str
    title: str = ""
    standing: Standing = NEW
    changed_us: int = 0
    changed_clock: str | None = None
    changed_by: str = ""
    published_us: int | None = None
    published_clock: str | None = None
    published_by: str = ""


class Version(msgspec.Struct, frozen=True, kw_only=True):
    """A version as stored; `body` where it was asked for."""

    version: int
    hash: str
    at_us: int
    clock: str | None
    by: str
    note: str
    back_to: int
    body: str = ""


def kept(row: Row) -> Kept:
    """A row of ONE, or the begin of one of ALL."""
    standing = Standing(
        revision=row[3],
        hash=row[4],
        version=row[5],
        version_hash=row[12] or "",
        newest=row[6],
        conflict=row[7],
        removed=bool(row[8]),
    )
    return Kept(
        kind=DocumentKind(row[0]),
        id=row[1],
        title=row[2],
        standing=standing,
        changed_us=row[9],
        changed_clock=row[10],
        changed_by=row[11],
        published_us=row[13],
        published_clock=row[14],
        published_by=row[15] or "",
    )


def version(row: Row) -> Version:
    """A row of VERSIONS, or of VERSION with its body."""
    return Version(
        version=row[0],
        hash=row[1],
        at_us=row[2],
        clock=row[3],
        by=row[4],
        note=row[5],
        back_to=row[6],
        body=row[7] if len(row) > 7 else "",
    )


def document(tx: Transaction, kind: DocumentKind, document_id: str) -> Kept:
    """One as it stands in this transaction; one that is not there stands as NEW."""
    row = tx.one(ONE, (kind.value, document_id))
    return kept(row) if row else Kept(kind=kind, id=document_id)


def count(tx: Transaction) -> int:
    """How many there are."""
    row = tx.one("SELECT COUNT(*) FROM documents WHERE removed = 0")
    return int(row[0]) if row else 0


def published_with(tx: Transaction, text: str) -> list[tuple[DocumentKind, str]]:
    """The kind and the body of all that is published and has this text in it, whatever it means there."""
    rows = tx.rows(
        "SELECT d.kind, v.body FROM documents AS d JOIN document_versions AS v ON v.kind = d.kind AND v.id = d.id"
        " AND v.version = d.version WHERE d.removed = 0 AND instr(v.body, ?)",
        (text,),
    )
    return [(DocumentKind(row[0]), row[1]) for row in rows]


def put(tx: Transaction, before: Kept, standing: Standing, title: str, draft: bytes | None, by: str) -> None:
    """Keep how a document stands from now on; its `draft` where that is another. Whoever changed the draft last is
    told by the document, so `by` counts only with a draft."""
    if draft is not None:
        changed = (tx.stamp.at_us, unset(tx.stamp), by)
    else:
        changed = (before.changed_us, before.changed_clock, before.changed_by)
    tx.execute(
        "INSERT INTO documents(kind, id, title, revision, draft, hash, version, newest, conflict, removed,"
        " changed_us, changed_clock, changed_by) VALUES (?1,?2,?3,?4,COALESCE(?5,''),?6,?7,?8,?9,?10,?11,?12,?13)"
        " ON CONFLICT(kind, id) DO UPDATE SET title = ?3, revision = ?4, draft = COALESCE(?5, draft), hash = ?6,"
        " version = ?7, newest = ?8, conflict = ?9, removed = ?10, changed_us = ?11, changed_clock = ?12,"
        " changed_by = ?13",
        (
            before.kind.value,
            before.id,
            title,
            standing.revision,
            None if draft is None else draft.decode(),
            standing.hash,
            standing.version,
            standing.newest,
            standing.conflict,
            int(standing.removed),
            *changed,
        ),
    )


def add_version(
    tx: Transaction, of: Kept, number: int, digest: str, body: bytes, by: str, note: str, back_to: int
) -> None:
    """A version that was published, or came, now."""
    tx.execute(
        "INSERT INTO document_versions(kind, id, version, hash, body, at_us, clock, by, note, back_to)"
        " VALUES (?,?,?,?,?,?,?,?,?,?)",
        (
            of.kind.value,
            of.id,
            number,
            digest,
            body.decode(),
            tx.stamp.at_us,
            unset(tx.stamp),
            by,
            note,
            back_to,
        ),
    )


def numbers(tx: Transaction, of: Kept) -> list[int]:
    """Of all its versions."""
    rows = tx.rows("SELECT version FROM document_versions WHERE kind = ? AND id = ?", (of.kind.value, of.id))
    return [row[0] for row in rows]


def drop_versions(tx: Transaction, of: Kept, versions: Sequence[int]) -> None:
    """Have these no more."""
    delete = "DELETE FROM document_versions WHERE kind = ? AND id = ? AND version = ?"
    for number in versions:
        tx.execute(delete, (of.kind.value, of.id, number))


def forget_removed(tx: Transaction, keep: int) -> None:
    """Of documents that were removed, remember the numbers of the last `keep` alone."""
    tx.execute(
        "DELETE FROM documents WHERE (kind, id) IN (SELECT kind, id FROM documents WHERE removed = 1"
        " ORDER BY changed_us DESC LIMIT -1 OFFSET ?)",
        (keep,),
    )
