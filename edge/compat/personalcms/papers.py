"""Documents that the older system's paths write: saved and published in the name of whoever asked, in one go."""

from __future__ import annotations

import re

import msgspec

from edge.content.documents.documents import Documents
from edge.errors import NotFound
from edge.wire.content import DocumentKind
from edge.wire.layouts import NAME_CHARS

NOTE = "made by the older system's page"


class Papers:
    """Writes them."""

    def __init__(self, documents: Documents) -> None:
        self._documents = documents

    async def publish(self, kind: DocumentKind, name: str, body: msgspec.Struct, *, title: str, actor: str) -> None:
        """The document is this from now on; what it was stays as an earlier version. Raises as `Documents.save` and
        `Documents.publish`."""
        known = self._documents.find(kind, name)
        published = self._documents.published(kind, name)
        if published is not None and published[0] == body:
            return
        revision = known.standing.revision if known is not None else 0
        plain = msgspec.to_builtins(body)
        kept = await self._documents.save(kind, name, plain, revision, title[:NAME_CHARS], actor=actor)
        await self._documents.publish(kind, name, revision=kept.standing.revision, note=NOTE, actor=actor)

    async def drop(self, kind: DocumentKind, name: str, *, actor: str) -> bool:
        """The document is gone; whether there was one. Raises Conflict while another names it."""
        try:
            await self._documents.remove(kind, name, actor=actor)
        except NotFound:
            return False
        return True


def slug(text: str) -> str:
    """A device's id as a document's may be."""
    return re.sub(r"[^a-z0-9_.-]", "-", text.lower())[:40]
