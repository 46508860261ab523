"""Asset: how it stands and since when, its time, its stops and what they were for, and how it is set up."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Any

import msgspec

from cloud.analytics.rollups import zone_named
from cloud.web.frame import PageRoute, Result, Shown, Visit, Went
from cloud.web.links import asset_page, link
from cloud.web.listing import Listing
from cloud.web.local_time import local_moment
from cloud.web.pages import asset_figures as of_assets
from cloud.web.pages.asset_figures import (
    BANDS,
    HEARD,
    PARETO,
    ROWS,
    STOPS,
    Look,
    Pareto,
    Strip,
    asset_in,
    looked,
    site_of,
    table,
)
from cloud.web.pages.site_availability import place as site_place
from cloud.web.pages.site_availability import said_of
from cloud.web.plots.strip import columns, us
from cloud.web.windows import NAMES
from edge.errors import BadInput, OutpostError
from edge.serving.roles import Role
from edge.wire.assets import NAME_CHARS, AssetView, AvailabilityRow, StopView
from edge.wire.centre import SiteView

WIRINGS = ("at", "device", "input", "inverted")
TEXTS = ("name", "line")
SECONDS = ("short_stop_s", "silent_s")


class AssetPage:
    """/office/sites/{site}/assets/{asset}, and the forms on it."""

    def all(self) -> list[PageRoute]:
        """Its routes."""
        here, tech = "/sites/{site}/assets/{asset}", Role.TECHNICIAN
        tables = {
            "stops": self.stops, "timeline": self.timeline, "trend": self.trend, "pareto": self.pareto,
            "wirings": self.wirings,
        }  # fmt: skip
        return [
            PageRoute("GET", "/assets/{asset}", self.find, Role.VIEWER),
            PageRoute("GET", here, self.show, Role.VIEWER, tables=tables),
            PageRoute("POST", here + "/change", self.change, tech),
            PageRoute("POST", here + "/remove", self.remove, tech),
            PageRoute("POST", here + "/wire", self.wire, tech),
        ]

    async def find(self, visit: Visit) -> Result:
        """To its page, by id or name: `?site=` where several sites have one."""
        asset: Any = await visit.get("/v1/assets/{id}", {"site": visit.query("site")}, id=asset_in(visit))
        return Went(asset_page(asset.site, asset.id))

    async def show(self, visit: Visit) -> Result:
        """All of it."""
        return await self._shown(visit, await site_of(visit))

    async def change(self, visit: Visit) -> Result:
        """Its name, its line, and how its time is judged."""
        form = visit.form
        body: dict[str, object] = {name: form[name].strip() for name in (*TEXTS, *SECONDS) if name in form}
        return await self._asked(visit, "change", "PATCH", "/v1/assets/{id}", body)

    async def remove(self, visit: Visit) -> Result:
        """Out of every list, or back into them."""
        body = {"removed": visit.form.get("removed") == "yes"}
        return await self._asked(visit, "remove", "PATCH", "/v1/assets/{id}", body)

    async def wire(self, visit: Visit) -> Result:
        """Another input tells of it, from now on or from a time on."""
        body: dict[str, object] = {name: visit.form.get(name, "").strip() for name in ("device", "input")}
        return await self._asked(visit, "wire", "PUT", "/v1/assets/{id}/wiring", body)

    async def _asked(self, visit: Visit, form: str, method: str, path: str, body: Mapping[str, object]) -> Result:
        site, asset = await site_of(visit), asset_in(visit)
        try:
            given = dict(body)
            if form == "wire":
                given["inverted"] = "inverted" in visit.form
                given["at"] = local_moment(visit.form.get("at", ""), zone_named(site.timezone))
            answer = await visit.act(method, path, given, {"site": site.id}, id=asset)
        except OutpostError as error:
            return await self._shown(visit, site, form, error)
        return Went(asset_page(site.id, asset), said=said_of(site, answer))

    async def _shown(
        self, visit: Visit, site: SiteView, form: str = "", refused: OutpostError | None = None
    ) -> Shown:
        at = {"site": site.id}
        asset: AssetView = await visit.get("/v1/assets/{id}", at, id=asset_in(visit))
        seen = await of_assets.look(visit, site)
        here, wrong = asset_page(site.id, asset.id), seen.window.refused
        asked = {**seen.query, "line": "", "asset": asset.id}
        known = await _known(visit, seen, asked, asset)
        wrong = wrong or known.refused
        kept = {name: value for name, value in seen.asked.items() if name != "line"}
        reasons = await of_assets.reasons(visit, site)
        values: dict[str, Any] = {
            "site": site,
            "it": asset,
            "seen": seen,
            "window": seen.window,
            "windows": NAMES,
            "zone": site.timezone,
            "marks": of_assets.marks(seen.window),
            "heard": site.state in HEARD,
            "complete": next((lane.complete_to for lane in site.lanes if lane.stream == "readings"), None),
            "total": known.total,
            "strips": known.strips,
            "pareto": known.pareto,
            "trend": columns(known.trend, seen.window.span),
            "stops": known.stops,
            "reasons": [reason for reason in reasons if not reason.retired],
            "reason_names": {reason.id: reason.name for reason in reasons},
            "stop_at": lambda asset_id, stop: asset_page(site.id, asset_id, f"stops/{stop}"),
            "time_at": lambda span: link("", seen.narrowed, **seen.window.asked_of(span)),
            "place": here,
            "site_place": link(site_place(site.id), seen.window.asked),
            "asset_at": lambda asset_id: link(asset_page(site.id, asset_id), kept),
            "look": lambda **other: link(here, {"shift": seen.shift, "by": seen.step} | other),
            "here": link(here, kept),
            "file": lambda name: link("", kept, table=name),
            "older": link(here, kept, cursor=known.older) + "#stops" if known.older else "",
            "newest": link(here, kept) + "#stops" if visit.query("cursor") else "",
            "age_s": _age_s(visit, asset),
            "may": visit.may(Role.TECHNICIAN),
            "may_audit": visit.may(Role.ADMIN),
            "form": form,
            "refused": refused,
            "wrong": wrong,
            "typed": lambda of, name, value: visit.form.get(name, value) if of == form else value,
            "name_chars": NAME_CHARS,
        }
        status = refused.status if refused else wrong.status if wrong else 200
        return Shown("asset.html", values, status=status)

    # --- tables as files

    def stops(self, visit: Visit) -> Listing:
        """Its stops in the window."""
        return Listing("stops", STOPS, table(looked(visit, "/v1/stops", line="", asset=asset_in(visit)), STOPS))

    def timeline(self, visit: Visit) -> Listing:
        """Its states in the window."""
        return Listing("timeline", BANDS, table(_bands(visit), BANDS))

    def trend(self, visit: Visit) -> Listing:
        """Its figures of each hour, day or shift."""
        pages = looked(visit, "/v1/availability", line="", asset=asset_in(visit), by="")
        return Listing("trend", ROWS, table(pages, ROWS))

    def pareto(self, visit: Visit) -> Listing:
        """What stopped it."""
        return Listing("pareto", PARETO, table(looked(visit, "/v1/pareto", line="", asset=asset_in(visit)), PARETO))

    def wirings(self, visit: Visit) -> Listing:
        """Which input told of it, from when on."""
        return Listing("wirings", WIRINGS, table(_wirings(visit), WIRINGS))


class _Known(msgspec.Struct, kw_only=True):
    """What is known of an asset in a window; of one that is removed that is nothing, until it is taken back in."""

    total: AvailabilityRow | None = None
    strips: list[Strip] = []
    pareto: Pareto | None = None
    trend: list[AvailabilityRow] = []
    stops: list[StopView] = []
    older: str | None = None
    refused: BadInput | None = None


async def _known(visit: Visit, seen: Look, asked: Mapping[str, object], asset: AssetView) -> _Known:
    if asset.removed:
        return _Known()
    rows = {row.of: row for row in await of_assets.figures(visit, asked, "asset")}
    found = _Known(
        total=rows.get(asset.id),
        strips=await of_assets.strips(visit, seen, [asset], rows),
        pareto=await of_assets.pareto(visit, asked),
        trend=await of_assets.figures(visit, asked, seen.step),
    )
    try:
        found.stops, found.older = await of_assets.stops(visit, asked)
    except BadInput as error:
        found.refused = error
    return found


def _age_s(visit: Visit, asset: AssetView) -> float | None:
    """How long it has been in its state."""
    if asset.since is None:
        return None
    return max(0.0, (visit.now_us - us(asset.since)) / 1_000_000)


async def _bands(visit: Visit) -> AsyncIterator[Sequence[Any]]:
    seen = await of_assets.look(visit, await site_of(visit))
    asked = {"site": seen.site.id, **seen.window.query}
    async for page in visit.every("/v1/assets/{id}/timeline", asked, id=asset_in(visit)):
        yield page


async def _wirings(visit: Visit) -> AsyncIterator[Sequence[Any]]:
    asset: AssetView = await visit.get("/v1/assets/{id}", {"site": visit.param("site")}, id=asset_in(visit))
    yield asset.wirings
