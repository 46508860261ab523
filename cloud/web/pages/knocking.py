"""Who knocks: clients that ask for what is not here, or show a key that is not known, are set up wrong."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence

from cloud.web.cut import cut
from cloud.web.frame import ROOT, PageRoute, Result, Shown, Visit
from cloud.web.links import link
from cloud.web.listing import Listing
from edge.serving.roles import Role
from edge.serving.table import Row

HERE = ROOT + "/knocking"
COLUMNS = ("peer", "what", "why", "count", "last_at")


class KnockingPage:
    """/office/knocking."""

    def all(self) -> list[PageRoute]:
        """Its route."""
        return [PageRoute("GET", "/knocking", self.show, Role.VIEWER, tables={"knocking": self.knocking})]

    async def show(self, visit: Visit) -> Result:
        """The latest first."""
        knocks, following = cut((await visit.get("/v1/knocking")).items, visit.query("cursor"))
        return Shown(
            "knocking.html",
            {
                "knocks": knocks,
                "first": HERE if visit.query("cursor") else "",
                "more": link(HERE, cursor=following) if following else "",
            },
        )

    def knocking(self, visit: Visit) -> Listing:
        """All of them, as a file."""
        return Listing("knocking", COLUMNS, _rows(visit))


async def _rows(visit: Visit) -> AsyncIterator[Sequence[Row]]:
    found = (await visit.get("/v1/knocking")).items
    yield [tuple(getattr(knock, column) for column in COLUMNS) for knock in found]
