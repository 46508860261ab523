"""The old PC program that drives a display: it registers, polls every 2 s and reports what it did.

It works on one command at a time and does not poll meanwhile; it treats every error of a poll as "nothing to do";
it repeats neither a registration nor a report. So a poll from anybody with the key is always answered with 200, an
unknown program is taken in as pending, and a report that was lost shows in the program's next poll.
"""

from __future__ import annotations

import base64
import logging

import msgspec
from aiohttp import web

from edge.clock import iso
from edge.commands.commands import Commands
from edge.commands.model import Command
from edge.compat.nic.displays import CLIENT_PROFILE, NicDisplays
from edge.compat.nic.door import SCOPE, Door, Missing, Visit, reply
from edge.content.codes.codes import Content, caption
from edge.devices.agents.agents import Agents
from edge.devices.agents.displays import COMPUTER_FACT
from edge.devices.model import Device
from edge.devices.presence import Presences
from edge.devices.registry import Registry
from edge.errors import BadInput, Conflict, NotFound, OutpostError, StorageError
from edge.serving.visits import line
from edge.store.database import Database
from edge.wire.commands import State
from edge.wire.older import number_or_text
from edge.wire.orders import Outcome, Verdict

log = logging.getLogger(__name__)

# The program does not poll while it works, so a poll after this long says that it is done or never got the command.
# It must be under the 2 s between its polls.
DELIVERY_LEASE_S = 1.5
SILENT_S = 6.0  # three polls missed: whoever held this id is gone
TRIES = 20  # commands passed over in one poll because they expired or cannot be shown
OUTCOMES = {"success": Verdict.DONE, "failed": Verdict.FAILED, "error": Verdict.FAILED}
NOTHING = {"has_commands": False, "commands": []}


class _Program(msgspec.Struct):
    address: str
    polled_s: float


class NicClients:
    """The client half of the facade."""

    def __init__(
        self,
        door: Door,
        database: Database,
        registry: Registry,
        presences: Presences,
        agents: Agents,
        commands: Commands,
        content: Content,
        displays: NicDisplays,
    ) -> None:
        self._door, self._db, self._registry, self._presences = door, database, registry, presences
        self._agents, self._commands, self._content, self._displays = agents, commands, content, displays
        self._programs: dict[str, _Program] = {}

    async def register(self, visit: Visit) -> web.Response:
        """POST /api/device/register: 200 with success to all that is well-formed, or the program ends."""
        visit.require("device_id", "computer_name")
        claimed, computer = visit.text("device_id"), visit.text("computer_name")
        if not claimed or not computer:
            raise Missing("Missing required fields")
        try:
            await self._registered(visit, claimed, computer)
        except (StorageError, BadInput) as error:
            log.warning("a registration could not be kept: %s", error, extra={"device_id": claimed})
        return reply({"success": True, "device_id": claimed, "instance": self._db.instance})

    async def poll(self, visit: Visit) -> web.Response:
        """GET /api/device/poll: the next command, if this program may have one."""
        claimed = line(visit.request.query.get("device_id"))
        if not claimed:
            raise Missing("Missing required fields")
        try:
            commands = await self._next(visit, claimed)
        except (StorageError, BadInput) as error:
            log.warning("a poll could not be served: %s", error, extra={"device_id": claimed})
            commands = []
        return reply({"has_commands": True, "commands": commands} if commands else dict(NOTHING))

    async def status(self, visit: Visit) -> web.Response:
        """POST /api/device/status: what became of a command, however late."""
        visit.require("device_id", "command_id", "status")
        device = self._registry.by_alias(SCOPE, visit.text("device_id"))
        verdict = OUTCOMES.get(visit.text("status").lower())
        if device is not None:
            self._presences.seen(device.id, "status")
        if device is not None and device.approved and verdict is not None:
            await self._settle(device, visit, verdict)
        return reply({"success": True})

    async def _registered(self, visit: Visit, claimed: str, computer: str) -> None:
        device = self._registry.by_alias(SCOPE, claimed)
        if device is not None and not self._is_the_program(device.id, visit.peer):
            self._door.knock(visit.request, f"Another computer already polls as {claimed}.")
            return
        facts = {"com_port": visit.text("com_port"), "address": visit.peer}
        if device is None or not device.facts.get(COMPUTER_FACT):
            facts[COMPUTER_FACT] = (
                computer  # later registrations do not change it: it tells a restart from a stranger
            )
        device = await self._registry.take_in(SCOPE, claimed, CLIENT_PROFILE, name=computer, facts={**facts})
        if device is None:
            self._door.knock(visit.request, "Too many displays wait for approval; this one was not taken in.")
            return
        self._presences.seen(device.id, "register")
        await self._agents.client_started(device.id, computer)

    async def _next(self, visit: Visit, claimed: str) -> list[dict[str, object]]:
        device = self._registry.by_alias(SCOPE, claimed)
        if device is None:
            device = await self._registry.take_in(SCOPE, claimed, CLIENT_PROFILE, facts={"address": visit.peer})
        if device is None:
            self._door.knock(visit.request, "Too many displays wait for approval; this one was not taken in.")
            return []
        if not self._is_the_program(device.id, visit.peer):
            self._door.knock(visit.request, f"Another computer already polls as {claimed}.")
            return []
        self._programs[device.id] = _Program(visit.peer, self._door.clock.mono_s())
        self._presences.seen(device.id, "poll")
        if not device.approved or device.profile != CLIENT_PROFILE:
            return []
        return await self._hand_out(device, visit.peer)

    def _is_the_program(self, device_id: str, address: str) -> bool:
        """Whether this address may speak for the display.

        The id a program claims is the same on cloned computers, so the first address keeps it until it falls
        silent; a second one gets nothing, and a technician sees it.
        """
        program = self._programs.get(device_id)
        if program is None or program.address == address:
            return True
        silent_s = self._door.clock.mono_s() - program.polled_s
        return silent_s > SILENT_S and not self._displays.delivering(device_id)

    async def _hand_out(self, device: Device, address: str) -> list[dict[str, object]]:
        """At most one command, in order; the intent is on disk before it leaves."""
        handed, now_s = self._displays.handed_s, self._door.clock.mono_s()
        under_way = self._commands.under_way(device.id)
        if under_way is not None:
            if now_s - handed.get(under_way.id, 0.0) < DELIVERY_LEASE_S:
                return []
            await self._displays.settle_unanswered(under_way.id)
        for _ in range(TRIES):
            command = self._commands.next_for(device.id)
            if command is None:
                return []
            ready = await self._drawn(command, device)
            begun = await self._begun(command, address) if ready else None
            if begun is not None and ready is not None:
                handed[begun.id] = now_s
                return [ready]
        return []

    async def _begun(self, command: Command, address: str) -> Command | None:
        try:
            return await self._commands.begin(command, f"poll {address}")
        except Conflict:
            return None  # it was replaced or cancelled in the same moment

    async def _drawn(self, command: Command, device: Device) -> dict[str, object] | None:
        """The command as the program takes it; None when its picture cannot be drawn, which ends it."""
        order: dict[str, object] = {
            "command_id": command.id,
            "type": command.kind,
            "created_at": iso(command.created_us),
            "status": "pending",
        }
        if command.kind != "display_qr":
            return order
        args = command.args or {}
        try:
            drawn = await self._content.qr(args["payload"], device.panel, caption(args))
        except OutpostError as error:
            await self._dropped(command, f"It cannot be shown: {error.detail}")
            return None
        return order | {
            "qr_image": f"data:image/png;base64,{base64.b64encode(drawn.data).decode()}",
            "customer_name": args.get("caption", ""),
            "policy_number": args.get("reference", ""),
            "amount": number_or_text(str(args.get("amount", ""))),
        }

    async def _dropped(self, command: Command, reason: str) -> None:
        try:
            await self._commands.drop(command, reason)
        except Conflict:
            return  # it ended in the same moment

    async def _settle(self, device: Device, visit: Visit, verdict: Verdict) -> None:
        try:
            command = await self._commands.get(visit.text("command_id"))
        except NotFound:
            return
        waits_again = command.state is State.QUEUED and command.attempts > 0
        if command.device_id != device.id or not (command.state in (State.SENT, State.IN_DOUBT) or waits_again):
            return  # settled long ago, or never this device's to report
        reason = "" if verdict is Verdict.DONE else visit.text("error") or "The display's client says it failed."
        took = visit.body.get("execution_time")
        duration_s = float(took) if isinstance(took, int | float) and 0 <= took < 86_400 else 0.0
        try:
            await self._commands.evidence(command, Outcome(verdict=verdict, reason=reason, duration_s=duration_s))
        except Conflict:
            return  # settled in the same moment
        self._displays.handed_s.pop(command.id, None)
