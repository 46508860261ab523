"""The old web page of the agents: it links its agent to a display, sends QR codes and ends them.

It links before every code, by whatever display id and computer name its browser remembers, perhaps from months ago;
so the rules of the desks decide, never what the page remembers.
"""

from __future__ import annotations

import contextlib

from aiohttp import web

from edge.clock import iso
from edge.commands.commands import Commands
from edge.commands.model import Command
from edge.commands.shown import Shown
from edge.compat.nic.code import qr_args
from edge.compat.nic.displays import CLIENT_PROFILE, NicDisplays, named_agent, old_id, shown_agent
from edge.compat.nic.door import Door, Visit, refusal, reply
from edge.content.codes.screens import ROTATION, Screens
from edge.devices.agents.agents import Agents
from edge.devices.agents.displays import COMPUTER_FACT
from edge.devices.agents.model import Departure, End, Linked, Refusal, Refused, Session
from edge.devices.model import Device
from edge.devices.presence import Presences
from edge.errors import Conflict, DeviceUnavailable
from edge.store.database import Database
from edge.wire.older import NIC_SERVICE, NIC_VERSION, NO_DEVICE, NOT_SEATED


class NicAgents:
    """The browser half of the facade."""

    def __init__(
        self,
        door: Door,
        database: Database,
        presences: Presences,
        agents: Agents,
        commands: Commands,
        shown: Shown,
        screens: Screens,
        displays: NicDisplays,
    ) -> None:
        self._door, self._db, self._presences, self._agents = door, database, presences, agents
        self._commands, self._shown, self._screens, self._displays = commands, shown, screens, displays

    async def health(self, visit: Visit) -> web.Response:
        """GET /api/device/health. Without `device`: with it the old page would wake code that never worked."""
        return reply(
            {
                "status": "online",
                "service": NIC_SERVICE,
                "version": NIC_VERSION,
                "timestamp": iso(self._door.clock.now().at_us),
                "instance": self._db.instance,
            }
        )

    async def link(self, visit: Visit) -> web.Response:
        """POST /api/device/link: seat the agent, or say why not."""
        visit.require("agent_id", "agent_name")
        agent, name = named_agent(visit.body["agent_id"], visit.peer), visit.text("agent_name")
        claimed, computer = visit.text("device_id"), visit.text("computer_name")
        linked = await self._agents.link(agent, name, device_id=claimed, computer_name=computer)
        if isinstance(linked, Refused):
            return _refused(linked, visit, claimed, computer)
        device = self._displays.known(linked.session.device_id)
        await self._clear_after_takeover(linked, device, visit.principal.actor)
        stands_at = str(device.facts.get(COMPUTER_FACT) or computer)
        return reply({"success": True, "device_id": old_id(device), "computer_name": stands_at})

    async def qr(self, visit: Visit) -> web.Response:
        """POST /api/device/qr: accept a code for the agent's own display."""
        visit.require("agent_id", "qr_image")
        agent = named_agent(visit.body["agent_id"], visit.peer)
        return await self._send(visit, agent, "display_qr", qr_args(visit, "qr_image"))

    async def rotation(self, visit: Visit) -> web.Response:
        """POST /api/device/rotation/start: the customer has paid, or the page was closed."""
        visit.require("agent_id")
        return await self._send(visit, named_agent(visit.body["agent_id"], visit.peer), "start_rotation", {})

    async def list(self, visit: Visit) -> web.Response:
        """GET /api/device/list: every display, who sits there, what it has shown."""
        devices = [self._listed(device) for device in self._displays.all()]
        return reply(
            {
                "devices": devices,
                "stats": {
                    "total_devices": len(devices),
                    "online_devices": sum(device["status"] == "online" for device in devices),
                    "total_qr_today": sum(int(str(device["qr_count_today"])) for device in devices),
                },
            }
        )

    async def _send(self, visit: Visit, agent: str, kind: str, args: dict[str, object]) -> web.Response:
        session = self._agents.current(agent)
        device = self._displays.known(session.device_id) if session else None
        if session is None or device is None or not self._displays.reachable(device):
            return self._no_device(agent, device)
        await self._agents.touch(session)
        try:
            command = await self._commands.accept(
                device, kind, args, actor=visit.principal.actor, session_id=session.id, agent=agent
            )
        except DeviceUnavailable as error:
            return _no_device(NO_DEVICE, error.detail)
        if not await self._still_seated(session, command):
            return self._no_device(agent, None)
        return reply({"success": True, "command_id": command.id, "device_id": old_id(device)})

    async def _still_seated(self, session: Session, command: Command) -> bool:
        """Whether the desk did not change hands while the picture was read; else the command is taken back."""
        if self._agents.holds(session.id, session.device_id):
            return True
        try:
            await self._commands.drop(command, "Its agent no longer sits at this display.")
        except Conflict:
            return False
        return False

    def _no_device(self, agent: str, device: Device | None) -> web.Response:
        if device is not None:
            return _no_device(NO_DEVICE, NOT_SEATED[Refusal.OFFLINE])
        departure = self._agents.departure(agent)
        if departure is None:
            return _no_device(NO_DEVICE, "Link to a display first.")
        story = self._story(departure)
        return _no_device(f"{NO_DEVICE}: {story}", story)

    def _story(self, departure: Departure) -> str:
        display = self._displays.known(departure.session.device_id).name
        if departure.why is not End.TAKEOVER:
            return f"a technician ended your session at {display}."
        successor = self._agents.at(departure.session.device_id)
        who = successor.name if successor and successor.agent == departure.by else "another agent"
        minutes = max(0, self._door.clock.now().at_us - departure.at_us) // 60_000_000
        return f"your desk ({display}) was taken over by {who} {f'{minutes} min ago' if minutes else 'just now'}."

    async def _clear_after_takeover(self, linked: Linked, device: Device, actor: str) -> None:
        """The earlier agent's code must not stay up at a desk that is another's now."""
        screen = self._screens.of(device.id)
        may_show = self._commands.under_way(device.id) is not None or (screen and screen.shows != ROTATION)
        if linked.earlier is None or not may_show:
            return
        with contextlib.suppress(DeviceUnavailable):  # its queue is full; the code goes by itself in a while
            await self._commands.accept(device, "start_rotation", {}, actor=actor, session_id=linked.session.id)

    def _listed(self, device: Device) -> dict[str, object]:
        session, presence = self._agents.at(device.id), self._presences.of(device.id)
        today, total = self._shown.of(device.id)
        return {
            "device_id": old_id(device),
            "computer_name": device.facts.get(COMPUTER_FACT) or device.name,
            "com_port": device.facts.get("com_port") or "",
            "status": "online" if self._is_online(device) else "offline",
            "last_seen": iso(presence.stamp.at_us) if presence else None,
            "registered_at": iso(device.created_us),
            "agent_id": shown_agent(session.agent) if session else None,
            "agent_name": session.name if session else None,
            "linked_at": iso(session.started_us) if session else None,
            "qr_count_today": today,
            "qr_count_total": total,
            "pending_commands": sum(c.ended_us is None for c in self._commands.open_for(device.id)),
        }

    def _is_online(self, device: Device) -> bool:
        if device.profile == CLIENT_PROFILE and self._displays.delivering(device.id):
            return True
        return self._presences.online(device)


def _no_device(error: str, message: str) -> web.Response:
    return reply({"success": False, "error": error, "message": message}, 404)


def _refused(refused: Refused, visit: Visit, claimed: str, computer: str) -> web.Response:
    error = "Device offline" if refused.why is Refusal.OFFLINE else "Device not found"
    return refusal(
        404,
        error,
        message=NOT_SEATED[refused.why],
        debug_info={
            "agent_id": visit.body["agent_id"],
            "device_id": claimed or None,
            "computer_name": computer or None,
            "reason": refused.why.value,
        },
    )
