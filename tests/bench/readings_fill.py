"""A hub's directory filled with readings through its own store, as devices deliver their buffers: oldest first."""

from __future__ import annotations

import contextlib
import math
from collections.abc import AsyncIterator
from pathlib import Path

import msgspec

from edge.bus import Bus
from edge.clock import Clock, SystemClock, site_zone
from edge.devices.model import Device
from edge.devices.registry import Registry
from edge.store.database import Store
from edge.telemetry.folding import Folding, Keep
from edge.telemetry.telemetry import Telemetry
from edge.wire.field import RECORDS_MAX, Readings

READINGS_MB = 2048


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    """So many devices with so many keys, each read `each` times, every so many seconds, the last one now."""

    devices: int
    keys: int
    each: int
    every_s: int = 10

    @property
    def count(self) -> int:
        """All readings."""
        return self.devices * self.keys * self.each


class Filling(msgspec.Struct, frozen=True):
    """An open store with what writes readings into it."""

    store: Store
    telemetry: Telemetry
    folding: Folding
    devices: list[Device]

    async def fold(self) -> None:
        """Take all of it into history and rollups."""
        while self.telemetry.unfolded:
            await self.folding.fold()


async def filled(data: Path, plan: Plan) -> list[Device]:
    """Store them all; the devices."""
    clock = SystemClock()
    async with filling(data, plan.devices, clock) as hub:
        last_us = clock.now().at_us
        for first in range(0, plan.each, RECORDS_MAX):
            for device in hub.devices:
                await hub.telemetry.ingest_batch(device, batch(plan, first, last_us), received=clock.now())
            await hub.folding.fold_due()
        await hub.fold()
        return hub.devices


@contextlib.asynccontextmanager
async def filling(
    data: Path, devices: int, clock: Clock, *, readings_mb: int = READINGS_MB, readings_days: int = 365
) -> AsyncIterator[Filling]:
    """The store of a hub that does not run, with devices added."""
    bus = Bus()
    store = Store(data, bus, clock, free_floor_mb=64, ballast_mb=8)
    await store.open()
    try:
        registry = Registry(store.hub, bus, clock, auto_approve=False, reports_kept=100)
        telemetry = Telemetry(store, bus, clock, site_zone("UTC"))
        await telemetry.start()
        keep = Keep(readings_days=readings_days, rollups_days=365, readings_mb=readings_mb)
        added = [(await registry.add(f"sensor {n}", "display", "native", actor="bench"))[0] for n in range(devices)]
        yield Filling(store, telemetry, Folding(telemetry, store, clock, site_zone("UTC"), keep), added)
    finally:
        await store.close()


def batch(plan: Plan, first: int, last_us: int) -> Readings:
    """Records `first` and following of one device, as its buffer sends them."""
    every_us = plan.every_s * 1_000_000
    records = [
        (1, number, (last_us // every_us - (plan.each - number)) * every_us, values(plan.keys, number))
        for number in range(first, min(plan.each, first + RECORDS_MAX))
    ]
    return Readings(epoch="e1", first=first, boot=1, uptime_ms=plan.each * plan.every_s * 1000, records=records)


def values(keys: int, number: int) -> dict[str, float | int | str | bool]:
    """What was measured: a wave by the day, and some noise, to the hundredth."""
    wave = 20 + 5 * math.sin(number / 1375)
    return {f"key_{key}": round(wave + key + (number * 7919 % 101) / 100, 2) for key in range(keys)}
