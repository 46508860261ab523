"""The devices of this hub as they are now, and how a change gets there: committed, then in memory, then told.

All devices are held in memory: one hub owns some hundreds.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable

import msgspec

from edge.access.model import hash_secret
from edge.bus import Bus
from edge.devices import store as sql
from edge.devices.model import PENDING_DEVICES, Device, DeviceState, Trust, canonical_id
from edge.devices.presence import DeviceChanged
from edge.errors import Conflict, NotFound
from edge.store.database import Database


class DeviceBook:
    """Every device by id, by the names others know it by, and by its token."""

    def __init__(self, database: Database, bus: Bus) -> None:
        self._db, self._bus = database, bus
        self._devices: dict[str, Device] = {}
        self._aliases: dict[tuple[str, str], str] = {}
        self._tokens: dict[bytes, str] = {}
        self._changing = asyncio.Lock()  # one change at a time, each made to the device as it is by then

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

    def keyed(self, device_id: str) -> Device | None:
        """The device with a key that a board means by the id it was given, which may have been another's before."""
        device = self._devices.get(device_id)
        if device is None or device.link_key is None:
            device = self.by_alias("native", device_id)
        return device if device is not None and device.link_key is not None else None

    def by_token(self, secret: str) -> Device | None:
        """The device this is the token of, whatever text it is."""
        device_id = self._tokens.get(hash_secret(secret)) if secret.isascii() else None
        return self._devices[device_id] if device_id else None

    def same_board(self, chip: str, other_than: str = "") -> Device | None:
        """A device here, but the one of that id, that is, or says it is, the board with this chip."""
        for device in self._devices.values():
            known = {device.id, device.facts.get("chip"), *(alias for _, alias in device.aliases)}
            if device.state is not DeviceState.FORGOTTEN and device.id != other_than and chip in known:
                return device
        return None

    # --- inside

    def _as_it_is(self, device: Device) -> Device:
        """The device now: what the caller holds may be older than another's change. Raises NotFound."""
        now = self._devices[device.id]
        if now.state is DeviceState.FORGOTTEN:
            raise NotFound(f"{device.name} has been forgotten.", hint="When it shows up again it is pending.")
        return now

    def _unheard(self, chip: str) -> Device | None:
        for device in self._devices.values():
            paired = device.state is DeviceState.PENDING and device.trust is Trust.PAIRED
            if paired and not device.epoch and device.facts.get("chip") == chip:
                return device
        return None

    def _too_many_pending(self) -> bool:
        return sum(device.state is DeviceState.PENDING for device in self._devices.values()) >= PENDING_DEVICES

    async def _change(self, device: Device, fact: str, actor: str, **fields: object) -> Device:
        async with self._changing:
            device = self._as_it_is(device)
            changed = msgspec.structs.replace(device, **fields)
            if changed != device:
                await self._save(changed, fact, by=actor)
            return changed

    async def _save(self, device: Device, fact: str, **body: object) -> None:
        await self._db.write(lambda tx: sql.save(tx, device, fact, **body))
        self._took_over(device)

    def _took_over(self, device: Device) -> None:
        self._remember(device)
        self._bus.publish(DeviceChanged(device_id=device.id))

    def _remember(self, device: Device) -> None:
        before = self._devices.get(device.id)
        for key in before.aliases if before is not None else ():
            self._aliases.pop(key, None)
        if before is not None and before.token_hash is not None:
            self._tokens.pop(before.token_hash, None)
        if device.token_hash is not None:
            self._tokens[device.token_hash] = device.id
        self._devices[device.id] = device
        for key in device.aliases:
            self._aliases[key] = device.id

    def numbered(self, numbers: Iterable[tuple[str, int]]) -> None:
        """Follow the command numbers that a commit has given out."""
        for device_id, seq in numbers:
            device = self._devices[device_id]
            self._devices[device_id] = msgspec.structs.replace(device, last_seq=max(device.last_seq, seq))
