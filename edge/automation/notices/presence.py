"""Tells a device's owner that it has gone or come back, seldom enough to be read.

At most one notice a device in a minute; what changed meanwhile is told after it, so the last notice is the truth.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Iterable

from edge.automation.notices.notices import Notices
from edge.clock import Clock
from edge.devices.model import Device
from edge.errors import StorageError

log = logging.getLogger(__name__)

COOL_DOWN_S = 60.0
START_S = (
    60.0  # after a start every device is silent at first: none is called gone before it had the time to report
)
LOOK_S = 1.0
ONLINE, OFFLINE = "device_online", "device_offline"


class Comings:
    """Watches the devices that belong to somebody. `online(device)` is presence's judgement."""

    def __init__(self, notices: Notices, clock: Clock, online: Callable[[Device], bool]) -> None:
        self._notices, self._clock, self._online = notices, clock, online
        self._told: dict[str, bool] = {}
        self._told_s: dict[str, float] = {}
        self._started_s = clock.mono_s()

    async def start(self) -> None:
        """Take up what was told before this start."""
        last = await self._notices.last_of_devices(ONLINE, OFFLINE)
        self._told = {device_id: kind == ONLINE for device_id, kind in last.items()}
        self._started_s = self._clock.mono_s()

    async def look(self, devices: Iterable[Device]) -> None:
        """Tell what has changed since the last look."""
        now_s = self._clock.mono_s()
        for device in devices:
            if not device.owner or not device.approved:
                continue
            online = self._online(device)
            if online == self._told.get(device.id, False) or self._too_soon(device.id, online, now_s):
                continue
            await self._tell(device, online)
            self._told[device.id], self._told_s[device.id] = online, now_s

    async def run(self, devices: Callable[[], Iterable[Device]]) -> None:
        """Look every second; runs until cancelled."""
        while True:
            try:
                await self.look(devices())
            except StorageError:
                log.warning("an owner could not be told that his device went or came")
            await asyncio.sleep(LOOK_S)

    def _too_soon(self, device_id: str, online: bool, now_s: float) -> bool:
        told_s = self._told_s.get(device_id)
        if told_s is not None and now_s - told_s < COOL_DOWN_S:
            return True
        return not online and now_s - self._started_s < START_S

    async def _tell(self, device: Device, online: bool) -> None:
        await self._notices.tell(
            device.owner,
            type=ONLINE if online else OFFLINE,
            title="Device Online" if online else "Device Offline",
            message=f"{device.name} is now {'online' if online else 'offline'}",
            device_id=device.id,
        )
