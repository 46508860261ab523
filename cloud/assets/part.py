"""Assets of all sites, built and wired."""

from __future__ import annotations

from collections.abc import Callable, Coroutine

from cloud.assets.asset_routes import AssetRoutes
from cloud.assets.due import ClocksDue, ReadingsDue, StatesDue
from cloud.assets.explanations import ExplanationFacts
from cloud.assets.question_routes import QuestionRoutes
from cloud.assets.rule_routes import RuleRoutes
from cloud.assets.worker import BandsWorker
from cloud.fleet.part import FleetPart
from cloud.part import Core, Part
from cloud.sync.part import SyncPart
from edge.serving.metrics import Sample
from edge.serving.routing import Route


class AssetsPart(Part):
    """Their states over time, and what is asked of them."""

    def __init__(self, core: Core, sync: SyncPart, fleet: FleetPart) -> None:
        sync.projections.insert(0, ClocksDue())
        sync.projections.append(ExplanationFacts(core.db))
        sync.readings_watches.append(ReadingsDue())
        sync.state_watches.append(StatesDue())
        self.worker = BandsWorker(
            core.db, core.clock, sync.traffic, readings_days=core.settings.retention.readings_days
        )

        self._assets = AssetRoutes(fleet.asking, core.db, core.clock)
        self._rules = RuleRoutes(fleet.asking, core.db, core.clock)
        self._questions = QuestionRoutes(core.db, core.clock)

    def routes(self) -> list[Route]:
        """Assets, the rules of sites, and what assets did."""
        return [*self._assets.all(), *self._rules.all(), *self._questions.all()]

    def tasks(self) -> dict[str, Callable[[], Coroutine[None, None, None]]]:
        """Working out bands."""
        return {"assets": self.worker.run}

    def samples(self, tenant_id: int | None) -> list[Sample]:
        """What is made, and what is left to do, which is counted for all tenants together."""
        if tenant_id is not None:
            return []
        return [
            Sample("asset_bands_made_total", "counter", "States of assets worked out.", {"": self.worker.made}),
            Sample("asset_sites_due", "gauge", "Sites with states to be worked out.", {"": self.worker.waiting}),
        ]
