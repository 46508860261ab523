"""What devices shall be: desired state, widgets, dashboards, schedules, notifications."""

from __future__ import annotations

from collections.abc import Callable, Coroutine

import msgspec

from edge.automation.notices.notices import Notices
from edge.automation.notices.presence import Comings
from edge.automation.notices.routes import NoticeRoutes
from edge.automation.schedules.model import Schedule
from edge.automation.schedules.schedules import Schedules
from edge.bus import Event
from edge.commands.intake import not_approved
from edge.devices.model import Device
from edge.errors import NotFound
from edge.parts.part import Core, Part
from edge.parts.telemetry import TelemetryPart
from edge.serving.routing import Route
from edge.store.transaction import Transaction, Within
from edge.telemetry.events import TwinChanged
from edge.telemetry.twins.model import Twin
from edge.telemetry.twins.routes import TwinRoutes, twin_view
from edge.telemetry.twins.twins import Twins
from edge.telemetry.widgets.widgets import Widgets
from edge.wire.views import LiveEvent


class TwinsPart(Part):
    """Built by the hub. Others build upon `twins`, `widgets`, `schedules` and `notices`."""

    def __init__(self, core: Core, telemetry: TelemetryPart) -> None:
        self._core, self._telemetry = core, telemetry.telemetry
        database = core.store.hub
        self.twins = Twins(database)
        self.widgets = Widgets(database, core.clock, self.twins)
        self.notices = Notices(database)
        self.schedules = Schedules(database, core.clock, core.zone, self.notices, self._act)
        self.widgets.on_removal(self.schedules.forget_widget)
        self._comings = Comings(self.notices, core.clock, core.presences.online)

    def routes(self) -> list[Route]:
        """/v1/devices/{id}/twin, /v1/notices."""
        return [
            *TwinRoutes(self.twins, self._telemetry, self._core.registry).all(),
            *NoticeRoutes(self.notices).all(),
        ]

    async def start(self) -> None:
        """Load all of it."""
        await self.twins.start()
        await self.widgets.start()
        await self.schedules.start()
        await self._comings.start()

    def tasks(self) -> dict[str, Callable[[], Coroutine[None, None, None]]]:
        """Running what is scheduled; telling who came and went."""
        return {"schedules": self.schedules.run, "comings": lambda: self._comings.run(self._core.registry.all)}

    async def switch(self, widget_id: str, state: int, actor: str, within: Within) -> Twin:
        """Desire `state` of what a widget stands for. Raises NotFound, Rejected, DeviceUnavailable."""
        widget = self.widgets.get(widget_id)
        if widget.device_id and not (device := self._core.registry.known(widget.device_id)).approved:
            raise not_approved(device)
        return await self.widgets.switch(widget, state, actor=actor, within=within)

    async def translate(self, event: Event) -> LiveEvent | None:
        """A twin as it is now."""
        if not isinstance(event, TwinChanged):
            return None
        view = twin_view(self.twins.of(event.device_id), self._telemetry.latest(event.device_id))
        return LiveEvent(topic="twin", data=msgspec.to_builtins(view))

    async def forget(self, device: Device, actor: str) -> None:
        """Nothing more is desired of it, and its widgets go, with what was scheduled for them."""
        await self.widgets.drop_device(device.id)
        await self.twins.clear(device.id, actor=actor)

    def _act(self, tx: Transaction, schedule: Schedule) -> None:
        """Switch what a schedule is for. Raises NotFound when that is gone."""
        target = schedule.target
        if not self._core.registry.known(target.device_id).approved:
            raise NotFound("The device is gone.")
        actor = f"schedule:{schedule.id}"
        self.twins.apply(tx, target.device_id, {target.key: target.value}, actor)
