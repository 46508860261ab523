"""The older systems' app-facing half at the centre, built and wired."""

from __future__ import annotations

from collections.abc import Callable, Coroutine

from aiohttp import web

from cloud.accounts.part import AccountsPart
from cloud.compat import nic, thingsnxt
from cloud.compat.asset_pages.part import AssetPagesPeople
from cloud.compat.devices import astray
from cloud.compat.displays import Displays
from cloud.compat.door import Door
from cloud.compat.giving import Giving
from cloud.compat.machines import Machines
from cloud.compat.things.part import ThingsPeople, either
from cloud.compat.vending import VendingApps
from cloud.fleet.part import FleetPart
from cloud.part import Core, Part
from cloud.sync.part import SyncPart
from edge.compat.assets.pages.pages import LIST, list_preflight
from edge.serving.metrics import Sample
from edge.serving.visits import AiohttpHandler

Table = dict[tuple[str, str], AiohttpHandler]


class CompatPart(Part):
    """Payment pages, switches, asset pages and vending pages; and devices that ask the wrong house."""

    def __init__(self, core: Core, accounts: AccountsPart, sync: SyncPart, fleet: FleetPart) -> None:
        door = Door(accounts.guard, core.knocking, body_s=core.settings.limits.body_s)
        giving = Giving(fleet.commands, fleet.asking, core.clock)
        displays = Displays(core.db, core.clock)
        self._nic = nic.NicAgents(door, displays, giving, core.signals, core.clock).table()
        switches = thingsnxt.ThingsApps(door, giving, core.db, core.clock)
        self._people = ThingsPeople(core, accounts, sync, fleet, switches)
        self._pages = AssetPagesPeople(core, self._people.door, self._people.logins, self._people.sites)
        devices = astray(door)
        self._things = self._people.table(switches.table() | devices) | self._pages.table()
        self._things[LIST] = either(self._things[LIST], self._nic.pop(LIST))
        self._others = VendingApps(door, Machines(core.db, core.clock), giving).table()
        self._others |= {route: handler for route, handler in devices.items() if route not in self._things}

    async def start(self) -> None:
        """Load what signs the tokens of people."""
        await self._people.start()

    def tasks(self) -> dict[str, Callable[[], Coroutine[None, None, None]]]:
        """What people's logins and hubs are kept right by."""
        return self._people.tasks() | self._pages.tasks()

    def samples(self, tenant_id: int | None) -> list[Sample]:
        """Pages that listen, of all tenants together."""
        return self._pages.samples() if tenant_id is None else []

    async def let_go(self, app: web.Application) -> None:
        """Let every reader go, so that none holds up the end."""
        self._people.let_go()
        await self._pages.let_go()

    def paths(self) -> list[web.RouteDef]:
        """Every path, the browsers' preflights, and both with doubled slashes: clients glue base and path."""
        table: Table = self._nic | self._things | self._others
        preflights: Table = {
            **{("OPTIONS", path): nic.preflight for _, path in self._nic},
            **{("OPTIONS", path): thingsnxt.preflight for _, path in self._things},
            ("OPTIONS", LIST[1]): list_preflight,
        }
        every = table | preflights
        return [
            *(web.route(method, path, handler) for (method, path), handler in every.items()),
            *(web.route(method, "/{slashes:/+}" + path[1:], handler) for (method, path), handler in every.items()),
        ]
