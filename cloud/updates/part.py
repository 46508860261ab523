"""Firmware of all sites, built and wired."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from pathlib import Path

from aiohttp import web
from sqlalchemy.ext.asyncio import AsyncConnection

from cloud.blobs.blobs import Blobs
from cloud.fleet.part import FleetPart
from cloud.part import Core, Part
from cloud.sync.part import SyncPart
from cloud.updates.artifact_routes import ArtifactRoutes
from cloud.updates.artifacts import Artifacts
from cloud.updates.content import Contents
from cloud.updates.device_routes import DeviceFirmwareRoutes
from cloud.updates.groups import Groups
from cloud.updates.hub_paths import HubPaths
from cloud.updates.judging import Judge
from cloud.updates.rollout_routes import RolloutRoutes
from cloud.updates.rollouts import Rollouts
from cloud.updates.told import OrderOutcomes, UpdateFacts, site_revoked
from cloud.updates.trusted import Trusted
from cloud.updates.worker import RolloutWorker
from edge.serving.downloads import Downloads
from edge.serving.metrics import Sample
from edge.serving.routing import Route

MB = 1024 * 1024


class UpdatesPart(Part):
    """Artifacts, groups, rollouts. `site_revoked` is for who revokes a site."""

    def __init__(self, core: Core, sync: SyncPart, fleet: FleetPart, directory: Path) -> None:
        settings, self._clock = core.settings.updates, core.clock
        self._door = sync.door
        blobs = Blobs(core.db, core.clock)
        contents = Contents(core.db, blobs)
        self.downloads = Downloads(settings.parallel_downloads, settings.max_kbit_s)
        self.artifacts = Artifacts(
            core.db,
            core.clock,
            blobs,
            store_bytes=settings.store_mb * MB,
            legacy_slot=settings.slot_bytes,
        )
        judge = Judge(core.db, core.clock, core.signals, sync.inbox)
        self.rollouts = Rollouts(core.db, core.clock, judge)
        self.worker = RolloutWorker(core.db, core.clock, judge, blobs)
        sync.projections.append(UpdateFacts(core.clock))
        sync.inbox.follow_with(OrderOutcomes(core.clock))

        trusted, groups = Trusted(core.db, core.clock), Groups(core.db, core.clock)
        self._artifacts = ArtifactRoutes(
            self.artifacts,
            trusted,
            contents,
            self.downloads,
            spool=directory,
            artifact_bytes=settings.artifact_mb * MB,
        )
        self._rollouts = RolloutRoutes(self.rollouts, groups, core.db, core.clock)
        self._devices = DeviceFirmwareRoutes(self.rollouts, fleet.asking, core.db, core.clock)
        self._hubs = HubPaths(core.db, contents, self.downloads)

    def routes(self) -> list[Route]:
        """Artifacts and keys, groups and rollouts, what devices run."""
        return [*self._artifacts.all(), *self._rollouts.all(), *self._devices.all()]

    def paths(self) -> list[web.RouteDef]:
        """What hubs fetch."""
        return self._hubs.paths(self._door)

    def tasks(self) -> dict[str, Callable[[], Coroutine[None, None, None]]]:
        """Judging rollouts."""
        return {"rollouts": self.worker.run}

    def samples(self, tenant_id: int | None) -> list[Sample]:
        """What this instance did, which is counted for all tenants together."""
        if tenant_id is not None:
            return []
        worker, going = self.worker, self.downloads
        return [
            Sample("rollouts_running", "gauge", "Rollouts under way.", {"": worker.running}),
            Sample("rollouts_judged_total", "counter", "Looks at rollouts.", {"": worker.judged}),
            Sample("updates_given_up_total", "counter", "Devices whose time was over.", {"": worker.given_up}),
            Sample("downloads_under_way", "gauge", "Downloads of firmware now.", {"": going.under_way}),
            Sample("downloads_waiting", "gauge", "Downloads that wait for their turn.", {"": going.waiting}),
            Sample("downloads_refused_total", "counter", "Downloads without a turn in time.", {"": going.refused}),
            Sample("download_bytes_total", "counter", "Bytes of firmware handed out.", {"": going.bytes}),
        ]

    async def site_revoked(self, connection: AsyncConnection, tenant_id: int, site_id: int) -> None:
        """A RevokeWatch: nothing is wanted any more of that site's devices."""
        await site_revoked(connection, tenant_id, site_id, self._clock.now().at_us)
