"""Documents as /v1 shows them."""

from __future__ import annotations

from typing import Any

import msgspec

from edge.clock import iso
from edge.content.documents.documents import Documents
from edge.content.documents.model import read
from edge.content.documents.store import Kept, Version
from edge.errors import BadInput
from edge.store.boots import Boots
from edge.wire.content import DocumentBody, DocumentView, Note, VersionBody, VersionView


class DocumentViews:
    """Draws a document together from how it stands and who names it."""

    def __init__(self, documents: Documents, boots: Boots) -> None:
        self._documents, self._boots = documents, boots

    def view(self, kept: Kept) -> DocumentView:
        """How it stands."""
        return DocumentView(**self._fields(kept))

    async def body(self, kept: Kept) -> DocumentBody:
        """With its draft, what is published of it, and what its writer should know about the draft."""
        draft = msgspec.json.decode(await self._documents.draft_text(kept.kind, kept.id))
        number = kept.standing.version
        text = (await self._documents.version(kept, number)).body if number else "null"
        return DocumentBody(
            **self._fields(kept),
            body=draft,
            published=msgspec.json.decode(text),
            notes=tuple(await self._notes(kept, draft)),
        )

    def version(self, kept: Kept, version: Version) -> VersionView:
        """One version."""
        return VersionView(**self._version(kept, version))

    def version_body(self, kept: Kept, version: Version) -> VersionBody:
        """One version with its body."""
        return VersionBody(**self._version(kept, version), body=msgspec.json.decode(version.body))

    async def _notes(self, kept: Kept, draft: object) -> list[Note]:
        try:
            return await self._documents.notes(kept.kind, kept.id, read(kept.kind, draft))
        except BadInput as error:  # written by another version of Outpost
            return [Note(element=-1, level="error", text=error.detail)]

    def _fields(self, kept: Kept) -> dict[str, Any]:
        standing, at_us = kept.standing, kept.published_us
        when = None if at_us is None else iso(self._boots.when(at_us, kept.published_clock))
        return {
            "kind": kept.kind,
            "id": kept.id,
            "title": kept.title,
            "revision": standing.revision,
            "version": standing.version,
            "draft": standing.drafted,
            "conflict": standing.conflict,
            "changed_at": iso(self._boots.when(kept.changed_us, kept.changed_clock)),
            "changed_by": kept.changed_by,
            "published_at": when,
            "published_by": kept.published_by,
            "used_by": len(self._documents.users(kept.kind, kept.id)),
        }

    def _version(self, kept: Kept, version: Version) -> dict[str, Any]:
        return {
            "version": version.version,
            "hash": version.hash,
            "state": _state(kept, version.version),
            "at": iso(self._boots.when(version.at_us, version.clock)),
            "by": version.by,
            "note": version.note,
            "back_to": version.back_to,
        }


def _state(kept: Kept, number: int) -> str:
    if number == kept.standing.version:
        return "published"
    return "conflict" if number == kept.standing.conflict else "earlier"
