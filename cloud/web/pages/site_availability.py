"""Availability of one site: each of its assets over time, what stopped them, how it goes, and the last stops."""

from __future__ import annotations

from typing import Any

from cloud.web.cut import cut
from cloud.web.frame import PageRoute, Result, Shown, Visit, Went
from cloud.web.links import asset_page, link, site_page
from cloud.web.listing import Listing
from cloud.web.pages import asset_figures as of_assets
from cloud.web.pages.asset_figures import HEARD, PARETO, ROWS, STOPS, looked, table
from cloud.web.plots.strip import columns
from cloud.web.windows import NAMES
from edge.errors import BadInput, OutpostError
from edge.serving.roles import Role
from edge.wire.assets import NAME_CHARS, AssetView
from edge.wire.centre import SiteView

SHOWN = 12  # assets on one page, each with its picture
ADD = ("name", "line", "device", "input")


class SiteAvailabilityPage:
    """/office/sites/{site}/availability, and the form that adds an asset."""

    def all(self) -> list[PageRoute]:
        """Its routes."""
        here = "/sites/{site}/availability"
        tables = {"assets": self.assets, "trend": self.trend, "pareto": self.pareto, "stops": self.stops}
        return [
            PageRoute("GET", here, self.show, Role.VIEWER, tables=tables),
            PageRoute("POST", here + "/assets", self.add, Role.TECHNICIAN),
        ]

    async def show(self, visit: Visit) -> Result:
        """All of it."""
        site = await of_assets.site_of(visit)
        if visit.param("site") != site.id:
            return Went(link(place(site.id), dict(visit.request.query)))
        return await self._shown(visit, site)

    async def add(self, visit: Visit) -> Result:
        """An asset that an input tells of from now on."""
        body: dict[str, object] = {name: visit.form.get(name, "").strip() for name in ADD}
        body["inverted"] = "inverted" in visit.form
        site = await of_assets.site_of(visit)
        try:
            made = await visit.act("POST", "/v1/assets", body, {"site": site.id})
        except OutpostError as error:
            return await self._shown(visit, site, error)
        return Went(place(site.id), said=said_of(site, made))

    async def _shown(self, visit: Visit, site: SiteView, refused: OutpostError | None = None) -> Shown:
        seen = await of_assets.look(visit, site)
        here, wrong = place(site.id), seen.window.refused
        known: list[AssetView] = await of_assets.everything(visit, "/v1/assets", {"site": site.id})
        line = seen.line.casefold()
        ours = [asset for asset in known if not line or asset.line.casefold() == line]
        rows = {row.of: row for row in await of_assets.figures(visit, seen.query, "asset")}
        sorted_rows = of_assets.worst_first(row for row in rows.values())
        order = {row.of: number for number, row in enumerate(sorted_rows)}
        ours.sort(key=lambda asset: (order.get(asset.id, len(order)), asset.name.casefold()))
        try:
            shown, following = cut(ours, visit.query("assets"), SHOWN)
        except BadInput as error:
            shown, following, wrong = (), "", error
        trend = await of_assets.figures(visit, seen.query, seen.step)
        stops, older = await of_assets.stops(visit, seen.query)
        reasons = await of_assets.reasons(visit, site)
        values: dict[str, Any] = {
            "site": site,
            "seen": seen,
            "window": seen.window,
            "windows": NAMES,
            "zone": site.timezone,
            "marks": of_assets.marks(seen.window),
            "heard": site.state in HEARD,
            "complete": next((lane.complete_to for lane in site.lanes if lane.stream == "readings"), None),
            "lines": sorted({asset.line for asset in known if asset.line}),
            "known": known,
            "total": of_assets.total(rows.values()),
            "strips": await of_assets.strips(visit, seen, shown, rows),
            "pareto": await of_assets.pareto(visit, seen.query),
            "trend": columns(trend, seen.window.span),
            "stops": stops,
            "reasons": [reason for reason in reasons if not reason.retired],
            "reason_names": {reason.id: reason.name for reason in reasons},
            "stop_at": lambda asset_id, stop: asset_page(site.id, asset_id, f"stops/{stop}"),
            "time_at": lambda span: link("", seen.narrowed, **seen.window.asked_of(span)),
            "place": here,
            "asset_at": lambda asset_id: link(asset_page(site.id, asset_id), seen.asked),
            "look": lambda **other: link(here, {"shift": seen.shift, "line": seen.line, "by": seen.step} | other),
            "here": link(here, seen.asked),
            "file": lambda name: link("", seen.asked, table=name),
            "older": link(here, seen.asked, cursor=older) + "#stops" if older else "",
            "newest": link(here, seen.asked) + "#stops" if visit.query("cursor") else "",
            "more": link(here, seen.asked, assets=following) if following else "",
            "first": link(here, seen.asked) if visit.query("assets") else "",
            "may": visit.may(Role.TECHNICIAN),
            "refused": refused,
            "wrong": wrong,
            "typed": visit.form,
            "name_chars": NAME_CHARS,
        }
        status = refused.status if refused else wrong.status if wrong else 200
        return Shown("site_availability.html", values, status=status)

    # --- tables as files

    def assets(self, visit: Visit) -> Listing:
        """The figures of each asset."""
        return Listing("availability", ROWS, table(looked(visit, "/v1/availability", by="asset"), ROWS))

    def trend(self, visit: Visit) -> Listing:
        """The figures of each hour, day or shift."""
        return Listing("trend", ROWS, table(looked(visit, "/v1/availability", by=""), ROWS))

    def pareto(self, visit: Visit) -> Listing:
        """What stopped."""
        return Listing("pareto", PARETO, table(looked(visit, "/v1/pareto"), PARETO))

    def stops(self, visit: Visit) -> Listing:
        """Every stop of the window."""
        return Listing("stops", STOPS, table(looked(visit, "/v1/stops"), STOPS))


def place(site: str) -> str:
    """The page of a site's availability."""
    return site_page(site, "availability")


def said_of(site: SiteView, answer: object) -> str:
    """What is said once a site was asked for a change: whether its hub has made it, will soon, or is away.

    `answer`: what the API says of it, with what is `pending`; of what has no answer it cannot be told.
    """
    if not getattr(answer, "pending", True):
        return "asset_done"
    return "asset_asked" if site.state in HEARD else "asset_asked_away"
