"""What is around every page: what browsers are told of it, and what others' links and headers cannot do to it."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator
from urllib.parse import quote

import aiohttp
import msgspec
import pytest
import pytest_asyncio
from aiohttp import web
from sqlalchemy import select
from yarl import URL

from cloud.db.people_models import Login
from cloud.web.figures import Figures
from edge.serving.roles import Principal
from tests.filled_centre import Filled
from tests.running_centre import QUIET, RunningCentre, started
from tests.web.entering import PASSWORD, add_person
from tests.web.visitor import Visitor, visitor

pytestmark = pytest.mark.asyncio(loop_scope="module")

ODD_IDS = ("pump.csv", "pump.json", "..", ".", "~x~", "a/b", "q?x=1#y", "p\u00e9 %2F")
NAMED_BY_A_HUB = "x\"; filename*=UTF-8''invoice.bat; y=\"\r\nSet-Cookie: a=b"
CUT_OFF = (aiohttp.ClientPayloadError, aiohttp.ServerDisconnectedError)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def centre(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[RunningCentre]:
    """A centre that is told its address; a site with devices of odd ids; people of two tenants."""
    told = msgspec.structs.replace(QUIET.centre, url="http://office.example/")
    settings = msgspec.structs.replace(QUIET, centre=told)
    async with started(tmp_path_factory.mktemp("centre") / "centre", settings=settings) as running:
        filled = Filled(running.centre.db)
        await filled.tenant(2)
        await filled.site(1, "pune")
        for device in (*ODD_IDS, NAMED_BY_A_HUB, "till"):
            await filled.device(1, device, name=f"It is {device}")
        for name, role, sites in (("anna", "admin", ""), ("berta", "admin", "pune"), ("vera", "viewer", "")):
            await add_person(running, name, role, sites=sites)
        await add_person(running, "thea", tenant_id=2)
        yield running


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def anna(centre: RunningCentre) -> AsyncIterator[Visitor]:
    """The administrator of all sites."""
    async with visitor(centre, "anna") as somebody:
        yield somebody


async def logged_in(centre: RunningCentre, username: str) -> dict[str, str]:
    """The header that shows a login of somebody's."""
    cookie = await centre.centre.accounts.logins.begin(username, PASSWORD, address="192.0.2.1")
    return {"Cookie": f"outpost_login={cookie}"}


# --- what was just done


async def test_what_a_form_has_done_is_said_once_and_by_no_link(centre: RunningCentre, anna: Visitor) -> None:
    assert "Saved." in (await anna.post("/me/name", {"full_name": "Anna"})).text
    assert not (await anna.get("/me")).main.all(class_="good", role="status")
    for path in ("/me?said=person_disabled", "/login?said=password_set"):
        assert not (await anna.get(path)).page.all("p", class_="good")


async def test_it_is_carried_by_a_cookie_that_pages_alone_get(centre: RunningCentre) -> None:
    mine = await logged_in(centre, "anna")
    async with centre.http.post(
        f"{centre.url}/office/me/name",
        data={"full_name": "Anna"},
        headers={**mine, "Origin": centre.url},
        allow_redirects=False,
    ) as went:
        assert went.headers["Location"] == "/office/me"
        said = went.cookies["outpost_said"]
    assert (said["path"], said["samesite"], said["max-age"]) == ("/office", "Strict", "60")
    assert said["httponly"]
    both = f"{mine['Cookie']}; outpost_said={said.value}"
    by_script = await centre.get("/office/me", key="", Cookie=both, Sec_Fetch_Dest="empty")
    assert b"Saved." not in by_script.body
    assert "Set-Cookie" not in by_script.headers, "it waits for its owner"
    seen = await centre.get("/office/me", key="", Cookie=both, Sec_Fetch_Dest="document")
    assert b"Saved." in seen.body
    assert 'outpost_said=""' in seen.headers["Set-Cookie"]
    assert "Max-Age=0" in seen.headers["Set-Cookie"]
    for nothing in ("nope", "%00", '"x'):
        answer = await centre.get("/office/me", key="", Cookie=f"{mine['Cookie']}; outpost_said={nothing}")
        assert (answer.status, b"banner good" in answer.body) == (200, False)


# --- what others send


async def test_addresses_that_cannot_be_read_are_none_of_ours(
    centre: RunningCentre, anna: Visitor, caplog: pytest.LogCaptureFixture
) -> None:
    for address in ("http://[", "http://[::1", "http://]", "//[x"):
        seen = await anna.get("/people/nobody", Referer=address)
        assert seen.status == 404
        assert seen.main.links()[-1] == "/office/"
        assert (await anna.post("/me/name", {"full_name": "x"}, Origin=address)).status == 403
        mine = await logged_in(centre, "anna")
        api = await centre.ask("PATCH", "/v1/me", {"full_name": "x"}, key="", Origin=address, **mine)
        assert api.status == 403
    assert not [record for record in caplog.records if record.levelno >= logging.ERROR]


async def test_ids_that_break_lines_lead_nowhere(centre: RunningCentre, anna: Visitor) -> None:
    mine = await logged_in(centre, "anna")
    for path in ("/people/%0d%0aX-Y:%20z/logins/x/end", "/people/%ff/end-logins", "/me/logins/%0d%0aX/end"):
        async with centre.http.post(
            URL(f"{centre.url}/office{path}", encoded=True),
            headers={**mine, "Origin": centre.url},
            allow_redirects=False,
        ) as answer:
            assert answer.status == 404, path
            assert "X-Y" not in answer.headers


async def test_nobody_is_told_that_a_login_ended_which_did_not(centre: RunningCentre) -> None:
    await logged_in(centre, "anna")
    async with centre.centre.db.read() as connection:
        query = select(Login.id).where(Login.person_id == "p-anna", Login.ended_us.is_(None))
        login = (await connection.execute(query)).scalars().first()
    for name in ("berta", "thea"):
        async with visitor(centre, name) as somebody:
            for path in (f"/people/p-anna/logins/{login}/end", "/people/p-anna/end-logins"):
                assert (await somebody.get(path)).status == 404
                seen = await somebody.post(path, {})
                assert seen.status == 404
                assert not seen.page.all("p", class_="good")
            for path in (f"/people/p-{name}/logins/{login}/end", f"/me/logins/{login}/end"):
                assert (await somebody.post(path, {})).status == 404
    async with centre.centre.db.read() as connection:
        ended = (await connection.execute(select(Login.ended_us).where(Login.id == login))).scalar_one()
    assert ended is None


async def test_a_code_is_shown_with_the_address_that_is_set(centre: RunningCentre) -> None:
    mine = await logged_in(centre, "anna")
    evil = {"Host": "evil.example", "Origin": "http://evil.example"}
    made = await centre.ask("POST", "/office/people/p-vera/reset", key="", **evil, **mine)
    assert made.status == 200
    assert b"http://office.example/office/reset" in made.body
    assert b"evil.example" not in made.body


# --- what a hub chooses


async def test_each_device_has_a_page_whatever_its_id(centre: RunningCentre, anna: Visitor) -> None:
    listed = {link.text: link.get("href") for link in (await anna.get("/sites/pune")).main.all("a")}
    mine = await logged_in(centre, "anna")
    for device in ODD_IDS:
        place = listed[f"It is {device}"]
        answer = await anna.get(place.removeprefix("/office"))
        assert answer.status == 200, place
        assert answer.main.one("dd", class_="word").text == device
        fields = answer.main.one("form", action=f"{place}/commands/start_rotation").fields()
        given = await anna.post(f"{place}/commands/start_rotation".removeprefix("/office"), fields)
        assert given.main.one("dd", class_="word").text == device
        assert given.main.one("div", class_="did")
        for form in ("csv", "json"):
            async with centre.http.get(URL(f"{centre.url}{place}.{form}", encoded=True), headers=mine) as file:
                assert (file.status, form in file.content_type) == (200, True), place


async def test_a_file_is_named_by_us(centre: RunningCentre) -> None:
    mine, asked = await logged_in(centre, "vera"), quote(NAMED_BY_A_HUB, safe="")
    async with centre.http.get(
        URL(f"{centre.url}/v1/devices/{asked}/readings.csv?site=pune", encoded=True), headers=mine
    ) as answer:
        assert answer.status == 200
        assert answer.headers["Content-Disposition"] == (
            'attachment; filename="readings-x_filename_UTF-8_invoice.bat_y_Set-Cookie_a_b.csv"'
        )


# --- what browsers keep, and who is shut out


async def test_nothing_that_somebody_was_answered_is_kept(centre: RunningCentre) -> None:
    mine = await logged_in(centre, "anna")
    for path in (
        "/office/people",
        "/office/people.csv",
        "/office/people.json",
        "/v1/people",
        "/v1/nothing",
        "/v1/me",
    ):
        headers = (await centre.get(path, key="", **mine)).headers
        assert (headers["Cache-Control"], headers["X-Content-Type-Options"]) == ("no-store", "nosniff"), path
    for path in ("/office/people.csv", "/office/people.json"):
        headers = (await centre.get(path)).headers
        assert headers["Cache-Control"] == "no-store", "with a key too"
        assert "default-src 'none'" in headers["Content-Security-Policy"]
    style = (await centre.get("/office/login", key="")).body.decode().partition('stylesheet" href="')[2]
    kept = await centre.get(style.partition('"')[0], key="", **mine)
    assert "immutable" in kept.headers["Cache-Control"]


async def test_a_file_ends_when_its_reader_is_shut_out(
    centre: RunningCentre, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The heading is there; then he is nobody any more."""
    mine, guard = await logged_in(centre, "anna"), centre.centre.accounts.guard

    def gone(principal: Principal, request: web.Request) -> bool:
        return False

    monkeypatch.setattr(guard, "still", gone)
    for form in ("csv", "json"):
        with pytest.raises(CUT_OFF):
            await centre.get(f"/office/people.{form}", key="", **mine)


# --- words


async def test_who_may_not_is_told_whom_to_ask(centre: RunningCentre) -> None:
    async with visitor(centre, "vera") as vera:
        seen = await vera.get("/people")
    assert seen.status == 403
    assert "Ask an administrator for the role." in seen.text
    assert "outpost" not in seen.text
    assert "outpost key list" in (await centre.get("/v1/people", key="viewer")).body["hint"]


@pytest.mark.parametrize(
    ("seconds", "english", "french"),
    [(0.0, "< 0.1 s", "< 0,1 s"), (0.12, "0.1 s", "0,1 s"), (0.96, "1 s", "1 s"), (3.2, "3 seconds", "3 secondes")],
)
async def test_what_is_over_at_once_lasted_tenths(seconds: float, english: str, french: str) -> None:
    assert Figures("en").lasted(seconds) == english
    assert str(Figures("fr").lasted(seconds)).replace("\u00a0", " ") == french
