"""Firmware: what is held of it, whose signatures count, and how fast it is handed out."""

from __future__ import annotations

from datetime import UTC, datetime

import msgspec

from edge.bus import Event
from edge.parts.part import Core, Part
from edge.serving.downloads import Downloads
from edge.serving.metrics import Sample
from edge.serving.routing import Route
from edge.updates.artifacts.artifacts import Artifacts
from edge.updates.artifacts.events import ArtifactChanged, FirmwareKeysChanged
from edge.updates.artifacts.keys import TrustedKeys
from edge.updates.artifacts.routes import ArtifactRoutes
from edge.wire.views import LiveEvent


class UpdatesPart(Part):
    """Built by the hub. `downloads` is what every door hands firmware out through."""

    def __init__(self, core: Core) -> None:
        settings = core.settings.updates
        self.downloads = Downloads(settings.parallel_downloads, settings.max_kbit_s)
        self.keys = TrustedKeys(core.store.hub, core.clock)

        def site_now() -> datetime:
            return datetime.fromtimestamp(core.clock.now().at_us / 1_000_000, tz=UTC).astimezone(core.zone)

        self.artifacts = Artifacts(
            core.store,
            core.clock,
            self.keys,
            zone_now=site_now,
            artifact_mb=settings.artifact_mb,
            store_mb=settings.store_mb,
            legacy_slot=settings.slot_bytes,
        )
        self._routes = ArtifactRoutes(self.artifacts, self.keys, self.downloads)

    def routes(self) -> list[Route]:
        """/v1/artifacts, /v1/firmware-keys."""
        return self._routes.all()

    async def start(self) -> None:
        """Load what is held and who is trusted."""
        await self.keys.start()
        await self.artifacts.start()

    def samples(self) -> list[Sample]:
        """What is held, and how it is handed out."""
        going = self.downloads
        return [
            Sample("firmware_artifacts", "gauge", "Artifacts that are held.", {"": len(self.artifacts.all())}),
            Sample("firmware_bytes", "gauge", "What their files take.", {"": self.artifacts.stored_bytes()}),
            Sample("downloads_under_way", "gauge", "Downloads of firmware now.", {"": going.under_way}),
            Sample("downloads_waiting", "gauge", "Downloads that wait for their turn.", {"": going.waiting}),
            Sample(
                "downloads_refused_total", "counter", "Downloads that had no turn in time.", {"": going.refused}
            ),
            Sample("download_bytes_total", "counter", "Bytes of firmware handed out.", {"": going.bytes}),
        ]

    def problems(self) -> list[str]:
        """Firmware that is damaged."""
        return self.artifacts.problems()

    async def translate(self, event: Event) -> LiveEvent | None:
        """An artifact as it is now, or that it is gone."""
        if isinstance(event, FirmwareKeysChanged):
            return LiveEvent(topic="firmware", data={"keys": [one.name for one in self.keys.all()]})
        if not isinstance(event, ArtifactChanged):
            return None
        found = self.artifacts.find(event.artifact_id)
        if found is None:
            return LiveEvent(topic="firmware", data={"id": event.artifact_id, "gone": True})
        return LiveEvent(topic="firmware", data=msgspec.to_builtins(self._routes.view(found)))
