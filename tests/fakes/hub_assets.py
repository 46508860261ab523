"""What a fake hub answers about assets: views in dictionaries, figures as they were put there."""

from __future__ import annotations

from typing import Any

import msgspec
from aiohttp import web

from edge.errors import NotFound
from edge.wire.assets import AssetView, AvailabilityRow, BandView, ParetoRow, ReasonView, ShiftView, StopView

JSON = "application/json"


class FakeAssets:
    """Assets by id, and what is known of each. `there` false: an older hub, which knows of none.

    `rows` have the times of the window that is asked about put in; `now` is the hub's.
    """

    def __init__(self, now: str) -> None:
        self.now = now
        self.there = True
        self.views: dict[str, AssetView] = {}
        self.rows: dict[str, AvailabilityRow] = {}
        self.bands: dict[str, list[BandView]] = {}
        self.stops: dict[str, list[StopView]] = {}
        self.pareto: dict[str, list[ParetoRow]] = {}
        self.reasons: list[ReasonView] = []
        self.shifts: list[ShiftView] = []
        self.asked: list[dict[str, str]] = []  # of figures, in order

    def routes(self) -> list[web.RouteDef]:
        """Every route."""
        return [
            web.get("/v1/assets", self._all),
            web.patch("/v1/assets/{id}", self._change),
            web.put("/v1/assets/{id}/wiring", self._wire),
            web.get("/v1/assets/{id}/timeline", self._timeline),
            web.put("/v1/assets/{id}/stops/{stop}/reason", self._reason),
            web.get("/v1/availability", self._availability),
            web.get("/v1/stops", self._stops),
            web.get("/v1/pareto", self._pareto),
            web.get("/v1/stop-reasons", self._reasons),
            web.get("/v1/shifts", self._shifts),
        ]

    async def _all(self, _: web.Request) -> web.Response:
        if not self.there:
            raise NotFound("there is nothing at this address")
        return _items(list(self.views.values()))

    def _put(self, request: web.Request, **changes: Any) -> web.Response:
        id = request.match_info["id"]
        if id not in self.views:
            raise NotFound("there is no such asset")
        self.views[id] = msgspec.structs.replace(self.views[id], **changes)
        return _json(self.views[id])

    async def _change(self, request: web.Request) -> web.Response:
        asked = {name: value for name, value in (await request.json()).items() if value is not None}
        return self._put(request, **asked, named=True)

    async def _wire(self, request: web.Request) -> web.Response:
        asked = await request.json()
        return self._put(request, device=asked["device"], input=asked["input"], inverted=asked["inverted"])

    async def _timeline(self, request: web.Request) -> web.Response:
        return _items(self.bands.get(request.match_info["id"], []))

    async def _reason(self, request: web.Request) -> web.Response:
        id, stop, asked = request.match_info["id"], request.match_info["stop"], await request.json()
        names = {each.id: each.name for each in self.reasons}
        stops = {each.id: each for each in self.stops[id]}
        stops[stop] = msgspec.structs.replace(
            stops[stop], reason=asked["reason"], reason_name=names.get(asked["reason"], ""), note=asked["note"],
            said_by="anna", said_at=self.now,
        )  # fmt: skip
        self.stops[id] = list(stops.values())
        return _json(stops[stop])

    async def _availability(self, request: web.Request) -> web.Response:
        self.asked.append(dict(request.query))
        found = [row for row in self.rows.values() if request.query.get("asset") in (None, row.of)]
        began = request.query["from"]
        times = {} if began.startswith("-") else {"at": began, "to": request.query.get("to", self.now)}
        return _items([msgspec.structs.replace(row, **times) for row in found])

    async def _stops(self, request: web.Request) -> web.Response:
        found = self.stops.get(request.query.get("asset", ""), [])
        return _items([stop for stop in found if stop.to is None or request.query.get("open") != "1"])

    async def _pareto(self, request: web.Request) -> web.Response:
        return _items(self.pareto.get(request.query.get("asset", ""), []))

    async def _reasons(self, _: web.Request) -> web.Response:
        return _items(self.reasons)

    async def _shifts(self, _: web.Request) -> web.Response:
        return _items(self.shifts)


def _json(view: object) -> web.Response:
    return web.Response(body=msgspec.json.encode(view), content_type=JSON)


def _items(found: list[Any]) -> web.Response:
    return _json({"items": found, "next": None})
