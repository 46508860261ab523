"""Syncing with the centre: enrolment, the uplink and what is seen of it."""

from __future__ import annotations

from collections.abc import Callable, Coroutine

import msgspec

from edge.bus import Event
from edge.parts.assets import AssetsPart
from edge.parts.part import Core, Part
from edge.parts.people import PeoplePart
from edge.parts.sight import SiteSight
from edge.parts.telemetry import TelemetryPart
from edge.parts.things import ThingsPart
from edge.parts.twins import TwinsPart
from edge.parts.vending import VendingPart
from edge.serving.metrics import Sample
from edge.serving.routing import Route
from edge.sync.downlink import Downlink
from edge.sync.enrolment import Enrolments
from edge.sync.figures import Figures, Site
from edge.sync.ledger_lane import LedgerLane
from edge.sync.letters import Letters
from edge.sync.orders import SiteOrders
from edge.sync.readings_lane import ReadingsLane
from edge.sync.routes import SyncRoutes
from edge.sync.share import Share
from edge.sync.state_lane import StateLane
from edge.sync.streams import LedgerStream, ReadingsStream
from edge.sync.uplink import SyncChanged, Uplink
from edge.sync.visits import Visits
from edge.vending.inventory import note_vend
from edge.wire.views import LiveEvent

MB = 1024 * 1024


class SyncPart(Part):
    """Built by the hub, last. `problems` of the rest of the hub are told to the centre."""

    def __init__(
        self,
        core: Core,
        telemetry: TelemetryPart,
        twins: TwinsPart,
        vending: VendingPart,
        assets: AssetsPart,
        people: PeoplePart,
        things: ThingsPart,
        problems: Callable[[], list[str]],
    ) -> None:
        self._core, self._telemetry = core, telemetry
        store, bus, clock, settings = core.store, core.bus, core.clock, core.settings
        share = Share(settings.sync.max_kbit_s)
        ledger = LedgerStream(store.hub, clock, core.commands.doubt_older)
        streams = ledger, ReadingsStream(store.readings, store.hub, clock)
        self.enrolments = Enrolments(store.hub, core.directory, clock, settings)
        self.ledger, self.readings = LedgerLane(streams[0], share, clock), ReadingsLane(streams[1], share, clock)
        self.uplink = Uplink(self.enrolments, self.ledger, self.readings, streams, bus, clock, settings, core.zone)
        site = Site(
            size_bytes=telemetry.history.size_bytes,
            max_bytes=settings.disk.readings_mb * MB,
            devices=self._devices,
            problems=problems,
        )
        self.figures = Figures(
            self.uplink, self.enrolments, (self.ledger, self.readings), streams, share, bus, clock, site
        )
        sight = SiteSight(core, telemetry, twins, vending, assets)
        present = StateLane(sight, self.figures.report, bus, share, clock)
        self.figures.present = present.problems
        self.uplink.lanes.append(present)
        telemetry.folding.keep_unsent_with(self._first_unsent)
        orders = SiteOrders(
            store.hub,
            core.commands,
            core.registry,
            core.agents,
            desire=lambda device, values, actor, within: twins.twins.change(
                device, values, actor=actor, within=within
            ),
            switch=twins.switch,
            keep=lambda person, actor, within: people.accounts.keep(person, actor=actor, within=within),
            note_vend=note_vend,
            change_assets=assets.orders.apply,
        )
        self.uplink.lanes.append(Downlink(store.hub, orders, clock, Visits(things, clock)))
        letters = Letters(store.hub, *streams)
        self._routes = SyncRoutes(self.enrolments, self.figures, letters, self.uplink)

    def routes(self) -> list[Route]:
        """/v1/sync."""
        return self._routes.all()

    async def start(self) -> None:
        """Load the enrolment and its token."""
        await self.enrolments.start()

    def tasks(self) -> dict[str, Callable[[], Coroutine[None, None, None]]]:
        """The uplink, and looking at how it goes."""
        return {"sync": self.uplink.run, "sync-figures": self.figures.run}

    def samples(self) -> list[Sample]:
        """Lag, what waits, what was sent."""
        return self.figures.samples()

    def problems(self) -> list[str]:
        """Where a person has to do something."""
        return self.figures.problems()

    async def translate(self, event: Event) -> LiveEvent | None:
        """How syncing stands."""
        if not isinstance(event, SyncChanged):
            return None
        return LiveEvent(topic="sync", data=msgspec.to_builtins(self.figures.view()))

    async def stop(self) -> None:
        """Say goodbye."""
        await self.uplink.stop()

    def _first_unsent(self) -> int | None:
        return self.readings.acked.prefix + 1 if self.enrolments.current else None

    def _devices(self) -> tuple[int, int]:
        devices = self._core.registry.all()
        return len(devices), sum(self._core.presences.online(device) for device in devices)
