"""Assets over a real store with a clock that is moved by hand."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import msgspec

from edge.assets.defined.definitions import Assets
from edge.bus import Bus
from edge.clock import ManualClock
from edge.devices.model import Device
from edge.devices.registry import Registry
from edge.store.database import Store
from edge.store.ledger import facts
from edge.wire.assets import NewAsset

KOLKATA = ZoneInfo("Asia/Kolkata")


class AssetSite:
    """A hub's devices and assets; opened again on the same folder it is a restart of the hub."""

    def __init__(self, folder: Path, clock: ManualClock) -> None:
        self.clock, self.bus = clock, Bus()
        self.store = Store(folder, self.bus, clock, free_floor_mb=0, ballast_mb=0)
        self.registry = Registry(self.store.hub, self.bus, clock, auto_approve=False, reports_kept=1)
        self.assets = Assets(self.store.hub, self.bus, clock, self.registry, KOLKATA)
        self.heard = self.bus.subscribe()

    async def logger(self, name: str = "Hall 1") -> Device:
        """An approved device that may tell of machines."""
        device, _ = await self.registry.add(name, "sensor", "native", actor="tess")
        return device

    async def press(self, device: Device, name: str = "Press", input: str = "in1", **more: Any) -> str:
        """An asset; returns its id."""
        wanted = NewAsset(name=name, device=device.id, input=input, **more)
        return (await self.assets.add(wanted, actor="tess")).id

    async def told(self, kind: str) -> list[dict[str, Any]]:
        """The facts of one kind, oldest first, each with its subject."""
        found = await facts(self.store.hub, 0, 1000)
        return [{"of": one.subject, **msgspec.json.decode(one.body)} for one in found if one.kind == kind]


@contextlib.asynccontextmanager
async def opened(folder: Path, clock: ManualClock) -> AsyncIterator[AssetSite]:
    """The site with everything loaded."""
    site = AssetSite(folder, clock)
    await site.store.open()
    try:
        await site.registry.start()
        await site.assets.start()
        yield site
    finally:
        await site.store.close()
