"""Sites and their hubs, built and wired."""

from __future__ import annotations

from collections.abc import Callable, Coroutine

from aiohttp import web

from cloud.part import Core, Part
from cloud.sites.chain import Chain
from cloud.sites.clock_fixes import ClockFixes
from cloud.sites.conversation import Conversation
from cloud.sites.door import Door
from cloud.sites.enrolment import Enrolment
from cloud.sites.gate import SiteGate
from cloud.sites.inbox import Inbox
from cloud.sites.inbox_route import InboxRoute
from cloud.sites.projection import EpochWatch, Projection
from cloud.sites.site_routes import SiteRoutes
from cloud.sites.sites import Sites
from edge.serving.routing import Route


class SitesPart(Part):
    """Sites, enrolment, and all that hubs say. `projections` and `epoch_watches` are what other parts add."""

    def __init__(self, core: Core) -> None:
        limits = core.settings.limits
        self.gate = SiteGate(core.db, core.clock, anonymous_per_minute=limits.anonymous_per_minute)
        self.sites = Sites(core.db, core.signals, self.gate, core.clock)
        enrolment = Enrolment(core.db, core.signals, self.gate, core.clock)
        self.inbox = Inbox(core.db, core.signals, core.clock, limit=limits.inbox_per_site)
        self.projections: list[Projection] = [self.inbox.follow_facts, ClockFixes()]
        self.epoch_watches: list[EpochWatch] = []
        self.door = Door(self.gate, core.knocking, body_s=limits.body_s)
        self._conversation = Conversation(core, self.door, self.projections, self.epoch_watches)
        self._chain = Chain(core.db)
        self._site_routes = SiteRoutes(
            self.sites, enrolment, core.clock, inbox_max=limits.inbox_per_site, url=core.settings.centre.url
        )

    def routes(self) -> list[Route]:
        """/v1/sites, and where hubs enrol."""
        return [*self._site_routes.all(), *self._chain.routes()]

    def paths(self) -> list[web.RouteDef]:
        """/sync/v1."""
        return [*self._conversation.paths(), *InboxRoute(self.inbox).paths(self.door)]

    def tasks(self) -> dict[str, Callable[[], Coroutine[None, None, None]]]:
        """Ending what nobody fetched in time."""
        return {"inbox": self.inbox.run}
