"""Documents that the older system's paths write: saved and published in the name of whoever asked, in one go.

What a person is writing stays: a draft has no version that one could go back to. And a board, which shows no key,
changes nothing but what it has written itself.
"""

from __future__ import annotations

import re

import msgspec

from edge.content.documents.documents import Documents
from edge.content.documents.model import hash_of, read
from edge.content.documents.store import Kept
from edge.devices.model import Device
from edge.errors import Conflict
from edge.wire.content import DocumentKind
from edge.wire.layouts import NAME_CHARS

NOTE = "made by the older system's page"
BOARD = "device:"  # how the name of a board that asked by itself begins


class Papers:
    """Writes them."""

    def __init__(self, documents: Documents) -> None:
        self._documents = documents

    async def publish(self, kind: DocumentKind, name: str, body: msgspec.Struct, *, title: str, actor: str) -> None:
        """The document is this from now on; what it was stays as an earlier version. Raises as `Documents.save` and
        `Documents.publish`, and Conflict where a person writes on it, or wrote it and a board asks."""
        known = self._documents.find(kind, name)
        published = self._documents.published(kind, name)
        if published is not None and published[0] == body:
            return
        plain = msgspec.to_builtins(body)
        if known is not None:
            _require_free(known, hash_of(read(kind, plain)), actor)
        revision = known.standing.revision if known is not None else 0
        kept = await self._documents.save(kind, name, plain, revision, title[:NAME_CHARS], actor=actor)
        await self._documents.publish(kind, name, revision=kept.standing.revision, note=NOTE, actor=actor)

    async def drop(self, kind: DocumentKind, name: str, *, actor: str) -> bool:
        """The document is gone; whether there was one. Raises Conflict while another names it, or a person writes
        on it."""
        known = self._documents.find(kind, name)
        if known is None:
            return False
        _require_free(known, known.standing.version_hash, actor)
        await self._documents.remove(kind, name, revision=known.standing.revision, actor=actor)
        return True


def actor_of(device: Device) -> str:
    """In whose name it stands what a board asked for itself."""
    return f"{BOARD}{device.id}"


def _require_free(known: Kept, becomes: str, actor: str) -> None:
    """Raise Conflict where more than an earlier version would be lost. `becomes`: the hash of what it shall be."""
    by_person, called = not known.changed_by.startswith(BOARD), f"The {known.kind.value} {known.id}"
    if by_person and known.standing.drafted and known.standing.hash != becomes:
        raise Conflict(
            f"{called} has a draft by {known.changed_by} that is not published.",
            hint=f"Publish it, or remove it: `outpost content show {known.kind.value} {known.id}`.",
        )
    if actor.startswith(BOARD) and known.changed_by != actor:
        raise Conflict(f"{called} was written by {known.changed_by}, so no board changes it.")


def slug(text: str) -> str:
    """A device's id as a document's may be."""
    return re.sub(r"[^a-z0-9_.-]", "-", text.lower())[:40]
