"""The still older service that ran on each agent's own PC, with one display on it and nobody to tell apart.

On a hub its display is the one where somebody is seated from the caller's address; a caller on the hub's own
machine may also mean the site's only display, as long as no agent sits there. Anybody else gets 404.
"""

from __future__ import annotations

import ipaddress

from aiohttp import web

from edge.commands.commands import Commands
from edge.compat.nic.code import qr_args
from edge.compat.nic.displays import NicDisplays
from edge.compat.nic.door import Visit, refusal, reply
from edge.devices.agents.agents import Agents
from edge.devices.model import Device
from edge.wire.older import SHARED_AGENT

SERVICE = "ESP32 Device Service"


class NicLocal:
    """The routes without /api."""

    def __init__(self, agents: Agents, commands: Commands, displays: NicDisplays) -> None:
        self._agents, self._commands, self._displays = agents, commands, displays

    async def health(self, visit: Visit) -> web.Response:
        """GET /health."""
        return reply({"status": "online", "service": SERVICE, "device": self._link(visit)})

    async def status(self, visit: Visit) -> web.Response:
        """GET /device/status."""
        return reply({"status": "online", "device": self._link(visit), "connected": self._connected(visit)})

    async def reconnect(self, visit: Visit) -> web.Response:
        """POST /device/reconnect, /device/toggle: the hub reconnects by itself, so this tells how things stand."""
        connected = self._connected(visit)
        return reply({"success": connected, "device": self._link(visit), "connected": connected})

    async def display(self, visit: Visit) -> web.Response:
        """POST /qr/display."""
        visit.require("qr_image_url")
        args = qr_args(visit, "qr_image_url")
        return await self._send(visit, "display_qr", args, "QR code sent to the display")

    async def complete(self, visit: Visit) -> web.Response:
        """POST /qr/complete."""
        return await self._send(visit, "start_rotation", {}, "Rotation restarted")

    async def _send(self, visit: Visit, kind: str, args: dict[str, object], message: str) -> web.Response:
        device = self._target(visit)
        if device is None or not self._displays.reachable(device):
            return refusal(404, "Device not connected", success=False)
        session = self._agents.current(_agent(visit))
        command = await self._commands.accept(
            device, kind, args, actor=visit.principal.actor, session_id=session.id if session else None
        )
        return reply({"success": True, "message": message, "command_id": command.id})

    def _target(self, visit: Visit) -> Device | None:
        session = self._agents.current(_agent(visit))
        if session is not None:
            return self._displays.known(session.device_id)
        approved = [device for device in self._displays.all() if device.approved]
        if len(approved) != 1 or not ipaddress.ip_address(visit.peer).is_loopback:
            return None
        return None if self._agents.at(approved[0].id) else approved[0]

    def _connected(self, visit: Visit) -> bool:
        device = self._target(visit)
        return device is not None and self._displays.reachable(device)

    def _link(self, visit: Visit) -> str:
        return "connected" if self._connected(visit) else "disconnected"


def _agent(visit: Visit) -> str:
    return f"{SHARED_AGENT}@{visit.peer}"
