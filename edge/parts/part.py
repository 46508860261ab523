"""What a part of the hub is, and what every part may build upon."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from pathlib import Path
from zoneinfo import ZoneInfo

import msgspec
from aiohttp import web

from edge.access.keys import Keys
from edge.api.guard import Guard
from edge.bus import Bus, Event
from edge.clock import Clock
from edge.commands.attach import Attachments
from edge.commands.commands import Commands
from edge.commands.dispatch import Dispatcher
from edge.devices.agents.agents import Agents
from edge.devices.groups.groups import Groups
from edge.devices.log.log import DeviceLog
from edge.devices.model import Device
from edge.devices.presence import Presences
from edge.devices.registry import Registry
from edge.serving.knocking import Knocking
from edge.serving.metrics import Sample
from edge.serving.routing import Route
from edge.settings import Settings
from edge.store.database import Store
from edge.wire.views import DeviceView, LiveEvent


class Core(msgspec.Struct, frozen=True, kw_only=True):
    """What all parts share. `view` draws a device together from all who know of it."""

    settings: Settings
    directory: Path
    zone: ZoneInfo
    clock: Clock
    bus: Bus
    store: Store
    keys: Keys
    guard: Guard
    knocking: Knocking
    registry: Registry
    groups: Groups
    presences: Presences
    commands: Commands
    agents: Agents
    device_log: DeviceLog
    dispatcher: Dispatcher
    attachments: Attachments
    view: Callable[[Device], DeviceView]


class Part:
    """One part. Everything here may be left as it is; the hub calls it in the order of its list of parts."""

    def routes(self) -> list[Route]:
        """Its /v1 routes."""
        return []

    def legacy(self) -> list[web.RouteDef]:
        """Its paths outside /v1: an older system's, or those of devices."""
        return []

    async def start(self) -> None:
        """Load what it keeps: the store is open, nothing listens yet."""

    def tasks(self) -> dict[str, Callable[[], Coroutine[None, None, None]]]:
        """Its background work by name; each runs until cancelled. One that ends brings the hub down."""
        return {}

    def samples(self) -> list[Sample]:
        """Its metrics."""
        return []

    def problems(self) -> list[str]:
        """What a person should look at, in sentences; the hub works all the same."""
        return []

    async def translate(self, event: Event) -> LiveEvent | None:
        """What its bus events tell outside; None for those of others."""
        return None

    async def forget(self, device: Device, actor: str) -> None:
        """A device is being forgotten: let go of what belongs to it."""

    async def stop(self) -> None:
        """Let go of what holds connections open; the store still works."""
