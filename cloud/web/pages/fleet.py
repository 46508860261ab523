"""Fleet: every site at one look, what is wrong first."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence

from cloud.sites.order import WORST_FIRST
from cloud.web.frame import ROOT, PageRoute, Result, Shown, Visit
from cloud.web.links import link
from cloud.web.listing import Listing
from edge.errors import BadInput
from edge.serving.roles import Role
from edge.serving.table import Row
from edge.wire.centre import CentreStatus, SiteView

HERE = ROOT + "/fleet"
SHOWN = 50  # sites on one page
HEARD = ("live", "catching-up")
COLUMNS = (
    "id", "name", "state", "reason", "lag_s", "backlog", "devices", "online", "alerts", "problems", "seen_at",
    "timezone",
)  # fmt: skip


class FleetPage:
    """/office/ and /office/fleet, which are the same."""

    def all(self) -> list[PageRoute]:
        """Its routes."""
        return [
            PageRoute("GET", "/", self.show, Role.VIEWER),
            PageRoute("GET", "/fleet", self.show, Role.VIEWER, tables={"sites": self.sites}),
        ]

    async def show(self, visit: Visit) -> Result:
        """A page of sites, the worst first, and what the centre counts over all."""
        status: CentreStatus = await visit.get("/v1/status")
        asked, cursor, refused = _asked(visit), visit.query("cursor"), None
        found, following = list[SiteView](), None
        try:
            page = await visit.get("/v1/sites", {"order": "worst", **asked, "limit": SHOWN, "cursor": cursor})
            found, following = page.items, page.next
        except BadInput as error:
            refused = error
        return Shown(
            "fleet.html",
            {
                "status": status,
                "sites": found,
                "asked": asked,
                "refused": refused,
                "states": [state.value for state in WORST_FIRST],
                "heard": HEARD,
                "first": link(HERE, asked) if cursor else "",
                "next": link(HERE, asked, cursor=following) if following else "",
                "query": link("", asked),
                "may": visit.may(Role.ADMIN) and not visit.member.sites,
            },
            status=refused.status if refused else 200,
        )

    def sites(self, visit: Visit) -> Listing:
        """All of them, as a file."""
        return Listing("sites", COLUMNS, _rows(visit.every("/v1/sites", {"order": "worst", **_asked(visit)})))


def _asked(visit: Visit) -> dict[str, str]:
    return {"state": visit.query("state"), "q": visit.query("q").strip()}


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
                "; ".join(site.alerts),
                "; ".join(site.problems),
                site.seen_at,
                site.timezone,
            )
            for site in page
        ]
