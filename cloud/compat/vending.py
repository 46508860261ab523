"""The older vending page and its scripts from anywhere, with a key: vend, and see what there is.

The machine that is named vends, or the only one in reach, or none does. It vends once for an order: what its hub
cannot know is in doubt, as everywhere.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import msgspec
from aiohttp import web

from cloud.compat.door import Door, Visit
from cloud.compat.giving import Giving
from cloud.compat.machines import Machine, Machines
from cloud.fleet.command_intake import Wanted
from edge.errors import OutpostError
from edge.serving.visits import AiohttpHandler, guarded, read_object
from edge.wire.older import OLD_SLOTS, slot_of

BODY_BYTES = 16 * 1024
KEY_HEADER = "Idempotency-Key"
_STATUS = {"rejected": 400}
Handler = Callable[[Visit], Awaitable[web.Response]]


class VendingApps:
    """The routes of page and scripts."""

    def __init__(self, door: Door, machines: Machines, giving: Giving) -> None:
        self._door, self._machines, self._giving = door, machines, giving

    def table(self) -> dict[tuple[str, str], AiohttpHandler]:
        """Its routes; what is behind `history` in a machine's place of the path comes after them."""
        return {
            ("POST", "/vend/{slot}"): self._opened(self.vend_path),
            ("POST", "/vend"): self._opened(self.vend_body),
            ("GET", "/status"): self._opened(self.status),
            ("GET", "/esp32/devices/list"): self._opened(self.devices),
            ("GET", "/esp32/devices"): self._opened(self.devices),
            ("GET", "/esp32/commands/history"): self._opened(self.history),
        }

    async def vend_path(self, visit: Visit) -> web.Response:
        """POST /vend/{slot}?device=&site=."""
        return await self._vend(visit, visit.request.match_info["slot"])

    async def vend_body(self, visit: Visit) -> web.Response:
        """POST /vend with `slot`: A1 to C3, or a number."""
        return await self._vend(visit, visit.body.get("slot"))

    async def status(self, visit: Visit) -> web.Response:
        """GET /status."""
        rows = [machine.row() for machine in await self._machines.all(visit.member, visit.query("site"))]
        wifi = [row for row in rows if row["type"] == "wifi"]
        ports = [row["port"] for row in rows if row["connected"] and row["type"] == "serial"]
        wifi_is = "online" if any(row["connected"] for row in wifi) else "offline"
        serial = {"status": "connected" if ports else "disconnected", "port": ports[0] if ports else None}
        return reply(
            {
                "status": "online",
                "message": "Vending machine server is running",
                "esp32_serial": bool(ports),
                "esp32_devices": len(rows),
                "esp32_wifi_devices": len(wifi),
                "online_devices": sum(row["connected"] is True for row in rows),
                "total_devices": len(rows),
                "communication_modes": {
                    "serial": serial,
                    "wifi": {"status": wifi_is},
                    "wifi_device_list": [row["device_id"] for row in wifi],
                },
                "devices": {str(row["device_id"]): row for row in rows},
            }
        )

    async def devices(self, visit: Visit) -> web.Response:
        """GET /esp32/devices/list, /esp32/devices."""
        rows = [machine.row() for machine in await self._machines.all(visit.member, visit.query("site"))]
        return reply(
            {
                "devices": rows,
                "active_device": rows[0]["device_id"] if len(rows) == 1 else None,
                "total_devices": len(rows),
                "connected_devices": sum(row["connected"] is True for row in rows),
            }
        )

    async def history(self, visit: Visit) -> web.Response:
        """GET /esp32/commands/history."""
        entries = await self._machines.history(visit.member)
        return reply({"history": entries, "commands": entries, "total_commands": len(entries)})

    async def _vend(self, visit: Visit, asked: object) -> web.Response:
        """Have one dispensed, once. The answer says that its hub has accepted it, or that it waits for its site."""
        number = slot_of(asked)
        if number is None:
            return refusal(400, f"Invalid slot. Slots are 1 to {OLD_SLOTS}, or A1 to B2")
        named = visit.query("device") or visit.text("device_id")
        machine = await self._machines.meant(visit.member, named, visit.query("site"))
        key = visit.request.headers.get(KEY_HEADER, "")
        if not await self._machines.comes_again(visit.member, key):
            if machine.view.state != "approved":
                return refusal(409, f"{machine.view.name} is not approved. A technician does that at its site")
            if not machine.ready and not machine.view.stale:
                return refusal(503, f"{machine.view.name} is offline; nothing was vended")
            await self._machines.require_free(machine)
        slot = await self._machines.slot(visit.member, machine, number)
        wanted = Wanted(kind="vend", args={"slot": number}, key=key, slot=slot)
        given = await self._giving.give(visit.member, machine.found, wanted)
        message = given.waits or f"Vend command for slot {number} accepted for {machine.view.name}"
        body = {
            "status": "queued" if given.waits else "command_sent",
            "slot": number,
            "slot_id": number,
            "message": message,
            **_where(machine),
            "command_id": given.kept.command.id,
            "site": machine.view.site,
        }
        return reply(body, 202 if given.waits else 200)

    def _opened(self, handler: Handler) -> AiohttpHandler:
        async def serve(request: web.Request) -> web.StreamResponse:
            member = self._door.enter(request)
            body = await read_object(request, self._door.body_s, BODY_BYTES, known=True)
            return await handler(Visit(request, member, body))

        return guarded(serve, _refused)


def _where(machine: Machine) -> dict[str, object]:
    shown, port = machine.old_id, machine.port
    if not port:
        return {"communication": "wifi", "device_id": shown}
    return {"communication": "serial", "device": shown, "device_id": shown, "device_port": port}


def reply(body: Any, status: int = 200) -> web.Response:
    """A JSON answer with its length, ended by a newline as the old server ended its own."""
    return web.Response(body=msgspec.json.encode(body) + b"\n", status=status, content_type="application/json")


def refusal(status: int, message: str) -> web.Response:
    """An answer that says no, where the old page looks for the reason."""
    return reply({"status": "error", "message": message}, status)


def _refused(request: web.Request, error: OutpostError | None) -> web.Response:
    if error is None:
        return refusal(500, "Internal error")
    return refusal(_STATUS.get(error.code, error.status), error.detail)
