"""A failing terminal shows a path, not a traceback, and its report holds no secret."""

from __future__ import annotations

import stat
from datetime import timedelta

import pytest

from tests.fakes.hub_api import FakeHub
from tests.tui.site_data import NOW
from tests.tui.stage import SMALL, settled, terminal
from tui import crash
from tui.app import OutpostApp
from tui.screens.overview import OverviewScreen

SECRET = "op_" + "s3cr3t" * 8


async def open_a_row(app: OutpostApp) -> None:
    """Press Enter in Overview."""
    async with app.run_test(size=SMALL) as pilot:
        await settled(pilot, app)
        await pilot.press("enter")


async def test_a_crash_writes_a_report_and_prints_its_path(hub: FakeHub, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(_: OverviewScreen) -> None:
        local = "value of a variable"
        raise ZeroDivisionError(f"Authorization: Bearer {SECRET} {len(local)}")

    monkeypatch.setattr(OverviewScreen, "do_open_row", broken)
    app = terminal(hub.target)
    with pytest.raises(ZeroDivisionError):
        await open_a_row(app)
    assert app.crash is not None
    text = app.crash.read_text()
    assert "ZeroDivisionError" in text
    assert SECRET not in text
    assert "value of a variable" not in text
    assert stat.S_IMODE(app.crash.stat().st_mode) == 0o600
    assert app.return_code == 1


def test_ten_reports_are_kept() -> None:
    paths = [crash.write(ValueError(str(count)), NOW + timedelta(seconds=count)) for count in range(13)]
    assert [path.exists() for path in paths] == [False] * 3 + [True] * 10


def test_pictures_and_keys_are_left_out_of_reports() -> None:
    report = crash.report(ValueError(f"key={SECRET} data:image/png;base64,iVBORw0KGgo token: abc"))
    assert SECRET not in report
    assert "iVBOR" not in report
    assert "abc" not in report
