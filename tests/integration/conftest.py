"""A real hub for every test that wants one; and over which database a test of the centre runs."""

from __future__ import annotations

import contextlib
import zlib
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest

from tests.integration.running_hub import QUIET, RunningHub, started
from tests.running_centre import ENGINES
from tests.tools import share

Start = Callable[..., contextlib.AbstractAsyncContextManager[RunningHub]]


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """A test of the centre runs over one engine, which its name decides; one marked `both_engines` over both."""
    named = {mark.args[0] for mark in metafunc.definition.iter_markers("parametrize")}
    if "engine" in metafunc.fixturenames and "engine" not in named:
        both = metafunc.definition.get_closest_marker("both_engines") is not None
        metafunc.parametrize("engine", ENGINES if both else _one_of(metafunc.definition.name), indirect=True)


def _one_of(name: str) -> tuple[str, ...]:
    """About half of the names get the one, half the other, everywhere the same; with TESTS_ALL=1 each gets both."""
    one = ENGINES[zlib.crc32(name.encode()) % len(ENGINES)]
    return share((one,), ENGINES)


@pytest.fixture
def engine(request: pytest.FixtureRequest) -> str:
    """The engine this run of the test is over."""
    return str(request.param)


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
