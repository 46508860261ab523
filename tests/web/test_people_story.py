"""A colleague comes and goes, in real browsers: added for one site, in with his code, shut out while he looks."""

from __future__ import annotations

from tests.filled_centre import Filled
from tests.running_centre import RunningCentre
from tests.web.browser import Chromium, Window
from tests.web.entering import add_person, fill_in, log_in

PASSWORD = "Another long passw0rd"


async def test_a_colleague_is_added_for_one_site_and_shut_out_again(
    centre: RunningCentre, chromium: Chromium, window: Window
) -> None:
    await add_person(centre, "anna")
    filled = Filled(centre.centre.db)
    await filled.site(1, "pune")
    await filled.site(2, "lyon")
    tab = await window.open()
    await log_in(tab, centre.url, "anna")
    await tab.follow("nav a[href='/office/people']")
    await tab.follow("a[href='/office/people/new']")
    await tab.fill("[name=email]", "carl@example.com")
    await tab.click("[name=role][value=technician]")
    await tab.click("[name=reach][value=some]")
    await tab.click("[name='site:pune']")
    await tab.follow("main form button")
    code = await tab.text("code.secret")
    assert "carl@example.com" in await tab.text("h1")
    await tab.follow(".who button")
    assert await tab.run("location.pathname") == "/office/login"

    async with chromium.window() as elsewhere:
        his = await elsewhere.open(f"{centre.url}/office/login", width=360)
        await his.follow("main a[href='/office/reset']")
        await his.fill("[name=code]", code)
        await his.fill("[name=password]", PASSWORD)
        await his.fill("[name=again]", PASSWORD)
        await his.follow("main form button")
        assert "Your password is set" in await his.text("main")
        await his.fill("[name=name]", "carl@example.com")
        await his.fill("[name=password]", PASSWORD)
        await his.follow("main form button")
        await his.sees("Pune", "#sites")
        assert "Lyon" not in await his.text()
        assert "/office/people" not in await his.run("[...document.querySelectorAll('nav a')].map(a => a.pathname)")
        assert await his.run("document.documentElement.scrollWidth <= innerWidth")

        await fill_in(tab, "anna")
        await tab.go(f"{centre.url}/office/people")
        await tab.follow("tbody a[href*='/people/']:not([href$='p-anna'])")
        await tab.follow("a[href$='/disable']")
        assert "carl@example.com" in await tab.text("h1")
        await tab.follow("main form button")
        assert "shut out" in (await tab.text("main")).lower()
        await his.sees("You are logged out.")
        assert await his.run("location.pathname") == "/office/login"
        assert elsewhere.complaints == []


async def test_what_acts_can_be_done_by_keyboard_and_without_script(centre: RunningCentre, window: Window) -> None:
    await add_person(centre, "anna")
    made = await centre.ask("POST", "/v1/keys", {"name": "till", "role": "viewer"})
    assert made.status == 201
    tab = await window.open()
    await log_in(tab, centre.url, "anna")
    await tab.scripts(on=False)
    await tab.go(f"{centre.url}/office/keys/{made.body['id']}/revoke")
    await tab.run("document.querySelector('main form button').focus()")
    async with tab.loading():
        await tab.press("Enter")
    assert "The key is revoked." in await tab.text("main")
    assert (await centre.get("/v1/me", key=made.body["key"])).status == 401
