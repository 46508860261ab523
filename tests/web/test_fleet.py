"""The fleet and a site in a real browser: what happens at a real hub is seen there, filtered, renamed, cleared."""

from __future__ import annotations

from pathlib import Path

from sqlalchemy import update

from cloud.db.models import Site
from tests.integration.sync.conftest import Pair
from tests.running_centre import RunningCentre
from tests.web.browser import Window
from tests.web.entering import add_person, log_in


async def test_a_device_that_comes_online_is_seen_without_a_reload(
    centre: RunningCentre, window: Window, tmp_path: Path
) -> None:
    pair = Pair(centre, tmp_path)
    tab = await window.open()
    await tab.send_with(Authorization=f"Bearer {centre.keys['admin']}")
    await tab.go(f"{centre.url}/office/")
    await tab.run("window.sameDocument = true")
    assert "no site" in await tab.text("#sites")
    async with pair.hub() as hub:
        await pair.enrolled(hub)
        await tab.sees("Pune", "#sites")
        await tab.until("document.querySelector('#site-pune .state.live')", "the site is live")
        device = await hub.display("Till 3")
        await tab.sees("0 of 1 device online", "#counts")
        site = await window.open()
        await site.send_with(Authorization=f"Bearer {centre.keys['admin']}")
        await site.go(f"{centre.url}/office/sites/pune")
        await site.until("document.querySelector('#devices .state.offline')", "it is offline")
        assert "Asia/Kolkata" in await site.text("#standing")
        hub.hub.presences.seen(device.id, "poll")
        await tab.sees("1 of 1 device online", "#counts")
        await site.until("document.querySelector('#devices .state.online')", "it is online")
        await site.sees("device.", "#facts")
    assert await tab.run("window.sameDocument")


async def test_a_fleet_is_filtered_searched_and_paged(centre: RunningCentre, window: Window) -> None:
    for number in range(60):
        await centre.ask("POST", "/v1/sites", {"name": f"Shop {number:02}"})
    await add_person(centre, "vera", "viewer")
    tab = await window.open()
    await log_in(tab, centre.url, "vera")
    count = "document.querySelectorAll('#sites tbody tr').length"
    assert await tab.run(count) == 50
    assert await tab.text(".button") == "", "who may not make a site is not asked to"
    await tab.follow("[rel=next]")
    assert await tab.run(count) == 10
    await tab.fill("[name=q]", "shop 4")
    await tab.follow(".filter button")
    assert await tab.run(count) == 10
    await tab.fill("[name=state]", "live")
    await tab.follow(".filter button")
    assert "No site matches." in await tab.text("#sites")
    assert await tab.run("document.querySelector('[name=q]').value") == "shop 4"
    await tab.follow(".filter a")
    assert await tab.run(count) == 50


async def test_a_site_is_renamed_and_its_alert_cleared(centre: RunningCentre, window: Window) -> None:
    for name in ("Depot", "Harbour"):
        await centre.ask("POST", "/v1/sites", {"name": name})
    async with centre.centre.db.write() as connection:
        await connection.execute(update(Site).where(Site.slug == "depot").values(alert="Two hubs speak for it."))
    await add_person(centre, "anna")
    tab = await window.open()
    await log_in(tab, centre.url, "anna")
    assert await tab.run("document.title.startsWith('(1) ')"), "what needs a look is counted in the title"
    await tab.follow("#site-depot a")
    await tab.sees("Two hubs speak for it.", "#troubles")
    await tab.follow("#troubles button")
    assert "Two hubs" not in await tab.text("#troubles")
    await tab.run("document.querySelector('details').open = true")
    await tab.fill("details [name=name]", "Harbour")
    await tab.follow("details .narrow button")
    assert (tab.status, await tab.run("document.querySelector('details').open")) == (409, True)
    assert "There is a site 'Harbour' already." in await tab.text(".banner.bad[role=alert]")
    await tab.fill("details [name=name]", "Depot 4")
    await tab.follow("details .narrow button")
    assert await tab.text("h1") == "Depot 4"
    said = [row["what"] for row in (await centre.get("/v1/audit?site=depot")).body["items"]]
    assert said[:2] == ["site.renamed", "site.cleared"]
