"""What changes about documents, told on the bus after the commit that made it true."""

from __future__ import annotations

from edge.bus import Event
from edge.wire.content import DocumentKind


class DocumentPublished(Event, frozen=True, kw_only=True):
    """What panels may show of this document is another version, or it is gone."""

    kind: DocumentKind
    id: str


class DocumentChanged(Event, frozen=True, kw_only=True):
    """A draft was saved, or head office sent a version that waits for a person; panels show what they showed."""

    kind: DocumentKind
    id: str
