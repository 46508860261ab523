"""A real centre for every test that wants one, over the engine of `tests/integration/conftest.py`."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from tests.running_centre import QUIET, RunningCentre, StartCentre, database_of, started


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


@pytest.fixture
def start_centre(tmp_path: Path, database: str) -> StartCentre:
    """Starts a centre over this test's database: `async with start_centre(body_s=0.3) as centre`, the limits given.

    `admin`: the admin key of the one before, when it starts anew in another folder (`folder="b"`).
    """

    def start(
        *, folder: str = "centre", admin: str = "", **limits: Any
    ) -> contextlib.AbstractAsyncContextManager[RunningCentre]:
        settings = msgspec.structs.replace(QUIET, limits=msgspec.structs.replace(QUIET.limits, **limits))
        return started(tmp_path / folder, database=database, settings=settings, admin=admin)

    return start
