"""What head office is shown of this site: devices, slots, twins, newest values, assets, updates and content, as /v1
shows them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

import msgspec

from edge.assets.defined.rules import SUBJECT
from edge.assets.events import AssetChanged, AssetDefined, RulesChanged, StopExplained
from edge.bus import Event
from edge.commands.events import CommandChanged
from edge.content.codes.screens import ScreenChanged
from edge.content.documents.events import DocumentChanged, DocumentPublished
from edge.content.showing.events import PanelChanged
from edge.devices.agents.events import AgentLeft, AgentSeated, WorkstationBound
from edge.devices.model import Device
from edge.devices.presence import DeviceChanged
from edge.parts.assets import AssetsPart
from edge.parts.content_sight import ContentSight
from edge.parts.firmware_sight import FirmwareSight
from edge.parts.part import Core
from edge.parts.telemetry import TelemetryPart
from edge.parts.twins import TwinsPart
from edge.parts.vending import VendingPart
from edge.sync.artifacts import FetchChanged, Fetching
from edge.sync.state_lane import Aspect, Mark, Seen
from edge.telemetry.events import TwinChanged
from edge.telemetry.routes import latest_view
from edge.telemetry.twins.routes import twin_view
from edge.telemetry.widgets.events import WidgetChanged, WidgetRemoved
from edge.updates.events import OfferChanged, UpdateChanged
from edge.vending.events import SlotChanged
from edge.vending.inventory import KIND
from edge.vending.views import slot_view
from edge.wire.sync import WidgetSeen
from edge.wire.updates import FetchSeen

OF_SITE_ALONE: dict[type[Event], Aspect] = {
    RulesChanged: Aspect.RULES,
    FetchChanged: Aspect.FETCHING,
    DocumentChanged: Aspect.DOCUMENTS,
    DocumentPublished: Aspect.DOCUMENTS,
}
OF_ONE_DEVICE: dict[type[Event], Aspect] = {
    TwinChanged: Aspect.LATEST,
    OfferChanged: Aspect.FIRMWARE,
    UpdateChanged: Aspect.FIRMWARE,
    PanelChanged: Aspect.PANEL,
}  # all others are about the device itself
OF_PRESENCE = (Aspect.DEVICE, Aspect.SLOTS, Aspect.FIRMWARE, Aspect.PANEL)  # what else says whether it is there

_json = msgspec.json.Encoder().encode


class SiteSight:
    """Draws rows of state from all who know of a device."""

    events: tuple[type[Event], ...] = (
        DeviceChanged,
        ScreenChanged,
        AgentSeated,
        AgentLeft,
        WorkstationBound,
        CommandChanged,
        SlotChanged,
        TwinChanged,
        WidgetChanged,
        WidgetRemoved,
        AssetChanged,
        AssetDefined,
        StopExplained,
        RulesChanged,
        OfferChanged,
        UpdateChanged,
        FetchChanged,
        PanelChanged,
        DocumentChanged,
        DocumentPublished,
    )

    def __init__(
        self,
        core: Core,
        telemetry: TelemetryPart,
        twins: TwinsPart,
        vending: VendingPart,
        assets: AssetsPart,
        firmware: FirmwareSight,
        content: ContentSight,
        fetching: Callable[[], Fetching | None],
    ) -> None:
        self._core, self._telemetry = core, telemetry.telemetry
        self._assets, self._asset_views = assets.assets, assets.views
        self._twins, self._widgets, self._inventory = twins.twins, twins.widgets, vending.inventory
        self._firmware, self._content, self._fetching = firmware, content, fetching

    def devices(self) -> list[str]:
        """Every device that /v1/devices lists, and those gone that an asset was wired to last."""
        return list(
            {device.id: None for device in self._core.registry.all()} | dict.fromkeys(self._assets.devices())
        )

    def measured(self) -> Iterable[str]:
        """Devices with new values since this was last asked."""
        return self._telemetry.present.measured()

    def marks(self, event: Event) -> Iterable[Mark]:
        """What an event may have changed."""
        if isinstance(event, SlotChanged):
            return [(Aspect.SLOTS, event.slot.stock.device_id)]
        if isinstance(event, WidgetChanged | WidgetRemoved):
            device = event.widget.device_id if isinstance(event, WidgetChanged) else event.device_id
            return [(Aspect.WIDGETS, device)] if device else []
        if isinstance(event, CommandChanged):
            return [(Aspect.DEVICE, event.command.device_id)]
        if isinstance(event, AssetChanged | AssetDefined | StopExplained):
            asset = self._assets.find(event.asset_id)
            return [(Aspect.ASSETS, device) for device in asset.devices()] if asset else []
        if type(event) in OF_SITE_ALONE:
            return [(OF_SITE_ALONE[type(event)], "")]
        device = getattr(event, "device_id", "")
        if isinstance(event, DeviceChanged):  # whether a machine is there is part of its slots
            return [(aspect, device) for aspect in OF_PRESENCE]
        return [(OF_ONE_DEVICE.get(type(event), Aspect.DEVICE), device)] if device else []

    async def draw(self, aspect: Aspect, device_id: str) -> Sequence[Seen]:
        """The rows of this aspect as they are; none but those of assets where the device is gone."""
        if aspect is Aspect.RULES:
            return [Seen("asset_rules", SUBJECT, "", _json(self._assets.rules()))]
        if aspect is Aspect.FETCHING:
            return self._fetched()
        if aspect is Aspect.ASSETS:
            return await self._machines(device_id)
        if aspect is Aspect.DOCUMENTS:
            return self._content.published()
        device = self._core.registry.find(device_id)
        if device is None:
            return []
        if aspect is Aspect.DEVICE:
            return self._device(device)
        if aspect is Aspect.PANEL:
            return await self._content.panel(device)
        if aspect is Aspect.WIDGETS:
            return self._switches(device)
        if aspect is Aspect.FIRMWARE:
            seen = self._firmware.of(device)
            return [] if seen is None else [Seen("firmware", device.id, device.id, _json(seen))]
        return await self._slots(device) if aspect is Aspect.SLOTS else self._values(device)

    def _device(self, device: Device) -> list[Seen]:
        view = self._core.view(device)
        seen = [Seen("device", device.id, device.id, _json(view))]
        if view.agent is not None:
            seen.append(Seen("agent", view.agent.agent, device.id, _json(view.agent)))
        return seen

    async def _slots(self, device: Device) -> list[Seen]:
        if device.kind != KIND:
            return []
        online = self._core.presences.online(device)
        return [
            Seen("slot", f"{device.id}/{slot.stock.slot}", device.id, _json(slot_view(slot, online=online)))
            for slot in await self._inventory.slots(device)
        ]

    async def _machines(self, device_id: str) -> list[Seen]:
        """The assets that a device tells of now, removed ones too: their past stays."""
        return [
            Seen("asset", one.id, device_id, _json(await self._asset_views.view_afar(one)))
            for one in self._assets.of_device(device_id)
            if one.wired.device == device_id
        ]

    def _fetched(self) -> list[Seen]:
        """The firmware that is being fetched."""
        now = self._fetching()
        if now is None:
            return []
        view = FetchSeen(artifact=now.artifact, done=now.done, size=now.size, problem=now.problem)
        return [Seen("fetching", now.artifact, "", _json(view))]

    def _switches(self, device: Device) -> list[Seen]:
        """The widgets that switch something: whose they are and what they are called stays here."""
        return [
            Seen("widget", widget.id, device.id, _json(WidgetSeen(id=widget.id, device=device.id, pin=widget.pin)))
            for widget in self._widgets.of_device(device.id)
            if widget.pin is not None
        ]

    def _values(self, device: Device) -> list[Seen]:
        latest, now, age_s = self._telemetry.latest(device.id), self._core.clock.now(), self._telemetry.age_s
        seen = []
        if latest:
            views = [latest_view(key, latest[key], age_s(latest[key], now)) for key in sorted(latest)]
            seen.append(Seen("latest", device.id, device.id, _json(views)))
        twin = self._twins.of(device.id)
        if twin.version:
            seen.append(Seen("twin", device.id, device.id, _json(twin_view(twin, latest))))
        return seen
