"""The centre ends, its database goes away, somebody's login ends: pages that are open say so, and come back."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.centre_process import CentreProcess
from tests.postgres import killable
from tests.running_centre import RunningCentre
from tests.web.browser import Tab, Window
from tests.web.entering import add_person, log_in

SAID = "!document.getElementById('lost').hidden"
DIMMED = "document.body.classList.contains('stale')"
BACK = f"!({SAID}) && !({DIMMED})"


@pytest.fixture
async def process(tmp_path: Path) -> AsyncIterator[CentreProcess]:
    """A centre as its users run it, over SQLite."""
    centre = CentreProcess(tmp_path / "centre")
    await centre.start()
    try:
        yield centre
    finally:
        await centre.stop()


async def new_site(centre: CentreProcess, name: str) -> None:
    """One more, made by somebody else."""
    async with centre.session() as office, office.post("/v1/sites", json={"name": name}) as answer:
        assert answer.status == 201, await answer.text()


async def looking(window: Window, centre: CentreProcess, path: str = "/office/") -> Tab:
    """Somebody who looks at a page."""
    tab = await window.open()
    await tab.send_with(Authorization=f"Bearer {centre.key}")
    await tab.go(centre.url + path)
    await tab.run("window.sameDocument = true")
    return tab


async def test_a_centre_that_is_killed_and_started_again(process: CentreProcess, window: Window) -> None:
    await new_site(process, "Depot")
    tab = await looking(window, process)
    await process.kill()
    await tab.until(f"{SAID} && {DIMMED}", "the page says that the centre is away")
    assert "No connection" in await tab.text("#lost")
    assert "Depot" in await tab.text("#sites"), "what was known stays"
    await process.start()
    await new_site(process, "Harbour")
    await tab.until(BACK, "the page is back")
    await tab.sees("Harbour")
    assert await tab.run("window.sameDocument"), "without a reload"


async def test_a_database_that_is_stopped_and_started_again(tmp_path: Path, window: Window) -> None:
    server = killable()
    centre = CentreProcess(tmp_path / "centre", database=await server.new_database())
    await centre.start()
    try:
        await new_site(centre, "Depot")
        tab = await looking(window, centre)
        await asyncio.to_thread(server.stop)
        await tab.until(f"{SAID} && {DIMMED}", "the page says that the centre cannot answer")
        other = await looking(window, centre, "/office/fleet")
        assert other.status == 503
        assert await other.text(".banner.bad strong")
        await asyncio.to_thread(server.start)
        await tab.until(BACK, "the page is back")
        await other.sees("Depot", "#sites")
        assert await tab.run("window.sameDocument"), "without a reload"
    finally:
        await centre.stop()


async def test_one_instance_of_two_is_killed(tmp_path: Path, window: Window) -> None:
    """Whatever stands before them leads to the other one: here the port itself, which that one takes over."""
    server = killable()
    url = await server.new_database()
    first = CentreProcess(tmp_path / "first", database=url)
    await first.start()
    tab = await looking(window, first)
    await first.kill()
    second = CentreProcess(tmp_path / "second", database=url, port=first.port, admin=first.key)
    await second.start()
    try:
        await new_site(second, "Depot")
        await tab.sees("Depot", "#sites")
        await tab.until(BACK, "the page is back")
        assert await tab.run("window.sameDocument")
    finally:
        await second.stop()


async def test_pages_of_a_centre_that_is_away_ask_ever_less(process: CentreProcess, window: Window) -> None:
    tab = await looking(window, process)
    await tab.offline(is_so=True)
    await tab.until(SAID)
    waits = await tab.run(
        "new Promise((done) => { const asked = [], ask = window.fetch; window.fetch = (...of) => {"
        " asked.push(performance.now());"
        " if (asked.length === 3) done(asked.slice(1).map((at, n) => at - asked[n]));"
        " return ask(...of); }; })"
    )
    assert waits[-1] > 1000, f"a page waits longer after each failure: {waits} ms"
    await tab.offline(is_so=False)
    await tab.until(BACK)


async def test_a_login_that_ended_leads_to_the_login_page(centre: RunningCentre, window: Window) -> None:
    await add_person(centre, "anna")
    tab = await window.open()
    await log_in(tab, centre.url, "anna")
    await tab.go(f"{centre.url}/office/fleet?q=depot")
    async with tab.loading():
        member = next(iter(centre.centre.accounts.logins._known.values())).member
        await centre.centre.accounts.logins.end(member, member.login)
    assert await tab.run("location.pathname") == "/office/login"
    assert "depot" in await tab.run("document.querySelector('[name=next]').value")


async def test_what_somebody_is_at_stays_his_when_the_page_changes(centre: RunningCentre, window: Window) -> None:
    """Focus, a mark, what is open and what is half filled in; and where he has scrolled to."""
    for name in ("Aachen", "Bonn", *(f"Shop {number}" for number in range(40))):
        await centre.ask("POST", "/v1/sites", {"name": name})
    tab = await window.open(height=500)
    await tab.send_with(Authorization=f"Bearer {centre.keys['admin']}")
    await tab.go(f"{centre.url}/office/")
    await tab.run(
        "document.querySelector('#site-bonn a').focus();"
        "document.querySelector('[name=q]').value = 'half a na';"
        "getSelection().selectAllChildren(document.querySelector('#site-shop-7 bdi'));"
        "scrollTo(0, 300)"
    )
    scrolled = await tab.run("scrollY")
    await centre.ask("PATCH", "/v1/sites/aachen", {"name": "Aix"})
    await centre.ask("POST", "/v1/sites", {"name": "Aalen"})
    await tab.sees("Aix", "#sites")
    await tab.sees("Aalen", "#sites")
    assert await tab.run("document.activeElement.textContent") == "Bonn"
    assert await tab.run("document.querySelector('[name=q]').value") == "half a na"
    assert await tab.run("getSelection().toString()") == "Shop 7"
    assert abs(await tab.run("scrollY") - scrolled) <= 60, "he is where he was, but for a new row above"

    await tab.go(f"{centre.url}/office/sites/bonn")
    await tab.run("document.querySelector('details').open = true")
    await tab.fill("details [name=name]", "half a na")
    await centre.ask("PATCH", "/v1/sites/bonn", {"name": "Bonn-Süd"})
    await tab.until("document.title.includes('Bonn-Süd')", "the page has changed")
    assert await tab.run("document.querySelector('details').open")
    assert await tab.run("document.querySelector('details [name=name]').value") == "half a na"


async def test_a_hidden_page_asks_for_nothing(centre: RunningCentre, window: Window) -> None:
    tab = await window.open()
    await tab.send_with(Authorization=f"Bearer {centre.keys['admin']}")
    await tab.go(f"{centre.url}/office/")
    await tab.run(
        "Object.defineProperty(document, 'hidden', {get: () => window.elsewhere, configurable: true});"
        "window.elsewhere = true; document.dispatchEvent(new Event('visibilitychange'))"
    )
    await asyncio.sleep(1.5)  # what was under way has come
    tab.requests.clear()
    await centre.ask("POST", "/v1/sites", {"name": "Depot"})
    await tab.run("new Promise((done) => setTimeout(done, 3000))")
    assert tab.requests == []
    await tab.run("window.elsewhere = false; document.dispatchEvent(new Event('visibilitychange'))")
    await tab.sees("Depot")
