"""One panel: what it should show and what it shows, by what evidence, and what that looks like."""

from __future__ import annotations

from cloud.web.frame import PageRoute, Result, Shown, Visit
from cloud.web.links import name_of
from edge.serving.roles import Role
from edge.wire.centre import SiteView
from edge.wire.centre_content import SitePanel


class ContentPanelPage:
    """/office/sites/{site}/devices/{device}/panel."""

    def all(self) -> list[PageRoute]:
        """Its route."""
        return [PageRoute("GET", "/sites/{site}/devices/{device}/panel", self.show, Role.VIEWER)]

    async def show(self, visit: Visit) -> Result:
        """As its hub last told it."""
        site, device = visit.param("site"), name_of(visit.param("device"))
        panel: SitePanel = await visit.get("/v1/content/panels/{device}", {"site": site}, device=device)
        place: SiteView = await visit.get("/v1/sites/{site}", site=site)
        values = {"panel": panel, "zone": place.timezone}
        return Shown("content_panel.html", values)
