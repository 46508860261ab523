"""The devices of this hub: taken in, approved, renamed, forgotten.

All devices are held in memory (one hub owns some hundreds) and changed only after their commit.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable

import msgspec

from edge.access.model import hash_secret, new_secret
from edge.bus import Bus
from edge.clock import Clock
from edge.devices import store as sql
from edge.devices.model import (
    ALIAS_CHARS,
    FACTS_BYTES,
    NAME_CHARS,
    PENDING_DEVICES,
    PROFILES,
    Device,
    DeviceState,
    canonical_id,
    check_name,
    new_id,
)
from edge.devices.presence import DeviceChanged
from edge.errors import BadInput, Conflict, NotFound
from edge.store.database import Database

Facts = dict[str, str | int | float | bool | None]


class Registry:
    """Every device."""

    def __init__(
        self, database: Database, bus: Bus, clock: Clock, *, auto_approve: bool, reports_kept: int
    ) -> None:
        self._db, self._bus, self._clock = database, bus, clock
        self._auto_approve, self._reports_kept = auto_approve, reports_kept
        self._devices: dict[str, Device] = {}
        self._aliases: dict[tuple[str, str], str] = {}
        self._changing = asyncio.Lock()  # one change at a time, each made to the device as it is by then
        self.turned_away = 0  # devices not taken in because too many were pending

    async def start(self) -> None:
        """Load every device."""
        for device in await self._db.write(sql.load):
            self._remember(device)

    def all(self) -> list[Device]:
        """Every device that is not forgotten, pending ones first, then by name."""
        known = [device for device in self._devices.values() if device.state is not DeviceState.FORGOTTEN]
        return sorted(known, key=lambda device: (device.approved, device.name.casefold(), device.id))

    def get(self, id_or_name: str) -> Device:
        """The device with this id, MAC, alias or unique name. Raises NotFound, or Conflict when several bear it."""
        device = self.find(id_or_name)
        if device is None:
            raise NotFound(f"There is no device {id_or_name!r}.", hint="`outpost device list` shows them all.")
        return device

    def find(self, id_or_name: str) -> Device | None:
        """Like get, but None when there is none."""
        device = self._devices.get(id_or_name) or self._devices.get(canonical_id(id_or_name) or "")
        if device is not None and device.state is not DeviceState.FORGOTTEN:
            return device
        named = [d for d in self.all() if d.name == id_or_name or id_or_name in (alias for _, alias in d.aliases)]
        if len(named) > 1:
            raise Conflict(
                f"{len(named)} devices answer to {id_or_name!r}.", hint="Give the id instead of the name."
            )
        return named[0] if named else None

    def known(self, device_id: str) -> Device:
        """The device with exactly this id, forgotten ones too: their commands still name them."""
        return self._devices[device_id]

    def by_alias(self, system: str, alias: str) -> Device | None:
        """The device an older system knows as `alias`."""
        device_id = self._aliases.get((system, alias))
        return self._devices[device_id] if device_id else None

    async def add(self, name: str, kind: str, profile: str, *, actor: str) -> tuple[Device, str]:
        """A device expected by a technician, approved at once; returns it with its token, shown this once."""
        if profile not in PROFILES or PROFILES[profile].kind != kind:
            fitting = ", ".join(f"{p.kind}/{p.name}" for p in PROFILES.values())
            raise BadInput(f"There is no {kind!r} with the profile {profile!r}.", hint=f"Known: {fitting}.")
        _, secret = new_secret()
        now_us = self._clock.now().at_us
        device = Device(
            id=new_id(),
            name=check_name(name),
            kind=kind,
            profile=profile,
            state=DeviceState.APPROVED,
            panel=PROFILES[profile].panel,
            token_hash=hash_secret(secret),
            created_us=now_us,
            approved_us=now_us,
            approved_by=actor,
        )
        await self._save(device, "device.added", name=device.name, kind=kind, profile=profile, by=actor)
        return device, secret

    async def take_in(
        self, system: str, alias: str, profile: str, *, name: str = "", kind: str = "", facts: Facts
    ) -> Device | None:
        """The device that calls itself `alias`, taken in as pending when new; `kind` if not its profile's own.

        What it says of itself is kept, bounded. None when too many are pending already. Raises BadInput for an
        impossible alias.
        """
        if not 1 <= len(alias) <= ALIAS_CHARS or not alias.isprintable():
            raise BadInput(f"A device's id has 1 to {ALIAS_CHARS} printable characters.")
        if len(msgspec.json.encode(facts)) > FACTS_BYTES:
            facts = {}
        async with self._changing:
            device = self.by_alias(system, alias)
            if device is not None:
                changed = {key: value for key, value in facts.items() if device.facts.get(key) != value}
                if changed:
                    device = msgspec.structs.replace(device, facts={**device.facts, **changed})
                    await self._save(device, "device.reported", **_public(changed))
                return device
            return await self._take_in_new(system, alias, PROFILES[profile].name, name, kind, facts)

    async def _take_in_new(
        self, system: str, alias: str, profile: str, name: str, kind: str, facts: Facts
    ) -> Device | None:
        if sum(device.state is DeviceState.PENDING for device in self._devices.values()) >= PENDING_DEVICES:
            self.turned_away += 1
            return None
        now_us = self._clock.now().at_us
        approved = self._auto_approve
        mac = canonical_id(alias)
        forgotten = self._devices.get(mac or "")
        if forgotten is not None and forgotten.state is not DeviceState.FORGOTTEN:
            mac = forgotten = None  # another system's device has this MAC: a claim of it gains nothing
        device = Device(
            id=mac or new_id(),
            name=_shown_name(name) or alias[:NAME_CHARS],
            kind=kind or PROFILES[profile].kind,
            profile=profile,
            state=DeviceState.APPROVED if approved else DeviceState.PENDING,
            panel=PROFILES[profile].panel if kind in ("", "display") else "",
            last_seq=forgotten.last_seq if forgotten else 0,
            facts=facts,
            aliases=((system, alias),),
            created_us=now_us,
            approved_us=now_us if approved else None,
            approved_by="auto-approve" if approved else "",
        )
        await self._save(device, "device.registered", profile=profile, state=device.state.value, alias=alias)
        return device

    async def approve(self, device: Device, *, actor: str) -> Device:
        """Let it be told to act. Approving twice changes nothing."""
        async with self._changing:
            device = self._as_it_is(device)
            if device.approved:
                return device
            approved = msgspec.structs.replace(
                device, state=DeviceState.APPROVED, approved_us=self._clock.now().at_us, approved_by=actor
            )
            await self._save(approved, "device.approved", by=actor)
            await self._db.write(lambda tx: sql.drop_reports(tx, device.id))
            return approved

    async def rename(self, device: Device, name: str, *, actor: str) -> Device:
        """Give it another name."""
        async with self._changing:
            device = self._as_it_is(device)
            renamed = msgspec.structs.replace(device, name=check_name(name))
            await self._save(renamed, "device.renamed", name=renamed.name, before=device.name, by=actor)
            return renamed

    async def forget(self, device: Device, *, actor: str) -> None:
        """Take its approval, token and aliases away; when it shows up again it is pending anew."""
        async with self._changing:
            device = self._as_it_is(device)
            gone = msgspec.structs.replace(
                device, state=DeviceState.FORGOTTEN, aliases=(), token_hash=None, approved_us=None, approved_by=""
            )
            await self._save(gone, "device.forgotten", name=device.name, by=actor)

    async def met(self, device: Device, *, epoch: str, last_seq: int, panel: str) -> Device:
        """Take over what a device said in its handshake; command numbers go on behind its own high-water mark."""
        async with self._changing:
            device = self._as_it_is(device)
            met = msgspec.structs.replace(
                device, epoch=epoch, last_seq=max(last_seq, device.last_seq), panel=panel or device.panel
            )
            if met != device:
                await self._save(met, "device.met", epoch=epoch, last_seq=last_seq, panel=met.panel)
            return met

    def _as_it_is(self, device: Device) -> Device:
        """The device now: what the caller holds may be older than another's change. Raises NotFound."""
        now = self._devices[device.id]
        if now.state is DeviceState.FORGOTTEN:
            raise NotFound(f"{device.name} has been forgotten.", hint="When it shows up again it is pending.")
        return now

    async def report(self, device: Device, body: str) -> None:
        """Keep what a pending device says apart, bounded."""
        await self._db.write(lambda tx: sql.report(tx, device.id, body, self._reports_kept))

    async def _save(self, device: Device, fact: str, **body: object) -> None:
        await self._db.write(lambda tx: sql.save(tx, device, fact, **body))
        self._remember(device)
        self._bus.publish(DeviceChanged(device_id=device.id))

    def _remember(self, device: Device) -> None:
        for key in [key for key, owner in self._aliases.items() if owner == device.id]:
            del self._aliases[key]
        self._devices[device.id] = device
        for key in device.aliases:
            self._aliases[key] = device.id

    def numbered(self, numbers: Iterable[tuple[str, int]]) -> None:
        """Follow the command numbers that a commit has given out."""
        for device_id, seq in numbers:
            device = self._devices[device_id]
            self._devices[device_id] = msgspec.structs.replace(device, last_seq=max(device.last_seq, seq))


def _shown_name(claimed: str) -> str:
    """A name as a device gives it, made fit to be shown: bounded, without what does not print."""
    return "".join(char for char in claimed if char.isprintable()).strip()[:NAME_CHARS]


def _public(facts: Facts) -> dict[str, object]:
    """Facts for the ledger: names of what changed; the values stand in the devices table."""
    return {"changed": sorted(facts)}
