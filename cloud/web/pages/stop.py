"""One stop, and the form that says what it was for."""

from __future__ import annotations

from typing import Any

from cloud.web.frame import PageRoute, Result, Shown, Visit, Went, came_from, own_path
from cloud.web.links import asset_page
from cloud.web.pages.asset_figures import asset_in, reasons, site_of
from cloud.web.pages.site_availability import said_of
from edge.clock import iso
from edge.errors import NotFound, OutpostError
from edge.serving.roles import Role
from edge.wire.assets import NOTE_CHARS, AssetView, StopView
from edge.wire.centre import SiteView
from edge.wire.values import TIME_MAX_US

SECOND_US = 1_000_000
ID_DIGITS = len(str(TIME_MAX_US))
FEW = 20  # stops of one asset that begin within a second


class StopPage:
    """/office/sites/{site}/assets/{asset}/stops/{stop}."""

    def all(self) -> list[PageRoute]:
        """Its routes."""
        here = "/sites/{site}/assets/{asset}/stops/{stop}"
        return [
            PageRoute("GET", here, self.show, Role.VIEWER),
            PageRoute("POST", here, self.explain, Role.TECHNICIAN),
        ]

    async def show(self, visit: Visit) -> Result:
        """What is known of it."""
        return await self._shown(visit, await site_of(visit))

    async def explain(self, visit: Visit) -> Result:
        """What it was for; nothing takes back what was said."""
        site, form = await site_of(visit), visit.form
        body = {"reason": form.get("reason", ""), "note": form.get("note", "").strip()}
        path = "/v1/assets/{id}/stops/{stop}/reason"
        try:
            told = await visit.act(
                "PUT", path, body, {"site": site.id}, "", id=asset_in(visit), stop=visit.param("stop")
            )
        except OutpostError as error:
            return await self._shown(visit, site, error)
        here = asset_page(site.id, asset_in(visit), f"stops/{visit.param('stop')}")
        return Went(own_path(form.get("back", ""), here), said=said_of(site, told))

    async def _shown(self, visit: Visit, site: SiteView, refused: OutpostError | None = None) -> Shown:
        asset: AssetView = await visit.get("/v1/assets/{id}", {"site": site.id}, id=asset_in(visit))
        stop = await _stop(visit, site, asset)
        back = own_path(visit.form.get("back") or came_from(visit.request))
        values: dict[str, Any] = {
            "site": site,
            "it": asset,
            "stop": stop,
            "zone": site.timezone,
            "reasons": [each for each in await reasons(visit, site) if not each.retired or each.id == stop.reason],
            "reason": visit.form.get("reason", stop.reason),
            "note": visit.form.get("note", stop.note),
            "note_chars": NOTE_CHARS,
            "back": back,
            "may": visit.may(Role.TECHNICIAN),
            "refused": refused,
        }
        return Shown("stop.html", values, status=refused.status if refused else 200)


async def _stop(visit: Visit, site: SiteView, asset: AssetView) -> StopView:
    """The stop that the address names, by when it began. Raises NotFound."""
    named = visit.param("stop")
    is_number = named.isascii() and named.isdecimal() and len(named) <= ID_DIGITS
    if is_number and (began_us := int(named)) <= TIME_MAX_US - SECOND_US:
        span = {"from": iso(began_us - began_us % SECOND_US), "to": iso(began_us + SECOND_US)}
        page = await visit.get("/v1/stops", {"site": site.id, "asset": asset.id, **span, "limit": FEW})
        for stop in page.items:
            if stop.id == named:
                found: StopView = stop
                return found
    raise NotFound(
        "This asset has no such stop any more.",
        hint="Readings that came late may have moved it: look at the asset's stops.",
    )
