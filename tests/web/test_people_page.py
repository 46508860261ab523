"""People on the pages: added, changed, given codes, shut out and let in; and everybody's own page."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from sqlalchemy import select, update

from cloud.db.models import Audit
from cloud.db.people_models import Login, Person
from edge.errors import RateLimited
from tests.filled_centre import Filled
from tests.running_centre import RunningCentre, started
from tests.web.entering import PASSWORD, add_person
from tests.web.visitor import Seen, Visitor, visitor

pytestmark = pytest.mark.asyncio(loop_scope="module")

HOSTILE = '<b onclick="x()">Mallory</b> & =1+1'
NEW_PASSWORD = "Another long passw0rd"


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def centre(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[RunningCentre]:
    """Two sites, and people of two tenants."""
    folder: Path = tmp_path_factory.mktemp("centre")
    async with started(folder / "centre") as running:
        filled = Filled(running.centre.db)
        await filled.tenant(2)
        await filled.site(1, "pune")
        await filled.site(2, "lyon")
        await add_person(running, "anna")
        await add_person(running, "berta", sites="pune")
        await add_person(running, "tom", "technician", sites="pune")
        await add_person(running, "vera", "viewer")
        await add_person(running, "thea", tenant_id=2)
        yield running


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def anna(centre: RunningCentre) -> AsyncIterator[Visitor]:
    """The administrator of all sites."""
    async with visitor(centre, "anna") as somebody:
        yield somebody


async def person(centre: RunningCentre, username: str) -> dict[str, object]:
    async with centre.centre.db.read() as connection:
        query = select(Person.__table__).where(Person.username == username)
        return dict((await connection.execute(query)).mappings().one())


async def open_logins(centre: RunningCentre, username: str) -> int:
    async with centre.centre.db.read() as connection:
        query = select(Login.id).where(Login.person_id == f"p-{username}", Login.ended_us.is_(None))
        return len((await connection.execute(query)).all())


async def whole_audit(centre: RunningCentre) -> str:
    async with centre.centre.db.read() as connection:
        rows = (await connection.execute(select(Audit.what, Audit.subject, Audit.detail))).all()
    return "\n".join(" ".join(row) for row in rows)


def code_of(seen: Seen) -> str:
    """The code a page shows, which is kept nowhere."""
    assert seen.headers["Cache-Control"] == "no-store"
    return seen.main.all("code", class_="secret")[0].text


async def test_the_list_says_who_there_is(anna: Visitor) -> None:
    seen = await anna.get("/people")
    rows = {row.one("th").text.partition(" ")[0]: row.text for row in seen.main.one("tbody").all("tr")}
    assert set(rows) >= {"anna@example.com", "tom@example.com", "vera@example.com"}
    assert "thea@example.com" not in rows
    assert "technician" in rows["tom@example.com"]
    assert "pune" in rows["tom@example.com"]
    assert "all sites" in rows["vera@example.com"]
    raw = (await anna.get("/people.csv")).raw
    assert "tom@example.com" in raw
    assert "password" not in raw.splitlines()[1]


async def test_somebody_is_added_with_a_code_that_is_shown_once(
    centre: RunningCentre, anna: Visitor, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    form = await anna.get("/people/new")
    none = await anna.send(form, email="carl@example.com", full_name=HOSTILE, role="technician", reach="some")
    assert none.status == 400
    assert "Choose the sites" in none.text
    kept = none.main.fields()
    assert (kept["email"], kept["full_name"], kept["role"]) == ("carl@example.com", HOSTILE, "technician")
    made = await anna.send(none, site__lyon="on")
    code = code_of(made)
    assert "/office/reset" in made.text
    carl = await person(centre, "carl")
    assert (carl["role"], carl["sites"], carl["full_name"]) == ("technician", "lyon", HOSTILE)
    twice = await anna.send(none, site__lyon="on")
    assert twice.status == 409
    assert twice.main.one(role="alert").text.startswith("Somebody has this address already.")
    listed = await anna.get("/people")
    assert HOSTILE in listed.page.text
    assert not listed.main.all("b")
    for seen in (listed, await anna.get(f"/people/{carl['id']}"), await anna.get("/audit")):
        assert code not in seen.raw
    assert code not in await whole_audit(centre)
    assert code not in caplog.text

    async with visitor(centre) as stranger:
        page = await stranger.get("/reset")
        differ = await stranger.send(page, code=code, password=NEW_PASSWORD, again="x")
        assert differ.status == 400
        assert differ.main.fields()["code"] == code
        short = await stranger.send(page, code=code, password="x", again="x")
        assert short.status == 422
        assert "at least 8 characters" in short.main.one(role="alert").text
        done = await stranger.send(page, code=code.lower(), password=NEW_PASSWORD, again=NEW_PASSWORD)
        assert done.at == "/office/login"
        again = await stranger.send(page, code=code, password=NEW_PASSWORD, again=NEW_PASSWORD)
        never = await stranger.send(page, code="AAAA-BBBB-CCCC", password=NEW_PASSWORD, again=NEW_PASSWORD)
        assert (again.status, again.text) == (never.status, never.text)
        entered = await stranger.post("/login", {"name": "carl@example.com", "password": NEW_PASSWORD})
        assert entered.at == "/office/"
        assert "Lyon" in entered.text
        assert "Pune" not in entered.text


async def test_only_what_the_form_has_is_changed(centre: RunningCentre, anna: Visitor) -> None:
    await add_person(centre, "dora", "viewer")
    form = await anna.get("/people/p-dora/change")
    assert form.main.fields()["reach"] == "all"
    more = {"tenant_id": "2", "tenant": "2", "username": "root", "password": "x", "state": "disabled", "id": "p-x"}
    done = await anna.send(form, role="technician", reach="some", site__pune="on", **more)
    assert "Saved." in done.text
    dora = await person(centre, "dora")
    assert (dora["role"], dora["sites"], dora["state"], dora["tenant_id"]) == ("technician", "pune", "active", 1)
    missing = await anna.post("/people/p-dora/change", {"email": "dora@example.com", "role": "admin"})
    assert missing.status == 400
    wrong = await anna.send(await anna.get("/people/p-dora/change"), role="god")
    assert wrong.status == 400
    assert (await person(centre, "dora"))["role"] == "technician"


async def test_somebody_is_shut_out_and_let_in_again(centre: RunningCentre, anna: Visitor) -> None:
    await add_person(centre, "egon", "viewer")
    async with visitor(centre, "egon") as egon:
        question = await anna.get("/people/p-egon/disable")
        assert "egon@example.com" in question.text
        assert (await egon.get("/fleet")).status == 200
        done = await anna.send(question)
        assert "all his logins are over" in done.text
        assert (await egon.get("/fleet")).at.startswith("/office/login")
        assert (await anna.get("/people/p-egon")).main.one(class_="disabled").text == "shut out"
        await anna.send(await anna.get("/people/p-egon/enable"))
        assert (await egon.get("/fleet")).at.startswith("/office/login"), "a login that ended stays so"
    async with visitor(centre, "egon") as egon:
        assert (await egon.get("/fleet")).status == 200


async def test_who_waits_stands_first_and_is_let_in(centre: RunningCentre, anna: Visitor) -> None:
    await add_person(centre, "zoe", "viewer")
    async with centre.centre.db.write() as connection:
        await connection.execute(update(Person).where(Person.username == "zoe").values(state="waiting"))
    first = (await anna.get("/people")).main.one("tbody").all("tr")[0]
    assert "zoe@example.com" in first.text
    question = await anna.get("/people/p-zoe/enable")
    assert "asked for an account himself" in question.text
    await anna.send(question)
    assert (await person(centre, "zoe"))["state"] == "active"


async def test_an_administrator_gives_a_code_for_a_new_password(centre: RunningCentre, anna: Visitor) -> None:
    await add_person(centre, "fritz", "viewer")
    made = await anna.send(await anna.get("/people/p-fritz/reset"))
    code = code_of(made)
    assert code not in (await anna.get("/people/p-fritz")).raw
    async with visitor(centre) as stranger:
        await stranger.send(await stranger.get("/reset"), code=code, password=NEW_PASSWORD, again=NEW_PASSWORD)
        assert (await stranger.post("/login", {"name": "fritz", "password": NEW_PASSWORD})).at == "/office/"


async def test_logins_are_seen_and_ended(centre: RunningCentre, anna: Visitor) -> None:
    await add_person(centre, "gerd", "viewer")
    async with visitor(centre, "gerd") as one, visitor(centre, "gerd") as two, visitor(centre, "gerd") as three:
        page = await anna.get("/people/p-gerd")
        ends = [link for link in page.main.links() if link.endswith("/end")]
        assert len(ends) == 3
        question = await anna.get(ends[0].removeprefix("/office"))
        assert "gerd, from 127.0.0.1" in question.text
        await anna.send(question)
        assert await open_logins(centre, "gerd") == 2
        await anna.send(question)
        assert await open_logins(centre, "gerd") == 2
        await anna.send(await anna.get("/people/p-gerd/end-logins"))
        assert await open_logins(centre, "gerd") == 0
        for each in (one, two, three):
            assert (await each.get("/me")).at.startswith("/office/login")


async def test_everybody_has_a_page_of_his_own(centre: RunningCentre) -> None:
    await add_person(centre, "hugo", "viewer", sites="pune")
    async with visitor(centre, "hugo") as hugo, visitor(centre, "hugo") as elsewhere:
        me = await hugo.get("/me")
        assert "user:hugo" in me.text
        assert "viewer" in me.text
        assert "/office/sites/pune" in me.main.links()
        assert len([link for link in me.main.links() if link.endswith("/end")]) == 2
        named = await hugo.post("/me/name", {"full_name": HOSTILE, "role": "admin", "sites": "lyon"})
        assert "Saved." in named.text
        assert HOSTILE in named.page.text or named.main.one("form").fields()["full_name"] == HOSTILE
        assert (await person(centre, "hugo"))["role"] == "viewer"
        new = {"new": NEW_PASSWORD, "again": NEW_PASSWORD}
        wrong = await hugo.post("/me/password", {"old": "not it", **new})
        assert "This is not your password." in wrong.text
        differ = await hugo.post("/me/password", {"old": PASSWORD, "new": NEW_PASSWORD, "again": "other"})
        assert differ.status == 400
        assert NEW_PASSWORD not in differ.raw
        done = await hugo.post("/me/password", {"old": PASSWORD, **new})
        assert done.at == "/office/me"
        assert (await elsewhere.get("/me")).at.startswith("/office/login")
        assert (await hugo.get("/me.csv")).raw.count("\n") == 2


async def test_ones_other_logins_are_ended_and_nobody_elses(centre: RunningCentre) -> None:
    await add_person(centre, "ines", "viewer")
    async with visitor(centre, "ines") as ines, visitor(centre, "ines") as other, visitor(centre, "tom") as tom:
        theirs = next(link for link in (await tom.get("/me")).main.links() if link.endswith("/end"))
        path = theirs.removeprefix("/office")
        assert (await ines.get(path)).status == 404
        await ines.post(path, {})
        assert (await tom.get("/me")).status == 200
        assert (await tom.get("/me")).at == "/office/me"
        await ines.send(await ines.get("/me/end-others"))
        assert (await other.get("/me")).at.startswith("/office/login")
        assert (await ines.get("/me")).at == "/office/me"


async def test_a_key_has_a_page_of_its_own_too(centre: RunningCentre) -> None:
    seen = await centre.get("/office/me", key="viewer")
    assert seen.status == 200
    assert b"key:viewer" in seen.body
    assert b'name="old"' not in seen.body


@pytest.mark.parametrize("name", ["vera", "tom"])
async def test_who_is_no_administrator_is_led_nowhere_he_may_not_go(centre: RunningCentre, name: str) -> None:
    async with visitor(centre, name) as somebody:
        fleet = await somebody.get("/fleet")
        shown = {link for link in fleet.page.one("nav").links()}
        assert not shown & {"/office/people", "/office/keys", "/office/audit"}
        assert ("/office/knocking" in shown) == (name == "vera")
        for link in shown:
            assert (await somebody.get(link.removeprefix("/office"))).status == 200
        for path in ("/people", "/people.csv", "/people/new", "/people/p-vera", "/keys", "/keys.json", "/audit"):
            assert (await somebody.get(path)).status == 403
        for path in ("/people/new", "/people/p-vera/change", "/people/p-vera/disable", "/people/p-vera/reset"):
            assert (
                await somebody.post(path, {"email": "x@example.com", "role": "admin", "reach": "all"})
            ).status == 403
    assert (await person(centre, "vera"))["state"] == "active"


async def test_another_tenants_people_are_not_there(centre: RunningCentre, anna: Visitor) -> None:
    for path in ("", "/change", "/reset", "/disable", "/enable", "/end-logins"):
        assert (await anna.get(f"/people/p-thea{path}")).status == 404
    for path in ("/change", "/reset", "/disable", "/enable"):
        fields = {"email": "x@example.com", "role": "viewer", "reach": "all"}
        assert (await anna.post(f"/people/p-thea{path}", fields)).status == 404
    async with visitor(centre, "thea") as thea:
        assert "anna@example.com" not in (await thea.get("/people")).raw
        assert "anna@example.com" not in (await thea.get("/people.json")).raw
        login = next(link for link in (await thea.get("/me")).main.links() if link.endswith("/end")).split("/")[-2]
        await anna.post(f"/people/p-anna/logins/{login}/end", {})
        assert (await thea.get("/me")).at == "/office/me"


async def test_who_has_some_sites_gives_no_more(centre: RunningCentre) -> None:
    async with visitor(centre, "berta") as berta:
        form = await berta.get("/people/new")
        assert form.main.fields()["reach"] == "some"
        refused = await berta.send(form, email="judy@example.com", role="admin", reach="all")
        assert refused.status == 403
        assert refused.main.fields()["email"] == "judy@example.com"
        theirs = await berta.send(form, email="judy@example.com", role="admin", reach="some", site__lyon="on")
        assert theirs.status in (403, 404)
        assert (await berta.get("/people/p-vera")).status == 404


async def test_another_sites_page_changes_nobody(centre: RunningCentre, anna: Visitor) -> None:
    for path in ("/people/new", "/people/p-vera/disable", "/people/p-vera/reset", "/me/password", "/me/end-others"):
        refused = await anna.post(
            path, {"email": "evil@example.com", "role": "admin", "reach": "all"}, "https://e.example"
        )
        assert refused.status == 403
    async with visitor(centre) as stranger:
        assert (await stranger.post("/reset", {"code": "x"}, origin="https://e.example")).status == 403
    assert (await person(centre, "vera"))["state"] == "active"
    assert "evil@example.com" not in (await anna.get("/people.csv")).raw


async def test_the_last_administrator_stays_one(centre: RunningCentre, anna: Visitor) -> None:
    for act in ("disable", "enable"):
        seen = await anna.post(f"/people/p-anna/{act}", {})
        assert seen.status in (200, 403, 409)
    assert (await person(centre, "anna"))["state"] == "active"
    assert not [link for link in (await anna.get("/people/p-anna")).main.links() if link.endswith("/disable")]


async def test_in_french(centre: RunningCentre) -> None:
    async with visitor(centre, "anna", language="fr") as anna:
        assert "Ajouter quelqu" in (await anna.get("/people")).text
        assert "technicien" in (await anna.get("/people/p-tom")).text
        assert "Exclure vera@example.com ?" in (await anna.get("/people/p-vera/disable")).text
        assert "Mon compte" in (await anna.get("/me")).text
    async with visitor(centre, language="fr") as stranger:
        assert "Choisir un mot de passe" in (await stranger.get("/reset")).text


async def test_codes_are_not_guessed(centre: RunningCentre) -> None:
    """The last one here: its address is one that guesses from now on."""
    async with visitor(centre) as stranger:
        page = await stranger.get("/reset")
        fields = {"password": NEW_PASSWORD, "again": NEW_PASSWORD}
        for _ in range(40):
            seen = await stranger.send(page, code="AAAA-BBBB-CCCC", **fields)
            if seen.status == RateLimited.status:
                break
        assert seen.status == RateLimited.status
        assert "Retry-After" in seen.headers or "Try again in" in seen.text
