"""Old vending machines on the network: they register, poll every 2 s, vend, and confirm once.

A machine works on one command at a time and does not poll meanwhile; it ignores every answer that it does not
understand. So whoever polls gets 200, an unknown machine is taken in as pending and told nothing, and one that only
polls is served too: it registers once, at its start, and the hub may have lost its database since.
"""

from __future__ import annotations

import logging

import msgspec
from aiohttp import web

from edge.commands.model import Command
from edge.compat.vending.door import VendingDoor, Visit, refusal, reply
from edge.compat.vending.handout import Handout
from edge.compat.vending.ids import PROFILE, SYSTEM, machine_id, machine_name, old_id
from edge.compat.vending.talk import Talk
from edge.devices.log.log import DeviceLog
from edge.devices.model import Device, Facts
from edge.devices.presence import Presences
from edge.devices.registry import Registry
from edge.errors import BadInput, StorageError
from edge.serving.visits import line
from edge.wire.older import OLD_SLOTS
from edge.wire.orders import Outcome, Verdict

log = logging.getLogger(__name__)

SILENT_S = 10.0  # five polls, or a vend and three: whoever spoke for this machine is gone
RETURN_S = 60.0  # for whoever spoke before the hub was restarted: a router and an access point start more slowly
ANSWER_S = 2.0  # the sketch waits 3 s for an answer; what would leave later than this is not handed out
REPORT_CHARS = 2000  # of what a machine says of itself
TALK_CHARS = 200  # of that, in the old page's monitor
WORDS = {"vend": "VEND", "machine_status": "STATUS", "reboot": "RESET"}
SKETCH_KINDS = frozenset({"vend"})
DOCUMENTED_KINDS = frozenset(WORDS)
TRUE, FALSE = (True, "true", 1), (False, "false", 0)


class Seat(msgspec.Struct):
    """Who speaks for a machine now: its address, when it was last heard, and whether it goes by the manual.

    `recalled`: it has not been heard since the hub started; it spoke for the machine before.
    """

    address: str
    heard_s: float
    documented: bool = False
    recalled: bool = False


class Machines:
    """The device half of the facade."""

    def __init__(
        self,
        door: VendingDoor,
        registry: Registry,
        presences: Presences,
        device_log: DeviceLog,
        handout: Handout,
        talk: Talk,
    ) -> None:
        self._door, self._registry, self._presences = door, registry, presences
        self._log, self._handout, self._talk = device_log, handout, talk
        self._seats: dict[str, Seat] = {}

    def start(self) -> None:
        """Keep the place of every machine for the address it had when the hub stopped."""
        for device in self._registry.all():
            address = device.facts.get("address")
            if device.profile == PROFILE and isinstance(address, str):
                self._seats[device.id] = Seat(address, self._door.clock.mono_s(), recalled=True)

    def goes_by_the_manual(self, device_id: str) -> bool:
        """Whether it fetches its commands as the manual has it, and so understands more than VEND."""
        seat = self._seats.get(device_id)
        return seat is not None and seat.documented

    def address(self, device_id: str) -> str:
        """Where it was last heard from, '' when it never was."""
        seat = self._seats.get(device_id)
        return seat.address if seat else ""

    def forget(self, device_id: str) -> None:
        """Nobody speaks for it any more."""
        self._seats.pop(device_id, None)

    async def register(self, visit: Visit) -> web.Response:
        """POST /esp32/register: at its start, once. Any answer counts as success on the machine."""
        if not visit.text("ip_address"):
            return self._incomplete(visit, "Missing device_id or ip_address")
        return await self.connect(visit)

    async def connect(self, visit: Visit) -> web.Response:
        """POST /esp32/connect, /esp32/wifi/register: the same, without asking for its address."""
        claimed = visit.text("device_id")
        if not claimed:
            return self._incomplete(visit, "Missing device_id or ip_address")
        device = await self._heard(visit, claimed, "register", _facts(visit))
        if device is not None:
            self._told_by(device, f"registered from {visit.peer}")
            await self._handout.restarted(device)
        return reply({"status": "registered", "message": "Device registered", "device_id": claimed})

    async def poll(self, visit: Visit) -> web.Response:
        """GET /esp32/commands/{device_id}: a command, or null."""
        command = await self._fetched(visit, line(visit.request.match_info["device_id"]), SKETCH_KINDS)
        return _nothing(b"null\n", "application/json") if command is None else _order(command, visit)

    async def documented_poll(self, visit: Visit) -> web.Response:
        """GET /esp32/wifi/command with the header Device-ID: a command, or the text NO_COMMAND."""
        claimed = line(visit.request.headers.get("Device-ID"))
        command = await self._fetched(visit, claimed, DOCUMENTED_KINDS) if claimed else None
        if not claimed:
            self._door.count(visit, None)
            self._door.knock(visit.request, "It asks for commands without saying who it is (Device-ID).")
        return _nothing(b"NO_COMMAND", "text/plain") if command is None else _order(command, visit)

    async def confirm(self, visit: Visit) -> web.Response:
        """POST /esp32/confirm: what became of a vend, by the machine's word. It is sent once, so it is kept."""
        claimed, slot = visit.text("device_id"), _slot(visit.body.get("slot"))
        success = visit.body.get("success")
        if not claimed or slot is None or not (success in TRUE or success in FALSE):
            return self._incomplete(visit, "Missing device_id, slot or success")
        device = await self._heard(visit, claimed, "confirm")
        message = visit.text("message")
        said = f"confirms slot {slot}: {'success' if success in TRUE else 'failed'}{message and f' ({message})'}"
        if device is not None:
            self._told_by(device, said)
        if device is not None and device.approved:
            await self._settle(device, slot, visit, said, done=success in TRUE)
        return reply({"status": "confirmed", "message": "Confirmation received"})

    async def data(self, visit: Visit) -> web.Response:
        """POST /esp32/data: whatever a machine made from the manual reports; it goes to its log."""
        claimed = visit.text("device_id")
        if not claimed:
            return self._incomplete(visit, "Missing device_id")
        device = await self._heard(visit, claimed, "data")
        said = msgspec.json.encode(visit.body).decode()[:REPORT_CHARS]
        if device is not None:
            self._told_by(device, said)
        if device is not None and device.approved:
            await self._handout.answered(device)
        elif device is not None:
            await self._registry.report(device, said)
        return reply({"status": "received"})

    def _incomplete(self, visit: Visit, message: str) -> web.Response:
        """What nobody can be named for counts against its address. Raises RateLimited."""
        self._door.count(visit, None)
        return refusal(400, message)

    # -- who it is

    async def _heard(self, visit: Visit, claimed: str, how: str, facts: Facts | None = None) -> Device | None:
        """The machine, taken in when new; None when it may not speak for it, or is not kept. Raises RateLimited."""
        try:
            device = self._registry.by_alias(SYSTEM, machine_id(claimed))
            is_copy = device is not None and not self._is_seated(device, visit.peer)
            self._door.count(visit, device.id if device is not None and device.approved and not is_copy else None)
            if is_copy:
                self._door.knock(visit.request, f"Another address already speaks for {claimed}.")
                return None
            if device is None:
                device = await self._taken_in(visit, machine_id(claimed), facts or {})
            if device is not None:
                self._take_seat(device, visit, how)
                if facts or device.facts.get("address") != visit.peer:
                    device = await self._taken_in(visit, machine_id(claimed), facts or {})
        except (StorageError, BadInput) as error:
            log.warning("an old vending machine could not be taken in: %s", error, extra={"claimed": claimed})
            return None
        return device

    async def _taken_in(self, visit: Visit, alias: str, facts: Facts) -> Device | None:
        device = await self._registry.take_in(
            SYSTEM, alias, PROFILE, name=machine_name(alias), facts={**facts, "address": visit.peer}
        )
        if device is None:
            self._door.knock(visit.request, "Too many machines wait for approval; this one was not taken in.")
        return device

    def _take_seat(self, device: Device, visit: Visit, how: str) -> None:
        seat = self._seats.setdefault(device.id, Seat(visit.peer, 0.0))
        if seat.address != visit.peer:
            self._log.exchange(device.id, "in", "http", f"speaks from {visit.peer} now, before from {seat.address}")
        seat.address, seat.heard_s, seat.recalled = visit.peer, self._door.clock.mono_s(), False
        self._presences.seen(device.id, how)

    def _is_seated(self, device: Device, address: str) -> bool:
        """Whether this address may speak for the machine.

        Anybody can claim a machine's id. So the first address keeps it until it falls silent, over a restart of the
        hub too, and while a vend is under way; a second one, a copy or somebody who pries, is told nothing, and a
        technician sees it.
        """
        seat = self._seats.get(device.id)
        if seat is None or seat.address == address:
            return True
        silent_s = RETURN_S if seat.recalled else SILENT_S
        return self._door.clock.mono_s() - seat.heard_s > silent_s and not self._handout.busy(device.id)

    # -- commands

    async def _fetched(self, visit: Visit, claimed: str, kinds: frozenset[str]) -> Command | None:
        """The next command, begun; None when there is none that this machine can still be told."""
        device = await self._heard(visit, claimed, "poll")
        if device is None:
            return None
        self._seats[device.id].documented = kinds is DOCUMENTED_KINDS
        if not device.approved or device.profile != PROFILE or visit.is_gone:
            return None
        try:
            return await self._handed(visit, device, kinds)
        except StorageError as error:
            log.warning("a poll could not be served: %s", error, extra={"device": device.id})
            return None

    async def _handed(self, visit: Visit, device: Device, kinds: frozenset[str]) -> Command | None:
        command = await self._handout.next(device, visit.peer, kinds)
        if command is None:
            self._log.polled(device.id)
            return None
        if visit.is_gone or self._door.clock.mono_s() - visit.arrived_s > ANSWER_S:
            await self._handout.take_back(command)  # not a byte has left yet, and now none will
            return None
        slot = (command.args or {}).get("slot")
        told = WORDS[command.kind] + (f" slot {slot}" if slot else "")
        self._talk.add(self._shown(device), "sent", told)
        return command

    async def _settle(self, device: Device, slot: int, visit: Visit, said: str, *, done: bool) -> None:
        reason = "" if done else visit.text("message") or "The machine says that it failed."
        outcome = Outcome(verdict=Verdict.DONE if done else Verdict.FAILED, reason=reason)
        if not await self._handout.confirmed(device, slot, visit.peer, outcome):
            await self._log.add(device.id, "hub", f"{said}, but no vend of it waits for that; nothing changed")

    def _told_by(self, device: Device, said: str) -> None:
        self._talk.add(self._shown(device), "received", said[:TALK_CHARS])
        self._log.exchange(device.id, "in", "http", said)

    def _shown(self, device: Device) -> str:
        alias = next((alias for system, alias in device.aliases if system == SYSTEM), device.id)
        return old_id(alias)


def _order(command: Command, visit: Visit) -> web.Response:
    """What the machine parses: `command` and `slot` first, and far below the 200 bytes that its sketch can hold."""
    body: dict[str, object] = {"command": WORDS[command.kind]}
    if command.kind == "vend":
        body["slot"] = (command.args or {})["slot"]
    body["timestamp"] = command.created_us // 1_000_000
    return web.Response(body=msgspec.json.encode(body), content_type="application/json")


def _nothing(body: bytes, content_type: str) -> web.Response:
    return web.Response(body=body, content_type=content_type)


def _facts(visit: Visit) -> Facts:
    facts: Facts = {
        "ip_address": visit.text("ip_address"),
        "fw": visit.text("firmware_version"),
        "type": visit.text("device_type") or visit.text("type"),
    }
    slots = _slot(visit.body.get("slots_available"))
    if slots is not None:
        facts["slots_available"] = slots
    return {name: value for name, value in facts.items() if value}


def _slot(value: object) -> int | None:
    """A number of one of its slots, None for anything else."""
    if isinstance(value, str) and value.isdecimal() and len(value) == 1:
        value = int(value)
    if isinstance(value, bool) or not isinstance(value, int | float) or value not in range(1, OLD_SLOTS + 1):
        return None
    return int(value)
