"""/v1 of the centre itself: status, who knocks, its description; and what watches it: health and metrics."""

from __future__ import annotations

from collections.abc import Callable

import msgspec
from aiohttp import web

from cloud.accounts.member import FIRST_TENANT, member, require_all_sites
from cloud.api.site_metrics import site_samples
from cloud.api.status import Status
from cloud.sites.sites import Sites
from edge.clock import Clock
from edge.serving.knocking import NOBODYS, Knocking
from edge.serving.metrics import Metrics, Sample
from edge.serving.openapi import document
from edge.serving.roles import Role
from edge.serving.routing import Answer, Call, Page, Route
from edge.wire.centre import CentreStatus
from edge.wire.views import KnockView

TITLE = "Outpost centre"


class CentreRoutes:
    """The routes of the centre as a whole. `samples`: the metrics of its parts, of one tenant or (None) of all
    together; `routes`: all there are."""

    def __init__(
        self,
        status: Status,
        sites: Sites,
        knocking: Knocking,
        clock: Clock,
        samples: Callable[[int | None], list[Sample]],
        routes: Callable[[], list[Route]],
    ) -> None:
        self._status, self._sites, self._knocking, self._clock = status, sites, knocking, clock
        self._samples, self._routes = samples, routes
        self._document: bytes | None = None

    def all(self) -> list[Route]:
        """Every route."""
        viewer, knocks, openapi = Role.VIEWER, "Who finds no answer", "/v1/openapi.json"
        return [
            Route("GET", "/v1/status", self.status, "The centre at one look", viewer, returns=CentreStatus),
            Route(
                "GET", "/v1/knocking", self.knocking, knocks, viewer,
                returns=KnockView, many=True, also=require_all_sites,
            ),
            Route("GET", openapi, self.openapi, "This API as OpenAPI 3.1", None, limited=False),
            Route("GET", "/healthz", self.healthz, "The process lives", None, limited=False),
            Route("GET", "/readyz", self.readyz, "The database answers", None, limited=False),
            Route("GET", "/metrics", self.metrics, "Prometheus metrics", viewer),
        ]  # fmt: skip

    async def status(self, call: Call) -> Answer:
        """GET /v1/status."""
        return await self._status.view(member(call))

    async def knocking(self, call: Call) -> Answer:
        """GET /v1/knocking: of what came without a known key nobody knows whose it is: the operator sees it."""
        tenant_id = member(call).tenant_id
        unknown = [NOBODYS] if tenant_id == FIRST_TENANT else []
        return Page(list(self._knocking.views(tenant_id, *unknown)))

    async def openapi(self, call: Call) -> Answer:
        """GET /v1/openapi.json."""
        if self._document is None:
            self._document = msgspec.json.encode(document(self._routes(), TITLE))
        return web.Response(body=self._document, content_type="application/json")

    async def healthz(self, call: Call) -> Answer:
        """GET /healthz."""
        return web.json_response({"status": "alive"})

    async def readyz(self, call: Call) -> Answer:
        """GET /readyz: 200 when ready, 503 with the reasons when not."""
        problems = await self._status.problems()
        return web.json_response({"ready": not problems, "problems": problems}, status=503 if problems else 200)

    async def metrics(self, call: Call) -> Answer:
        """GET /metrics: of the sites the caller reaches and of his tenant; at this machine also of the instance."""
        caller = member(call)
        found = await self._status.samples()
        if not await self._status.problems():
            found += await site_samples(self._sites, caller, self._clock.now().at_us)
        found += self._samples(None if caller.at_machine else caller.tenant_id)
        return web.Response(text=Metrics([lambda: found]).text(), content_type="text/plain", charset="utf-8")
