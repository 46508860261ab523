"""What head office is shown of content: each device's panel, and the documents that are published here."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from edge.content.documents.documents import Documents
from edge.content.documents.model import canonical
from edge.content.documents.views import DocumentViews
from edge.content.showing.views import PanelViews
from edge.devices.model import Device
from edge.sync.state_lane import Seen
from edge.wire.centre_content import DocumentSeen

_json = msgspec.json.Encoder().encode


class ContentSight:
    """Draws rows of state from what is in memory."""

    def __init__(self, documents: Documents, views: DocumentViews, panels: PanelViews) -> None:
        self._documents, self._views, self._panels = documents, views, panels

    async def panel(self, device: Device) -> Sequence[Seen]:
        """How a device's panel stands; nothing for one without."""
        if not device.panel:
            return []
        return [Seen("panel", device.id, device.id, _json(await self._panels.view(device)))]

    def published(self) -> Sequence[Seen]:
        """Every document that panels may show, with what is in it."""
        seen = []
        for kept in self._documents.all():
            found = self._documents.published(kept.kind, kept.id)
            if found is not None:
                body, about = (
                    msgspec.json.decode(canonical(found[0])),
                    msgspec.structs.asdict(self._views.view(kept)),
                )
                view = DocumentSeen(**about, hash=kept.standing.version_hash, published=body)
                seen.append(Seen("document", f"{kept.kind.value}/{kept.id}", "", _json(view)))
        return seen
