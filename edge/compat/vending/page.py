"""What the old vending page reads: the machines, their stock, the last vends, the monitor. Nothing here acts."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping
from typing import Protocol

from aiohttp import web

from edge.clock import iso
from edge.compat.vending.door import Visit, reply
from edge.compat.vending.ids import PROFILE, SYSTEM, machine_id, old_id
from edge.compat.vending.machines import Machines
from edge.compat.vending.serial import BAUD
from edge.compat.vending.talk import Talk
from edge.devices.model import Device
from edge.devices.presence import Presences
from edge.devices.registry import Registry
from edge.errors import StorageError
from edge.vending.inventory import KIND, Inventory
from edge.wire.views import PortView

HISTORY = 50  # vends the old page gets
SERIAL = "serial "  # how the name of a cable's link begins


class Ports(Protocol):
    """The hub's serial ports."""

    def views(self) -> list[PortView]:
        """Every port, as it is now."""

    async def own(self, path: str) -> None:
        """Take a port again. Raises NotFound."""

    async def release(self, path: str) -> None:
        """Give a port up until it is taken again. Raises NotFound."""


class Fleet:
    """The vending machines as the old page names them. `links`: what each hangs on now, by device."""

    def __init__(
        self, registry: Registry, presences: Presences, machines: Machines, links: Mapping[str, str], ports: Ports
    ) -> None:
        self._registry, self._presences, self._machines = registry, presences, machines
        self._links, self.ports = links, ports

    def all(self) -> list[Device]:
        """Every machine, pending ones too."""
        return [device for device in self._registry.all() if device.kind == KIND]

    def find(self, claimed: str) -> Device | None:
        """The machine that the page means by this. Raises Conflict when several bear the name."""
        device = self._registry.by_alias(SYSTEM, machine_id(claimed)) or self._registry.find(machine_id(claimed))
        return device if device is not None and device.kind == KIND else None

    def ready(self) -> list[Device]:
        """The older machines that may be told to vend and give signs of life: what the page's buttons are for."""
        return [device for device in self._old() if device.approved and self.online(device)]

    def waiting(self) -> list[Device]:
        """The older machines that give signs of life and wait for approval."""
        return [device for device in self._old() if not device.approved and self.online(device)]

    def _old(self) -> list[Device]:
        return [device for device in self.all() if device.profile == PROFILE]

    def online(self, device: Device) -> bool:
        """Whether it gives signs of life."""
        return self._presences.online(device)

    def shown_id(self, device: Device) -> str:
        """The id the old page knows it by."""
        return next((old_id(alias) for system, alias in device.aliases if system == SYSTEM), device.id)

    def port(self, device: Device) -> PortView | None:
        """The port it hangs on now, None for one on the network."""
        if SERIAL not in self._links.get(device.id, ""):
            return None
        ids = {device.id, *(alias for _, alias in device.aliases)}
        return next((view for view in self.ports.views() if view.device in ids), None)

    def row(self, device: Device) -> dict[str, object]:
        """One machine as the page lists it."""
        port, online, presence = self.port(device), self.online(device), self._presences.of(device.id)
        status = "online" if online and device.approved else "offline"
        where: dict[str, object] = (
            {"port": port.path} if port else {"ip_address": self._machines.address(device.id)}
        )
        return {
            "device_id": self.shown_id(device),
            "type": "serial" if port else "wifi",
            "connected": status == "online",
            "status": status if device.approved else "pending",
            **where,
            "last_seen": iso(presence.stamp.at_us) if presence else None,
            "info": {"name": device.name, "approved": device.approved, "online": online},
        }

    def machine_ports(self) -> list[PortView]:
        """The ports with an old machine on them."""
        return [view for view in self.ports.views() if view.profile == PROFILE and view.state == "online"]


class VendingPage:
    """The reading half of the page's API. `active` names the machine that a page's address works with."""

    def __init__(self, fleet: Fleet, inventory: Inventory, talk: Talk, active: ActiveOf) -> None:
        self._fleet, self._inventory, self._talk, self._active = fleet, inventory, talk, active

    async def status(self, visit: Visit) -> web.Response:
        """GET /status: also what a machine that looks for its server takes for an answer."""
        rows = [self._fleet.row(device) for device in self._fleet.all()]
        wifi = [row for row in rows if row["type"] == "wifi"]
        online = sum(row["connected"] is True for row in rows)
        return reply(
            {
                "status": "online",
                "message": "Vending machine server is running",
                "esp32_serial": bool(self._fleet.machine_ports()),
                "esp32_devices": len(rows),
                "esp32_wifi_devices": len(wifi),
                "online_devices": online,
                "total_devices": len(rows),
                "communication_modes": {
                    "serial": self._serial(),
                    "wifi": {"status": "online" if any(row["connected"] for row in wifi) else "offline"},
                    "wifi_device_list": [row["device_id"] for row in wifi],
                },
                "devices": {str(row["device_id"]): row for row in rows},
                "inventory": await self._stock(),
            }
        )

    async def mode(self, visit: Visit) -> web.Response:
        """GET /esp32/communication/mode. Never `simulation`: without a machine nothing is vended."""
        device = self._active(visit.peer)
        row = self._fleet.row(device) if device else None
        return reply(
            {
                "current_mode": row["type"] if row else "none",
                "active_device": row["device_id"] if row else None,
                "available_modes": ["wifi", "serial"],
            }
        )

    async def devices(self, visit: Visit) -> web.Response:
        """GET /esp32/devices/list, /esp32/devices."""
        rows = [self._fleet.row(device) for device in self._fleet.all()]
        active = self._active(visit.peer)
        return reply(
            {
                "devices": rows,
                "active_device": self._fleet.shown_id(active) if active else None,
                "total_devices": len(rows),
                "connected_devices": sum(row["connected"] is True for row in rows),
            }
        )

    async def log(self, visit: Visit) -> web.Response:
        """GET /esp32/communication/log."""
        lines = self._talk.lines()
        return reply({"log_entries": lines, "total_entries": len(lines)})

    async def history(self, visit: Visit) -> web.Response:
        """GET /esp32/commands/history: the last vends with what became of each."""
        known = {device.id: device for device in self._fleet.all()}
        entries: list[dict[str, object]] = []
        for vend in await self._inventory.vends(limit=HISTORY):
            device = known.get(vend.device_id)
            entries.append(
                {
                    "command": "VEND",
                    "command_id": vend.command_id,
                    "device_id": self._fleet.shown_id(device) if device else vend.device_id,
                    "slot": vend.slot,
                    "status": vend.state.value,
                    "success": {"succeeded": True, "failed": False}.get(vend.state.value),
                    "message": vend.reason,
                    "timestamp": iso(vend.created_us),
                    "completed_at": iso(vend.ended_us) if vend.ended_us else None,
                }
            )
        return reply({"history": entries, "commands": entries, "total_commands": len(entries)})

    async def scan(self, visit: Visit) -> web.Response:
        """GET /esp32/serial/scan: the hub asks ports by itself, so this tells what it has found."""
        ports = [
            {
                "port": view.path,
                "device": view.path,
                "description": view.description,
                "is_esp32": view.profile == PROFILE,
                "status": view.state,
            }
            for view in self._fleet.ports.views()
        ]
        return reply({"status": "success", "ports": ports, "total_ports": len(ports)})

    async def serial_status(self, visit: Visit) -> web.Response:
        """GET /esp32/serial/status."""
        serial = self._serial()
        return reply({**serial, "connected": serial["status"] == "connected", "baud_rate": BAUD})

    def _serial(self) -> dict[str, object]:
        ports = self._fleet.machine_ports()
        return {"status": "connected" if ports else "disconnected", "port": ports[0].path if ports else None}

    async def _stock(self) -> dict[str, object]:
        """By machine and slot; what the disk cannot tell is left out, since a machine waits for this answer."""
        stock: dict[str, object] = {}
        with contextlib.suppress(StorageError):
            known = {device.id: device for device in self._fleet.all()}
            for machine in await self._inventory.machines():
                if machine.device_id in known:
                    slots = [machine.slot(number) for number in machine.numbers()]
                    stock[self._fleet.shown_id(known[machine.device_id])] = {
                        str(slot.stock.slot): {
                            "item_name": slot.stock.item,
                            "count": slot.count,
                            "status": slot.objection or "available",
                        }
                        for slot in slots
                    }
        return stock


class ActiveOf(Protocol):
    """Which machine a page works with."""

    def __call__(self, address: str) -> Device | None:
        """The machine chosen from this address, else the only one there is."""
