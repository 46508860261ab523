"""What panels show: layouts and pictures that people make, what is fetched for them, and whose turn it is where."""

from __future__ import annotations

from collections.abc import Callable, Coroutine

import msgspec

from edge.bus import Event
from edge.content.afar.orders import ContentOrders
from edge.content.codes.screens import Screens
from edge.content.documents.documents import Documents
from edge.content.documents.events import DocumentChanged, DocumentPublished
from edge.content.documents.holding import Holding
from edge.content.documents.routes import DocumentRoutes
from edge.content.documents.views import DocumentViews
from edge.content.intake.pictures import Pictures
from edge.content.intake.uploads import Uploads
from edge.content.library.events import PictureChanged
from edge.content.library.library import Library
from edge.content.library.routes import PictureRoutes
from edge.devices.model import Device
from edge.parts.assets import AssetsPart
from edge.parts.content_remarks import Remarks
from edge.parts.content_site import ContentSite
from edge.parts.content_sources import ContentSources
from edge.parts.panels import PanelsShown
from edge.parts.part import Core, Part
from edge.parts.telemetry import TelemetryPart
from edge.serving.metrics import Sample
from edge.serving.routing import Route
from edge.wire.content import DocumentKind
from edge.wire.views import LiveEvent


class ContentPart(Part):
    """Built by the hub. `documents` are what people write, `library` the pictures they upload, `sources` what is
    fetched, `shown` what panels show of it all, and `showing` what the doors of older devices ask of that; `orders`
    does what head office publishes here."""

    def __init__(
        self, core: Core, pictures: Pictures, telemetry: TelemetryPart, assets: AssetsPart, codes: Screens
    ) -> None:
        self._core = core
        self.library = Library(core.store, Uploads().normalised, pictures_mb=core.settings.content.pictures_mb)
        site = ContentSite(core.registry, core.groups)
        self.documents = Documents(core.store.hub, Holding(self.library, site))
        remarks = Remarks(self.documents, core.registry, telemetry.telemetry, assets)
        self.documents.check_with(remarks.of, DocumentKind.LAYOUT)
        self.views = DocumentViews(self.documents, core.store.boots)
        self.orders = ContentOrders(core.store.hub, core.clock, self.documents)
        self._sources = ContentSources(core, self.documents)
        self.sources = self._sources.sources
        self.shown = PanelsShown(core, self.documents, self.library, self.sources, telemetry, assets, codes)
        self.showing = self.shown.showing
        self.library.ask_uses(
            lambda sha256: len(self.documents.users_of_picture(sha256)), self.documents.users_of_picture_in
        )

    def routes(self) -> list[Route]:
        """Panels, documents, pictures, sources. Those of documents have a kind where others have a word: they go
        last."""
        documents, pictures = DocumentRoutes(self.documents, self.views), PictureRoutes(self.library)
        return [*self.shown.routes(), *pictures.all(), *self._sources.routes(), *documents.all()]

    async def start(self) -> None:
        """Load the pictures, what is published, and what sources said before."""
        await self.library.start()
        await self.documents.start()
        await self._sources.start()
        await self.shown.start()

    def tasks(self) -> dict[str, Callable[[], Coroutine[None, None, None]]]:
        """Asking sources, looking at panels, doing what head office asks."""
        return {**self._sources.tasks(), **self.shown.tasks(), "content-orders": self.orders.run}

    def problems(self) -> list[str]:
        """What cannot be read, what waits for a person, and sources that are silent."""
        return [
            *self.documents.problems(),
            *self.library.problems(),
            *self._sources.problems(),
            *self.shown.problems(),
        ]

    def samples(self) -> list[Sample]:
        """What is kept."""
        library = self.library
        return [
            Sample("content_pictures", "gauge", "Pictures that are kept.", {"": len(library.all())}),
            Sample("content_picture_bytes", "gauge", "What their files take.", {"": library.stored_bytes()}),
            *self._sources.samples(),
            *self.shown.samples(),
        ]

    async def translate(self, event: Event) -> LiveEvent | None:
        """A document, a picture, a source or a panel as it stands now."""
        if isinstance(event, PictureChanged):
            said: dict[str, object] = {"kind": "picture", "id": event.picture, "removed": True}
            if self.library.has(event.picture):
                view = self.library.view(self.library.get(event.picture))
                said = {"kind": "picture", **msgspec.to_builtins(view)}
            return LiveEvent(topic="content", data=said)
        if not isinstance(event, DocumentChanged | DocumentPublished):
            return await self._sources.translate(event) or await self.shown.translate(event)
        found = self.documents.find(event.kind, event.id)
        if found is None:
            return LiveEvent(topic="content", data={"kind": event.kind.value, "id": event.id, "removed": True})
        return LiveEvent(topic="content", data=msgspec.to_builtins(self.views.view(found)))

    async def forget(self, device: Device, actor: str) -> None:
        """What it showed is forgotten."""
        await self.shown.forget(device, actor)

    async def stop(self) -> None:
        """Let drawings end."""
        await self.shown.stop()
