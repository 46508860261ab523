"""Finds the device behind a request of an old asset logger, and takes in those that are new.

voices.py has the rule. What a caller says of whom it has to be seen yet who it is, waits here, bounded, and is
handed on with its own times once that is clear.
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Callable

import msgspec

from edge.assets.history.importing import PROFILE, SYSTEM
from edge.compat.assets.logger import Report
from edge.compat.assets.voices import Caller, Verdict, Voice, judge
from edge.devices.log.log import NOTED, DeviceLog
from edge.devices.model import ALIAS_CHARS, Device, Facts
from edge.devices.registry import Registry
from edge.serving.visits import line

log = logging.getLogger(__name__)

VOICES_MAX = 8  # loggers with one id; more are somebody's play
CALLERS_MAX, REPORTS_MAX = 32, 200  # who waits, and what is kept of each: two minutes of a busy one
NAMED = 3  # of ids that are not one logger's, in one sentence for a person
ID_CHARS = ALIAS_CHARS - 8  # of the id that a logger claims; what tells two of one id apart stands behind it

ID_FACT, MAC_FACT, FIRMWARE_FACT, ADDRESS_FACT = "logger_id", "mac", "fw", "address"


class Waiting(msgspec.Struct):
    """A caller of whom it is not clear yet who it is."""

    logger_id: str
    caller: Caller
    since_s: float
    reports: deque[tuple[Caller, Report]]


class Callers:
    """Every voice by the id it claims. `mac_of` names the board behind an address, '' where that is not known."""

    def __init__(self, registry: Registry, device_log: DeviceLog, mac_of: Callable[[str], str]) -> None:
        self._registry, self._log, self._mac_of = registry, device_log, mac_of
        self._voices: dict[str, list[Voice]] = {}
        self._waiting: dict[tuple[str, str], Waiting] = {}
        self._unclear: dict[str, str] = {}  # ids that two loggers claim from one address
        self._hearing = asyncio.Lock()  # one at a time, so that who is new is taken in once

    def start(self, now_s: float) -> None:
        """Recall every logger where it was heard last."""
        for device in self._registry.all():
            for system, alias in device.aliases:
                if system == SYSTEM:
                    voice = Voice(alias, *_place(device.facts), heard_s=now_s)
                    self._voices.setdefault(_id(device, alias), []).append(voice)

    def address_of(self, device: Device) -> str:
        """Where a logger was heard last, '' where that is not known."""
        return str(device.facts.get(ADDRESS_FACT) or "")

    def caller(self, address: str, report: Report) -> Caller:
        """Who asks, as far as the request tells."""
        firmware = line(report.body.get("firmware_version"))
        return Caller(address, self._mac_of(address), firmware, report.kind == "register")

    def known(self, logger_id: str, caller: Caller, now_s: float) -> Device | None:
        """The device of this caller where that is clear, without noting anything: whom its request counts for."""
        verdict, voice = judge(self._of(logger_id), caller, now_s, now_s)
        return self._device(voice) if verdict is Verdict.KNOWN and voice is not None else None

    async def heard(
        self, logger_id: str, caller: Caller, report: Report, facts: Facts, now_s: float
    ) -> tuple[Device | None, str]:
        """The device that speaks, taken in when it is new; None with the reason where nothing can be done with it.

        '' for one that waits. Raises StorageError, or BadInput for an impossible id.
        """
        async with self._hearing:
            return await self._heard(logger_id, caller, report, facts, now_s)

    def due(self, now_s: float) -> list[Waiting]:
        """Callers of whom it is clear by now who they are; what they said is handed on."""
        clear = [
            key
            for key, waits in self._waiting.items()
            if judge(self._of(waits.logger_id), waits.caller, now_s, waits.since_s)[0] is not Verdict.WAIT
        ]
        return [self._waiting[key] for key in clear]

    def is_over(self, waits: Waiting) -> None:
        """What it said has been handed on."""
        self._waiting.pop((waits.logger_id, waits.caller.address), None)

    def problems(self) -> list[str]:
        """What a person should see: ids that are not one logger's."""
        doubled, unclear = [], []
        for logger_id in sorted(self._voices):
            devices = {device.id: device for voice in self._of(logger_id) if (device := self._device(voice))}
            if len(devices) > 1:
                named = " and ".join(f"{one.name} ({self.address_of(one)})" for one in devices.values())
                doubled.append(f"{len(devices)} asset loggers call themselves {logger_id}: {named}.")
        for logger_id, address in sorted(self._unclear.items()):
            if sum(voice.address == address for voice in self._of(logger_id)) > 1:
                unclear.append(_UNCLEAR.format(address=address, logger_id=logger_id))
        return [f"{_first(found)} {_SAME}" for found in (doubled, unclear) if found]

    # --- inside

    async def _heard(
        self, logger_id: str, caller: Caller, report: Report, facts: Facts, now_s: float
    ) -> tuple[Device | None, str]:
        waits = self._waiting.get((logger_id, caller.address))
        since_s = report.received_s if waits is None else waits.since_s
        if waits is not None and not caller.firmware:
            caller = msgspec.structs.replace(caller, firmware=waits.caller.firmware)
        verdict, voice = judge(self._of(logger_id), caller, now_s, since_s)
        if verdict is Verdict.WAIT:
            self._wait(logger_id, caller, report, waits)
            return None, ""
        if verdict is Verdict.EITHER:
            self._unclear[logger_id] = caller.address
            return None, f"Two loggers at {caller.address} call themselves {logger_id}: which of them says this?"
        device = None if voice is None else self._device(voice)
        if voice is None or device is None:
            return await self._taken_in(logger_id, caller, report, facts)
        return await self._placed(voice, device, caller, report, facts), ""

    def _of(self, logger_id: str) -> list[Voice]:
        """The voices with this id whose device is not forgotten."""
        return [voice for voice in self._voices.get(logger_id, []) if self._device(voice) is not None]

    def _let_go(self) -> None:
        """Keep no voice whose device is forgotten: anybody on the network can make up ids."""
        living = {logger_id: voices for logger_id in self._voices if (voices := self._of(logger_id))}
        self._voices = living
        self._unclear = {logger_id: at for logger_id, at in self._unclear.items() if logger_id in living}

    def _device(self, voice: Voice) -> Device | None:
        return self._registry.by_alias(SYSTEM, voice.alias)

    async def _placed(self, voice: Voice, device: Device, caller: Caller, report: Report, facts: Facts) -> Device:
        """A voice that is known, from where it speaks now."""
        if voice.address != caller.address:
            moved = f"speaks from {caller.address} now, before from {voice.address or 'elsewhere'}"
            self._log.exchange(device.id, "in", "http", moved)
        voice.address, voice.heard_s = caller.address, max(voice.heard_s, report.received_s)
        voice.mac = caller.mac or voice.mac
        voice.firmware = caller.firmware or voice.firmware
        where: Facts = {ADDRESS_FACT: voice.address, MAC_FACT: voice.mac, FIRMWARE_FACT: voice.firmware}
        said = {**facts, **{name: value for name, value in where.items() if value}}
        if any(device.facts.get(name) != value for name, value in said.items()):
            device = await self._registry.take_in(SYSTEM, voice.alias, PROFILE, facts=said) or device
        return device

    async def _taken_in(
        self, logger_id: str, caller: Caller, report: Report, facts: Facts
    ) -> tuple[Device | None, str]:
        others = self._of(logger_id)
        if len(others) >= VOICES_MAX:
            return None, f"Too many loggers call themselves {logger_id}; this one was not taken in."
        alias = _free(logger_id, {voice.alias for voice in others})
        name = str(facts.get("logger_name") or logger_id)
        where: Facts = {ID_FACT: logger_id, ADDRESS_FACT: caller.address}
        more: Facts = {MAC_FACT: caller.mac, FIRMWARE_FACT: caller.firmware}
        said = {**facts, **where, **{fact: value for fact, value in more.items() if value}}
        shown = name if not others else f"{name} {alias.rpartition(' ')[2]}"
        device = await self._registry.take_in(SYSTEM, alias, PROFILE, name=shown, facts=said)
        if device is None:
            return None, "Too many loggers wait for approval; this one was not taken in."
        self._let_go()
        voice = Voice(alias, caller.address, caller.mac, caller.firmware, report.received_s)
        self._voices.setdefault(logger_id, []).append(voice)
        for other in others:
            self._tell_both(logger_id, other, device, caller)
        return device, ""

    def _tell_both(self, logger_id: str, other: Voice, device: Device, caller: Caller) -> None:
        before = self._device(other)
        if before is None or before.id == device.id:
            return
        text = f"another logger calls itself {logger_id} too: {{}} at {{}}. {_SAME}"
        log.warning(
            "two asset loggers have one id", extra={"logger_id": logger_id, "devices": [before.id, device.id]}
        )
        self._log.exchange(before.id, "", "", text.format(device.id, caller.address), level=NOTED)
        self._log.exchange(device.id, "", "", text.format(before.id, other.address), level=NOTED)

    def _wait(self, logger_id: str, caller: Caller, report: Report, waits: Waiting | None) -> None:
        if waits is None:
            if len(self._waiting) >= CALLERS_MAX:
                self._waiting.pop(next(iter(self._waiting)))
            waits = Waiting(logger_id, caller, report.received_s, deque(maxlen=REPORTS_MAX))
            self._waiting[logger_id, caller.address] = waits
        waits.caller = caller
        waits.reports.append((caller, msgspec.structs.replace(report, waited=True)))


def _id(device: Device, alias: str) -> str:
    return str(device.facts.get(ID_FACT) or alias)


def _place(facts: Facts) -> tuple[str, str, str]:
    address, mac, firmware = (str(facts.get(name) or "") for name in (ADDRESS_FACT, MAC_FACT, FIRMWARE_FACT))
    return address, mac, firmware


def _free(logger_id: str, taken: set[str]) -> str:
    """A name of its own for one more logger with this id."""
    if logger_id not in taken:
        return logger_id
    return next(name for number in range(2, VOICES_MAX + 2) if (name := f"{logger_id} ({number})") not in taken)


def _first(sentences: list[str]) -> str:
    """The first of them, and how many more there are: a network full of doubled ids is still one problem."""
    more = len(sentences) - NAMED
    return " ".join(sentences[:NAMED]) + (f" The same holds for {more} more ids." if more > 0 else "")


_UNCLEAR = (
    "Two asset loggers at {address} call themselves {logger_id}, and nothing tells whose changes are whose: none of"
    " them is kept."
)
_SAME = (
    "Give each logger a LOGGER_ID of its own in its sketch; until then the hub tells them apart by where they are."
)
