"""Sites and who speaks for them, built and wired."""

from __future__ import annotations

from cloud.part import Core, Part
from cloud.sites.enrolment import Enrolment
from cloud.sites.gate import SiteGate
from cloud.sites.site_routes import SiteRoutes
from cloud.sites.sites import Sites
from edge.serving.routing import Route


class SitesPart(Part):
    """Sites, their codes, and where hubs enrol."""

    def __init__(self, core: Core) -> None:
        limits = core.settings.limits
        self.gate = SiteGate(core.db, core.clock, anonymous_per_minute=limits.anonymous_per_minute)
        self.sites = Sites(core.db, core.signals, self.gate, core.clock)
        enrolment = Enrolment(core.db, core.signals, self.gate, core.clock)
        self._site_routes = SiteRoutes(
            self.sites, enrolment, core.clock, inbox_max=limits.inbox_per_site, url=core.settings.centre.url
        )

    def routes(self) -> list[Route]:
        """/v1/sites, and where hubs enrol."""
        return self._site_routes.all()
