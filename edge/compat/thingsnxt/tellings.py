"""What happens in the hub as messages to the older apps, each for the account whose thing it is.

The bus is read only while somebody listens, so that a hub without such apps does not pay for them.
"""

from __future__ import annotations

import asyncio
from typing import Any
from zoneinfo import ZoneInfo

from edge.access.accounts.accounts import LoggedOut, UserGone
from edge.access.accounts.model import User
from edge.automation.notices.notices import NoticeMade
from edge.automation.schedules.model import ScheduleState
from edge.automation.schedules.schedules import ScheduleEnded
from edge.bus import Bus, Event, Missed, Subscription
from edge.clock import Clock
from edge.compat.thingsnxt.apps import ThingsApps
from edge.compat.thingsnxt.door import naive
from edge.compat.thingsnxt.live import Audience
from edge.compat.thingsnxt.names import Names
from edge.compat.thingsnxt.views import Document, notice_document, status
from edge.devices.model import Device, DeviceState
from edge.devices.presence import DeviceChanged, Presences
from edge.devices.registry import Registry
from edge.telemetry.events import ReadingsArrived, TwinChanged
from edge.telemetry.widgets.events import WidgetChanged, WidgetRemoved
from edge.telemetry.widgets.widgets import Widgets

QUEUE_EVENTS = 4096  # seconds of the busiest hub

TOLD = (
    ReadingsArrived,
    TwinChanged,
    DeviceChanged,
    WidgetChanged,
    WidgetRemoved,
    NoticeMade,
    ScheduleEnded,
    LoggedOut,
    UserGone,
)
"""The events that are told, or acted upon."""

ENDS = {
    ScheduleState.EXECUTED: "led_schedule_executed",
    ScheduleState.CANCELLED: "led_schedule_cancelled",
    ScheduleState.MISSED: "led_schedule_cancelled",
    ScheduleState.FAILED: "led_schedule_cancelled",
}


class Tellings:
    """Reads the bus and tells an audience."""

    def __init__(
        self,
        bus: Bus,
        clock: Clock,
        zone: ZoneInfo,
        registry: Registry,
        presences: Presences,
        widgets: Widgets,
        apps: ThingsApps,
        names: Names,
    ) -> None:
        self.zone = zone
        self._bus, self._clock, self._registry, self._presences = bus, clock, registry, presences
        self._widgets, self._apps, self._names = widgets, apps, names
        self._subscription: Subscription | None = None
        self._begun = asyncio.Event()
        self._status: dict[str, str] = {}
        self._owner: dict[str, str] = {}

    def begin(self, user: User) -> None:
        """Somebody listens: from now on nothing is missed."""
        if self._subscription is None:
            self._subscription = self._bus.subscribe(QUEUE_EVENTS, only=TOLD)
            self._status = {device.id: self._status_of(device.id) for device in self._registry.all()}
            self._owner = {device.id: device.owner for device in self._registry.all()}
            self._begun.set()

    async def ready(self, user: User) -> None:
        """It is so at once."""

    def left(self, user: User, *, anybody: bool) -> None:
        """Nobody of his listens any more."""
        if self._subscription is not None and not anybody:
            self._subscription.close()
            self._subscription = None
            self._begun.clear()

    async def run(self, audience: Audience) -> None:
        """Tell everything; runs until cancelled."""
        while True:
            await self._begun.wait()
            subscription = self._subscription
            if subscription is None:
                continue
            event = await _next(subscription)
            if event is not None:
                self._tell(audience, event)

    def _tell(self, audience: Audience, event: Event) -> None:
        if isinstance(event, ReadingsArrived):
            self._readings(audience, event)
        elif isinstance(event, TwinChanged):
            self._twin(audience, event)
        elif isinstance(event, DeviceChanged):
            self._device(audience, event.device_id)
        elif isinstance(event, WidgetChanged):
            audience.tell(event.owner, self._of_widget(self._apps.widget(event.widget)))
        elif isinstance(event, WidgetRemoved):
            gone = {"widget_id": event.widget_id, "dashboard_id": event.dashboard_id}
            audience.tell(event.owner, self._now("widget_deleted", **gone))
        elif isinstance(event, NoticeMade):
            notice = notice_document(self._names, event.notice, self.zone)
            audience.tell(event.notice.owner, {"type": "notification", "notification": notice})
        elif isinstance(event, ScheduleEnded):
            self._schedule(audience, event)
        elif isinstance(event, LoggedOut | UserGone):
            audience.check(event.user_id)
        elif isinstance(event, Missed):
            audience.check()

    def _readings(self, audience: Audience, event: ReadingsArrived) -> None:
        owner = self._names.owner_of(event.device_id)
        if event.historical or not owner or not audience.listens(owner):
            return
        claimed, at = self._names.id_of_known(event.device_id), naive(event.at_us)
        audience.tell(
            owner, {"type": "telemetry_update", "device_id": claimed, "timestamp": at, "data": event.values}
        )

    def _twin(self, audience: Audience, event: TwinChanged) -> None:
        owner = self._names.owner_of(event.device_id)
        if not owner or not audience.listens(owner):
            return
        for widget in self._widgets.of_device(event.device_id):
            if self._widgets.owner(widget) == owner and widget.key:
                document = self._apps.widget(widget)
                audience.tell(owner, self._of_widget(document))

    def _device(self, audience: Audience, device_id: str) -> None:
        device = self._registry.known(device_id)
        if device.state is DeviceState.FORGOTTEN:
            self._status.pop(device_id, None)
            self._owner.pop(device_id, None)
            return
        self._ownership(audience, device)
        now = self._status_of(device_id)
        if self._status.get(device_id) != now:
            self._status[device_id] = now
            claimed = self._names.id_of(device)
            audience.tell(device.owner, self._now("status_update", device_id=claimed, status=now))

    def _ownership(self, audience: Audience, device: Device) -> None:
        """Tell whoever has got a device, and whoever has it no longer."""
        before = self._owner.get(device.id, "")
        if device.owner == before:
            return
        self._owner[device.id] = device.owner
        claimed = self._names.id_of(device)
        if before:
            audience.tell(before, self._now("device_removed", device_id=claimed, data={"id": claimed}))
        if device.owner:
            added = self._apps.device(device)
            audience.tell(device.owner, self._now("device_added", device_id=claimed, data=added))

    def _schedule(self, audience: Audience, event: ScheduleEnded) -> None:
        target, state = event.schedule.target, event.schedule.state
        dashboard_id = self._widgets.dashboard_of(target.widget_id)
        ended = {
            "widget_id": target.widget_id,
            "dashboard_id": dashboard_id,
            "schedule_id": event.schedule.id,
            "state": bool(target.value),
        }
        if state is ScheduleState.EXECUTED:
            ended["executed_at"] = naive(event.schedule.ended_us or 0)
        audience.tell(target.owner, self._now(ENDS[state], **ended))

    def _of_widget(self, document: Document) -> dict[str, Any]:
        return self._now("widget_update", dashboard_id=document["dashboard_id"], widget=document)

    def _status_of(self, device_id: str) -> str:
        return status(self._presences.online(self._registry.known(device_id)))

    def _now(self, kind: str, **more: Any) -> dict[str, Any]:
        return {"type": kind, **more, "timestamp": naive(self._clock.now().at_us)}


async def _next(subscription: Subscription) -> Event | None:
    """The next event; None now and then, so that a subscription that was closed is let go."""
    try:
        async with asyncio.timeout(1.0):
            return await subscription.get()
    except TimeoutError:
        return None
