"""A real hub for every test that wants one."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest

from tests.integration.running_hub import QUIET, RunningHub, started

Start = Callable[..., contextlib.AbstractAsyncContextManager[RunningHub]]


@pytest.fixture
async def running_hub(tmp_path: Path) -> AsyncIterator[RunningHub]:
    """A hub with nothing in it."""
    async with started(tmp_path) as running:
        yield running


@pytest.fixture
def start_hub(tmp_path: Path) -> Start:
    """Starts a hub over this test's folder with the limits given: `async with start_hub(body_s=0.3) as hub`."""

    def start(**limits: Any) -> contextlib.AbstractAsyncContextManager[RunningHub]:
        of_limits = msgspec.structs.replace(QUIET.limits, **limits)
        return started(tmp_path, msgspec.structs.replace(QUIET, limits=of_limits))

    return start
