"""The conversation with hubs, built and wired."""

from __future__ import annotations

from collections.abc import Callable, Coroutine

from aiohttp import web

from cloud.part import Core, Part
from cloud.sites.gate import SiteGate
from cloud.sync.chain import Chain
from cloud.sync.clock_fixes import ClockFixes
from cloud.sync.conversation import Conversation
from cloud.sync.door import Door
from cloud.sync.inbox import Inbox
from cloud.sync.inbox_route import InboxRoute
from cloud.sync.projection import EpochWatch, Preparation, Projection, ReadingsWatch, StateWatch
from cloud.sync.traffic import Traffic
from cloud.sync.visits import Visits
from edge.serving.routing import Route


class SyncPart(Part):
    """All that enrolled hubs say and fetch. `preparations`, `projections`, `epoch_watches`, `readings_watches` and
    `state_watches` are what other parts add; `traffic` tells how much comes in, `door` lets hubs in."""

    def __init__(self, core: Core, gate: SiteGate) -> None:
        limits = core.settings.limits
        self.inbox = Inbox(core.db, core.signals, core.clock, limit=limits.inbox_per_site)
        self.preparations: list[Preparation] = []
        self.projections: list[Projection] = [self.inbox.follow_facts, ClockFixes()]
        self.epoch_watches: list[EpochWatch] = []
        self.readings_watches: list[ReadingsWatch] = []
        self.state_watches: list[StateWatch] = []
        self.traffic = Traffic(core.clock.mono_s)
        self.door = Door(gate, core.knocking, body_s=limits.body_s)
        self._conversation = Conversation(
            core,
            self.door,
            self.preparations,
            self.projections,
            self.epoch_watches,
            self.readings_watches,
            self.state_watches,
            self.traffic,
        )
        self._chain = Chain(core.db)
        self.visits = Visits(core.db, core.signals, core.clock)

    def routes(self) -> list[Route]:
        """How a site's ledger stands."""
        return self._chain.routes()

    def paths(self) -> list[web.RouteDef]:
        """/sync/v1, but for enrolling."""
        inbox = InboxRoute(self.inbox, self.visits)
        return [*self._conversation.paths(), *inbox.paths(self.door), *self.visits.paths(self.door)]

    def tasks(self) -> dict[str, Callable[[], Coroutine[None, None, None]]]:
        """Ending what nobody fetched in time."""
        return {"inbox": self.inbox.run, "visits": self.visits.run}
