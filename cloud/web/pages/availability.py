"""Availability of all sites: one row each, the least available first."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Any
from zoneinfo import ZoneInfo

from cloud.analytics.rollups import zone_named
from cloud.web.cut import cut
from cloud.web.frame import ROOT, PageRoute, Result, Shown, Visit, Went
from cloud.web.links import link, site_page
from cloud.web.listing import Listing
from cloud.web.pages.asset_figures import ROWS, figures, table, total, worst_first
from cloud.web.plots.strip import Picture, columns
from cloud.web.site_choice import reached
from cloud.web.windows import NAMES, Window, window
from edge.clock import iso
from edge.errors import BadInput
from edge.serving.roles import Role
from edge.wire.assets import AvailabilityRow
from edge.wire.centre import SiteView

HERE = ROOT + "/availability"
SLICES = 6  # columns of the small picture in each row
PICTURES_FOR = 50  # sites; for more of them each slice would cost too much


class AvailabilityPage:
    """/office/availability."""

    def all(self) -> list[PageRoute]:
        """Its route."""
        return [PageRoute("GET", "/availability", self.show, Role.VIEWER, tables={"sites": self.sites})]

    async def show(self, visit: Visit) -> Result:
        """A page of sites; one alone has a page of its own."""
        if visit.query("site"):
            asked = {name: value for name, value in visit.request.query.items() if name != "site"}
            return Went(link(site_page(visit.query("site"), "availability"), asked))
        sites = await reached(visit)
        seen = window(visit.query, zone_of(sites), visit.now_us)
        asked = {**seen.query, "line": visit.query("line")}
        rows = worst_first(await figures(visit, asked, "site"))
        refused, cursor = seen.refused, visit.query("cursor")
        try:
            shown, following = cut(rows, cursor)
        except BadInput as error:
            shown, following, refused = (), "", error
        kept = {**seen.asked, "line": visit.query("line")}
        return Shown(
            "availability.html",
            {
                "window": seen,
                "windows": NAMES,
                "zone": str(seen.zone),
                "line": visit.query("line"),
                "sites": sites,
                "rows": shown,
                "total": total(rows),
                "pictures": await _pictures(visit, seen, asked) if 0 < len(rows) <= PICTURES_FOR else {},
                "refused": refused,
                "look": lambda **other: link(HERE, {"line": kept["line"]} | other),
                "place_of": lambda row: link(site_page(row.of, "availability"), kept),
                "query": link("", kept),
                "first": link(HERE, kept) if cursor else "",
                "next": link(HERE, kept, cursor=following) if following else "",
            },
            status=refused.status if refused else 200,
        )

    def sites(self, visit: Visit) -> Listing:
        """All of them, as a file."""
        return Listing("availability", ROWS, table(_rows(visit), ROWS))


def zone_of(sites: Sequence[SiteView] | None) -> ZoneInfo:
    """By whose clock a day begins where several sites are compared: theirs, where it is the same, else UTC."""
    zones = {site.timezone for site in sites or ()}
    return zone_named(zones.pop()) if len(zones) == 1 else ZoneInfo("UTC")


async def _rows(visit: Visit) -> AsyncIterator[Sequence[Any]]:
    seen = window(visit.query, zone_of(await reached(visit)), visit.now_us)
    yield worst_first(await figures(visit, {**seen.query, "line": visit.query("line")}, "site"))


async def _pictures(visit: Visit, seen: Window, asked: Mapping[str, object]) -> dict[str, Picture]:
    """A small picture of each site: the window in SLICES, each asked for all sites at once."""
    found: dict[str, list[AvailabilityRow]] = {}
    for number in range(SLICES):
        from_us, to_us = (seen.from_us + seen.length_us * each // SLICES for each in (number, number + 1))
        span = {"from": iso(from_us), "to": iso(to_us)}
        for row in await figures(visit, {**asked, **span}, "site"):
            found.setdefault(row.of, []).append(row)
    return {site: columns(rows, seen.span) for site, rows in found.items()}
