"""A site with real parts and a clock moved by hand; opened again on the same files it is a restart of the hub."""

from __future__ import annotations

from pathlib import Path

from edge.bus import Bus
from edge.clock import ManualClock
from edge.commands.commands import Commands
from edge.devices.agents.agents import Agents
from edge.devices.agents.displays import COMPUTER_FACT, RegistryDisplays
from edge.devices.model import Device
from edge.devices.presence import Presences
from edge.devices.registry import Registry
from edge.store.database import Store


class DeskSite:
    """One running hub's devices, commands and desks."""

    def __init__(self, directory: Path, clock: ManualClock) -> None:
        self.clock, self.bus = clock, Bus()
        self.store = Store(directory, self.bus, clock, free_floor_mb=1, ballast_mb=1)
        self.registry = Registry(self.store.hub, self.bus, clock, auto_approve=False, reports_kept=10)
        self.presences = Presences(self.store.hub, self.bus, clock)
        self.commands = Commands(self.store, self.bus, clock, self.registry, queue_per_device=100, history_days=1)
        displays = RegistryDisplays(self.registry, self.presences)
        self.agents = Agents(self.store.hub, clock, displays, self.commands)
        self.commands.check_seats_with(self.agents.holds)

    async def start(self) -> None:
        """Open the store and load everything."""
        await self.store.open()
        await self.registry.start()
        await self.presences.start()
        await self.agents.start()
        await self.commands.start()

    async def stop(self) -> None:
        """Close it, as a restart of the hub does."""
        await self.store.close()

    async def display(self, alias: str, computer: str = "", *, approved: bool = True) -> Device:
        """A display of the old system, online."""
        device = await self.registry.take_in("nic", alias, "nic-client", facts={COMPUTER_FACT: computer})
        assert device is not None
        if approved:
            device = await self.registry.approve(device, actor="tess")
        self.presences.seen(device.id, "poll")
        return device

    async def facts(self) -> list[tuple[str, str]]:
        """Kinds and subjects of the ledger."""
        rows = await self.store.hub.read("SELECT kind, subject FROM ledger ORDER BY seq")
        return [(row[0], row[1]) for row in rows]
