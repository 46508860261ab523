"""What the old vending page does: choose a machine, vend, and the cable by hand.

The machine that was named or chosen vends, or none does: never another one, and never a simulated one. Each page
chooses for itself; the older server had one choice for all.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict

from aiohttp import web

from edge.compat.vending.door import Visit, refusal, reply
from edge.compat.vending.ids import PROFILE
from edge.compat.vending.page import Fleet
from edge.compat.vending.talk import Talk
from edge.devices.model import Device
from edge.vending.inventory import Inventory
from edge.wire.older import OLD_SLOTS, slot_of
from edge.wire.views import PortView

PAGES = 200  # addresses whose choice is kept; the one longest unused goes first
CONNECT_S = 8.0  # for a port to be opened and its machine to answer; the old server took 6 s
UNKNOWN = "Device not found"


class VendingCounter:
    """The acting half of the page's API."""

    def __init__(self, fleet: Fleet, inventory: Inventory, talk: Talk) -> None:
        self._fleet, self._inventory, self._talk = fleet, inventory, talk
        self._chosen: OrderedDict[str, str] = OrderedDict()

    def active(self, address: str) -> Device | None:
        """The machine chosen from this address, there or not; else the only one that is there."""
        if address in self._chosen:
            self._chosen.move_to_end(address)
            chosen = next((d for d in self._fleet.all() if d.id == self._chosen[address]), None)
            if chosen is not None:
                return chosen
        ready = self._fleet.ready()
        return ready[0] if len(ready) == 1 else None

    async def vend_path(self, visit: Visit) -> web.Response:
        """POST /vend/{slot}."""
        return await self._vend(visit, visit.request.match_info["slot"])

    async def vend_body(self, visit: Visit) -> web.Response:
        """POST /vend with `slot`: A1 to C3, or a number."""
        return await self._vend(visit, visit.body.get("slot"))

    async def select(self, visit: Visit) -> web.Response:
        """POST /esp32/devices/select."""
        device = self._fleet.find(visit.text("device_id")) if visit.text("device_id") else None
        if device is None:
            return refusal(404, UNKNOWN)
        if not device.approved or not self._fleet.online(device):
            return refusal(400, f"{device.name} is {'offline' if device.approved else 'not approved'}")
        return self._choose(visit, device)

    async def auto_select(self, visit: Visit) -> web.Response:
        """POST /esp32/devices/auto-select: the only machine that is there, if there is only one."""
        ready = self._fleet.ready()
        if len(ready) != 1:
            return refusal(409, self._choose_one(ready)) if ready else refusal(404, self._nothing_ready())
        return self._choose(visit, ready[0])

    async def clear_log(self, visit: Visit) -> web.Response:
        """POST /esp32/communication/log/clear: empties the page's window; the records stay."""
        self._talk.clear()
        return reply({"status": "success", "message": "Log cleared"})

    async def test_log(self, visit: Visit) -> web.Response:
        """POST /esp32/communication/log/test, /esp32/communication/test: a line for the monitor, and no more."""
        self._talk.add("", "system", f"Test entry by {visit.principal.actor}")
        return reply({"status": "success", "message": "Test entry added"})

    async def connect(self, visit: Visit) -> web.Response:
        """POST /esp32/serial/connect: take a port again that was given up, and say whether a machine answers."""
        path = visit.text("port")
        view = self._port(path)
        if view is None:
            return refusal(400, f"The hub has no port {path!r}. A technician adds it: --serial {path}=vending")
        if view.state != "online":
            await self._fleet.ports.own(path)
            view = await self._answering(path) or view
        if view.state != "online" or view.profile != PROFILE:
            return refusal(400, f"No vending machine answers on {path}: {view.detail or view.state}")
        return reply({"status": "connected", "message": f"Connected to {path}", "port": path})

    async def disconnect(self, visit: Visit) -> web.Response:
        """POST /esp32/serial/disconnect: give the machine's port up until it is connected again."""
        views = [view for view in self._fleet.machine_ports() if visit.text("port") in ("", view.path)]
        if not views:
            return refusal(400, "No vending machine is connected")
        if len(views) > 1:
            return refusal(409, f"Say which port: {', '.join(view.path for view in views)}")
        await self._fleet.ports.release(views[0].path)
        return reply({"status": "disconnected", "message": f"Disconnected from {views[0].path}"})

    # -- inside

    async def _vend(self, visit: Visit, wanted: object) -> web.Response:
        """Have one dispensed, once. The answer says that it is accepted, not that it has fallen."""
        slot = slot_of(wanted)
        if slot is None:
            return refusal(400, f"Invalid slot. Slots are 1 to {OLD_SLOTS}, or A1 to B2")
        named = visit.text("device_id")
        device = self._fleet.find(named) if named else self.active(visit.peer)
        if device is None:
            return self._nobody(named)
        if not device.approved:
            return refusal(409, f"{device.name} is not approved. A technician does that: outpost device approve")
        if not self._fleet.online(device):
            return refusal(503, f"{device.name} is offline; nothing was vended")
        command = await self._inventory.vend(device, slot, actor=visit.principal.actor)
        shown, port = self._fleet.shown_id(device), self._fleet.port(device)
        self._talk.add(shown, "system", f"VEND slot {slot} asked for by {visit.principal.actor}")
        where: dict[str, object] = {"communication": "wifi", "device_id": shown}
        if port is not None:
            where = {"communication": "serial", "device": shown, "device_id": shown, "device_port": port.path}
        return reply(
            {
                "status": "command_sent",
                "slot": slot,
                "slot_id": slot,
                "message": f"Vend command for slot {slot} accepted for {device.name}",
                **where,
                "command_id": command.id,
            }
        )

    def _nobody(self, named: str) -> web.Response:
        if named:
            return refusal(404, UNKNOWN)
        ready = self._fleet.ready()
        return refusal(409, self._choose_one(ready)) if ready else refusal(503, self._nothing_ready())

    def _choose_one(self, ready: list[Device]) -> str:
        machines = ", ".join(sorted(f"{device.name}: {self._fleet.shown_id(device)}" for device in ready))
        return (
            f"Choose a machine: {len(ready)} are online ({machines})."
            ' Name one as "device_id" in the body, or POST /esp32/devices/select {"device_id": …}'
        )

    def _nothing_ready(self) -> str:
        waiting = self._fleet.waiting()
        if not waiting:
            return "No vending machine is online"
        names = ", ".join(sorted(device.name for device in waiting))
        them = waiting[0].id if len(waiting) == 1 else "ID"
        return f"{names} waits for approval. A technician does that: outpost device approve {them}"

    def _choose(self, visit: Visit, device: Device) -> web.Response:
        self._chosen[visit.peer] = device.id
        self._chosen.move_to_end(visit.peer)
        if len(self._chosen) > PAGES:
            self._chosen.popitem(last=False)
        shown = self._fleet.shown_id(device)
        return reply(
            {
                "status": "success",
                "message": f"{device.name} selected",
                "active_device": shown,
                "device": self._fleet.row(device),
            }
        )

    def _port(self, path: str) -> PortView | None:
        return next((view for view in self._fleet.ports.views() if view.path == path), None)

    async def _answering(self, path: str) -> PortView | None:
        """The port once its machine answers, or as it is when the time is over."""
        ends_s = asyncio.get_running_loop().time() + CONNECT_S
        while asyncio.get_running_loop().time() < ends_s:
            view = self._port(path)
            if view is None or view.state == "online":
                return view
            await asyncio.sleep(0.1)
        return self._port(path)
