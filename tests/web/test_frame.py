"""Head office's pages in a real browser: in and out, and what every page has."""

from __future__ import annotations

from tests.filled_centre import Filled
from tests.running_centre import RunningCentre
from tests.web.browser import Window
from tests.web.entering import add_person, fill_in, log_in


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


async def test_the_way_has_one_sign_and_the_clock_24_hours(centre: RunningCentre, window: Window) -> None:
    filled = Filled(centre.centre.db)
    await filled.site(1, "pune")
    await filled.device(1, "till")
    await add_person(centre, "vera", "viewer")
    tab = await window.open()
    await log_in(tab, centre.url, "vera")
    await tab.go(f"{centre.url}/office/sites/pune/devices/till")
    signs = "[...document.querySelectorAll('.way a')].map((one) => getComputedStyle(one, '::before').content)"
    assert await tab.run(signs) == ['"\u2039 "', "none"]
    told = "at = new Date(2026, 10, 21, {hour}, 4, 5).toISOString(); away('{{time}}'); lost.textContent"
    assert [await tab.run(told.format(hour=hour)) for hour in (0, 15)] == ["00:04:05", "15:04:05"]
