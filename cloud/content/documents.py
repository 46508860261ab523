"""Documents of a tenant: drafts, versions, publishing here. Which sites get them is cloud/content/publishing.py's.

The rules are those of a hub (edge/content/documents), so that a document means the same at both.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any

import msgspec
from sqlalchemy import RowMapping
from sqlalchemy.ext.asyncio import AsyncConnection

from cloud.accounts import store as accounts_sql
from cloud.accounts.audit import record
from cloud.accounts.member import Member
from cloud.content import document_store as sql
from cloud.content import picture_store, site_store
from cloud.content.document_store import Key
from cloud.content.keeping import check_title, find, keep, kind_of, no_version, stale, standing, unknown
from cloud.db.database import Database
from edge.clock import Clock, iso
from edge.content.documents import lifecycle, model
from edge.content.render.scene.slips import slips
from edge.errors import BadInput, Conflict
from edge.wire.centre_content import CentreDocument, CentreDocumentBody
from edge.wire.content import DOCUMENTS_MAX, DocumentKind, Note, SaveDraft, VersionBody, VersionView
from edge.wire.layouts import Layout
from edge.wire.views import Json


class Documents:
    """Those of all tenants; each member sees those of his."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._db, self._clock = database, clock

    async def listed(self, member: Member, kind: str = "", picture: str = "") -> list[CentreDocument]:
        """By kind and id; with a `picture` those whose draft or published version shows it. Raises BadInput for a
        kind that is none."""
        kind = kind_of(kind).value if kind else ""
        async with self._db.read() as connection:
            rows = await sql.listed(connection, member.tenant_id, kind)
            if picture:
                every = (
                    *await sql.drafts(connection, member.tenant_id),
                    *await sql.published(connection, member.tenant_id),
                )
                show = {(one["kind"], one["id"]) for one in every if _shows(one, picture)}
                rows = [row for row in rows if (row["kind"], row["id"]) in show]
            uses = await uses_of(connection, member.tenant_id)
            steps = await site_store.steps(connection, member)
        return [CentreDocument(**_told(row, uses, steps)) for row in rows]

    async def one(self, member: Member, kind: str, document: str) -> CentreDocumentBody:
        """One of them, with its draft and what is published. Raises NotFound."""
        async with self._db.read() as connection:
            row = await find(connection, member.tenant_id, kind, document)
            shown = await sql.version(connection, member.tenant_id, kind, document, row["version"])
            uses = await uses_of(connection, member.tenant_id)
            steps = await site_store.steps(connection, member)
            notes = await _notes(connection, member.tenant_id, row)
        published = None if shown is None else _json(shown["body"])
        told = {**_told(row, uses, steps), "hash": row["hash"], "notes": notes}
        return CentreDocumentBody(**told, body=_json(row["body"]), published=published)

    async def save(self, member: Member, kind: str, document: str, wanted: SaveDraft) -> CentreDocumentBody:
        """Keep a draft. Raises BadInput, TooLarge, NotFound for a revision of what never was, and Conflict where it
        was saved by somebody else meanwhile."""
        of, now_us = kind_of(kind), self._clock.now().at_us
        model.check_id(document)
        body, title = model.read(of, wanted.body), check_title(wanted.title)
        async with self._db.write() as connection:
            await accounts_sql.lock_tenant(connection, member.tenant_id)
            row = await sql.one(connection, member.tenant_id, kind, document, locked=True)
            await self._require_room(connection, member, row)
            if row is None and wanted.revision:
                raise unknown(kind, document)
            before = standing(row)
            renamed = row is not None and title != row["title"]
            try:
                after = lifecycle.save(before, model.hash_of(body), wanted.revision, renamed=renamed)
            except lifecycle.Stale as error:
                raise stale(row) from error
            if after != before:
                values = {"title": title, "body": model.canonical(body).decode()}
                await keep(connection, member, (kind, document), row, after, values, now_us)
                detail = {"kind": kind, "revision": after.revision}
                await record(connection, member, "content.saved", at_us=now_us, subject=document, detail=detail)
        return await self.one(member, kind, document)

    async def _require_room(self, connection: AsyncConnection, member: Member, row: RowMapping | None) -> None:
        if row is not None and not row["removed"]:
            return
        if await sql.count(connection, member.tenant_id) >= DOCUMENTS_MAX:
            raise Conflict(f"There are {DOCUMENTS_MAX} documents already.", hint="Remove one that nobody needs.")

    async def remove(self, member: Member, kind: str, document: str) -> None:
        """Let go of it here; sites keep what they have. Raises NotFound, and Conflict while others name it."""
        now_us = self._clock.now().at_us
        async with self._db.write() as connection:
            await accounts_sql.lock_tenant(connection, member.tenant_id)
            row = await find(connection, member.tenant_id, kind, document, locked=True)
            users = await _users(connection, member.tenant_id, (kind, document))
            if users:
                raise Conflict(f"It is shown by {', '.join(users[:5])}.", hint="Take it out of these first.")
            after = lifecycle.remove(standing(row))
            values = {"removed": True, "version": 0, "published_hash": "", "hash": "", "body": "null"}
            values |= {"changed_us": now_us, "changed_by": member.actor, "revision": after.revision}
            await sql.remove(connection, member.tenant_id, kind, document, **values)
            detail = {"kind": kind}
            await record(connection, member, "content.removed", at_us=now_us, subject=document, detail=detail)

    async def versions(self, member: Member, kind: str, document: str) -> list[VersionView]:
        """The newest first. Raises NotFound."""
        async with self._db.read() as connection:
            row = await find(connection, member.tenant_id, kind, document)
            rows = await sql.versions(connection, member.tenant_id, kind, document)
        return [VersionView(**_version(one, row["version"])) for one in rows]

    async def version(self, member: Member, kind: str, document: str, number: int) -> VersionBody:
        """A version, and what is in it. Raises NotFound."""
        async with self._db.read() as connection:
            row = await find(connection, member.tenant_id, kind, document)
            found = await sql.version(connection, member.tenant_id, kind, document, number)
        if found is None:
            raise no_version(kind, document, number)
        return VersionBody(**_version(found, row["version"]), body=_json(found["body"]))


async def _notes(connection: AsyncConnection, tenant_id: int, row: RowMapping) -> tuple[Note, ...]:
    """What the writer of a draft should know. What head office lacks, a site may have."""
    try:
        body = model.decode(kind_of(row["kind"]), row["body"])
    except BadInput as error:  # written by another version of Outpost
        return (Note(element=model.WHOLE, level="error", text=error.detail),)
    found = model.named(body)
    wanted = {(kind.value, of) for kind, of in found.documents}
    there = {(one["kind"], one["id"]) for one in await sql.published(connection, tenant_id, wanted)}
    pictures = {one["id"] for one in await picture_store.some(connection, tenant_id, found.pictures)}
    lacking = [f"The {kind} {of} is not published at head office" for kind, of in sorted(wanted - there)]
    lacking += [f"The picture {of[:12]}… is not at head office" for of in sorted(found.pictures - pictures)]
    texts = [f"{one}; a site has to have it." for one in lacking]
    written = slips(body) if isinstance(body, Layout) else []
    lacked = (Note(element=model.WHOLE, level="warning", text=text) for text in texts)
    return (*model.faults(body), *lacked, *written)


async def uses_of(connection: AsyncConnection, tenant_id: int) -> Counter[Key]:
    """How many published documents name each."""
    found: Counter[Key] = Counter()
    for row in await sql.published(connection, tenant_id):
        found.update((kind.value, of) for kind, of in _named(row["kind"], row["body"]))
    return found


async def _users(connection: AsyncConnection, tenant_id: int, key: Key) -> list[str]:
    rows = await sql.published(connection, tenant_id)
    wanted = DocumentKind(key[0]), key[1]
    return sorted(f"{row['kind']} {row['id']}" for row in rows if wanted in _named(row["kind"], row["body"]))


def _named(kind: str, body: str) -> frozenset[tuple[DocumentKind, str]]:
    return model.named(model.decode(DocumentKind(kind), body)).documents


def _shows(row: RowMapping, picture: str) -> bool:
    """Whether a draft or a version shows a picture."""
    try:
        return picture in model.named(model.decode(DocumentKind(row["kind"]), row["body"])).pictures
    except BadInput:  # written by another version of Outpost
        return False


def _told(row: RowMapping, uses: Mapping[Key, int], steps: Mapping[Key, Mapping[str, int]]) -> dict[str, Any]:
    """The fields of a CentreDocument."""
    key = row["kind"], row["id"]
    return {
        "kind": DocumentKind(row["kind"]),
        "id": row["id"],
        "title": row["title"],
        "revision": row["revision"],
        "version": row["version"],
        "draft": row["hash"] != row["published_hash"],
        "conflict": 0,
        "changed_at": iso(row["changed_us"]),
        "changed_by": row["changed_by"],
        "published_at": None if row["published_us"] is None else iso(row["published_us"]),
        "published_by": row["published_by"],
        "used_by": uses.get(key, 0),
        "sites": dict(steps.get(key, {})),
    }


def _version(row: RowMapping, published: int) -> dict[str, Any]:
    """The fields of a VersionView."""
    return {
        "version": row["version"],
        "hash": row["hash"],
        "state": "published" if row["version"] == published else "earlier",
        "at": iso(row["at_us"]),
        "by": row["by"],
        "note": row["note"],
        "back_to": row["back_to"],
    }


def _json(text: str) -> Json:
    decoded: Json = msgspec.json.decode(text)
    return decoded
