"""The older sensors-and-switches platform's HTTP, WebSocket and SSE, as its boards and its app speak them.

Every path also answers with leading slashes doubled, since boards glue their base address and the path. Its
accounts are in accounts.py.
"""

from __future__ import annotations

from collections.abc import Callable
from zoneinfo import ZoneInfo

from aiohttp import web

from edge import __version__
from edge.automation.hooks.hooks import Hooks
from edge.automation.notices.notices import Notices
from edge.automation.schedules.schedules import Schedules
from edge.bus import Bus
from edge.compat.thingsnxt.apps import Forget, ThingsApps
from edge.compat.thingsnxt.devices import Knocks, Readings, ThingsDevices
from edge.compat.thingsnxt.door import Door, Users, naive, preflight, reply
from edge.compat.thingsnxt.far import FarReaders
from edge.compat.thingsnxt.live import ThingsLive
from edge.compat.thingsnxt.names import Names
from edge.compat.thingsnxt.plans import Past, ThingsPlans
from edge.compat.thingsnxt.port import OnOwnPort
from edge.compat.thingsnxt.tellings import Tellings
from edge.compat.thingsnxt.visiting import Visiting
from edge.compat.thingsnxt.webhooks import ThingsWebhooks
from edge.devices.log.log import DeviceLog
from edge.devices.model import Device
from edge.devices.presence import Presences
from edge.devices.registry import Registry
from edge.serving.visits import AiohttpHandler
from edge.telemetry.twins.twins import Twins
from edge.telemetry.widgets.widgets import Widgets
from edge.wire.asked import EVENTS_PATH


class Things:
    """The facade: `routes` for the application, `run` in the background."""

    def __init__(
        self,
        *,
        door: Door,
        users: Users,
        knocks: Knocks,
        bus: Bus,
        zone: ZoneInfo,
        registry: Registry,
        presences: Presences,
        telemetry: Readings,
        past: Past,
        twins: Twins,
        widgets: Widgets,
        schedules: Schedules,
        notices: Notices,
        hooks: Hooks,
        device_log: DeviceLog,
        source: Callable[[web.Request], str],
        forget: Forget,
    ) -> None:
        self._clock = door.clock
        self._names = names = Names(registry)
        self._devices = ThingsDevices(
            door, knocks, registry, presences, telemetry, twins, notices, names, device_log, source
        )
        apps = ThingsApps(door, registry, presences, telemetry, twins, widgets, schedules, names, zone, forget)
        plans = ThingsPlans(door, past, widgets, schedules, notices, names, zone)
        tellings = Tellings(bus, door.clock, zone, registry, presences, widgets, apps, names)
        self.webhooks = ThingsWebhooks(hooks, names)
        self.live = ThingsLive(door, users, tellings, plans.unread)
        people = {  # ahead stands what would be taken for a name in the same place of its path
            **plans.table(),
            **self.webhooks.table(),
            **apps.table(),
        }
        far = {("GET", EVENTS_PATH): FarReaders(self.live).next}
        self.visiting = Visiting(door, {**self._devices.asked_by_people(), **far, **people})
        self._table: dict[tuple[str, str], AiohttpHandler] = {
            **self._devices.table(),
            **self.live.table(),
            **{asked: door.person(handler) for asked, handler in people.items()},
        }

    def routes(self) -> list[web.RouteDef]:
        """Every route, the browser's preflights, and the doubled slashes."""
        paths = sorted({path for _, path in self._table})
        return [
            *(web.route(method, path, handler) for (method, path), handler in self._table.items()),
            *(web.options(path, preflight) for path in paths),
            *(
                web.route(method, "/{slashes:/+}" + path[1:], handler)
                for (method, path), handler in self._table.items()
            ),
            OnOwnPort("GET", "/", self.home, {}),
            OnOwnPort("GET", "/health", self.health, {}),
        ]

    async def home(self, request: web.Request) -> web.StreamResponse:
        """GET /: the app asks whether the server is there."""
        return reply({"message": "Outpost", "version": __version__, "health": "/health"})

    async def health(self, request: web.Request) -> web.StreamResponse:
        """GET /health."""
        now = naive(self._clock.now().at_us)
        return reply({"status": "healthy", "timestamp": now, "websocket_connections": self.live.readers})

    async def run(self) -> None:
        """Tell what happens; runs until cancelled."""
        await self.live.run()

    def stop(self) -> None:
        """Let every reader go."""
        self.live.stop()

    def forget(self, device: Device) -> None:
        """A device is being forgotten: its owner's apps are told."""
        self._devices.forget(device.id)
        if device.owner:
            claimed, now = self._names.id_of(device), naive(self._clock.now().at_us)
            gone = {"type": "device_removed", "device_id": claimed, "data": {"id": claimed}, "timestamp": now}
            self.live.tell(device.owner, gone)
