"""Head office's pages in a real browser: in and out, and what every page has."""

from __future__ import annotations

from tests.running_centre import RunningCentre
from tests.web.browser import Window
from tests.web.entering import add_person, fill_in


async def test_somebody_logs_in_and_out(centre: RunningCentre, window: Window) -> None:
    await add_person(centre, "anna")
    tab = await window.open(f"{centre.url}/office/fleet?state=away")
    assert (
        await tab.run("location.pathname + location.search")
        == "/office/login?next=%2Foffice%2Ffleet%3Fstate%3Daway"
    )
    await fill_in(tab, "anna")
    assert await tab.text("h1") == "Fleet"
    assert "state=away" in await tab.run("location.search")
    await tab.follow(".who button")
    assert await tab.run("location.pathname") == "/office/login"
