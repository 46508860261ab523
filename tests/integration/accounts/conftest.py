"""A real centre for every test that wants one, over the engine of `tests/integration/conftest.py`."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.running_centre import RunningCentre, database_of, started


@pytest.fixture
async def database(engine: str) -> AsyncIterator[str]:
    """The URL of a new database of that engine; '' for SQLite in the centre's folder."""
    async with database_of(engine) as url:
        yield url


@pytest.fixture
async def centre(tmp_path: Path, database: str) -> AsyncIterator[RunningCentre]:
    """A centre with nothing in it."""
    async with started(tmp_path / "centre", database=database) as running:
        yield running
