"""Evidence of life: when each device last gave a sign, and what it was.

Kept in memory, since it changes with every poll, and saved now and then, since it may be lost. Evidence from before
this start tells when a device was last seen, but proves nothing about now.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Iterable

from edge.bus import Bus, Event
from edge.clock import Clock
from edge.devices import store as sql
from edge.devices.model import Device, Presence, age_told_s, is_online
from edge.errors import StorageError
from edge.store.database import Database

log = logging.getLogger(__name__)

FLUSH_S = 30.0  # how much "last seen" a power cut may cost; a shorter time only wears the card
WATCH_S = 1.0


class DeviceChanged(Event, frozen=True, kw_only=True):
    """A device is new, or something about it is."""

    device_id: str


class Presences:
    """The last evidence of every device."""

    def __init__(self, database: Database, bus: Bus, clock: Clock) -> None:
        self._db, self._bus, self._clock = database, bus, clock
        self._last: dict[str, Presence] = {}
        self._unsaved: set[str] = set()
        self._told_online: set[str] = set()
        self._gone: set[str] = set()

    async def start(self) -> None:
        """Load what was seen before this start."""
        self._last = await self._db.write(sql.load_presence)

    def seen(self, device_id: str, how: str) -> None:
        """Note a sign of life."""
        self._last[device_id] = Presence(self._clock.now(), how)
        self._unsaved.add(device_id)
        self._gone.discard(device_id)
        if device_id not in self._told_online:
            self._told_online.add(device_id)
            self._bus.publish(DeviceChanged(device_id=device_id))

    def gone(self, device_id: str) -> None:
        """Its link is down: offline at once, while the time of the last evidence stays."""
        self._gone.add(device_id)
        self._told_online.discard(device_id)
        self._bus.publish(DeviceChanged(device_id=device_id))

    def of(self, device_id: str) -> Presence | None:
        """The last evidence."""
        return self._last.get(device_id)

    def online(self, device: Device) -> bool:
        """Whether the last evidence is young enough."""
        if device.id in self._gone:
            return False
        return is_online(self._last.get(device.id), device, self._clock.now())

    def age_s(self, device: Device) -> float | None:
        """Seconds since the last evidence; None when there is none, or the clocks cannot tell."""
        return age_told_s(self._last.get(device.id), self._clock.now())

    async def watch(self, devices: Callable[[], Iterable[Device]]) -> None:
        """Tell when a device falls silent, and save evidence now and then; runs until cancelled."""
        flushed_s = self._clock.mono_s()
        while True:
            await asyncio.sleep(WATCH_S)
            for device in devices():
                if device.id in self._told_online and not self.online(device):
                    self._told_online.discard(device.id)
                    self._bus.publish(DeviceChanged(device_id=device.id))
            if self._clock.mono_s() - flushed_s >= FLUSH_S:
                flushed_s = self._clock.mono_s()
                await self.flush()

    async def flush(self) -> None:
        """Save the evidence that changed."""
        unsaved, self._unsaved = self._unsaved, set()
        seen = {device_id: self._last[device_id] for device_id in unsaved}
        if not seen:
            return
        try:
            await self._db.write(lambda tx: sql.save_presence(tx, seen))
        except StorageError:  # a full disk must not end the hub over what may be lost
            log.warning("when devices were last seen could not be saved; it is tried again")
            self._unsaved |= unsaved
