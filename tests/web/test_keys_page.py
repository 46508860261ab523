"""Keys and sites on the pages: secrets are shown once, and what is taken away is asked about first."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from sqlalchemy import select

from cloud.db.models import Audit
from tests.filled_centre import Filled
from tests.running_centre import RunningCentre, started
from tests.web.entering import add_person
from tests.web.visitor import Seen, Visitor, visitor

pytestmark = pytest.mark.asyncio(loop_scope="module")

HOSTILE = '<img src=x onerror="x()">&amp;'


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def centre(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[RunningCentre]:
    """Two sites, an administrator, a viewer, and somebody of another tenant."""
    folder: Path = tmp_path_factory.mktemp("centre")
    async with started(folder / "centre") as running:
        filled = Filled(running.centre.db)
        await filled.tenant(2)
        await filled.site(1, "pune")
        await filled.site(2, "lyon")
        await add_person(running, "anna")
        await add_person(running, "vera", "viewer")
        await add_person(running, "thea", tenant_id=2)
        yield running


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def anna(centre: RunningCentre) -> AsyncIterator[Visitor]:
    """The administrator."""
    async with visitor(centre, "anna") as somebody:
        yield somebody


async def audited(centre: RunningCentre, what: str) -> list[str]:
    async with centre.centre.db.read() as connection:
        query = select(Audit.subject, Audit.detail).where(Audit.what == what).order_by(Audit.id)
        return [f"{row[0]} {row[1]}" for row in await connection.execute(query)]


def secrets_of(seen: Seen) -> list[str]:
    """What a page shows once."""
    assert seen.status == 200
    assert seen.headers["Cache-Control"] == "no-store"
    assert "ETag" not in seen.headers
    return [code.text for code in seen.main.all("code", class_="secret")]


def row_of(seen: Seen, name: str) -> str:
    (row,) = [row for row in seen.main.one("tbody").all("tr") if row.one("th").text == name]
    return next(iter(row.links()), "")


async def test_a_key_is_made_and_its_secret_shown_once(
    centre: RunningCentre, anna: Visitor, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    form = await anna.get("/keys/new")
    unsaid = await anna.send(form, name="till", role="technician", reach="some")
    assert unsaid.status == 400
    assert unsaid.main.fields()["name"] == "till"
    made = await anna.send(unsaid, site__pune="on")
    (secret,) = secrets_of(made)
    assert (await centre.get("/v1/me", key=secret)).body["sites"] == ["pune"]
    twice = await anna.send(unsaid, site__pune="on")
    assert twice.status == 409
    listed = await anna.get("/keys")
    assert "pune" in next(row for row in listed.main.all("tr") if "till" in row.text).text
    for seen in (listed, await anna.get("/audit"), await anna.get("/keys.json")):
        assert secret not in seen.raw
    assert "till" in (await audited(centre, "key.created"))[-1]
    assert not [row for row in await audited(centre, "key.created") if secret in row]
    assert secret not in caplog.text


async def test_only_what_the_form_has_makes_a_key(centre: RunningCentre, anna: Visitor) -> None:
    form = await anna.get("/keys/new")
    more = {"secret": "a-secret-of-mine-0123456789", "scope": "nic", "tenant_id": "2"}
    (secret,) = secrets_of(await anna.send(form, name=HOSTILE, role="viewer", **more))
    assert secret
    assert secret != more["secret"]
    listed = await anna.get("/keys")
    assert row_of(listed, HOSTILE)
    assert not listed.main.all("img")
    assert (await anna.send(form, name="x", role="god")).status == 400
    assert (await anna.send(form, name=" " * 3, role="viewer")).main.one(role="alert").text


async def test_a_key_is_revoked_after_a_question(centre: RunningCentre, anna: Visitor) -> None:
    made = await anna.send(await anna.get("/keys/new"), name="old", role="viewer")
    (secret,) = secrets_of(made)
    question = await anna.get(row_of(await anna.get("/keys"), "old").removeprefix("/office"))
    assert "The key old, viewer." in question.text
    assert (await centre.get("/v1/me", key=secret)).status == 200
    assert "The key is revoked." in (await anna.send(question)).text
    assert (await centre.get("/v1/me", key=secret)).status == 401
    assert "The key is revoked." in (await anna.send(question)).text
    assert len(await audited(centre, "key.revoked")) == 1
    assert "old" in (await anna.get("/keys?state=revoked")).main.one("tbody").text


async def test_many_keys_are_shown_page_by_page(centre: RunningCentre, anna: Visitor) -> None:
    for number in range(51):
        assert (await centre.ask("POST", "/v1/keys", {"name": f"n{number}", "role": "viewer"})).status == 201
    first = await anna.get("/keys")
    assert len(first.main.one("tbody").all("tr")) == 50
    (more,) = first.main.all("a", rel="next")
    second = await anna.get(more["href"].removeprefix("/office"))
    assert second.main.all("a", rel="first")
    assert (await anna.get("/keys?cursor=x")).status == 400


async def test_a_site_is_made_and_its_code_shown_once(centre: RunningCentre, anna: Visitor) -> None:
    form = await anna.get("/sites/new")
    made = await anna.send(form, name="Bengaluru")
    code, line = secrets_of(made)
    assert line.startswith(f"outpost site enrol {code} --cloud ")
    assert made.main.one(class_="acts").links() == ["/office/sites/bengaluru"]
    twice = await anna.send(form, name="Bengaluru")
    assert twice.status == 409
    assert twice.main.fields()["name"] == "Bengaluru"
    assert "There is a site" in twice.main.one(role="alert").text
    for path in ("/audit", "/fleet", "/sites/bengaluru/code"):
        assert code not in (await anna.get(path)).raw
    enrolled = await centre.ask(
        "POST", "/sync/v1/enrol", {"code": code, "place": "p", "name": "hub", "version": "1"}, key=""
    )
    assert enrolled.status == 200, enrolled.body


async def test_a_site_named_new_keeps_an_address_of_its_own(anna: Visitor) -> None:
    made = await anna.send(await anna.get("/sites/new"), name="New")
    (to,) = made.main.one(class_="acts").links()
    assert to != "/office/sites/new"
    assert to.startswith("/office/sites/new-")


async def test_a_new_code_is_asked_about_and_ends_the_one_before(centre: RunningCentre, anna: Visitor) -> None:
    question = await anna.get("/sites/pune/code")
    assert "Pune" in question.text
    assert "is shut out once another enrols" in question.text
    first, second = secrets_of(await anna.send(question))[0], secrets_of(await anna.send(question))[0]
    body = {"place": "p", "name": "hub", "version": "1"}
    assert (await centre.ask("POST", "/sync/v1/enrol", {"code": first, **body}, key="")).status == 403
    assert (await centre.ask("POST", "/sync/v1/enrol", {"code": second, **body}, key="")).status == 200


async def test_a_site_is_revoked_after_a_question(centre: RunningCentre, anna: Visitor) -> None:
    question = await anna.get("/sites/lyon/revoke")
    assert "Revoke Lyon?" in question.text
    assert (await centre.get("/v1/sites/lyon")).body["state"] != "revoked"
    for _ in range(2):
        assert (await anna.send(question)).hops == ["/office/sites/lyon"]
    assert (await centre.get("/v1/sites/lyon")).body["state"] == "revoked"
    assert len(await audited(centre, "site.revoked")) == 1


async def test_others_may_not(centre: RunningCentre) -> None:
    async with visitor(centre, "vera") as vera, visitor(centre, "thea") as thea:
        for path in ("/keys/new", "/sites/new", "/sites/pune/code", "/sites/pune/revoke"):
            assert (await vera.get(path)).status == 403
            assert (await vera.post(path, {"name": "x", "role": "admin", "reach": "all"})).status == 403
        for path in ("/sites/pune/code", "/sites/pune/revoke"):
            assert (await thea.get(path)).status == 404
            assert (await thea.post(path, {})).status == 404
        key = (await centre.get("/v1/keys")).body["items"][0]["id"]
        assert (await thea.get(f"/keys/{key}/revoke")).status == 404
        assert (await thea.post(f"/keys/{key}/revoke", {})).status == 404
        assert "first-admin" not in (await thea.get("/keys.csv")).raw


async def test_another_sites_page_makes_and_ends_nothing(centre: RunningCentre, anna: Visitor) -> None:
    before = [key["id"] for key in (await centre.get("/v1/keys")).body["items"]]
    for path in ("/keys/new", "/sites/new", "/sites/pune/code", "/sites/pune/revoke"):
        fields = {"name": "evil", "role": "admin", "reach": "all"}
        assert (await anna.post(path, fields, "https://evil.example")).status == 403
    assert [key["id"] for key in (await centre.get("/v1/keys")).body["items"]] == before
    assert (await centre.get("/v1/sites/pune")).body["state"] != "revoked"
    assert (await centre.get("/v1/sites/evil")).status == 404


async def test_who_knocks_is_listed(centre: RunningCentre, anna: Visitor) -> None:
    await centre.get("/nothing/<b>here", key="")
    seen = await anna.get("/knocking")
    assert "/nothing/<b>here" in seen.main.one("tbody").text
    assert not seen.main.all("b")
    assert "/nothing/" in (await anna.get("/knocking.csv")).raw


async def test_in_french(centre: RunningCentre) -> None:
    async with visitor(centre, "anna", language="fr") as anna:
        assert "Cr\u00e9er une cl\u00e9" in (await anna.get("/keys/new")).text
        assert "R\u00e9voquer Pune ?" in (await anna.get("/sites/pune/revoke")).text
        assert "Nouveau site" in (await anna.get("/sites/new")).text
        assert "Inconnus" in (await anna.get("/knocking")).text
