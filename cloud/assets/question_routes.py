"""/v1 of what assets did: availability, states one after the other, stops, and what they stood still for. The paths
and answers of a hub, over all sites a caller reaches, or one.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from typing import Any

import msgspec

from cloud.accounts.member import member
from cloud.assets.bands import CentreBands
from cloud.assets.lookup import assets, chosen, device_names, find_asset, rules_of, scope
from cloud.assets.question_store import Key
from cloud.assets.views import asset_view
from cloud.db.database import Database
from cloud.fleet.lookup import all_sites
from edge.assets.answers import asked, tables
from edge.assets.answers.asking import Chosen, RowPage, Scope, availability, availability_page
from edge.assets.answers.pareto import pareto
from edge.assets.answers.stops import stops
from edge.assets.answers.timeline import timeline
from edge.clock import Clock
from edge.errors import BadInput
from edge.serving.roles import Role
from edge.serving.routing import Answer, Call, Page, Route
from edge.serving.table import send_csv
from edge.wire.assets import AvailabilityRow, BandView, ParetoRow
from edge.wire.centre import SiteStop

AVAILABILITY = ("site", *tables.FIGURES)
STOPS = ("site", *tables.STOPS)
TIME = ("from", "to", "shift")
CHOICE = ("asset", "device", "line", "site")


class QuestionRoutes:
    """The routes of what is asked about assets."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._db, self._clock = database, clock

    def all(self) -> list[Route]:
        """Every route."""
        viewer, one = Role.VIEWER, "/v1/assets/{id}"
        asks = (*TIME, *CHOICE)
        listed: list[tuple[str, Any, Any, str, type[msgspec.Struct], tuple[str, ...]]] = [
            ("/v1/availability", self.availability, self.availability_csv,
             "Run, stop, stops and mean times, by asset, device, line, site, all; or hour, day, shift",
             AvailabilityRow, (*asks, "by")),
            ("/v1/stops", self.stops, self.stops_csv, "Every stop, newest first", SiteStop,
             (*asks, "reason", "open")),
            ("/v1/pareto", self.pareto, self.pareto_csv, "What they stood still for, the most time first",
             ParetoRow, asks),
            (one + "/timeline", self.timeline, self.timeline_csv, "Its states, one after the other", BandView,
             ("from", "to", "site")),
        ]  # fmt: skip
        routes = [
            Route(
                "GET",
                one + "/availability",
                self.of_asset,
                "How much of a time it ran, and how often it stopped",
                viewer,
                returns=AvailabilityRow,
                query=(*TIME, "site"),
            )
        ]
        for path, handler, csv, summary, view, query in listed:
            routes.append(Route("GET", path, handler, summary, viewer, returns=view, many=True, query=query))
            whole = "The same for a spreadsheet, all of it"
            routes.append(Route("GET", path + ".csv", csv, whole, viewer, stream="text/csv", query=query))
        return routes

    async def availability(self, call: Call) -> Answer:
        """GET /v1/availability?from=&to=&shift=&asset=&device=&line=&site=&by=."""
        first, limit = call.cursor() or 0, call.limit()
        page = await self._availability(call, first, limit)
        return Page(page.rows, str(first + limit) if page.more else None)

    async def availability_csv(self, call: Call) -> Answer:
        """GET /v1/availability.csv."""
        return await _table(call, "availability", AVAILABILITY, (await self._availability(call)).rows)

    async def of_asset(self, call: Call) -> Answer:
        """GET /v1/assets/{id}/availability?from=&to=&shift=&site=."""
        question = asked.asked(call, self._clock.now().at_us)
        about = await self._one(call)
        return (await availability(self._bands(call), about, msgspec.structs.replace(question, by="asset")))[0]

    async def stops(self, call: Call) -> Answer:
        """GET /v1/stops?from=&to=&shift=&asset=&device=&line=&site=&reason=&open=."""
        question, wanted = asked.asked(call, self._clock.now().at_us), asked.wanted(call)
        before, about = _place(call), await self._scope(call)
        page = await stops(self._bands(call), about, question, wanted, before, call.limit())
        following = None
        if page.next is not None:
            began_us, (site_id, asset) = page.next
            following = asked.cursor(began_us, str(site_id), asset)
        return Page([msgspec.convert(stop, SiteStop, from_attributes=True) for stop in page.stops], following)

    async def stops_csv(self, call: Call) -> Answer:
        """GET /v1/stops.csv."""
        question, wanted = asked.asked(call, self._clock.now().at_us), asked.wanted(call)
        pages = tables.every_stop(self._bands(call), await self._scope(call), question, wanted, STOPS)
        return await send_csv(call, "stops", STOPS, await _begun(pages))

    async def pareto(self, call: Call) -> Answer:
        """GET /v1/pareto?from=&to=&shift=&asset=&device=&line=&site=."""
        return Page(await self._pareto(call))

    async def pareto_csv(self, call: Call) -> Answer:
        """GET /v1/pareto.csv."""
        return await _table(call, "pareto", tables.PARETO, await self._pareto(call))

    async def timeline(self, call: Call) -> Answer:
        """GET /v1/assets/{id}/timeline?from=&to=&site=."""
        question, about = asked.asked(call, self._clock.now().at_us), await self._one(call, ruled=False)
        span = max(call.cursor() or 0, question.from_us), question.to_us
        page = await timeline(self._bands(call), about.chosen[0], span, call.limit(), about.now_us)
        return Page(page.bands, None if page.next_us is None else str(page.next_us))

    async def timeline_csv(self, call: Call) -> Answer:
        """GET /v1/assets/{id}/timeline.csv."""
        question, about = asked.asked(call, self._clock.now().at_us), await self._one(call, ruled=False)
        one, span = about.chosen[0], (question.from_us, question.to_us)
        pages = tables.every_band(self._bands(call), one, span, about.now_us)
        return await send_csv(call, f"timeline-{one.id}", tables.BANDS, pages)

    async def _availability(self, call: Call, first: int = 0, limit: int | None = None) -> RowPage:
        caller, site = member(call), call.query("site")
        question = asked.asked(call, self._clock.now().at_us)
        names: dict[str, str] = {}
        async with self._db.read() as connection:
            if question.by == "device":
                names = await device_names(connection, caller, site)
            if question.by in ("site", "line"):
                names = {place.slug: place.name for place in await all_sites(connection, caller, site)}
        about = await self._scope(call)
        return await availability_page(self._bands(call), about, question, names, first, limit)

    async def _pareto(self, call: Call) -> list[ParetoRow]:
        question = asked.asked(call, self._clock.now().at_us)
        return await pareto(self._bands(call), await self._scope(call), question)

    async def _scope(self, call: Call) -> Scope[Key]:
        """The assets that are asked about, and what holds for them. Raises NotFound, BadInput."""
        caller, site, now_us = member(call), call.query("site"), self._clock.now().at_us
        async with self._db.read() as connection:
            places = {place.slug: place for place in await all_sites(connection, caller, site)}
            views = await assets(connection, caller, site, now_us)
            names = await device_names(connection, caller, site) if call.query("device") else {}
            some = asked.chosen(call, [chosen(view, places) for view in views], names)
            theirs = {one.site for one in some} or set(places)
            rules = await rules_of(connection, caller, [place for place in places.values() if place.slug in theirs])
        return scope(some, rules, now_us)

    async def _one(self, call: Call, *, ruled: bool = True) -> Scope[Key]:
        """One asset, also one that is removed; `ruled`: with what holds at its site. Raises NotFound, Conflict."""
        caller, now_us = member(call), self._clock.now().at_us
        async with self._db.read() as connection:
            found = await find_asset(connection, caller, call.param("id"), call.query("site"))
            rules = await rules_of(connection, caller, [found.place]) if ruled else {}
        one: Chosen[Key] = chosen(asset_view(found, now_us), {found.place.slug: found.place})
        return scope([one], rules, now_us)

    def _bands(self, call: Call) -> CentreBands:
        return CentreBands(self._db, member(call).tenant_id)


async def _table(call: Call, name: str, columns: Sequence[str], views: Sequence[msgspec.Struct]) -> Answer:
    async def pages() -> AsyncIterator[list[tables.Cells]]:
        yield tables.cells(views, columns)

    return await send_csv(call, name, columns, pages())


async def _begun(pages: AsyncIterator[list[tables.Cells]]) -> AsyncIterator[list[tables.Cells]]:
    """The same pages; what is wrong with the question is told before the heading."""
    first = await anext(pages)

    async def all_of_them() -> AsyncIterator[list[tables.Cells]]:
        yield first
        async for page in pages:
            yield page

    return all_of_them()


def _place(call: Call) -> tuple[int, Key] | None:
    """Where the page before ended. Raises BadInput."""
    place = asked.place(call, 2)
    if place is None:
        return None
    began_us, (site_id, asset) = place
    if not site_id.isdecimal() or len(site_id) > 9:
        raise BadInput("The cursor is not one that a page gave.", hint="Begin again without a cursor.")
    return began_us, (int(site_id), asset)
