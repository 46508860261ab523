"""The older app asks the centre, unmodified: its things are at hubs, which do what it asks as if it stood there."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from cloud.db.visit_models import Visit
from edge.access.accounts.model import WrongLogin
from edge.sync.orders import SiteOrders
from edge.wire.sync import Item
from tests import running_centre
from tests.fakes.thingsnxt_app import Refused, ThingsApp
from tests.integration.sync.conftest import Pair, until
from tests.integration.sync.test_older_apps import away
from tests.integration.sync.things_anywhere import (
    PASSWORD,
    account,
    app_of,
    device_of,
    person,
    told,
    two_sites,
)
from tests.running_centre import ENGINES

NOBODYS = "f" * 24


async def refused(asking: Any) -> tuple[int, Any]:
    """Status and detail of what is refused."""
    with pytest.raises(Refused) as error:
        await asking
    return error.value.status, error.value.detail


@pytest.mark.parametrize("engine", ENGINES, indirect=True)
async def test_things_of_two_sites_are_one_persons(pair: Pair) -> None:
    async with two_sites(pair) as (pune, delhi):
        asha, ben = await person(pair, "asha"), await person(pair, "ben", "pune")
        status, answer = await asha.raw("POST", "/devices", {"name": "Porch"})
        assert (status, answer["detail"][0]["loc"]) == (422, ["body", "site"])
        porch = await asha.ask("POST", "/devices", {"name": "Porch", "site": "pune"})
        gate = await asha.ask("POST", "/devices?site=delhi", {"name": "Gate"})
        assert (len(porch["device_token"]), porch["user_id"]) == (32, gate["user_id"])
        assert device_of(pune, porch["id"])
        listed = await asha.ask("GET", "/devices")
        assert {one["name"] for one in listed} == {"Porch", "Gate"}
        assert all(one["device_token"].startswith("hidden-") for one in listed)
        assert await ben.ask("GET", "/devices") == []

        home = await asha.ask("POST", "/dashboards?site=delhi", {"name": "Home"})
        lamp = await asha.led(gate["id"], home["_id"])
        done = await asha.switch(lamp, True)
        assert (done["message"], done["state"], done["virtual_pin"]) == ("ok", 1, "v0")
        gates = device_of(delhi, gate["id"])
        assert gates
        assert delhi.hub.twins.twins.of(gates.id).desired == {"v0": 1}
        assert [one["id"] for one in await asha.ask("GET", f"/widgets/{home['_id']}")] == [lamp["_id"]]
        assert await refused(ben.switch(lamp, 0)) == (404, "Widget not found")
        other = await asha.led(gate["id"], home["_id"])
        assert other["config"]["virtual_pin"] == "v1"

        for hub in (pune, delhi):
            rows = await hub.hub.store.hub.read("SELECT kind, body FROM ledger")
            assert "asha@" not in str([tuple(row) for row in rows])
        assert not await pair.count(Visit), "what was asked is gone once it is answered"


async def test_logging_in_renewing_and_logging_out(pair: Pair) -> None:
    await account(pair, "asha")
    centre = pair.centre
    status, pair_of = await ThingsApp(centre.http, centre.url).raw(
        "POST", "/login", {"email": "ASHA@example.com", "password": PASSWORD}
    )
    assert (status, pair_of["token_type"], pair_of["user"]["username"]) == (200, "bearer", "asha")
    app = ThingsApp(centre.http, centre.url, pair_of["access_token"])
    assert (await app.ask("GET", "/me"))["email"] == "asha@example.com"
    for wrong in ({"email": "asha", "password": "x"}, {"email": "nobody@example.com", "password": PASSWORD}):
        assert await app.raw("POST", "/login", wrong) == (400, {"detail": "Invalid email or password"})
    for path in ("/v1/devices", "/v1/me", "/v1/people"):
        assert (await centre.get(path, key=app.token)).status in (401, 403), path
    bearer = {"Authorization": f"Bearer {app.token}"}
    async with centre.http.get(centre.url + "/office/", headers=bearer, allow_redirects=False) as response:
        assert response.status == 303, "to the login page"
    assert (await centre.get("/devices", key="admin")).status == 401, "a key is no account"

    first = await app.ask("POST", f"/refresh?refresh_token={pair_of['refresh_token']}")
    again = await app.raw("POST", "/refresh", {"refresh_token": pair_of["refresh_token"]})
    assert again == (400, {"detail": "Invalid refresh token"})
    assert (await app.raw("POST", f"/refresh?refresh_token={first['refresh_token']}"))[0] == 401
    assert (await app.raw("GET", "/me"))[0] == 401, "who copied one has ended the login"

    app = await app_of(pair, "asha")
    assert (await app.ask("POST", "/logout"))["tokens_deleted"] == 1
    for _ in range(3):
        assert (await app.ask("POST", "/logout"))["already_logged_out"] is True
    assert (await app.raw("GET", "/me"))[0] == 401


async def test_an_account_is_its_owners(pair: Pair) -> None:
    asha = await person(pair, "asha")
    changed = await asha.ask("PUT", "/me", {"full_name": "Asha Rao", "notification_settings": {"email": True}})
    assert (changed["full_name"], changed["notification_settings"]) == ("Asha Rao", {"email": True})
    assert await asha.ask("GET", "/me") == changed
    assert (await asha.raw("PUT", "/me", {"email": "boss@example.com"}))[0] == 400
    assert (await asha.ask("DELETE", "/me"))["message"].startswith("Account")
    assert (await asha.raw("GET", "/me"))[0] == 401
    people = (await pair.centre.get("/v1/people")).body["items"]
    assert "asha@example.com" not in str(people)


async def test_signing_up_is_closed_unless_it_is_opened(pair: Pair) -> None:
    app = ThingsApp(pair.centre.http, pair.centre.url)
    form = {"email": "x@example.com", "username": "xenia", "password": PASSWORD}
    assert (await app.raw("POST", "/signup", form))[0] == 403
    assert (await app.raw("POST", "/forgot-password", {"email": "x@example.com"}))[0] == 200
    assert (await app.raw("GET", "/verify-reset-token?token=ABCDEFGH"))[0] == 404


async def test_a_forgotten_password_is_set_with_a_code(pair: Pair) -> None:
    asha = await person(pair, "asha")
    reset = await pair.centre.ask("POST", "/v1/people/asha/reset")
    code = reset.body["code"]
    assert (await asha.raw("GET", f"/verify-reset-token?token={code}"))[0] == 200
    assert (await asha.raw("POST", "/reset-password", {"token": code, "new_password": "short"}))[0] == 422
    assert (await asha.raw("POST", "/reset-password", {"token": code, "new_password": "N3wPassword"}))[0] == 200
    assert (await asha.raw("GET", "/me"))[0] == 401
    await asha.log_in("asha", "N3wPassword")
    assert (await asha.raw("POST", "/reset-password", {"token": code, "new_password": "N3wPassword"}))[0] == 400


# --- a site that is away, a hub that is old, a person who may no longer


async def test_a_site_that_is_away_is_said_to_be_away(pair: Pair) -> None:
    asha = await person(pair, "asha")
    async with pair.hub() as pune:
        await pair.enrolled(pune)
        porch = await asha.ask("POST", "/devices", {"name": "Porch"})
        lamp = await asha.led(porch["id"])
        await told(pair, "widget", lamp["_id"])
        await owned(pair, asha)
    await away(pair)
    async with pair.centre.http.get(
        pair.centre.url + "/devices", headers={"Authorization": f"Bearer {asha.token}"}
    ) as response:
        [listed] = await response.json()
        assert (response.status, response.headers["Outpost-Away"]) == (200, "pune")
    assert (listed["id"], listed["name"], listed["status"]) == (porch["id"], "Porch", "offline")
    status, answer = await asha.raw("POST", "/devices", {"name": "Gate"})
    assert (status, "Pune has been away since" in answer["detail"]) == (503, True), answer
    status, answer = await asha.raw("PATCH", f"/widgets/{lamp['_id']}", {"label": "Light"})
    assert status == 503, answer
    status, answer = await asha.raw("POST", f"/widgets/{lamp['_id']}/state", {"state": 1})
    assert (status, answer["queued"]) == (202, True), answer
    ben = await person(pair, "ben")
    assert (await ben.raw("POST", f"/widgets/{lamp['_id']}/state", {"state": 0}))[0] == 404
    async with pair.hub() as pune:
        device = device_of(pune, porch["id"])
        assert device

        async def switched() -> bool:
            return pune.hub.twins.twins.of(device.id).desired == {"v0": 1}

        await until(switched)


async def owned(pair: Pair, app: ThingsApp) -> None:
    """Wait until the centre has been told whose his one device is."""
    mine = (await app.ask("GET", "/me"))["id"]

    async def seen() -> bool:
        return mine in {view["owner"] for view in (await pair.states("device")).values()}

    await until(seen)


async def test_a_hub_that_does_not_know_people_says_to_update_it(
    pair: Pair, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = SiteOrders.apply

    async def older(self: SiteOrders, item: Item, left_s: float | None, end: Any) -> None:
        await real(self, msgspec.structs.replace(item, kind="unheard-of"), left_s, end)

    monkeypatch.setattr(SiteOrders, "apply", older)
    asha = await person(pair, "asha")
    async with pair.hub() as pune:
        await pair.enrolled(pune)
        status, answer = await asha.raw("POST", "/devices", {"name": "Porch"})
        assert (status, "update it" in answer["detail"]) == (409, True), answer


async def test_who_loses_a_site_finds_nothing_there_and_has_no_account_there(pair: Pair) -> None:
    asha = await person(pair, "asha")
    mine = (await asha.ask("GET", "/me"))["id"]
    async with pair.hub() as pune:
        await pair.enrolled(pune)
        porch = await asha.ask("POST", "/devices", {"name": "Porch"})
        accounts = pune.hub.people.accounts
        assert accounts.get("asha@example.com").id == mine
        with pytest.raises(WrongLogin):
            await accounts.log_in("asha", "nobody has this password", "here")
        await pair.centre.ask("POST", "/v1/sites", {"name": "Delhi"})
        changed = await pair.centre.ask("PATCH", "/v1/people/asha", {"sites": ["delhi"]})
        assert changed.status == 200, changed.body

        async def shut() -> bool:
            return not accounts.get(mine).active

        await until(shut)
        assert await asha.ask("GET", "/devices") == []
        assert (await asha.raw("DELETE", f"/devices/{porch['id']}"))[0] == 404
        await pair.centre.ask("PATCH", "/v1/people/asha", {"sites": []})

        async def back() -> bool:
            return [one["id"] for one in await asha.ask("GET", "/devices")] == [porch["id"]]

        await until(back)
        assert (await asha.ask("DELETE", "/me"))["message"]

        async def gone() -> bool:
            return accounts.user_by_id(mine) is None

        await until(gone)


async def test_an_address_that_is_anothers_at_the_hub_opens_nothing_of_his(pair: Pair) -> None:
    asha = await person(pair, "asha")
    async with pair.hub() as pune:
        accounts = pune.hub.people.accounts
        local = await accounts.add("asha@example.com", "asha", PASSWORD, actor="tess")
        await pair.enrolled(pune)
        status, answer = await asha.raw("POST", "/devices", {"name": "Porch"})
        assert (status, "hub of Pune would not know you" in answer["detail"]) == (409, True), answer
        await accounts.delete(local, actor="tess")
        waits = await accounts.sign_up("asha@example.com", "asha", PASSWORD, address="10.0.0.9")
        assert not waits.active
        ben = await person(pair, "ben")
        await accounts.add("else@example.com", "ben", PASSWORD, actor="tess")
        assert (await ben.raw("POST", "/devices", {}))[0] == 200
        assert accounts.get("ben@example.com").username == "ben-2"


@pytest.mark.parametrize("engine", ["postgresql"], indirect=True)
async def test_two_instances_know_the_same_people(pair: Pair) -> None:
    database = pair.centre.centre.settings.centre.database
    async with pair.hub() as pune:
        await pair.enrolled(pune)
        asha = await person(pair, "asha")
        folder, key = pair.folder / "second", pair.centre.keys["admin"]
        async with running_centre.started(folder, database=database, admin=key) as second:
            there = ThingsApp(second.http, second.url, asha.token)
            porch = await there.ask("POST", "/devices", {"name": "Porch"})
            lamp = await there.led(porch["id"])
            assert (await asha.switch(lamp, 1))["state"] == 1
            assert [one["id"] for one in await asha.ask("GET", "/devices")] == [porch["id"]]
            assert (await there.ask("POST", "/logout"))["tokens_deleted"] == 1

            async def out() -> bool:
                return (await asha.raw("GET", "/me"))[0] == 401

            await until(out)
