"""A real centre and a real browser for every test of the pages."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from tests.running_centre import RunningCentre, started
from tests.web.browser import Chromium, Window


@pytest.fixture(scope="session")
def chromium() -> Iterator[Chromium]:
    """The one browser of this test process."""
    browser = Chromium()
    yield browser
    browser.close()


@pytest.fixture
async def window(chromium: Chromium) -> AsyncIterator[Window]:
    """A browser of this test's own; the test fails when a page complained of anything."""
    async with chromium.window() as window:
        yield window
        assert window.complaints == []


@pytest.fixture
async def centre(tmp_path: Path) -> AsyncIterator[RunningCentre]:
    """A centre with nothing in it, over SQLite."""
    async with started(tmp_path / "centre") as running:
        yield running
