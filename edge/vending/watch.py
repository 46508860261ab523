"""A machine that comes or goes: whether its slots would vend changes with it, so each is told anew."""

from __future__ import annotations

from edge.bus import Bus, Missed
from edge.devices.model import Device
from edge.devices.presence import DeviceChanged, Presences
from edge.devices.registry import Registry
from edge.vending.events import SlotChanged
from edge.vending.inventory import KIND, Inventory


class Watch:
    """Follows the devices. `online` of each machine is what was told last."""

    def __init__(self, bus: Bus, registry: Registry, presences: Presences, inventory: Inventory) -> None:
        self._bus, self._registry, self._presences = bus, registry, presences
        self._inventory = inventory
        self._online: dict[str, bool] = {}

    async def run(self) -> None:
        """Work until cancelled."""
        subscription = self._bus.subscribe(only=(DeviceChanged,))
        try:
            async for event in subscription:
                if isinstance(event, DeviceChanged):
                    await self._look(self._registry.known(event.device_id))
                elif isinstance(event, Missed):
                    for device in self._registry.all():
                        await self._look(device)
        finally:
            subscription.close()

    async def _look(self, device: Device) -> None:
        online = self._presences.online(device)
        if device.kind != KIND or self._online.get(device.id) is online:
            return
        self._online[device.id] = online
        for slot in await self._inventory.slots(device):
            self._bus.publish(SlotChanged(slot=slot))
