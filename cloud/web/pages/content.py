"""Content: what people have written for panels and which sites have it, and what each panel shows, behind first."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence

from cloud.web.content.asking import HERE, document_page
from cloud.web.cut import cut
from cloud.web.frame import PageRoute, Result, Shown, Visit
from cloud.web.links import link
from cloud.web.listing import Listing
from cloud.web.site_choice import reached
from edge.serving.roles import Role
from edge.serving.table import Row
from edge.wire.centre_content import CentreDocument, SiteDocument, SitePanel
from edge.wire.content import DocumentKind

KINDS = tuple(kind.value for kind in DocumentKind)
PANELS_MAX = 2000  # that are put in order
DOCUMENTS = (
    "kind", "id", "title", "revision", "version", "draft", "changed_at", "changed_by", "published_at",
    "published_by", "used_by",
)  # fmt: skip
PANELS = (
    "site", "device", "name", "panel", "screen", "version", "playlist", "schedule", "shown_screen",
    "shown_version", "shown_at", "evidence", "sharp", "behind", "as_of", "stale",
)  # fmt: skip


class ContentPage:
    """/office/content and /office/content/panels."""

    def all(self) -> list[PageRoute]:
        """Its routes."""
        see = Role.VIEWER
        return [
            PageRoute("GET", "/content", self.documents, see, tables={"documents": self.documents_file}),
            PageRoute("GET", "/content/panels", self.panels, see, tables={"panels": self.panels_file}),
        ]

    async def documents(self, visit: Visit) -> Result:
        """Documents of head office, then what sites have that is not from here."""
        kind = visit.query("kind")
        asked = {"kind": kind if kind in KINDS else ""}
        found: list[CentreDocument] = [one async for page in visit.every("/v1/content", asked) for one in page]
        ours = {(one.kind, one.id) for one in found}
        theirs: list[SiteDocument] = [
            one
            async for page in visit.every("/v1/content/site-documents", asked)
            for one in page
            if not one.ours and ((one.kind, one.id) not in ours or one.conflict)
        ]
        shown, following = cut(found, visit.query("cursor"))
        return Shown(
            "content.html",
            {
                "documents": shown,
                "theirs": theirs[:50],
                "kind": asked["kind"],
                "kinds": KINDS,
                "page_of": document_page,
                "first": link(HERE, asked) if visit.query("cursor") else "",
                "next": link(HERE, asked, cursor=following) if following else "",
                "query": link("", asked),
                "may": visit.may(Role.TECHNICIAN),
            },
        )

    def documents_file(self, visit: Visit) -> Listing:
        """The documents of head office as a file."""
        asked = {"kind": visit.query("kind")}
        return Listing("content", DOCUMENTS, _documents(visit.every("/v1/content", asked)))

    async def panels(self, visit: Visit) -> Result:
        """What each panel shows, by what evidence; those that do not show what they should come first."""
        site = visit.query("site").strip()
        found = await _panels(visit, site)
        found.sort(key=lambda one: (one.sharp, not one.behind, one.site, one.name))
        shown, following = cut(found, visit.query("cursor"))
        place = HERE + "/panels"
        return Shown(
            "content_panels.html",
            {
                "panels": shown,
                "total": len(found),
                "behind": sum(not one.sharp for one in found),
                "site": site,
                "sites": await reached(visit),
                "place": place,
                "first": link(place, site=site) if visit.query("cursor") else "",
                "next": link(place, site=site, cursor=following) if following else "",
                "query": link("", site=site),
            },
        )

    def panels_file(self, visit: Visit) -> Listing:
        """The panels as a file."""
        asked = {"site": visit.query("site").strip()}
        return Listing("panels", PANELS, _rows(visit.every("/v1/content/panels", asked)))


async def _panels(visit: Visit, site: str) -> list[SitePanel]:
    found: list[SitePanel] = []
    async for page in visit.every("/v1/content/panels", {"site": site}):
        found += page
        if len(found) >= PANELS_MAX:
            break
    return found


async def _documents(pages: AsyncIterator[list[CentreDocument]]) -> AsyncIterator[Sequence[Row]]:
    async for page in pages:
        yield [tuple(getattr(one, name) for name in DOCUMENTS) for one in page]


async def _rows(pages: AsyncIterator[list[SitePanel]]) -> AsyncIterator[Sequence[Row]]:
    async for page in pages:
        yield [tuple(getattr(one, name) for name in PANELS) for one in page]
