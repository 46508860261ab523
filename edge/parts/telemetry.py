"""Readings: their routes, rollups and retention."""

from __future__ import annotations

from collections.abc import Callable, Coroutine

from edge.bus import Event
from edge.clock import iso
from edge.devices.model import Device
from edge.parts.part import Core, Part
from edge.serving.metrics import Sample
from edge.serving.routing import Route
from edge.telemetry.events import ReadingsArrived
from edge.telemetry.folding import Folding, Keep
from edge.telemetry.redating import Redating
from edge.telemetry.routes import ReadingRoutes
from edge.telemetry.telemetry import Telemetry
from edge.wire.views import LiveEvent


class TelemetryPart(Part):
    """Built by the hub. `telemetry` takes readings in, `history` tells of them."""

    def __init__(self, core: Core) -> None:
        settings = core.settings
        self.telemetry = Telemetry(core.store, core.bus, core.clock, core.zone)
        self.history = self.telemetry.past
        keep = Keep(
            readings_days=settings.history.readings_days,
            rollups_days=settings.history.rollups_days,
            readings_mb=settings.disk.readings_mb,
        )
        self.folding = Folding(self.telemetry, core.store, core.clock, core.zone, keep)
        self.redating = Redating(core.store, core.zone)
        self._routes = ReadingRoutes(self.telemetry, core.registry, core.clock)

    def routes(self) -> list[Route]:
        """Readings by device."""
        return self._routes.all()

    async def start(self) -> None:
        """Load series and newest values."""
        await self.redating.start()
        await self.telemetry.start()

    def tasks(self) -> dict[str, Callable[[], Coroutine[None, None, None]]]:
        """Folding, retention, and what follows once the clock is set."""
        return {"telemetry": self.folding.run, "redating": self.redating.run}

    def samples(self) -> list[Sample]:
        """What came in, what did not, and what is kept."""
        telemetry, folding = self.telemetry, self.folding
        count, gauge = "counter", "gauge"
        gone: dict[str, float] = {'{why="age"}': folding.expired, '{why="space"}': folding.dropped}
        return [
            Sample("readings_accepted_total", count, "Readings stored.", {"": telemetry.accepted}),
            Sample("readings_refused_total", count, "Readings that could not be used.", {"": telemetry.refused}),
            Sample(
                "readings_missed_total",
                count,
                "Records that devices lost before the hub could have them.",
                {"": telemetry.missed},
            ),
            Sample("readings_deleted_total", count, "Readings let go, by why.", gone),
            Sample(
                "readings_unfolded", gauge, "Readings that rollups have yet to take in.", {"": telemetry.unfolded}
            ),
            Sample("readings_series", gauge, "Keys of all devices.", {"": len(telemetry.series)}),
            Sample("readings_bytes", gauge, "What readings.db holds.", {"": folding.size_bytes}),
        ]

    async def translate(self, event: Event) -> LiveEvent | None:
        """Readings as they arrive."""
        if not isinstance(event, ReadingsArrived):
            return None
        data = {
            "device": event.device_id,
            "values": event.values,
            "at": iso(event.at_us),
            "historical": event.historical,
        }
        return LiveEvent(topic="reading", data=data)

    async def forget(self, device: Device, actor: str) -> None:
        """Its values are nobody's present; its history stays until it is too old."""
        await self.folding.forget(device.id)

    async def stop(self) -> None:
        """Let what waits be committed."""
        await self.telemetry.settled()
