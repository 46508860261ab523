"""What hubs tell of content as it is at this moment: the documents they have published, and their panels."""

from __future__ import annotations

from typing import Any, TypeVar

import msgspec
from sqlalchemy.ext.asyncio import AsyncConnection

from cloud.accounts.member import Member
from cloud.content.document_store import Key
from cloud.fleet import state_store
from cloud.fleet.lookup import Found, found
from cloud.fleet.views import plain
from cloud.sync.plain_json import NotPlain, decoded, one_line
from edge.errors import NotFound
from edge.wire.centre_content import DocumentSeen, SitePanel

DOCUMENT, PANEL = "document", "panel"  # kinds of states
ROWS_MAX = 20_000
LINE_CHARS = 300
T = TypeVar("T", bound=msgspec.Struct)


def thing(key: Key) -> str:
    """What the state of a document is called."""
    return f"{key[0]}/{key[1]}"


async def published(
    connection: AsyncConnection, member: Member, *, site: str = "", key: Key | None = None
) -> list[tuple[Found, DocumentSeen]]:
    """What sites within a caller's reach have published; what cannot be read is left out."""
    named = "" if key is None else thing(key)
    rows = await state_store.states(connection, member, DOCUMENT, site=site, thing=named, limit=ROWS_MAX)
    seen = []
    for row in rows:
        one = _read(row["view"], DocumentSeen)
        if one is not None and thing((one.kind.value, one.id)) == row["id"]:
            seen.append((found(row, member), _tidy(one)))
    return seen


async def keys_at(connection: AsyncConnection, member: Member, site: str) -> dict[Key, str]:
    """The documents that a site has published, with their hashes."""
    return {(one.kind.value, one.id): one.hash for _, one in await published(connection, member, site=site)}


async def panels(
    connection: AsyncConnection,
    member: Member,
    *,
    site: str,
    device: str = "",
    behind: tuple[str, int, str] | None = None,
    limit: int,
) -> tuple[list[Found], bool]:
    """A page of panels as their hubs told them, and whether there are more."""
    rows, more = await state_store.page(
        connection, member, PANEL, site=site, device=device, behind=behind, limit=limit
    )
    return [found(row, member) for row in rows], more


def panel_view(found: Found, now_us: int) -> SitePanel:
    """A panel. Raises NotFound for what this version cannot read."""
    data: dict[str, Any] = plain(found, now_us)
    try:
        view = msgspec.convert(data, SitePanel)
        notes = [one_line(note, LINE_CHARS) for note in view.notes[:50]]
        return msgspec.structs.replace(view, behind=one_line(view.behind, LINE_CHARS), notes=notes)
    except (msgspec.ValidationError, ValueError, TypeError, OverflowError, RecursionError) as error:
        raise NotFound(f"What the hub told of it cannot be read: {error}.", hint="Update the hub.") from error


def _tidy(one: DocumentSeen) -> DocumentSeen:
    said = {
        name: one_line(getattr(one, name), LINE_CHARS) for name in ("title", "published_by", "changed_by", "hash")
    }
    return msgspec.structs.replace(one, **said)


def _read(view: str, kind: type[T]) -> T | None:
    try:
        return msgspec.convert(decoded(view), kind)
    except (NotPlain, msgspec.ValidationError, ValueError, TypeError, OverflowError, RecursionError):
        return None
