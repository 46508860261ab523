"""What devices measured, at head office: its routes, rollups, retention."""

from __future__ import annotations

from collections.abc import Callable, Coroutine

from cloud.analytics.clock_rollups import ClockRollups
from cloud.analytics.export import Export
from cloud.analytics.gap_routes import GapRoutes
from cloud.analytics.reading_routes import ReadingRoutes
from cloud.analytics.retention import Retention
from cloud.analytics.rollups import Rollups
from cloud.part import Core, Part
from cloud.sync.part import SyncPart
from edge.serving.metrics import Sample
from edge.serving.routing import Route


class AnalyticsPart(Part):
    """Readings and what is made of them."""

    def __init__(self, core: Core, sync: SyncPart) -> None:
        sync.projections.insert(0, ClockRollups())
        self._routes = ReadingRoutes(core.db, core.clock)
        self._gaps = GapRoutes(core.db, core.clock)
        self._export = Export(core.db, core.clock)
        self.rollups = Rollups(
            core.db, core.clock, sync.traffic, readings_days=core.settings.retention.readings_days
        )
        self.retention = Retention(core.db, core.months, core.clock, core.settings.retention)

    def routes(self) -> list[Route]:
        """Readings by device, what is lost of them, and exports."""
        return [*self._routes.all(), *self._gaps.all(), *self._export.all()]

    def tasks(self) -> dict[str, Callable[[], Coroutine[None, None, None]]]:
        """Rollups and retention."""
        return {"rollups": self.rollups.run, "retention": self.retention.run}

    def samples(self, tenant_id: int | None) -> list[Sample]:
        """What was made, which is counted for all together."""
        if tenant_id is not None:
            return []
        retention = self.retention
        return [
            Sample("rollups_made_total", "counter", "Hours of series rolled up.", {"": self.rollups.made}),
            Sample("readings_deleted_total", "counter", "Readings let go by age.", {"": retention.expired}),
            Sample(
                "readings_months_dropped_total", "counter", "Months of readings let go.", {"": retention.dropped}
            ),
        ]
