"""Content of all sites, built and wired."""

from __future__ import annotations

from aiohttp import web
from sqlalchemy.ext.asyncio import AsyncConnection

from cloud.blobs.blobs import Blobs
from cloud.content.checking import Checking
from cloud.content.document_routes import DocumentRoutes
from cloud.content.documents import Documents
from cloud.content.given import Gathering
from cloud.content.panel_pictures import PanelPictureRoutes
from cloud.content.picture_routes import PictureRoutes
from cloud.content.pictures import Pictures
from cloud.content.publishing import Publishing
from cloud.content.sending import Sending
from cloud.content.site_routes import SiteContentRoutes
from cloud.content.told import ContentFacts, OrderOutcomes, site_revoked
from cloud.part import Core, Part
from cloud.sync.part import SyncPart
from edge.content.intake.uploads import Uploads
from edge.serving.downloads import Downloads
from edge.serving.routing import Route

MB = 1024 * 1024


class ContentPart(Part):
    """Documents, pictures, and what sites have of them. `site_revoked` is for who revokes a site."""

    def __init__(self, core: Core, sync: SyncPart, downloads: Downloads) -> None:
        self._clock, self._door = core.clock, sync.door
        blobs, store_bytes = Blobs(core.db, core.clock), core.settings.updates.store_mb * MB
        self.pictures = Pictures(core.db, core.clock, blobs, Uploads().normalised, store_bytes=store_bytes)
        self.documents = Documents(core.db, core.clock)
        self.publishing = Publishing(core.db, core.clock, Sending(sync.inbox, core.clock))
        sync.projections.append(ContentFacts(core.clock))
        sync.inbox.follow_with(OrderOutcomes(core.clock))
        checking = Checking(core.db, self.pictures, Gathering(core.db, core.clock))
        self._documents = DocumentRoutes(self.documents, self.publishing)
        self._pictures = PictureRoutes(self.pictures, downloads)
        self._sites = SiteContentRoutes(core.db, core.clock, checking)
        self._drawn = PanelPictureRoutes(core.db, core.clock, checking)

    def routes(self) -> list[Route]:
        """Pictures, panels and documents of sites; documents last, whose paths are the widest."""
        return [*self._pictures.all(), *self._sites.all(), *self._drawn.all(), *self._documents.all()]

    def paths(self) -> list[web.RouteDef]:
        """What hubs fetch."""
        return self._pictures.paths(self._door)

    async def site_revoked(self, connection: AsyncConnection, tenant_id: int, site_id: int) -> None:
        """A RevokeWatch: nothing more becomes of what was sent there."""
        await site_revoked(connection, tenant_id, site_id, self._clock.now().at_us)
