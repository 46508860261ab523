"""Boards on the network of a running hub."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable

import pytest

from tests.fakes.field_device import FieldDevice
from tests.integration.running_hub import RunningHub

Boards = Callable[..., FieldDevice]


@pytest.fixture
def board(running_hub: RunningHub) -> Boards:
    """Makes a board: `board(kind="sensor", chip=…)`."""

    def make(**more: str) -> FieldDevice:
        return FieldDevice(running_hub.url, running_hub.http, **more)

    return make


async def added(hub: RunningHub, board: FieldDevice, name: str = "Snacks") -> FieldDevice:
    """A board that was added by hand and given its token."""
    made = await hub.ask("POST", "/v1/devices", {"name": name, "kind": board.kind})
    board.provision(made.body["id"], made.body["token"])
    return board


@contextlib.asynccontextmanager
async def living(*boards: FieldDevice, wait: float = 25) -> AsyncIterator[None]:
    """Boards that poll and obey for a while."""
    tasks = [asyncio.create_task(each.live(wait)) for each in boards]
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
