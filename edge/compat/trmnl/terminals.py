"""Every TRMNL by its MAC and its key: taken in, and told apart from whoever claims to be one.

A MAC is no secret: it stands on the panel's back and in the air. So whoever comes with the MAC of a terminal that
is known, and not with its key, is another device until a technician says that the two are one; each shows an id
of its own on its panel, for him to compare. Until then the key that counts goes on to count.
"""

from __future__ import annotations

import asyncio
import secrets

from edge.compat.trmnl.words import Said, panel_name
from edge.content.render.panels import panel_named
from edge.devices.log.log import NOTED, DeviceLog
from edge.devices.model import ASLEEP, PROFILES, Device, Facts, asleep_step
from edge.devices.registry import Registry
from edge.errors import NotFound

SYSTEM = PROFILE = "trmnl"
KEY_BYTES = 24
FRIENDLY_CHARS = 6
_SIGNS = "23456789ABCDEFGHJKLMNPQRSTUVWXYZ"  # without those that look alike
MAC, FRIENDLY, ADDRESS, FIRMWARE, MODEL = "mac", "friendly_id", "address", "fw", "model"
KNOWN_AS = "same_board_as"


class Terminals:
    """Takes terminals in and finds them."""

    def __init__(self, registry: Registry, device_log: DeviceLog) -> None:
        self._registry, self._log = registry, device_log
        self._taking = asyncio.Lock()  # one at a time, so that who is new is taken in once

    def of_key(self, said: Said) -> Device | None:
        """Whose key this is, whatever MAC it says."""
        device = self._registry.by_token(said.token) if said.token else None
        return device if device is not None and device.profile == PROFILE else None

    def holder(self, said: Said) -> Device | None:
        """Whose key this is, of any kind."""
        return self._registry.by_token(said.token) if said.token else None

    def is_one(self, device: Device, said: Said) -> bool:
        """Whether this is its MAC, too."""
        return device.profile == PROFILE and bool(said.mac) and device.facts.get(MAC) == said.mac

    async def set_up(self, said: Said, address: str) -> tuple[Device, str] | None:
        """A terminal that has no key, and the one it gets, told this once. None when too many wait already. Raises
        StorageError."""
        key = secrets.token_urlsafe(KEY_BYTES)
        device = await self._taken_in(said, address, key)
        return (device, key) if device is not None else None

    async def comes_with(self, said: Said, address: str) -> Device | None:
        """A terminal with a key from before: of another server, or of this hub before it lost its database. It
        keeps that key, and waits for approval. None when too many wait already. Raises StorageError."""
        return await self._taken_in(said, address, said.token)

    async def heard(self, device: Device, said: Said, address: str) -> Device:
        """Keep what it says of itself; of one that waits only what is not known yet, so that a stranger cannot fill
        the ledger with changes of mind. Raises StorageError."""
        facts: Facts = {ADDRESS: address, FIRMWARE: said.firmware, MODEL: said.model}
        told: Facts = {name: value for name, value in facts.items() if value and _is_news(device, name, value)}
        panel = _drawable(panel_name(said)) or device.panel
        if panel == device.panel or not (device.approved or device.panel == PROFILES[PROFILE].panel):
            return await self._registry.note(device, told) if told else device
        if device.approved:
            text = f"its panel is {panel} now, and was {device.panel}"
            self._log.exchange(device.id, "in", "http", text, level=NOTED)
        return await self._registry.met(
            device, epoch=device.epoch, last_seq=device.last_seq, panel=panel, facts=told
        )

    async def sleeps(self, device: Device, longest_s: int) -> None:
        """It is told to come again after so long at most. Raises StorageError."""
        step = asleep_step(longest_s)
        if device.facts.get(ASLEEP) != step:
            await self._registry.note(device, {ASLEEP: step, "sleeps": True})

    # --- inside

    async def _taken_in(self, said: Said, address: str, key: str) -> Device | None:
        async with self._taking:
            device = await self._waiting(said, address)
            return await self._registry.adopt_token(device, key, actor="itself") if device is not None else None

    async def _waiting(self, said: Said, address: str) -> Device | None:
        """The record that waits for approval with this MAC, from this address; a new one where there is none."""
        known = self._registry.by_alias(SYSTEM, said.mac)
        if known is None:
            return await self._new(said.mac, said, address, {})
        if not known.approved and known.facts.get(ADDRESS) == address:
            return await self._other_letters(known)
        for device in self._registry.all():
            is_it = (device.facts.get(KNOWN_AS), device.facts.get(ADDRESS)) == (known.id, address)
            if is_it and device.profile == PROFILE and not device.approved:
                return await self._other_letters(device)
        self._log.exchange(
            known.id,
            "in",
            "http",
            f"a terminal at {address} has its MAC and another key; it waits for approval",
            level=NOTED,
        )
        return await self._new(f"{said.mac} {_friendly()}", said, address, {KNOWN_AS: known.id})

    async def _other_letters(self, device: Device) -> Device:
        """A record that waits gets another key. The letters are of the key, not of the record: a panel which was
        given the key before goes on to show those from before, and a person sees that it is not this one."""
        letters = _friendly()
        device = await self._registry.rename(device, f"TRMNL {letters}", actor="itself")
        return await self._registry.note(device, {FRIENDLY: letters})

    async def _new(self, alias: str, said: Said, address: str, more: Facts) -> Device | None:
        friendly = alias.partition(" ")[2] or _friendly()
        facts: Facts = {MAC: said.mac, ADDRESS: address, FRIENDLY: friendly, **more}
        facts |= {name: text for name, text in ((FIRMWARE, said.firmware), (MODEL, said.model)) if text}
        return await self._registry.take_in(SYSTEM, alias, PROFILE, name=f"TRMNL {friendly}", facts=facts)


def _friendly() -> str:
    return "".join(secrets.choice(_SIGNS) for _ in range(FRIENDLY_CHARS))


def _is_news(device: Device, name: str, value: object) -> bool:
    known = device.facts.get(name)
    return known != value and (device.approved or not known)


def _drawable(name: str) -> str:
    """The panel of that name where one can be drawn for, '' else."""
    try:
        return panel_named(name).name if name else ""
    except NotFound:
        return ""


def panel_of(device: Device) -> str:
    """The panel of a terminal; the usual one where it never said."""
    return device.panel or PROFILES[PROFILE].panel
