"""What is kept of a document, within transactions of others: found, judged by the rules of documents, written."""

from __future__ import annotations

from collections.abc import Mapping

from sqlalchemy import RowMapping
from sqlalchemy.ext.asyncio import AsyncConnection

from cloud.accounts.audit import record
from cloud.accounts.member import Member
from cloud.content import document_store as sql
from cloud.content.document_store import Key
from edge.clock import iso
from edge.content.documents import lifecycle, model
from edge.content.documents.lifecycle import Standing
from edge.errors import BadInput, Conflict, NotFound
from edge.wire.content import VERSIONS_KEPT, DocumentKind

HINT = "`outpost content list` shows them."


def kind_of(kind: str) -> DocumentKind:
    """The kind of that name, or of many: `layout` or `layouts`. Raises BadInput."""
    try:
        return DocumentKind(kind.removesuffix("s"))
    except ValueError:
        known = ", ".join(f"{one.value}s" for one in DocumentKind)
        raise BadInput(f"There is no kind {kind[:40]!r} of documents; known: {known}.") from None


def check_title(title: str) -> str:
    """A title as it is kept: one line. Raises BadInput."""
    title = title.strip()
    if not all(char.isprintable() for char in title):
        raise BadInput("A title is one line.")
    return title


def standing(row: RowMapping | None) -> Standing:
    """How a document stands, as the rules have it."""
    if row is None:
        return lifecycle.NEW
    return Standing(
        revision=row["revision"],
        hash=row["hash"],
        version=row["version"],
        version_hash=row["published_hash"],
        newest=row["newest"],
        removed=bool(row["removed"]),
    )


async def find(
    connection: AsyncConnection, tenant_id: int, kind: str, document: str, *, locked: bool = False
) -> RowMapping:
    """A document that is there. Raises NotFound."""
    kind_of(kind)
    row = await sql.one(connection, tenant_id, kind, document, locked=locked)
    if row is None or row["removed"]:
        raise unknown(kind, document)
    return row


async def keep(
    connection: AsyncConnection,
    member: Member,
    key: Key,
    row: RowMapping | None,
    after: Standing,
    values: Mapping[str, object],
    now_us: int,
) -> None:
    """Keep how a document stands now. `values`: title and body of the draft, where they are others."""
    before = {} if row is None else {name: row[name] for name in ("title", "body", "published_us", "published_by")}
    told: dict[str, object] = {
        "title": "",
        "body": "null",
        "published_us": None,
        "published_by": "",
        **before,
        "hash": after.hash,
        "revision": after.revision,
        "version": after.version,
        "published_hash": after.version_hash,
        "newest": after.newest,
        "removed": after.removed,
        "changed_us": now_us,
        "changed_by": member.actor,
        **values,
    }
    await sql.put(connection, member.tenant_id, key, told)


async def publish_here(
    connection: AsyncConnection,
    member: Member,
    row: RowMapping,
    *,
    version: int,
    revision: int,
    note: str,
    now_us: int,
) -> int:
    """Make the draft, as it is at `revision`, the next version; or let an earlier `version` be so once more. The
    number that is published now: what is the newest already is no new one. Raises BadInput, NotFound, Conflict."""
    kind, document = row["kind"], row["id"]
    if version and version == row["version"]:
        return version
    text = await _text(connection, row, version, revision)
    body = model.decode(kind_of(kind), text)
    require_faultless(kind, document, body)
    after = lifecycle.publish(standing(row), model.hash_of(body))
    number: int = after.version
    if number == row["version"]:
        return number
    of = {"tenant_id": member.tenant_id, "kind": kind, "id": document, "version": number, "title": row["title"]}
    said = {"hash": after.version_hash, "at_us": now_us, "by": member.actor, "note": note, "back_to": version}
    await sql.add_version(connection, **of, **said, body=text)
    values: dict[str, object] = {"published_us": now_us, "published_by": member.actor}
    if after.revision == row["revision"]:  # nobody has changed the draft
        values |= {name: row[name] for name in ("changed_us", "changed_by")}
    elif after.hash != row["hash"]:
        values["body"] = text
    await keep(connection, member, (kind, document), row, after, values, now_us)
    numbers = [one["version"] for one in await sql.versions(connection, member.tenant_id, kind, document)]
    await sql.drop_versions(
        connection, member.tenant_id, kind, document, lifecycle.dropped(numbers, after, VERSIONS_KEPT)
    )
    detail = {"kind": kind, "version": number, "back_to": version, "note": note}
    await record(connection, member, "content.published", at_us=now_us, subject=document, detail=detail)
    return number


async def _text(connection: AsyncConnection, row: RowMapping, version: int, revision: int) -> str:
    """The body of an earlier version, or of the draft as it was seen. Raises NotFound, Conflict."""
    if version:
        earlier = await sql.version(connection, row["tenant_id"], row["kind"], row["id"], version)
        if earlier is None:
            raise no_version(row["kind"], row["id"], version)
        return str(earlier["body"])
    if revision != row["revision"]:
        raise stale(row)
    return str(row["body"])


def require_faultless(kind: str, document: str, body: model.Body) -> None:
    """Raise BadInput for what may be drafted and not published."""
    wrong = model.faults(body)
    if wrong:
        raise BadInput(
            f"{kind} {document} cannot be published: {wrong[0].text}", hint="Check it: /v1/content/check."
        )


def stale(row: RowMapping | None) -> Conflict:
    """Somebody else has changed it meanwhile."""
    if row is None or row["removed"]:
        return Conflict("It is not there any more.", hint="Save it with revision 0 to make it anew.")
    return Conflict(
        f"{row['changed_by']} saved it at {iso(row['changed_us'])}; it is at revision {row['revision']} now.",
        hint="Read it again, and save what you want over that.",
    )


def unknown(kind: str, document: str) -> NotFound:
    """There is no such document."""
    return NotFound(f"There is no {kind} {document[:64]!r} here.", hint=HINT)


def no_version(kind: str, document: str, number: int) -> NotFound:
    """There is none of that number."""
    return NotFound(f"There is no version {number} of {kind} {document}.", hint="The oldest go in time.")
