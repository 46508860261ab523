"""The devices of this hub as they are now, and how a change gets there: committed, then in memory, then told.

All devices are held in memory: one hub owns some hundreds.
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Callable, Iterable

import msgspec

from edge.access.model import hash_secret
from edge.bus import Bus
from edge.clock import Clock
from edge.devices import changes
from edge.devices import store as sql
from edge.devices.model import (
    MADE_ROOM,
    MADE_ROOM_WITHIN_S,
    PENDING_DEVICES,
    PENDING_PER_ADDRESS,
    PENDING_SILENT_S,
    Device,
    DeviceState,
    Trust,
    canonical_id,
)
from edge.devices.presence import DeviceChanged
from edge.errors import Conflict, NotFound
from edge.store.database import Database

log = logging.getLogger(__name__)


class DeviceBook:
    """Every device by id, by the names others know it by, and by its token."""

    def __init__(self, database: Database, bus: Bus, clock: Clock) -> None:
        self._db, self._bus, self._clock = database, bus, clock
        self._devices: dict[str, Device] = {}
        self._aliases: dict[tuple[str, str], str] = {}
        self._tokens: dict[bytes, str] = {}
        self._silence_s: Callable[[Device], float | None] = lambda device: None
        self.turned_away = 0  # devices not taken in because too many were pending
        self._made_room_s: deque[float] = deque(maxlen=MADE_ROOM)
        self._changing = asyncio.Lock()  # one change at a time, each made to the device as it is by then

    async def start(self) -> None:
        """Load every device."""
        for device in await self._db.write(sql.load):
            self._remember(device)

    def ask_silence(self, silence_s: Callable[[Device], float | None]) -> None:
        """Where the registry learns for how long a device has said nothing; None: it never has."""
        self._silence_s = silence_s

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

    def _as_it_is(self, device: Device, *, compared: bool = False) -> Device:
        """The device now: what the caller holds may be older than another's change. Raises NotFound.

        `compared`: a person has compared its code, which says nothing of another key. Raises Conflict then.
        """
        now = self._devices[device.id]
        if now.state is DeviceState.FORGOTTEN:
            raise NotFound(f"{device.name} has been forgotten.", hint="When it shows up again it is pending.")
        if compared and now.link_key != device.link_key:
            raise Conflict(
                f"{device.name} has paired anew at this moment; nothing was approved.",
                hint="Look at the device: type the code it shows now.",
            )
        return now

    def _last_seq(self, device_id: str) -> int:
        """The last command number of who had this id before."""
        before = self._devices.get(device_id)
        return before.last_seq if before is not None else 0

    def _unheard(self, chip: str, address: object) -> Device | None:
        """The pairing that a board at this address began and never used; at another address it is another board."""
        for device in self._devices.values():
            paired = device.state is DeviceState.PENDING and device.trust is Trust.PAIRED
            same = (device.facts.get("chip"), device.facts.get("address")) == (chip, address)
            if paired and same and not device.epoch:
                return device
        return None

    def _vacant(self, device_id: str) -> bool:
        """Whether a newcomer may have this id: not while its key is kept, nor with a stranger's command numbers."""
        before = self._devices.get(device_id)
        if before is None:
            return True
        gone = before.state is DeviceState.FORGOTTEN and before.link_key is None
        return gone and (before.trusted or not before.last_seq)

    async def _room(self, address: object) -> bool:
        """Whether one more may wait, from this address. With all places taken, who has been silent makes room, so
        many times an hour: each leaves two facts for good, and a host can make up names without end."""
        pending = [device for device in self._devices.values() if device.state is DeviceState.PENDING]
        if address and sum(device.facts.get("address") == address for device in pending) >= PENDING_PER_ADDRESS:
            self.turned_away += 1
            return False
        if len(pending) < PENDING_DEVICES:
            return True
        now_s, made_s = self._clock.mono_s(), self._made_room_s
        spent = len(made_s) == MADE_ROOM and now_s - made_s[0] < MADE_ROOM_WITHIN_S
        gone = min(filter(self._may_go, pending), key=lambda device: device.created_us, default=None)
        if spent or gone is None:
            self.turned_away += 1
            return False
        log.warning("too many devices wait for approval: %s made room for another", gone.id)
        await self._save(changes.left(gone), "device.forgotten", name=gone.name, by="hub")
        made_s.append(now_s)
        return True

    def _may_go(self, device: Device) -> bool:
        silence_s = self._silence_s(device)
        silent = silence_s is None or silence_s >= PENDING_SILENT_S
        return silent and device.trust is not Trust.CONFIRMED and not device.owner and device.approved_us is None

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
