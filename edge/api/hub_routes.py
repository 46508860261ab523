"""/v1 of the hub itself: status, ledger, who knocks, ports; and what watches it: health, readiness, metrics."""

from __future__ import annotations

from collections.abc import Callable

import msgspec
from aiohttp import web

from edge.clock import iso
from edge.serving.knocking import Knocking
from edge.serving.metrics import Metrics
from edge.serving.openapi import document
from edge.serving.roles import Role
from edge.serving.routing import Answer, Call, Page, Route
from edge.store.boots import Boots
from edge.store.database import Database
from edge.store.ledger import facts
from edge.wire.ledger import Fact
from edge.wire.views import FactView, KnockView, StatusView


class HubRoutes:
    """The routes of the hub as a whole. `status` draws it together for a caller."""

    def __init__(
        self,
        database: Database,
        knocking: Knocking,
        metrics: Metrics,
        status: Callable[[str, str], StatusView],
        routes: Callable[[], list[Route]],
    ) -> None:
        self._db, self._knocking, self._metrics, self._status = database, knocking, metrics, status
        self._routes = routes
        self._document: bytes | None = None

    def all(self) -> list[Route]:
        """Every route."""
        viewer = Role.VIEWER
        openapi = "/v1/openapi.json"
        return [
            Route("GET", "/v1/status", self.status, "The hub at one look", viewer, returns=StatusView),
            Route(
                "GET",
                "/v1/ledger",
                self.ledger,
                "Facts, oldest first",
                viewer,
                returns=FactView,
                many=True,
                query=("after",),
            ),
            Route(
                "GET", "/v1/knocking", self.knocking, "Who finds no answer", viewer, returns=KnockView, many=True
            ),
            Route("GET", openapi, self.openapi, "This API as OpenAPI 3.1", None, limited=False),
            Route("GET", "/healthz", self.healthz, "The process lives", None, limited=False),
            Route("GET", "/readyz", self.readyz, "Database and links work", None, limited=False),
            Route("GET", "/metrics", self.metrics, "Prometheus metrics", viewer),
        ]

    async def status(self, call: Call) -> Answer:
        """GET /v1/status."""
        return self._status(call.actor, call.principal.role.label)

    async def ledger(self, call: Call) -> Answer:
        """GET /v1/ledger?after=; a cursor goes on from there."""
        start = call.cursor() or call.number("after") or 0
        found = [fact_view(fact, self._db.boots) for fact in await facts(self._db, start, call.limit())]
        return Page(found, str(found[-1].seq) if len(found) == call.limit() else None)

    async def knocking(self, call: Call) -> Answer:
        """GET /v1/knocking."""
        return Page(list(self._knocking.views()))

    async def openapi(self, call: Call) -> Answer:
        """GET /v1/openapi.json."""
        if self._document is None:
            self._document = msgspec.json.encode(document(self._routes()))
        return web.Response(body=self._document, content_type="application/json")

    async def healthz(self, call: Call) -> Answer:
        """GET /healthz."""
        return web.json_response({"status": "alive"})

    async def readyz(self, call: Call) -> Answer:
        """GET /readyz: 200 when ready, 503 with the reasons when not."""
        status = self._status("", "")
        return web.json_response(
            {"ready": status.ready, "problems": status.problems}, status=200 if status.ready else 503
        )

    async def metrics(self, call: Call) -> Answer:
        """GET /metrics."""
        return web.Response(text=self._metrics.text(), content_type="text/plain", charset="utf-8")


def fact_view(fact: Fact, boots: Boots) -> FactView:
    """A fact as the API shows it; `boots` says what its time really is."""
    at_us, quality = boots.dated(fact.at_us, fact.quality, fact.boot_id, fact.mono_ms)
    return FactView(
        seq=fact.seq,
        kind=fact.kind,
        subject=fact.subject,
        at=iso(at_us),
        quality=quality,
        body=msgspec.json.decode(fact.body),
        hash=fact.hash.hex(),
    )
