"""Panels: what each shows now, drawn from documents, pictures, readings, assets and sources."""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Iterator

import msgspec

from edge.bus import Event, Missed
from edge.content.codes.screens import ScreenChanged, Screens
from edge.content.documents.documents import Documents
from edge.content.documents.events import DocumentPublished
from edge.content.library.events import PictureChanged
from edge.content.library.library import Library
from edge.content.showing.checking import Checking
from edge.content.showing.drawing import Screens as Drawings
from edge.content.showing.events import PanelChanged
from edge.content.showing.gathering import Gathering, SourcesSaid
from edge.content.showing.handing import ShowHanding
from edge.content.showing.prints import Prints
from edge.content.showing.receipts import Receipts
from edge.content.showing.routes import PanelRoutes
from edge.content.showing.showing import Showing
from edge.content.showing.views import PanelViews
from edge.devices.model import Device, DeviceState
from edge.devices.presence import DeviceChanged
from edge.parts.assets import AssetsPart
from edge.parts.panel_data import PanelMachines, PanelReadings
from edge.parts.part import Core, Part
from edge.parts.telemetry import TelemetryPart
from edge.serving.metrics import Sample
from edge.serving.routing import Route
from edge.wire.views import LiveEvent


class PanelsShown(Part):
    """Built by ContentPart, which calls it beside what it does itself. `showing` is what every door asks, `handing`
    what those of devices with our firmware ask; `gathering` knows what the site is called."""

    def __init__(
        self,
        core: Core,
        documents: Documents,
        library: Library,
        sources: SourcesSaid,
        telemetry: TelemetryPart,
        assets: AssetsPart,
        codes: Screens,
    ) -> None:
        self._core = core
        self.gathering = Gathering(
            PanelReadings(telemetry.telemetry, core.clock),
            PanelMachines(core, assets),
            sources,
            core.registry,
            zone=core.zone.key,
            site=core.settings.site.name,
        )
        self.prints = Prints()
        self.receipts = Receipts(core.store.hub, core.clock)
        self._drawings = Drawings(documents, library, self.gathering, self.prints, core.clock)
        self.showing = Showing(
            documents,
            self._drawings,
            self.prints,
            self.receipts,
            core.groups,
            core.bus,
            core.clock,
            core.zone,
        )
        self.handing = ShowHanding(self.showing, core.registry)
        self.views = PanelViews(self.showing, self.receipts, codes, core.presences, core.store.boots)
        self._checking = Checking(documents, library, self.gathering, core.registry, core.clock)
        core.groups.follow_with(self.showing.changed)

    def routes(self) -> list[Route]:
        """/v1/content/panels and what belongs to them."""
        return PanelRoutes(self.showing, self.views, self.receipts, self._checking, self._core.registry).all()

    async def start(self) -> None:
        """Load what each panel shows."""
        await self.receipts.start()

    def tasks(self) -> dict[str, Callable[[], Coroutine[None, None, None]]]:
        """Looking at panels when it is due, and when something was published."""
        return {"panels": self._watch, "panels-follow": self._follow}

    def samples(self) -> list[Sample]:
        """How much is drawn, and what is held of it."""
        return [
            Sample("panel_draws_total", "counter", "Pictures drawn for panels.", {"": self.prints.drawn}),
            Sample("panel_settles_total", "counter", "Screens filled with data.", {"": self._drawings.settled}),
            Sample("panel_picture_bytes", "gauge", "Pictures for panels in memory.", {"": self.prints.bytes}),
        ]

    def problems(self) -> list[str]:
        """Screens that cannot be drawn."""
        return self.showing.problems()

    async def translate(self, event: Event) -> LiveEvent | None:
        """A panel as it stands now."""
        if not isinstance(event, PanelChanged):
            return None
        device = self._core.registry.known(event.device_id)
        if device.state is DeviceState.FORGOTTEN:
            return None
        return LiveEvent(topic="panel", data=msgspec.to_builtins(await self.views.view(device)))

    async def forget(self, device: Device, actor: str) -> None:
        """What it showed is forgotten."""
        self.showing.forget(device.id)
        await self.receipts.forget(device.id)

    async def stop(self) -> None:
        """Let drawings end."""
        await self.showing.stop()

    async def _watch(self) -> None:
        await self.showing.watch(self._told_at_once)

    def _told_at_once(self) -> Iterator[Device]:
        """Devices that wait to be told: with our firmware, there, and awake. The others come and ask."""
        presences = self._core.presences
        for device in self._core.registry.all():
            native = device.profile == "native" and device.panel and device.approved
            if native and not device.facts.get("sleeps") and presences.online(device):
                yield device

    async def _follow(self) -> None:
        wanted = (DocumentPublished, PictureChanged, DeviceChanged, ScreenChanged)
        subscription = self._core.bus.subscribe(only=wanted)
        try:
            async for event in subscription:
                if isinstance(event, DocumentPublished | PictureChanged | Missed):
                    self.showing.changed()
                elif isinstance(event, DeviceChanged):
                    self.showing.wake()
                elif isinstance(event, ScreenChanged):
                    self._core.bus.publish(PanelChanged(device_id=event.device_id))
        finally:
            subscription.close()
