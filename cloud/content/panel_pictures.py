"""What a panel should show, as a picture: drawn here of what the site has published and what is known of it."""

from __future__ import annotations

import base64

from aiohttp import web

from cloud.accounts.member import Member, member
from cloud.content import seen
from cloud.content.checking import Checking
from cloud.db.database import Database
from cloud.fleet.lookup import find_device
from edge.clock import Clock
from edge.errors import BadInput, NotFound
from edge.serving.roles import Role
from edge.serving.routing import Answer, Call, Route
from edge.wire.centre_content import CheckAtSite, SitePanel
from edge.wire.content import DocumentKind

PNG = "image/png"
FRESH_S = 30  # a list of panels that is looked at draws none of them oftener
HASH_CHARS = 64


class PanelPictureRoutes:
    """The route."""

    def __init__(self, database: Database, clock: Clock, checking: Checking) -> None:
        self._db, self._clock, self._checking = database, clock, checking

    def all(self) -> list[Route]:
        """Every route."""
        says = "What it should show, drawn here with what is known of the site; sources are not"
        path = "/v1/content/panels/{device}/picture.png"
        return [Route("GET", path, self.picture, says, Role.VIEWER, stream=PNG, query=("site",))]

    async def picture(self, call: Call) -> Answer:
        """GET /v1/content/panels/{device}/picture.png?site=."""
        caller = member(call)
        async with self._db.read() as connection:
            device = await find_device(connection, caller, call.param("device"), call.query("site"))
            rows, _ = await seen.panels(connection, caller, site=device.place.slug, device=device.id, limit=1)
        if not rows:
            raise NotFound(f"{device.id} has no panel that its hub tells of.")
        panel = seen.panel_view(rows[0], self._clock.now().at_us)
        drawn = await self._checking.check(caller, await self._wanted(caller, panel))
        headers = {"Cache-Control": f"private, max-age={FRESH_S}"}
        return web.Response(body=base64.b64decode(drawn.png), content_type=PNG, headers=headers)

    async def _wanted(self, caller: Member, panel: SitePanel) -> CheckAtSite:
        """What is to be drawn. Raises NotFound where nothing is scheduled, or it is not known here."""
        if not panel.screen:
            raise NotFound("Nothing is scheduled for this panel.")
        where = {"site": panel.site, "device": panel.device, "panel": panel.panel}
        key = DocumentKind.LAYOUT.value, panel.screen
        async with self._db.read() as connection:
            told = await seen.published(connection, caller, site=panel.site, key=key)
        if told:
            return CheckAtSite(**where, body=told[0][1].published)
        if len(panel.screen) != HASH_CHARS:
            raise NotFound("Its site has not told what is on this screen.")
        if not panel.screen.isalnum():
            raise BadInput("That is no picture.")
        return CheckAtSite(**where, picture=panel.screen)
