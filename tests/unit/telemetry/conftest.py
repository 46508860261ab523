"""Telemetry over a real store, with a clock that is moved by hand."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from edge.bus import Bus
from edge.clock import ManualClock
from edge.devices.model import Device, DeviceState
from edge.store.database import Store
from edge.telemetry.telemetry import Telemetry

KOLKATA = ZoneInfo("Asia/Kolkata")


def sensor(device_id: str = "dev-1") -> Device:
    """An approved sensor."""
    return Device(
        id=device_id,
        name=device_id,
        kind="sensor",
        profile="native",
        state=DeviceState.APPROVED,
        panel="",
        created_us=0,
    )


class Site:
    """A store and what telemetry makes of it; `again` opens it anew, as after a restart."""

    def __init__(self, folder: Path, clock: ManualClock) -> None:
        self.folder, self.clock, self.bus = folder, clock, Bus()
        self.heard = self.bus.subscribe()
        self.device = sensor()

    @contextlib.asynccontextmanager
    async def opened(self) -> AsyncIterator[Telemetry]:
        """The store open and everything loaded."""
        self.store = Store(self.folder, self.bus, self.clock, free_floor_mb=0, ballast_mb=0)
        await self.store.open()
        try:
            telemetry = Telemetry(self.store, self.bus, self.clock, KOLKATA)
            await telemetry.start()
            yield telemetry
        finally:
            await self.store.close()


@pytest.fixture
def site(tmp_path: Path) -> Site:
    """Nothing in it, not opened yet."""
    return Site(tmp_path, ManualClock())
