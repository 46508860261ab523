"""A real database file and its writer."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from edge.bus import Bus
from edge.clock import ManualClock
from edge.store.database import Store


def store_at(folder: Path, *, floor_mb: int = 0, ballast_mb: int = 1) -> Store:
    """A store that is not open yet."""
    return Store(folder, Bus(), ManualClock(), free_floor_mb=floor_mb, ballast_mb=ballast_mb)


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[Store]:
    """An open one."""
    store = store_at(tmp_path)
    await store.open()
    yield store
    await store.close()
