"""A site of one hub and its serial ports: real ptys, real opening, virtual displays."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import pytest

from tests.integration.serial.site import Site


@pytest.fixture
async def site(tmp_path: Path) -> AsyncIterator[Site]:
    """A place with a `port` link that displays are plugged into."""
    async with Site(tmp_path) as site:
        yield site


@pytest.fixture
def until() -> Callable[..., Awaitable[None]]:
    """Wait for a condition, with a deadline."""

    async def wait(condition: Callable[[], object], seconds: float = 60.0) -> None:
        async with asyncio.timeout(seconds):
            while not condition():  # noqa: ASYNC110 - a device has no event to wait for
                await asyncio.sleep(0.01)

    return wait
