"""What there is at the sites and what it is told to do, built and wired."""

from __future__ import annotations

from collections.abc import Callable, Coroutine

from cloud.fleet.asking import Asking
from cloud.fleet.clock_facts import CommandTimes
from cloud.fleet.command_routes import CommandRoutes
from cloud.fleet.commands import Commands
from cloud.fleet.device_routes import DeviceRoutes
from cloud.fleet.order_routes import OrderRoutes
from cloud.fleet.projection import CommandFacts
from cloud.fleet.transactions import TransactionRoutes
from cloud.part import Core, Part
from cloud.sync.part import SyncPart
from edge.serving.routing import Route


class FleetPart(Part):
    """Devices, slots, twins, agents, vends and commands of all sites."""

    def __init__(self, core: Core, sync: SyncPart) -> None:
        self._devices = DeviceRoutes(core.db, core.clock)
        self._transactions = TransactionRoutes(core.db)
        self.asking = Asking(core.db, core.signals, core.clock, sync.inbox)
        self.commands = Commands(core.db, core.signals, core.clock, sync.inbox, self.asking)
        facts = CommandFacts(core.db, core.clock)
        times = CommandTimes(core.db)
        sync.preparations.append(times.prepare)
        sync.projections += [facts, times]
        sync.epoch_watches.append(facts.began)
        self._commands = CommandRoutes(self.commands, core.db, core.clock)
        self._orders = OrderRoutes(self.asking, core.db, core.clock)

    def routes(self) -> list[Route]:
        """Every route."""
        return [*self._devices.all(), *self._transactions.all(), *self._commands.all(), *self._orders.all()]

    def tasks(self) -> dict[str, Callable[[], Coroutine[None, None, None]]]:
        """Letting go of what nobody asks for again."""
        return {"requests": self.commands.run}
