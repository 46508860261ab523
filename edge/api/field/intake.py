"""What devices with our firmware say of themselves, over a cable or the network: taken, kept apart, or noted."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping
from typing import Protocol

import msgspec

from edge.clock import Clock, Stamp
from edge.commands.field_line import Panels, Updates
from edge.devices.log.log import DeviceLog
from edge.devices.model import ASLEEP, Device, asleep_step
from edge.devices.presence import Presences
from edge.devices.registry import Registry
from edge.errors import StorageError
from edge.wire import cable, field

PENDING_REPORT_BYTES = 4096  # of what a device says that nobody has approved yet
HEALTH_PREFIX = "health."
SLEEP_KEY = "sleep_s"  # of what a device shall be
SLEEP_S = 900  # so long it sleeps where nothing says (docs/protocol.md)

log = logging.getLogger(__name__)

HealthListener = Callable[[Device, Mapping[str, object]], Awaitable[None]]

_encode = msgspec.json.Encoder().encode


class Buffer(Protocol):
    """Where readings go."""

    async def ingest(self, device: Device, values: Mapping[str, object], *, at_us: int | None = None) -> object:
        """Take values as they are now."""

    async def ingest_batch(self, device: Device, batch: field.Readings, *, received: Stamp) -> field.Taken:
        """Take a batch with its own times, once."""

    async def next_seq(self, device_id: str, epoch: str) -> int:
        """The number expected next of the device's buffer."""


class Wish(Protocol):
    """What a device shall be."""

    @property
    def version(self) -> int:
        """Rises with every change; 0 when nothing was ever said."""

    @property
    def desired(self) -> Mapping[str, object]:
        """Values by key."""


class Desires(Protocol):
    """What each device shall be."""

    def of(self, device_id: str) -> Wish:
        """That of one device."""


class Intake:
    """For all devices, whichever way they come."""

    def __init__(
        self,
        registry: Registry,
        presences: Presences,
        device_log: DeviceLog,
        clock: Clock,
        buffer: Buffer,
        desires: Desires,
        updates: Updates,
        panels: Panels,
    ) -> None:
        self._registry, self._presences, self._log, self._clock = registry, presences, device_log, clock
        self._buffer, self._desires, self.updates, self.panels = buffer, desires, updates, panels
        self._hear_health: HealthListener | None = None

    def tell_health_to(self, listener: HealthListener) -> None:
        """Let a capability hear how approved devices are, by their own reports."""
        self._hear_health = listener

    async def welcome(self, device_id: str) -> cable.Welcome:
        """How a device on a cable stands here."""
        device, now = self._registry.known(device_id), self._clock.now()
        return cable.Welcome(
            approved=device.approved,
            now_us=now.at_us,
            quality=now.quality.value,
            next=await self.next_seq(device_id, device.epoch),
        )

    async def next_seq(self, device_id: str, epoch: str) -> int:
        """The number expected next of its buffer."""
        return await self._buffer.next_seq(device_id, epoch)

    async def readings(self, device_id: str, batch: field.Readings) -> field.Taken:
        """Take a batch. A device nobody has approved keeps its own; the newest of it is put apart to be seen."""
        device = self._registry.known(device_id)
        self._presences.seen(device_id, "its readings")
        if device.approved:
            return await self._buffer.ingest_batch(device, batch, received=self._clock.now())
        said = _encode({"readings": batch.records[-1:], "waiting": len(batch.records)})
        if batch.records and len(said) <= PENDING_REPORT_BYTES:
            await self._registry.report(device, said.decode())
        return field.Taken(next=batch.first)

    async def report(self, device_id: str, report: field.Report) -> None:
        """Keep the lines of its log, and its health beside its readings."""
        device = self._registry.known(device_id)
        self._presences.seen(device_id, "its report")
        lines = [(level, text) for level, text in report.log]
        if report.dropped:
            lines.append(("warning", f"{report.dropped} lines of its log were lost"))
        await asyncio.gather(*(self._log.add(device_id, level, text) for level, text in lines))
        self.updates.reported(device_id)
        health = {HEALTH_PREFIX + name: value for name, value in report.health.items()}
        if health and device.approved:
            await self._buffer.ingest(device, health)
            if self._hear_health is not None:
                await self._hear_health(device, report.health)

    async def sleeps(self, device_id: str, again_s: int) -> None:
        """One that sleeps has been told to come again after `again_s`, 0 for nothing said: noted for how long it is
        silent and well, with what it shall sleep at most."""
        device = self._registry.known(device_id)
        seconds = self._desires.of(device_id).desired.get(SLEEP_KEY)
        most_s = seconds if isinstance(seconds, int) and seconds > 0 else again_s or SLEEP_S
        step = asleep_step(min(most_s, again_s or most_s))
        if device.facts.get(ASLEEP) == step:
            return
        try:
            await self._registry.note(device, {ASLEEP: step})
        except StorageError:  # its next poll is soon enough
            log.exception("for how long a device sleeps could not be kept", extra={"device": device_id})

    def desired(self, device_id: str) -> field.Desired | None:
        """What it shall be; None when nothing was ever said, or while nobody has approved it."""
        wish = self._desires.of(device_id)
        if not wish.version or not self._registry.known(device_id).approved:
            return None
        return field.Desired(version=wish.version, state=dict(wish.desired))
