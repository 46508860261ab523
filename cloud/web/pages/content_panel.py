"""One panel: what it should show and what it shows, by what evidence, and what that looks like."""

from __future__ import annotations

from typing import Any

from cloud.web.frame import PageRoute, Result, Shown, Visit
from cloud.web.links import name_of
from cloud.web.pages.content import screen_kind
from edge.errors import OutpostError
from edge.serving.roles import Role
from edge.wire.centre import SiteView
from edge.wire.centre_content import SitePanel
from edge.wire.content import CheckedLayout


class ContentPanelPage:
    """/office/sites/{site}/devices/{device}/panel."""

    def all(self) -> list[PageRoute]:
        """Its route."""
        return [PageRoute("GET", "/sites/{site}/devices/{device}/panel", self.show, Role.VIEWER)]

    async def show(self, visit: Visit) -> Result:
        """As its hub last told it, and drawn of what is known here."""
        site, device = visit.param("site"), name_of(visit.param("device"))
        panel: SitePanel = await visit.get("/v1/content/panels/{device}", {"site": site}, device=device)
        place: SiteView = await visit.get("/v1/sites/{site}", site=site)
        values = {"panel": panel, "zone": place.timezone, "checked": await _drawn(visit, panel)}
        return Shown("content_panel.html", values)


async def _drawn(visit: Visit, panel: SitePanel) -> CheckedLayout | None:
    """What it should show, drawn with what is known here; None where that cannot be, or is not his to ask."""
    what: dict[str, Any] = {"picture": panel.screen}
    try:
        if screen_kind(panel.screen) == "layout":
            path = "/v1/content/site-documents/{site}/{kind}/{id}"
            told = await visit.get(path, site=panel.site, kind="layout", id=panel.screen)
            what = {"body": told.published}
        elif not panel.screen:
            return None
        asked = {"site": panel.site, "device": panel.device, "panel": panel.panel, **what}
        checked: CheckedLayout = await visit.act("POST", "/v1/content/check", asked)
    except OutpostError:  # not his to ask, not here any more, or of another version of Outpost
        return None
    return checked
