"""A fake hub per test, listening on a unix socket."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from textual.css.stylesheet import Stylesheet

from tests.fakes.hub_api import FakeHub, running
from tests.tui import site_assets, site_content, site_data, site_updates
from tests.tui.parsed_css import parsed_once


@pytest.fixture
async def hub(tmp_path: Path) -> AsyncIterator[FakeHub]:
    """The small site of site_data with the machines, firmware and panels of its neighbours, listening."""
    site = site_data.hub(tmp_path)
    site_assets.fill(site.assets)
    site_updates.fill(site.updates)
    site_content.fill(site.content)
    async with running(site) as made:
        yield made


@pytest.fixture(autouse=True)
def _own_state_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Crash reports stay in the test's folder; colours do not depend on the caller's terminal."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    monkeypatch.delenv("NO_COLOR", raising=False)


@pytest.fixture(autouse=True)
def _parsed_css(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Stylesheet, "_parse_rules", parsed_once)
