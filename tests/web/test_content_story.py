"""A screen for the hall, in a real browser: begun from an example, changed while it is drawn, and published."""

from __future__ import annotations

from pathlib import Path

from tests.integration.sync.conftest import Pair, until
from tests.running_centre import RunningCentre
from tests.web.browser import Tab, Window
from tests.web.entering import add_person, log_in

PICTURE = "document.querySelector('[data-screen] img')?.src"
TEXT = "[name='r:3:text']"


async def drawn_anew(tab: Tab, before: str) -> str:
    """Wait until the preview is another one."""
    return str(await tab.until(f"{PICTURE} && {PICTURE} !== {before!r} && {PICTURE}", "it is drawn anew"))


async def typed(tab: Tab, field: str) -> str:
    """What stands in a field."""
    return str(await tab.run(f"document.querySelector({field!r}).value"))


async def changed_and_moved(tab: Tab, first: str) -> str:
    """A text is changed, and its box moved, by keys and by the mouse; the picture behind that."""
    await tab.run("window.stayed = true")
    await tab.fill(TEXT, "Good morning")
    second = await drawn_anew(tab, first)
    assert await tab.run("window.stayed")
    assert await typed(tab, TEXT) == "Good morning"
    await tab.run("document.querySelector(\".box-of[data-of='3']\").focus()")
    before = float(await typed(tab, "[name='r:3:box:y']"))
    await tab.run(
        "dispatchEvent(new KeyboardEvent('keydown', {key: 'ArrowDown', cancelable: true})),"
        "dispatchEvent(new KeyboardEvent('keydown', {key: 'ArrowRight', shiftKey: true, cancelable: true}))"
    )
    assert float(await typed(tab, "[name='r:3:box:y']")) == before + 1
    third = await drawn_anew(tab, second)
    box = await tab.run(
        "(({x, y, width, height}) => ({x: x + width / 2, y: y + height / 2}))"
        "(document.querySelector(\".box-of[data-of='3']\").getBoundingClientRect())"
    )
    for what, off in (("mousePressed", 0), ("mouseMoved", 20), ("mouseMoved", 40), ("mouseReleased", 40)):
        at = {"x": box["x"], "y": box["y"] + off}
        await tab.order("Input.dispatchMouseEvent", type=what, button="left", buttons=1, clickCount=1, **at)
    assert float(await typed(tab, "[name='r:3:box:y']")) > before + 2
    return await drawn_anew(tab, third)


async def with_rows(tab: Tab, before: str) -> None:
    """Elements come and go, and who moves them stays at them."""
    await tab.click("button[value='add:qr']")
    await tab.until("document.querySelector('#e6')", "a code is added")
    assert await tab.run("document.querySelector('#e6').contains(document.activeElement)")
    await drawn_anew(tab, before)
    await tab.click("button[value='up:6']")
    await tab.until("document.querySelector('[name=\"r:5:kind\"]').value === 'qr'")
    assert await tab.run("document.activeElement.value") == "up:5"
    await tab.click("button[value='remove:5']")
    await tab.until("!document.querySelector('#e6')", "it is gone")


async def test_a_screen_is_written_seen_and_published(
    centre: RunningCentre, window: Window, tmp_path: Path
) -> None:
    pair = Pair(centre, tmp_path)
    await add_person(centre, "tom", "technician")
    async with pair.hub() as hub:
        await pair.enrolled(hub, "Lyon")
        tab = await window.open()
        await log_in(tab, centre.url, "tom")
        await tab.follow("nav a[href='/office/content']")
        await tab.follow(".top a.button")
        await tab.fill("[name=title]", "Hall")
        await tab.follow("main form button")
        await tab.sees("As the panel shows it")
        first = str(await tab.until(PICTURE))

        fourth = await changed_and_moved(tab, first)
        await with_rows(tab, fourth)

        # published, once it was said what that does; the hub has it, and says so
        await tab.follow("button[value=publish]")
        assert await tab.text("h1") == "Sites and versions, Hall"
        await tab.click("[name=reach][value=all]")
        await tab.follow("button[value=look]")
        await tab.sees("It goes to 1 site:", "#outlook")
        await tab.follow("#outlook button")
        await tab.sees("Published. Below is how far each site is.")
        await tab.sees("published there", "#sites")

        async def has() -> bool:
            answer = await hub.get("/v1/content/layout/hall")
            return answer.status == 200 and answer.body["version"] == 1

        await until(has, "the hub has it")
        texts = [
            one.get("text") for one in (await hub.get("/v1/content/layout/hall")).body["published"]["elements"]
        ]
        assert "Good morning" in texts
        assert window.complaints == []


async def test_it_is_written_without_a_script_too(centre: RunningCentre, window: Window) -> None:
    await add_person(centre, "tom", "technician")
    tab = await window.open(width=360, height=800)
    await log_in(tab, centre.url, "tom")
    await tab.scripts(on=False)
    await tab.go(f"{centre.url}/office/content/new")
    await tab.fill("[name=title]", "Plain")
    await tab.follow("main form button")
    first = await tab.run(PICTURE)
    await tab.fill(TEXT, "Good evening")
    await tab.follow("button[value=look]")
    assert await tab.run(PICTURE) not in (None, first)
    await tab.follow("button[value='down:3']")
    assert await typed(tab, "[name='r:4:text']") == "Good evening"
    await tab.follow("button[value=save]")
    await tab.sees("Saved.")
    answer = await centre.get("/v1/content/layout/plain")
    assert answer.body["body"]["elements"][4]["text"] == "Good evening"
