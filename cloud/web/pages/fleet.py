"""Fleet: every site at one look, what is wrong first."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence

from cloud.web.frame import PageRoute, Result, Shown, Visit
from cloud.web.listing import Listing
from edge.serving.roles import Role
from edge.serving.table import Row
from edge.wire.centre import CentreStatus, SiteView

SHOWN = 50  # sites on one page
COLUMNS = (
    "id", "name", "state", "reason", "lag_s", "backlog", "devices", "online", "problems", "seen_at", "timezone",
)  # fmt: skip


class FleetPage:
    """/office/ ."""

    def all(self) -> list[PageRoute]:
        """Its routes."""
        return [
            PageRoute("GET", "/", self.show, Role.VIEWER),
            PageRoute("GET", "/fleet", self.show, Role.VIEWER, tables={"sites": self.sites}),
        ]

    async def show(self, visit: Visit) -> Result:
        """A page of sites, the worst first, and what the centre counts over all."""
        status: CentreStatus = await visit.get("/v1/status")
        asked = {"order": "worst", "state": visit.query("state"), "q": visit.query("q"), "limit": SHOWN}
        page = await visit.get("/v1/sites", asked | {"cursor": visit.query("cursor")})
        return Shown("fleet.html", {"status": status, "sites": page.items, "next": page.next, "asked": asked})

    def sites(self, visit: Visit) -> Listing:
        """All of them, as a file."""
        asked = {"order": "worst", "state": visit.query("state"), "q": visit.query("q")}
        return Listing("sites", COLUMNS, _rows(visit.every("/v1/sites", asked)))


async def _rows(pages: AsyncIterator[list[SiteView]]) -> AsyncIterator[Sequence[Row]]:
    async for page in pages:
        yield [
            (
                site.id,
                site.name,
                site.state,
                site.reason,
                site.lag_s,
                sum(lane.waiting for lane in site.lanes),
                site.devices,
                site.online,
                "; ".join(site.problems),
                site.seen_at,
                site.timezone,
            )
            for site in page
        ]
