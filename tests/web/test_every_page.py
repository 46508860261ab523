"""What holds for each page there is, by the router: names are shown as they are and never run; a phone shows it."""

from __future__ import annotations

import csv
import io

import pytest
from sqlalchemy import select

from cloud.db.people_models import Login
from tests.running_centre import RunningCentre
from tests.web.browser import Tab, Window
from tests.web.entering import PASSWORD, add_person
from tests.web.every_page import every_file, every_page
from tests.web.hostile import (
    ARTIFACT,
    ASSET,
    BACKWARDS,
    COMMAND,
    DEVICE_ID,
    DOCUMENT,
    FORMULA,
    GROUP,
    KEY,
    MARKUP,
    NAMES,
    PICTURE,
    ROLLOUT,
    SITE,
    add_hostile,
)

STARTERS = "=+-@\t\r"  # by which a spreadsheet takes a cell for a formula


async def values(centre: RunningCentre) -> dict[str, str]:
    """What the parts of pages' addresses are filled in with."""
    (key, *_) = (await centre.get("/v1/keys")).body["items"]
    await add_person(centre, "evil-person")
    await centre.centre.accounts.logins.begin("evil-person", PASSWORD, address="192.0.2.1", agent=MARKUP)
    async with centre.centre.db.read() as connection:
        login = (await connection.execute(select(Login.id))).scalar_one()
    return {
        "sites.site": SITE,
        "devices.device": DEVICE_ID,
        "commands.id": COMMAND,
        "commands.kind": "display_qr",
        "slots.slot": "1",
        "assets.asset": ASSET,
        "stops.stop": await _stop(centre),
        "keys.id": key["id"],
        "logins.login": login,
        "people.id": "p-evil-person",
        "artifacts.artifact": ARTIFACT,
        "keys.key": KEY,
        "groups.group": GROUP,
        "rollouts.rollout": ROLLOUT,
        "content.kind": "layouts",
        "layouts.id": DOCUMENT,
        "playlists.id": DOCUMENT,
        "schedules.id": DOCUMENT,
        "sources.id": DOCUMENT,
        "pictures.picture": PICTURE,
    }


async def _stop(centre: RunningCentre) -> str:
    """The asset's last stop."""
    last = (await centre.get(f"/v1/stops?site={SITE}&asset={ASSET}")).body["items"][0]
    return str(last["id"])


async def ready(tab: Tab, centre: RunningCentre) -> list[str]:
    """All pages of a centre that is full of ill names, to be looked at as an administrator."""
    await add_hostile(centre)
    await tab.send_with(Authorization=f"Bearer {centre.keys['admin']}")
    return [centre.url + page for page in every_page(centre.centre, await values(centre))]


async def too_wide(tab: Tab, width: int) -> list[str]:
    """What makes the page wider than that, the beginning of each element; nothing when it fits."""
    script = f"""document.scrollingElement.scrollWidth <= {width} ? [] : [...document.querySelectorAll("body *")]
        .filter((element) => element.getBoundingClientRect().right > {width})
        .map((element) => element.outerHTML.slice(0, 160)).slice(0, 8)"""
    return list(await tab.run(script))


async def test_each_page_shows_ill_names_as_they_are_and_fits_a_phone(
    centre: RunningCentre, window: Window
) -> None:
    tab = await window.open(width=360, height=800)
    for page in await ready(tab, centre):
        await tab.go(page)
        assert tab.status in (200, 404), (page, tab.status)
        assert await too_wide(tab, 360) == [], f"{page} on a phone"
        made = await tab.run("document.querySelectorAll('main img[onerror], main script').length")
        assert made == 0, f"{page} made markup of a name"
        assert "49" not in await tab.text("h1"), page
        assert tab.headers["x-frame-options"] == "DENY"
        assert "frame-ancestors 'none'" in tab.headers["content-security-policy"]
        assert await tab.run("document.querySelectorAll('h1').length") == 1, f"{page} has not one title"
        assert window.complaints == [], page
        await tab.colours(dark=True)
        await tab.size(1280)
        assert await too_wide(tab, 1280) == [], f"{page} on a desk"
        await tab.colours(dark=False)
        await tab.size(360, 800)


async def test_ill_names_are_read_where_they_belong_and_kept_apart(centre: RunningCentre, window: Window) -> None:
    tab = await window.open()
    await ready(tab, centre)
    firmware = "/office/firmware"
    content = ("/office/content", "/office/content/panels")
    for at in ("/office/", firmware, f"{firmware}/rollouts/{ROLLOUT}", *content, f"/office/sites/{SITE}"):
        await tab.go(centre.url + at)
        text = await tab.run("document.body.textContent")
        for name in NAMES:
            assert name in text, (at, name)
        apart = f"[...document.querySelectorAll('bdi')].some((bdi) => bdi.textContent.includes({BACKWARDS!r}))"
        assert await tab.run(apart), at
    assert await tab.run("document.title.includes('<script>')")


async def test_each_file_has_ill_names_as_text_that_no_spreadsheet_runs(centre: RunningCentre) -> None:
    await add_hostile(centre)
    seen: set[str] = set()
    for file in every_file(centre.centre, await values(centre)):
        answer = await centre.get(file)
        assert answer.status == 200, (file, answer.body)
        if ".json" in file:
            assert isinstance(answer.body["items"], list), file
            continue
        rows = list(csv.reader(io.StringIO(answer.body.decode("utf-8-sig"))))
        assert len({len(row) for row in rows}) == 1, file
        for cell in (cell for row in rows[1:] for cell in row):
            seen.add(cell.lstrip("'"))
            ill = cell[:1] and cell[0] in STARTERS and not cell.lstrip("-").replace(".", "").isdigit()
            assert not ill, (file, cell)
    assert {MARKUP, FORMULA} <= seen


async def test_pages_can_be_read_without_their_script(centre: RunningCentre, window: Window) -> None:
    tab = await window.open()
    pages = await ready(tab, centre)
    await tab.scripts(on=False)
    for page in pages:
        await tab.go(page)
        assert len(await tab.text("main")) > 20, page
        assert await tab.run("document.getElementById('lost').hidden"), page


async def test_who_moves_by_the_keyboard_sees_where_he_is(centre: RunningCentre, window: Window) -> None:
    tab = await window.open()
    await ready(tab, centre)
    await tab.go(f"{centre.url}/office/")
    places = set()
    for _ in range(12):
        await tab.press("Tab")
        shown = await tab.run(
            "(() => { const style = getComputedStyle(document.activeElement);"
            " return [document.activeElement.outerHTML.slice(0, 60), style.outlineStyle, style.outlineWidth]; })()"
        )
        places.add(shown[0])
        assert shown[1] != "none", shown
        assert shown[2] != "0px", shown
    assert len(places) == 12
    assert "skip" in min(places, key=lambda place: "skip" not in place)


@pytest.mark.parametrize("path", ["/office/", "/office/login"])
async def test_no_page_of_ours_is_shown_within_another(path: str, centre: RunningCentre) -> None:
    answer = await centre.get(path)
    assert answer.headers["X-Frame-Options"] == "DENY"
    assert "frame-ancestors 'none'" in answer.headers["Content-Security-Policy"]
