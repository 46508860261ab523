"""The older systems' app-facing half at the centre, built and wired."""

from __future__ import annotations

from aiohttp import web

from cloud.accounts.guard import Guard
from cloud.compat import nic, thingsnxt
from cloud.compat.devices import astray
from cloud.compat.displays import Displays
from cloud.compat.door import Door
from cloud.compat.giving import Giving
from cloud.compat.machines import Machines
from cloud.compat.vending import VendingApps
from cloud.fleet.part import FleetPart
from cloud.part import Core, Part
from edge.serving.visits import AiohttpHandler

Table = dict[tuple[str, str], AiohttpHandler]


class CompatPart(Part):
    """Payment pages, switches and vending pages; and devices that ask the wrong house."""

    def __init__(self, core: Core, guard: Guard, fleet: FleetPart) -> None:
        door = Door(guard, core.knocking, body_s=core.settings.limits.body_s)
        giving = Giving(fleet.commands, fleet.asking, core.clock)
        displays = Displays(core.db, core.clock)
        self._nic = nic.NicAgents(door, displays, giving, core.signals, core.clock).table()
        self._things = thingsnxt.ThingsApps(door, giving, core.db, core.clock).table()
        self._others = VendingApps(door, Machines(core.db, core.clock), giving).table() | astray(door)

    def paths(self) -> list[web.RouteDef]:
        """Every path, the browsers' preflights, and both with doubled slashes: clients glue base and path."""
        table: Table = self._nic | self._things | self._others
        preflights: Table = {
            **{("OPTIONS", path): nic.preflight for _, path in self._nic},
            **{("OPTIONS", path): thingsnxt.preflight for _, path in self._things},
        }
        every = table | preflights
        return [
            *(web.route(method, path, handler) for (method, path), handler in every.items()),
            *(web.route(method, "/{slashes:/+}" + path[1:], handler) for (method, path), handler in every.items()),
        ]
