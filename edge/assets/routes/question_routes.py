"""/v1 of what assets did: figures, timelines, stops and reasons, each as JSON and for a spreadsheet."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping
from zoneinfo import ZoneInfo

import msgspec

from edge.assets.answers import asked
from edge.assets.answers.asking import Bands, Chosen, Scope, availability, availability_page
from edge.assets.answers.pareto import pareto
from edge.assets.answers.stops import stops
from edge.assets.answers.tables import BANDS, FIGURES, PARETO, STOPS, Cells, cells, every_band, every_stop
from edge.assets.answers.timeline import timeline
from edge.assets.answers.windows import site_rules
from edge.assets.defined.definitions import Assets
from edge.assets.defined.reasons import chosen
from edge.clock import Clock
from edge.serving.roles import Role
from edge.serving.routing import Answer, Call, Handler, Page, Route
from edge.serving.table import send_csv
from edge.wire.assets import AvailabilityRow, BandView, ParetoRow, StopView
from edge.wire.views import View

CSV = "text/csv"
SPAN = ("from", "to")


class QuestionRoutes:
    """The routes of answers about assets. `names` has the names of loggers by their ids."""

    def __init__(
        self,
        assets: Assets,
        bands: Bands[str],
        clock: Clock,
        zone: ZoneInfo,
        names: Callable[[], Mapping[str, str]],
    ) -> None:
        self._assets, self._bands, self._clock, self._zone, self._names = assets, bands, clock, zone, names

    def all(self) -> list[Route]:
        """Every route."""
        viewer, one, row = Role.VIEWER, "/v1/assets/{id}", AvailabilityRow
        choice = (*asked.TIME, *asked.CHOICE)
        figures = "Availability and its neighbours of each asset, logger or line, or over time"
        reasons, whole = "How much of the stopped time has which reason", "The same for a spreadsheet, all of it"
        states = "Its states, one after the other"
        which, by = (*choice, "reason", "open"), (*choice, "by")
        listed: list[tuple[str, Handler, Handler, str, type[View], tuple[str, ...]]] = [
            ("/v1/availability", self.availability, self.availability_csv, figures, row, by),
            ("/v1/stops", self.stops, self.stops_csv, "Stops, newest first", StopView, which),
            ("/v1/pareto", self.pareto, self.pareto_csv, reasons, ParetoRow, choice),
            (one + "/timeline", self.timeline, self.timeline_csv, states, BandView, SPAN),
        ]
        its = "Its availability and what belongs to it"
        routes = [Route("GET", one + "/availability", self.of_one, its, viewer, returns=row, query=asked.TIME)]
        for path, asks, sheet, what, view, query in listed:
            routes += [
                Route("GET", path, asks, what, viewer, returns=view, many=True, query=query),
                Route("GET", path + ".csv", sheet, whole, viewer, stream=CSV, query=query),
            ]
        return routes

    async def of_one(self, call: Call) -> Answer:
        """GET /v1/assets/{id}/availability."""
        scope = self._scope(call, [self._one(call)])
        question = msgspec.structs.replace(asked.asked(call, scope.now_us), by="asset")
        (row,) = await availability(self._bands, scope, question)
        return row

    async def timeline(self, call: Call) -> Answer:
        """GET /v1/assets/{id}/timeline."""
        scope = self._scope(call, [self._one(call)])
        question = asked.asked(call, scope.now_us)
        span = max(call.cursor() or 0, question.from_us), question.to_us
        page = await timeline(self._bands, scope.chosen[0], span, call.limit(), scope.now_us)
        return Page(page.bands, None if page.next_us is None else str(page.next_us))

    async def timeline_csv(self, call: Call) -> Answer:
        """GET /v1/assets/{id}/timeline.csv."""
        scope = self._scope(call, [self._one(call)])
        question, (one,) = asked.asked(call, scope.now_us), scope.chosen
        rows = every_band(self._bands, one, (question.from_us, question.to_us), scope.now_us)
        return await send_csv(call, f"timeline-{one.id}", BANDS, rows)

    async def availability(self, call: Call) -> Answer:
        """GET /v1/availability."""
        scope, first, limit = self._chosen(call), call.cursor() or 0, call.limit()
        question = asked.asked(call, scope.now_us)
        page = await availability_page(self._bands, scope, question, self._names(), first, limit)
        return Page(page.rows, str(first + limit) if page.more else None)

    async def availability_csv(self, call: Call) -> Answer:
        """GET /v1/availability.csv."""
        return await send_csv(
            call, "availability", FIGURES, _at_once(cells(await self._availability(call), FIGURES))
        )

    async def stops(self, call: Call) -> Answer:
        """GET /v1/stops."""
        scope = self._chosen(call)
        place = asked.place(call)
        before = None if place is None else (place[0], place[1][0])
        question, wanted = asked.asked(call, scope.now_us), asked.wanted(call)
        page = await stops(self._bands, scope, question, wanted, before, call.limit())
        return Page(page.stops, None if page.next is None else asked.cursor(*page.next))

    async def stops_csv(self, call: Call) -> Answer:
        """GET /v1/stops.csv."""
        scope = self._chosen(call)
        rows = every_stop(self._bands, scope, asked.asked(call, scope.now_us), asked.wanted(call))
        first = await anext(rows)  # what is wrong with the question is told before the heading

        async def pages() -> AsyncIterator[list[Cells]]:
            yield first
            async for more in rows:
                yield more

        return await send_csv(call, "stops", STOPS, pages())

    async def pareto(self, call: Call) -> Answer:
        """GET /v1/pareto."""
        return Page(await self._pareto(call))

    async def pareto_csv(self, call: Call) -> Answer:
        """GET /v1/pareto.csv."""
        return await send_csv(call, "pareto", PARETO, _at_once(cells(await self._pareto(call), PARETO)))

    async def _availability(self, call: Call) -> list[AvailabilityRow]:
        scope = self._chosen(call)
        return await availability(self._bands, scope, asked.asked(call, scope.now_us), self._names())

    async def _pareto(self, call: Call) -> list[ParetoRow]:
        scope = self._chosen(call)
        return await pareto(self._bands, scope, asked.asked(call, scope.now_us))

    def _chosen(self, call: Call) -> Scope[str]:
        every = [chosen(one) for one in self._assets.all()]
        return self._scope(call, asked.chosen(call, every, self._names()))

    def _one(self, call: Call) -> Chosen[str]:
        return chosen(self._assets.get(call.param("id")))

    def _scope(self, call: Call, of: list[Chosen[str]]) -> Scope[str]:
        rules = site_rules(self._assets.rules(), self._zone)
        return Scope(chosen=of, rules={"": rules}, now_us=self._clock.now().at_us)


async def _at_once(rows: list[Cells]) -> AsyncIterator[list[Cells]]:
    yield rows
