"""What happens at the sites, as it happens and as it is kept: live readers and the ledger."""

from __future__ import annotations

from aiohttp import web

from cloud.accounts.member import member
from cloud.analytics import fact_store
from cloud.api.channels import TenantChannels
from cloud.fleet.lookup import find_site
from cloud.part import Core, Part
from edge.errors import BadInput
from edge.serving.live import Live
from edge.serving.metrics import Sample
from edge.serving.roles import Role
from edge.serving.routing import Answer, Call, Page, Route
from edge.wire.centre import SiteFact

NEWEST = "newest"


class LivePart(Part):
    """/v1/live, /v1/events and /v1/ledger."""

    def __init__(self, core: Core) -> None:
        self._db, self._clock = core.db, core.clock
        self.channels = TenantChannels(core.db, core.signals, core.clock)
        self._live = Live(self.channels, query=("site",))

    def routes(self) -> list[Route]:
        """Every route."""
        ledger = Route(
            "GET",
            "/v1/ledger",
            self.ledger,
            "Facts of all sites as they came, or by `order` newest; `after` takes the id of one",
            Role.VIEWER,
            returns=SiteFact,
            many=True,
            query=("after", "site", "order"),
        )
        return [*self._live.all(), ledger]

    def samples(self, tenant_id: int | None) -> list[Sample]:
        """How many listen."""
        readers = self.channels.readers if tenant_id is None else self.channels.readers_of(tenant_id)
        return [Sample("live_readers", "gauge", "Live connections.", {"": readers})]

    async def start(self) -> None:
        """Make a database that was restored elsewhere readable in order."""
        await fact_store.settle_restored(self._db, self._clock.now().at_us)

    async def let_go(self, app: web.Application) -> None:
        """Let every live reader go, so that none holds up the end."""
        await self._live.stop(app)

    async def ledger(self, call: Call) -> Answer:
        """GET /v1/ledger?after=&site=&order=; a cursor goes on from there."""
        caller, site, limit, order = member(call), call.query("site"), call.limit(), call.query("order")
        if order not in ("", NEWEST):
            raise BadInput(f"order is {NEWEST} or not given.")
        after = call.cursor() or call.number("after") or 0
        async with self._db.read() as connection:
            if site:
                await find_site(connection, caller, site)
            position = await fact_store.position_of(self._db, connection, caller, after) if after else None
            if order == NEWEST:
                rows = await fact_store.newest(self._db, connection, caller, limit, site=site, before=position)
            else:
                begin = position or fact_store.BEGIN
                rows = await fact_store.behind(self._db, connection, caller, begin, limit, site=site)
        found = [fact_store.fact_view(row) for row in rows]
        return Page(found, str(found[-1].id) if len(found) == limit else None)
