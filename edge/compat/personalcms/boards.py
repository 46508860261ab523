"""Finds the device behind a request of an older board, and takes in those that are new (units.py has the rule)."""

from __future__ import annotations

import asyncio
import logging
from collections import OrderedDict
from collections.abc import Callable

import msgspec

from edge.clock import Clock
from edge.compat.personalcms.units import Caller, Unit, Verdict, judge
from edge.compat.personalcms.variants import PROFILE, SYSTEM, chip_of, sleeps, type_of
from edge.devices.log.log import NOTED, DeviceLog
from edge.devices.model import ALIAS_CHARS, Device, DeviceState, Facts
from edge.devices.presence import Presences
from edge.devices.registry import Registry

log = logging.getLogger(__name__)

ID_CHARS = ALIAS_CHARS - 8  # of the id a board claims; what tells two of one id apart stands behind it
ALIKE_MAX = 64  # boards with one id
WAITING_MAX = 64
NAMED = 3  # of ids that several boards have, in one sentence
ID, ADDRESS, MAC, BOARD_MAC, FIRMWARE, CHIP, BOARD, SLEEPS = (
    "device_id",
    "address",
    "mac",
    "board_mac",
    "firmware",
    "chip",
    "board",
    "sleeps",
)


class Said(msgspec.Struct, frozen=True):
    """What a request says of its board: which firmware it runs, its type, its name, and what else is kept."""

    firmware: str = ""
    board: str = ""
    name: str = ""
    facts: Facts = {}


class Heard(msgspec.Struct, frozen=True):
    """Whose request it is: None with the reason where nothing can be done with it, '' for one that waits.

    `before`: what the device was known to run until now.
    """

    device: Device | None
    why: str = ""
    before: str = ""


class Boards:
    """Every board by MAC, address and id. `mac_of` names the board at an address, '' where that is not known."""

    def __init__(
        self,
        registry: Registry,
        presences: Presences,
        device_log: DeviceLog,
        clock: Clock,
        mac_of: Callable[[str], str],
        given: Callable[[str], str],
    ) -> None:
        """`given(device)`: the firmware that a device was just given, '' for none."""
        self._registry, self._presences, self._log = registry, presences, device_log
        self._clock, self._mac_of, self._given = clock, mac_of, given
        self._units: list[Unit] = []
        self._waiting: OrderedDict[Caller, float] = OrderedDict()
        self._hearing = asyncio.Lock()  # one at a time, so that who is new is taken in once

    def start(self) -> None:
        """Recall every board where it was heard last."""
        for device in self._registry.all():
            alias = next((alias for system, alias in device.aliases if system == SYSTEM), "")
            if device.profile == PROFILE and alias:
                said = {name: str(device.facts.get(name) or "") for name in (ID, ADDRESS, MAC, BOARD_MAC)}
                unit = Unit(alias, said[ID] or alias, said[ADDRESS], said[MAC], said[BOARD_MAC])
                unit.heard_s, unit.sleeps = self._clock.mono_s(), bool(device.facts.get(SLEEPS))
                self._units.append(unit)

    def caller(self, claimed: str, address: str) -> Caller:
        """Who asks, as far as a request without a MAC tells."""
        return Caller(claimed, address, self._mac_of(address))

    def known(self, caller: Caller) -> Device | None:
        """The device of this caller where that is clear, without noting anything."""
        now_s = self._clock.mono_s()
        verdict, unit = judge(self._living(), caller, self._expects, now_s, now_s)
        return self._device(unit) if verdict is Verdict.KNOWN and unit is not None else None

    async def heard(self, caller: Caller, how: str, said: Said) -> Heard:
        """The device that speaks, taken in when it is new. Raises StorageError, BadInput for an impossible id."""
        async with self._hearing:
            return await self._heard(caller, how, said)

    def at(self, address: str, board: str) -> Device | None:
        """The device that downloads from here and says that it has this MAC; None where that is not clear."""
        network = self._mac_of(address)
        living = [unit for unit in self._living() if _is_there(unit, network)]
        same = [unit for unit in living if board and unit.board == board]
        here = same or [unit for unit in living if unit.address == address and self._may_be(unit, board)]
        return self._device(here[0]) if len(here) == 1 else None

    def speaks_for(self, device: Device, address: str, board: str) -> bool:
        """Whether whoever downloads from here, with this MAC by its own word, may be this device. Where the network
        says which board is there, its word does not count against that."""
        network = self._mac_of(address)
        return any(
            _is_there(unit, network)
            and self._may_be(unit, board)
            and (unit.address == address or (board and unit.board == board))
            for unit in self._living()
            if self._is_of(unit, device)
        )

    async def has_board(self, device: Device, board: str, facts: Facts) -> Device:
        """A device has told its MAC, and what it runs, with a download. Raises StorageError."""
        for unit in self._living():
            if self._is_of(unit, device):
                unit.board = board or unit.board
                told = {**facts, **({BOARD_MAC: board} if board else {})}
                return await self._registry.note(device, told)
        return device

    async def tell_apart(self, taken_for: Device, address: str, board: str) -> Device | None:
        """A board with this MAC was taken for another at its address, which is not known to be there any more.

        The one that is there, taken in when it is new. Raises StorageError.
        """
        async with self._hearing:
            other = next((unit for unit in self._living() if self._is_of(unit, taken_for)), None)
            claimed = other.claimed if other is not None else board
            if other is not None and other.address == address:
                other.address = ""
            found = next((unit for unit in self._living() if board in (unit.board, unit.mac)), None)
            if found is not None:
                found.address, found.board = address, board
                return self._device(found)
            heard = await self._taken_in(Caller(claimed, address, board), "download", Said())
            for unit in self._units:
                unit.board = board if unit.mac == board else unit.board
            return heard.device

    def problems(self) -> list[str]:
        """Ids that several boards have: nobody can tell them apart by those."""
        alike: dict[str, list[Device]] = {}
        for unit in self._living():
            device = self._device(unit)
            if device is not None:
                alike.setdefault(unit.claimed, []).append(device)
        doubled = [(claimed, devices) for claimed, devices in sorted(alike.items()) if len(devices) > 1]
        told = [
            f"{len(devices)} boards call themselves {claimed}: {', '.join(one.id for one in devices[:NAMED])}."
            for claimed, devices in doubled[:NAMED]
        ]
        if not told:
            return []
        return [" ".join(told) + " The id is compiled into their sketch; the hub tells them apart by their MAC."]

    def forget(self, device: Device) -> None:
        """The device is gone."""
        self._units = [unit for unit in self._living() if not self._is_of(unit, device)]

    # --- inside

    async def _heard(self, caller: Caller, how: str, said: Said) -> Heard:
        now_s = self._clock.mono_s()
        since_s = self._waiting.get(caller, now_s)
        verdict, unit = judge(self._living(), caller, self._expects, now_s, since_s)
        if verdict is Verdict.WAIT:
            self._waiting.setdefault(caller, now_s)
            if len(self._waiting) > WAITING_MAX:
                self._waiting.popitem(last=False)
            return Heard(None)
        self._waiting.pop(caller, None)
        if verdict is Verdict.EITHER:
            return Heard(
                None, f"Several boards at {caller.address} call themselves {caller.claimed}: which is this?"
            )
        device = None if unit is None else self._device(unit)
        if unit is None or device is None:
            return await self._taken_in(caller, how, said)
        before = str(device.facts.get(FIRMWARE) or "")
        device = await self._placed(unit, device, caller, said)
        self._presences.seen(device.id, how)
        return Heard(device, "", before)

    async def _placed(self, unit: Unit, device: Device, caller: Caller, said: Said) -> Device:
        """A board that is known, from where and as what it speaks now."""
        if unit.address != caller.address:
            self._log.exchange(device.id, "in", "http", f"speaks from {caller.address}, before from {unit.address}")
        if unit.claimed != caller.claimed:
            text = f"calls itself {caller.claimed} now, before {unit.claimed}"
            self._log.exchange(device.id, "in", "http", text, level=NOTED)
        unit.claimed, unit.address, unit.mac = caller.claimed, caller.address, caller.mac or unit.mac
        unit.heard_s = self._clock.mono_s()
        facts = _facts(caller, said, device.facts)
        unit.sleeps = bool(facts[SLEEPS])
        if any(device.facts.get(name) != value for name, value in facts.items()):
            device = await self._registry.take_in(SYSTEM, unit.alias, PROFILE, facts=facts) or device
            device = await self._registry.call_also(device, SYSTEM, caller.claimed)
        return device

    async def _taken_in(self, caller: Caller, how: str, said: Said) -> Heard:
        alike = [unit for unit in self._living() if unit.claimed == caller.claimed]
        if len(alike) >= ALIKE_MAX:
            return Heard(None, f"Too many boards call themselves {caller.claimed}; this one was not taken in.")
        taken = {unit.alias for unit in self._living()}
        alias = caller.mac if caller.mac and caller.mac not in taken else self._free(caller.claimed, taken)
        facts, name = _facts(caller, said, {}), said.name or caller.claimed
        if alike:
            name = f"{name} {caller.mac or caller.address}"
        device = await self._registry.take_in(SYSTEM, alias, PROFILE, name=name, facts=facts)
        if device is None:
            return Heard(None, "Too many boards wait for approval; this one was not taken in.")
        device = await self._registry.call_also(device, SYSTEM, caller.claimed)
        unit = Unit(alias, caller.claimed, caller.address, caller.mac, heard_s=self._clock.mono_s())
        unit.sleeps = bool(facts[SLEEPS])
        self._units = [*self._living(), unit]
        self._presences.seen(device.id, how)
        for other in alike:
            log.warning("two older boards have one id", extra={"claimed": caller.claimed, "alias": other.alias})
        return Heard(device)

    def _free(self, claimed: str, taken: set[str]) -> str:
        """A name of its own for one more board with this id."""
        names = (claimed, *(f"{claimed} ({number})" for number in range(2, ALIKE_MAX + 3)))
        free = (name for name in names if name not in taken and self._registry.by_alias(SYSTEM, name) is None)
        return next(free, claimed)

    def _living(self) -> list[Unit]:
        """The boards whose device is not forgotten."""
        return [unit for unit in self._units if self._device(unit) is not None]

    def _device(self, unit: Unit) -> Device | None:
        device = self._registry.by_alias(SYSTEM, unit.alias)
        return device if device is not None and device.state is not DeviceState.FORGOTTEN else None

    def _expects(self, unit: Unit, claimed: str) -> bool:
        device = self._device(unit)
        given = self._given(device.id) if device is not None else ""
        return bool(given) and given == type_of(claimed)

    def _is_of(self, unit: Unit, device: Device) -> bool:
        its = self._device(unit)
        return its is not None and its.id == device.id

    @staticmethod
    def _may_be(unit: Unit, board: str) -> bool:
        return not (unit.board and board) or unit.board == board


def _is_there(unit: Unit, network: str) -> bool:
    """Whether a board may be where the network has this MAC, '' for none that is known."""
    return not (network and unit.mac) or network == unit.mac


def _facts(caller: Caller, said: Said, known: Facts) -> Facts:
    """What is kept of a board; what a request does not say stays as it is, unless it calls itself otherwise."""
    firmware = said.firmware or type_of(caller.claimed)
    if not firmware and known.get(ID) == caller.claimed:
        firmware = str(known.get(FIRMWARE) or "")
    board = said.board or str(known.get(BOARD) or "")
    facts: Facts = {
        **said.facts,
        ID: caller.claimed,
        ADDRESS: caller.address,
        FIRMWARE: firmware,
        CHIP: chip_of(caller.claimed, firmware, board),
        SLEEPS: sleeps(firmware),
    }
    more = {BOARD: board, MAC: caller.mac}
    return {**facts, **{name: value for name, value in more.items() if value}}
