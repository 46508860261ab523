"""The centre as a whole, built and wired."""

from __future__ import annotations

from collections.abc import Callable

from cloud.api.audit_routes import AuditRoutes
from cloud.api.centre_routes import CentreRoutes
from cloud.api.status import Status
from cloud.part import Core, Part
from cloud.sites.sites import Sites
from edge.serving.metrics import Sample
from edge.serving.routing import Route


class ApiPart(Part):
    """What is asked of the centre, not of one of its parts. `parts`: all of them, with this one."""

    def __init__(self, core: Core, sites: Sites, parts: Callable[[], list[Part]]) -> None:
        self._parts, self._audit = parts, AuditRoutes(core.db)
        settings = core.settings
        status = Status(settings.centre.name, core.db, core.clock, inbox_max=settings.limits.inbox_per_site)
        self._centre = CentreRoutes(status, sites, core.knocking, core.clock, self._all_samples, self._all_routes)

    def routes(self) -> list[Route]:
        """Status, health, metrics, the description of the API; who changed what."""
        return [*self._centre.all(), *self._audit.all()]

    def _all_samples(self, tenant_id: int | None) -> list[Sample]:
        return [sample for part in self._parts() for sample in part.samples(tenant_id)]

    def _all_routes(self) -> list[Route]:
        return [route for part in self._parts() for route in part.routes()]
