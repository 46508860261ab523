"""Syncing with the centre: enrolment, the uplink and what is seen of it."""

from __future__ import annotations

from collections.abc import Callable, Coroutine

import msgspec

from edge.bus import Event
from edge.parts.assets import AssetsPart
from edge.parts.content import ContentPart
from edge.parts.content_sight import ContentSight
from edge.parts.firmware_sight import FirmwareSight
from edge.parts.part import Core, Part
from edge.parts.people import PeoplePart
from edge.parts.rollouts import Held, RolloutsPart
from edge.parts.sight import SiteSight
from edge.parts.telemetry import TelemetryPart
from edge.parts.things import ThingsPart
from edge.parts.twins import TwinsPart
from edge.parts.updates import UpdatesPart
from edge.parts.vending import VendingPart
from edge.serving.metrics import Sample
from edge.serving.routing import Route
from edge.settings import Settings
from edge.store.transaction import Transaction
from edge.sync.artifacts import ArtifactLane
from edge.sync.downlink import Downlink
from edge.sync.enrolment import Enrolments
from edge.sync.figures import Figures, Site
from edge.sync.ledger_lane import LedgerLane
from edge.sync.letters import Letters
from edge.sync.orders import SiteOrders, signed_alone
from edge.sync.pictures import PictureLane
from edge.sync.readings_lane import ReadingsLane
from edge.sync.routes import SyncRoutes
from edge.sync.share import Share
from edge.sync.shelf import HubShelf
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
        updates: UpdatesPart,
        rollouts: RolloutsPart,
        content: ContentPart,
        problems: Callable[[], list[str]],
    ) -> None:
        self._core, self._telemetry, self._offers = core, telemetry, rollouts.offers
        store, bus, clock, settings = core.store, core.bus, core.clock, core.settings
        share = Share(settings.sync.max_kbit_s)
        ledger = LedgerStream(store.hub, clock, self._is_older)
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
        self._fetch(updates, rollouts, content)
        content.shown.gathering.name_site(self._site_name)
        firmware = FirmwareSight(rollouts.offers, core.store.boots, Held(updates.artifacts).variant_of)
        seen = ContentSight(content.documents, content.views, content.shown.views)
        sight = SiteSight(core, telemetry, twins, vending, assets, firmware, seen, lambda: self.artifacts.now)
        present = StateLane(sight, self.figures.report, bus, share, clock)
        self.figures.present = present.problems
        self.uplink.lanes.append(present)
        telemetry.folding.keep_unsent_with(self._first_unsent)
        unsigned = settings.sync.unsigned_firmware
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
            roll_out=rollouts.orders.apply if unsigned else signed_alone(rollouts.orders.apply),
            publish=content.orders.apply,
        )
        self.uplink.lanes.append(Downlink(store.hub, orders, clock, Visits(things, clock)))
        self.uplink.lanes += [self.artifacts, self.pictures]
        letters = Letters(store.hub, *streams)
        self._routes = SyncRoutes(self.enrolments, self.figures, letters, self.uplink)

    def _fetch(self, updates: UpdatesPart, rollouts: RolloutsPart, content: ContentPart) -> None:
        """The lanes that fetch. What they fetch comes down the line, and has a share of its own."""
        core, settings = self._core, self._core.settings.sync
        share = Share(settings.max_kbit_s)
        shelf = HubShelf(updates.artifacts, updates.keys, unsigned=settings.unsigned_firmware)
        self.artifacts = ArtifactLane(shelf, core.store.hub, core.bus, core.directory, share)
        self.pictures = PictureLane(content.library, core.directory, share)
        rollouts.orders.fetch_with(self.artifacts)
        content.orders.fetch_with(self.pictures)

    def _site_name(self) -> str:
        """What panels call this site: as the setting says; where nobody has set that, as head office does."""
        named, enrolled = self._core.settings.site.name, self.enrolments.current
        return enrolled.name if enrolled is not None and named == Settings().site.name else named

    def routes(self) -> list[Route]:
        """/v1/sync."""
        return self._routes.all()

    async def start(self) -> None:
        """Load the enrolment and its token; tidy up what was being fetched."""
        self.artifacts.tidy()
        self.pictures.tidy()
        await self.enrolments.start()

    def tasks(self) -> dict[str, Callable[[], Coroutine[None, None, None]]]:
        """The uplink, and looking at how it goes."""
        return {"sync": self.uplink.run, "sync-figures": self.figures.run}

    def samples(self) -> list[Sample]:
        """Lag, what waits, what was sent and fetched."""
        fetched = {"": float(self.artifacts.bytes_fetched + self.pictures.bytes_fetched)}
        what = "Bytes of firmware and pictures fetched from head office."
        return [
            *self.figures.samples(),
            Sample("sync_fetched_bytes_total", "counter", what, fetched),
        ]

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

    def _is_older(self, tx: Transaction) -> None:
        """The centre has rows that this database has not: it is an older copy of itself."""
        self._core.commands.doubt_older(tx)
        self._offers.doubt(tx)

    def _devices(self) -> tuple[int, int]:
        devices = self._core.registry.all()
        return len(devices), sum(self._core.presences.online(device) for device in devices)
