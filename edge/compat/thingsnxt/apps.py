"""The older app's devices, dashboards and widgets: each account sees and switches its own alone."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Awaitable, Callable
from typing import Any, Literal
from zoneinfo import ZoneInfo

import msgspec
from aiohttp import web

from edge.automation.schedules.schedules import Schedules
from edge.compat.thingsnxt.door import Door, Table, Visit, absent, check_id, naive, reply
from edge.compat.thingsnxt.names import SYSTEM, Names
from edge.compat.thingsnxt.views import (
    Document,
    dashboard_document,
    device_document,
    local,
    status,
    widget_document,
)
from edge.devices.model import NAME_CHARS, Device
from edge.devices.presence import Presences
from edge.devices.registry import Registry
from edge.errors import BadInput, Busy, Conflict, NotFound
from edge.telemetry.twins.routes import Reported
from edge.telemetry.twins.twins import Twins
from edge.telemetry.widgets.model import Widget, as_shown, new_id, switch_state
from edge.telemetry.widgets.widgets import UNCHANGED, Widgets

DEVICES = 100  # of one account; the hub itself owns some hundreds
DEVICE_TOKEN_BYTES = 16  # the form the older platform's tokens have: 32 hex digits
LAYOUT_WIDGETS = 200

Forget = Callable[[Device, str], Awaitable[None]]


class NewDevice(msgspec.Struct):
    """POST /devices."""

    name: str | None = None


class Bulk(msgspec.Struct):
    """PATCH /devices/bulk/status."""

    device_ids: list[str]
    status: Literal["online", "offline"]


class NewDashboard(msgspec.Struct):
    """POST /dashboards."""

    name: str
    description: str | None = ""


class Place(msgspec.Struct):
    """Where a widget is drawn is its place in the list."""

    id: str
    width: float | None = 1
    height: float | None = 1


class Layout(msgspec.Struct):
    """PUT /dashboards/{id}/layout."""

    layout: list[Place]


class NewWidget(msgspec.Struct):
    """POST /widgets."""

    dashboard_id: str
    device_id: str | None = None
    type: str | None = "telemetry"
    label: str | None = None
    value: Any = None
    config: dict[str, Any] | None = None


class ChangedWidget(msgspec.Struct):
    """PATCH /widgets/{id}."""

    label: str | msgspec.UnsetType | None = msgspec.UNSET
    config: dict[str, Any] | msgspec.UnsetType | None = msgspec.UNSET
    value: Any = UNCHANGED


class Switched(msgspec.Struct):
    """POST /widgets/{id}/state."""

    state: Any = None


_device = msgspec.json.Decoder(NewDevice, strict=False)
_bulk = msgspec.json.Decoder(Bulk, strict=False)
_dashboard = msgspec.json.Decoder(NewDashboard, strict=False)
_layout = msgspec.json.Decoder(Layout, strict=False)
_widget = msgspec.json.Decoder(NewWidget, strict=False)
_change = msgspec.json.Decoder(ChangedWidget, strict=False)
_state = msgspec.json.Decoder(Switched, strict=False)


class ThingsApps:
    """The app's half of the facade, but for schedules and what is live."""

    def __init__(
        self,
        door: Door,
        registry: Registry,
        presences: Presences,
        telemetry: Reported,
        twins: Twins,
        widgets: Widgets,
        schedules: Schedules,
        names: Names,
        zone: ZoneInfo,
        forget: Forget,
    ) -> None:
        self._door, self._registry, self._presences = door, registry, presences
        self._telemetry, self._twins, self._widgets = telemetry, twins, widgets
        self._schedules, self._names, self._zone, self._forget = schedules, names, zone, forget
        self._adding = asyncio.Lock()  # one device at a time, so that an account gets no more than it may have

    def table(self) -> Table:
        """What people may ask."""
        return {
            ("GET", "/devices"): self.devices,
            ("POST", "/devices"): self.add_device,
            ("PATCH", "/devices/bulk/status"): self.bulk_status,
            ("PATCH", "/devices/{id}"): self.change_device,
            ("DELETE", "/devices/{id}"): self.delete_device,
            ("GET", "/dashboards"): self.dashboards,
            ("POST", "/dashboards"): self.add_dashboard,
            ("DELETE", "/dashboards/{id}"): self.delete_dashboard,
            ("PUT", "/dashboards/{id}/layout"): self.lay_out,
            ("POST", "/widgets"): self.add_widget,
            ("GET", "/widgets/{id}"): self.widgets,
            ("PATCH", "/widgets/{id}"): self.change_widget,
            ("DELETE", "/widgets/{id}"): self.delete_widget,
            ("POST", "/widgets/{id}/state"): self.switch,
        }

    async def devices(self, visit: Visit) -> web.Response:
        """GET /devices: without tokens; nobody can read one again."""
        return reply([self.device(device) for device in self._names.of_owner(visit.user.id)])

    async def add_device(self, visit: Visit) -> web.Response:
        """POST /devices: a device with its token, shown this once. It is the account's, so it needs no approval."""
        wanted = visit.read(_device)
        name = (wanted.name or "").strip()[:NAME_CHARS] or "Unnamed Device"
        async with self._adding:
            if len(self._names.of_owner(visit.user.id)) >= DEVICES:
                raise Conflict(f"An account has at most {DEVICES} devices.")
            device = await self._registry.take_in(SYSTEM, new_id(), SYSTEM, name=name, facts={})
            if device is None:
                raise Busy("Too many devices wait for approval at this site.")
            await self._registry.set_owner(device, visit.user.id, actor=visit.actor)
        token = secrets.token_hex(DEVICE_TOKEN_BYTES)
        await self._registry.adopt_token(device, token, actor=visit.actor)
        device = await self._registry.approve(device, actor=visit.actor)
        return reply(self.device(device, token))

    async def change_device(self, visit: Visit) -> web.Response:
        """PATCH /devices/{id}: another name; a status is evidence, which nobody can set."""
        device = self._owned(visit)
        wanted = visit.read(_device)
        if wanted.name is not None:
            device = await self._registry.rename(device, wanted.name, actor=visit.actor)
        return reply(self.device(device))

    async def delete_device(self, visit: Visit) -> web.Response:
        """DELETE /devices/{id}: forgotten, with its widgets and schedules."""
        await self._forget(self._owned(visit), visit.actor)
        return reply({"message": "Device deleted"})

    async def bulk_status(self, visit: Visit) -> web.Response:
        """PATCH /devices/bulk/status: whether a device is online is evidence; this changes nothing and says so."""
        wanted = visit.read(_bulk)
        known = {self._names.id_of(device): device for device in self._names.of_owner(visit.user.id)}
        asked = {text.lower() for text in wanted.device_ids}
        if not asked & known.keys():
            raise BadInput("No valid device IDs provided")
        stands = [
            {"id": claimed, "status": status(self._presences.online(known[claimed]))}
            for claimed in sorted(asked & known.keys())
        ]
        return reply({"message": "Devices updated", "modified_count": 0, "devices": stands})

    async def dashboards(self, visit: Visit) -> web.Response:
        """GET /dashboards: newest first."""
        return reply([dashboard_document(board) for board in reversed(self._widgets.dashboards(visit.user.id))])

    async def add_dashboard(self, visit: Visit) -> web.Response:
        """POST /dashboards."""
        wanted = visit.read(_dashboard)
        if not wanted.name.strip():
            raise BadInput("Dashboard name required")
        return reply(
            dashboard_document(await self._widgets.add_dashboard(visit.user.id, wanted.name, wanted.description))
        )

    async def delete_dashboard(self, visit: Visit) -> web.Response:
        """DELETE /dashboards/{id}: with its widgets."""
        await self._widgets.delete_dashboard(visit.user.id, visit.id("id", "Dashboard"))
        return reply({"message": "Dashboard deleted"})

    async def lay_out(self, visit: Visit) -> web.Response:
        """PUT /dashboards/{id}/layout: the order and size of the widgets."""
        wanted = visit.read(_layout)
        layout = [
            {"id": place.id.lower(), "width": place.width or 1, "height": place.height or 1}
            for place in wanted.layout[:LAYOUT_WIDGETS]
        ]
        await self._widgets.lay_out(visit.user.id, visit.id("id", "Dashboard"), layout)
        return reply({"message": "Layout updated successfully"})

    async def add_widget(self, visit: Visit) -> web.Response:
        """POST /widgets: one that switches gets a pin that no other widget of its device has."""
        wanted = visit.read(_widget)
        device = (
            self._names.owned(visit.user.id, check_id(wanted.device_id, "Device")) if wanted.device_id else None
        )
        config = dict(wanted.config or {})
        if isinstance(config.get("virtual_pin"), str):
            config["virtual_pin"] = config["virtual_pin"].lower()
        if wanted.type == "led":
            config.setdefault("schedules", [])
        widget = await self._widgets.add(
            visit.user.id,
            check_id(wanted.dashboard_id, "Dashboard"),
            device,
            wanted.type or "telemetry",
            wanted.label,
            wanted.value,
            config,
        )
        return reply(self.widget(widget))

    async def widgets(self, visit: Visit) -> web.Response:
        """GET /widgets/{dashboard_id}."""
        board = self._widgets.dashboard(visit.user.id, visit.id("id", "Dashboard"))
        return reply([self.widget(widget) for widget in self._widgets.widgets(visit.user.id, board.id)])

    async def change_widget(self, visit: Visit) -> web.Response:
        """PATCH /widgets/{id}: label, config, value."""
        widget_id, wanted = visit.id("id", "widget"), visit.read(_change)
        if wanted == ChangedWidget():
            widget = self._widgets.widget(visit.user.id, widget_id)
            return reply({"message": "no_changes", "widget": self.widget(widget)})
        config = {} if wanted.config is None else wanted.config
        widget = await self._widgets.change(
            visit.user.id, widget_id, label=wanted.label, config=config, value=wanted.value
        )
        return reply(self.widget(widget))

    async def delete_widget(self, visit: Visit) -> web.Response:
        """DELETE /widgets/{id}."""
        await self._widgets.delete(visit.user.id, visit.id("id", "widget"))
        return reply({"message": "Widget deleted"})

    async def switch(self, visit: Visit) -> web.Response:
        """POST /widgets/{id}/state: what is answered has been committed, and only that."""
        widget = led_of(self._widgets, visit)
        asked = visit.read(_state).state
        if asked is None:
            raise BadInput("Missing state parameter")
        try:
            state = switch_state(asked)
        except BadInput as error:
            raise BadInput("Invalid state value. Must be 0/1 or true/false") from error
        await self._widgets.switch(widget, state, actor=visit.actor)
        now = naive(self._door.clock.now().at_us)
        return reply({"message": "ok", "state": state, "virtual_pin": widget.pin, "timestamp": now})

    def device(self, device: Device, token: str = "") -> Document:
        """A device as it stands; its token only when it has just been made."""
        presence, online = self._presences.of(device.id), self._presences.online(device)
        return device_document(self._names, device, presence, online, token)

    def widget(self, widget: Widget) -> Document:
        """A widget as it is drawn now."""
        latest = self._telemetry.latest(widget.device_id) if widget.device_id else {}
        newest = latest.get(widget.key)
        desired = self._twins.of(widget.device_id).desired if widget.device_id else {}
        shown, pending = as_shown(widget, desired, newest.value if newest else None)
        board = self._widgets.dashboard(self._widgets.owner(widget), widget.dashboard_id)
        document = widget_document(self._names, widget, shown, pending, board)
        following = self._schedules.next_of(widget.id) if widget.pin else None
        return document | {"next_schedule": local(following.due_us, self._zone)} if following else document

    def _owned(self, visit: Visit) -> Device:
        return self._names.owned(visit.user.id, visit.id("id", "Device"))


def led_of(widgets: Widgets, visit: Visit) -> Widget:
    """The account's widget that the path names, when it switches something. Raises NotFound, BadInput."""
    try:
        widget = widgets.widget(visit.user.id, visit.id("id", "widget"))
    except NotFound as error:
        raise absent("Widget") from error
    if not widget.device_id:
        raise BadInput("LED widget is not linked to a device")
    if widget.pin is None:
        raise BadInput("Widget is not an LED widget")
    return widget
