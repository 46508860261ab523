"""The older asset logging system's devices, as their sketches speak: `routes` for the application.

docs/compat/assets.md says what is served, and what differs. Every path also answers with leading slashes doubled,
since sketches glue their base address and the path.
"""

from __future__ import annotations

from aiohttp import web

from edge.clock import Clock
from edge.compat.assets.callers import Callers
from edge.compat.assets.devices import LoggerDevices
from edge.compat.assets.loggers import Ensure, Readings, Telling, Unknown, Wired
from edge.compat.assets.neighbours import mac_of
from edge.compat.assets.status_page import StatusPages
from edge.devices.log.log import DeviceLog
from edge.devices.presence import Presences
from edge.devices.registry import Registry
from edge.serving.visits import Gate, Knocks


class OldLoggers:
    """The facade's half for devices. `devices` runs in the background; `pages` are the loggers' own.

    `wired` names the inputs of a device that tell of an asset, `unknown` those whose asset nobody knows how it
    stands; `ensure` sees to it that an input has one.
    """

    def __init__(
        self,
        *,
        gate: Gate,
        knocks: Knocks,
        clock: Clock,
        registry: Registry,
        presences: Presences,
        device_log: DeviceLog,
        readings: Readings,
        wired: Wired,
        unknown: Unknown,
        ensure: Ensure,
        body_s: float,
    ) -> None:
        self.pages = StatusPages()
        self.devices = LoggerDevices(
            gate=gate,
            knocks=knocks,
            clock=clock,
            registry=registry,
            presences=presences,
            device_log=device_log,
            callers=Callers(registry, device_log, mac_of),
            telling=Telling(readings, device_log, clock, wired, unknown, ensure),
            pages=self.pages,
            body_s=body_s,
        )

    def routes(self) -> list[web.RouteDef]:
        """Every path of its own; where a logger registers belongs to the payment displays too."""
        table = self.devices.table()
        return [
            *(web.route(method, path, handler) for (method, path), handler in table.items()),
            *(web.route(method, "/{slashes:/+}" + path[1:], handler) for (method, path), handler in table.items()),
        ]
