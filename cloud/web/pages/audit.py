"""The audit: everything anyone changed, here and at the sites, the newest first."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence

import msgspec

from cloud.web.changes import GROUPS, told
from cloud.web.frame import ROOT, PageRoute, Result, Shown, Visit
from cloud.web.links import link
from cloud.web.listing import Listing
from cloud.web.site_choice import reached
from edge.errors import BadInput, NotFound
from edge.serving.roles import Role
from edge.serving.table import Row
from edge.wire.centre import AuditView

HERE = ROOT + "/audit"
SHOWN = 50
FILTERS = ("site", "actor", "what", "where")
NAMELESS = frozenset({"setup", "sign-up"})  # actors that are nobody by name
COLUMNS = ("id", "at", "actor", "what", "where", "site", "subject", "detail")


class AuditPage:
    """/office/audit."""

    def all(self) -> list[PageRoute]:
        """Its route."""
        return [PageRoute("GET", "/audit", self.show, Role.ADMIN, tables={"audit": self.audit})]

    async def show(self, visit: Visit) -> Result:
        """A page of changes."""
        asked = _asked(visit)
        refused: Exception | None = None
        changes: list[AuditView] = []
        following = None
        try:
            page = await visit.get("/v1/audit", {**asked, "limit": SHOWN, "cursor": visit.query("cursor")})
            changes, following = page.items, page.next
        except (BadInput, NotFound) as error:
            refused = error
        return Shown(
            "audit.html",
            {
                "changes": [(change, told(change, visit.words)) for change in changes],
                "asked": asked,
                "filtered": any(asked.values()),
                "groups": GROUPS,
                "sites": await reached(visit),
                "refused": refused,
                "query": link("", asked),
                "first": link(HERE, asked) if visit.query("cursor") else "",
                "more": link(HERE, asked, cursor=following) if following else "",
            },
        )

    def audit(self, visit: Visit) -> Listing:
        """All that was asked for, as a file."""
        return Listing("audit", COLUMNS, _rows(visit.every("/v1/audit", _asked(visit))))


def _asked(visit: Visit) -> dict[str, str]:
    """The filters; somebody who is named without what he comes by is a person of the centre's."""
    asked = {name: visit.query(name).strip() for name in FILTERS}
    if asked["actor"] and ":" not in asked["actor"] and asked["actor"] not in NAMELESS:
        asked["actor"] = f"user:{asked['actor']}"
    return asked


async def _rows(pages: AsyncIterator[list[AuditView]]) -> AsyncIterator[Sequence[Row]]:
    async for page in pages:
        yield [
            (
                change.id,
                change.at,
                change.actor,
                change.what,
                change.where,
                change.site,
                change.subject,
                msgspec.json.encode(change.detail).decode(),
            )
            for change in page
        ]
