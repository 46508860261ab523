"""A hub with old asset loggers around it, and what it has of them."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

from aiohttp.test_utils import TestServer, unused_port

from edge.clock import ManualClock
from edge.devices.model import Device
from edge.hub import Hub
from edge.settings import Hub as HubSettings
from edge.settings import Limits, Serial, Settings
from tests.fakes.asset_logger import Hall


@contextlib.asynccontextmanager
async def hall_at(folder: Path, clock: ManualClock, *, auto: bool = True) -> AsyncIterator[Hall]:
    settings = Settings(hub=HubSettings(auto_approve=auto), serial=Serial(scan=False), limits=Limits(body_s=2.0))
    hub = Hub(folder, settings, clock)
    hub.loggers.old.pages.port = unused_port()
    async with hub.opened():
        server = TestServer(hub.app)
        await server.start_server()
        hall = Hall(hub, clock, str(server.make_url("")).rstrip("/"))
        try:
            yield hall
        finally:
            for logger in hall.loggers:
                await logger.close()
            await server.close()


def device(hall: Hall, alias: str = "ESP32_001") -> Device:
    found = hall.hub.registry.by_alias("assets", alias)
    assert found is not None
    return found


def value(hall: Hall, key: str, alias: str = "ESP32_001") -> Any:
    latest = hall.hub.telemetry.telemetry.latest(device(hall, alias).id).get(key)
    return None if latest is None else latest.value


async def told(hall: Hall, key: str, alias: str = "ESP32_001") -> list[tuple[int, Any]]:
    """All readings of a key, with their times."""
    page = await hall.hub.telemetry.telemetry.history(device(hall, alias).id, key, 0, 2**60)
    return [(point.at_us, point.value) for point in page.points]
