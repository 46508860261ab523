"""The older app asks the centre, unmodified: its things are at hubs, which do what it asks as if it stood there."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import pytest

from cloud.db.visit_models import Visit
from edge.access.accounts.model import WrongLogin
from edge.sync.orders import SiteOrders
from edge.wire.sync import Item
from tests import running_centre
from tests.fakes.thingsnxt_app import Refused, ThingsApp, streamed
from tests.integration.compat.test_thingsnxt_isolation import PATHS, filled, things_of
from tests.integration.sync.conftest import Pair, until
from tests.integration.sync.test_older_apps import away
from tests.integration.sync.things_anywhere import (
    PASSWORD,
    account,
    app_of,
    board,
    device_of,
    person,
    told,
    two_sites,
)
from tests.patience import AT_ONCE_S
from tests.running_centre import ENGINES

pytestmark = pytest.mark.either_engine
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


# --- live


async def test_what_happens_at_two_sites_is_told_to_one_socket(pair: Pair) -> None:
    async with two_sites(pair) as (pune, delhi):
        asha, ben = await person(pair, "asha"), await person(pair, "ben")
        porch = await asha.ask("POST", "/devices?site=pune", {"name": "Porch"})
        gate = await asha.ask("POST", "/devices?site=delhi", {"name": "Gate"})
        lamp = await asha.led(gate["id"], (await asha.ask("POST", "/dashboards?site=delhi", {"name": "H"}))["_id"])
        mine = (await asha.ask("GET", "/me"))["id"]
        async with asha.listening() as heard, ben.listening() as others:
            await board(pair.centre.http, pune, porch["device_token"]).report()
            reported = await heard.next("telemetry_update")
            assert (reported["device_id"], reported["data"]["v0"]) == (porch["id"], 0)
            assert not reported["timestamp"].endswith("Z")
            await asha.switch(lamp, 1)
            changed = await heard.next("widget_update")
            assert (changed["widget"]["id"], changed["widget"]["value"], changed["widget"]["pending"]) == (
                lamp["_id"], 1, True,
            )  # fmt: skip
            await delhi.hub.twins.notices.tell(mine, type="info", title="T", message="M")
            while (await heard.next("notification"))["notification"]["title"] != "T":
                pass  # that its devices are there is told too
            await heard.say({"type": "ping"})
            assert (await heard.next("pong"))["timestamp"]
            await heard.say({"type": "subscribe", "channels": ["a"]})
            assert (await heard.next("subscribed"))["channels"] == ["a"]
            await heard.say("{")
            assert (await heard.next("error"))["message"] == "Invalid JSON format"
            await others.say({"type": "ping"})
            assert (await others.next())["type"] == "pong", "another hears nothing of it"
            await asha.ask("POST", "/logout")
            async with asyncio.timeout(AT_ONCE_S):
                async for _ in heard.socket:
                    pass  # what was on its way
            assert heard.socket.close_code == 4401
        for token, code in (("", 1008), ("nonsense", 4401)):
            async with pair.centre.http.ws_connect(f"{pair.centre.url}/ws?token={token}") as socket:
                await socket.receive()
                assert socket.close_code == code


async def test_streams_of_events_and_of_notifications(pair: Pair) -> None:
    asha = await person(pair, "asha")
    async with pair.hub() as pune:
        await pair.enrolled(pune)
        porch = await asha.ask("POST", "/devices", {"name": "Porch"})
        mine = (await asha.ask("GET", "/me"))["id"]
        await pune.hub.twins.notices.tell(mine, type="info", title="First", message="M")
        bearer = {"Authorization": f"Bearer {asha.token}"}
        async with (
            pair.centre.http.get(pair.centre.url + "/notifications/stream", headers=bearer) as notices,
            pair.centre.http.get(f"{pair.centre.url}/events/stream?token={asha.token}") as events,
        ):
            assert (await streamed(notices))["message"] == "Notification stream connected"
            assert [one["title"] for one in (await streamed(notices))["notifications"]] == ["First"]
            assert (await streamed(events))["type"] == "connected"
            await board(pair.centre.http, pune, porch["device_token"]).report()
            assert (await streamed(events))["device_id"] == porch["id"]
        every = (await asha.ask("GET", "/notifications"))["notifications"]
        [notice] = [one for one in every if one["title"] == "First"]
        assert (await asha.ask("PUT", f"/notifications/{notice['id']}/read"))["message"] == "marked as read"
        left = (await asha.ask("GET", "/notifications?unread_only=true"))["notifications"]
        assert notice["id"] not in {one["id"] for one in left}


# --- the same scenarios as at a hub


async def test_anothers_things_are_as_things_that_do_not_exist_here_too(pair: Pair) -> None:
    async with pair.hub() as pune:
        await pair.enrolled(pune)
        anna, ben = await person(pair, "anna"), await person(pair, "ben")
        site: Any = pune  # of a site the scenario takes but its hub
        annas, bens = await things_of(site, anna), await things_of(site, ben)
        own = {"own": bens["dashboard"], "own_widget": bens["widget"]}
        for method, path, body in PATHS:
            others, none = {**annas, **own}, {**dict.fromkeys(annas, NOBODYS), **own}
            tried = await ben.raw(method, filled(path, others), filled(body, others))
            absent = await ben.raw(method, filled(path, none), filled(body, none))
            assert tried == absent, (method, path)
            assert tried[0] in (400, 404), (method, path, tried)
        assert [one["id"] for one in await anna.ask("GET", "/devices")] == [annas["device"]]
        assert len((await anna.ask("GET", f"/widgets/{annas['widget']}/schedule"))["schedules"]) == 1


async def test_charts_schedules_and_webhooks_are_the_hubs(pair: Pair) -> None:
    async with pair.hub() as pune:
        await pair.enrolled(pune)
        asha = await person(pair, "asha")
        porch = await asha.ask("POST", "/devices", {"name": "Porch"})
        lamp = await asha.led(porch["id"])
        await board(pair.centre.http, pune, porch["device_token"]).report()
        latest = f"/telemetry/latest?device_token={porch['device_token']}"
        assert (await asha.ask("GET", latest))["data"]["v0"] == 0
        assert (await asha.ask("GET", f"/telemetry/latest?device_token=hidden-{porch['id']}"))["data"]["v0"] == 0
        history = f"/telemetry/history?device_id={porch['id']}&key=v0&period=24h"
        assert [point["value"] for point in await asha.ask("GET", history)] == [0]
        assert (await asha.raw("GET", f"/telemetry/history?key=v0&device_id={NOBODYS}"))[0] == 404
        timer = {"state": True, "duration_seconds": 60}
        made = await asha.ask("POST", f"/widgets/{lamp['_id']}/timer", timer)
        cancelled = await asha.ask("DELETE", f"/widgets/{lamp['_id']}/schedule/{made['schedule_id']}")
        assert cancelled == {"message": "cancelled"}
        tomorrow = datetime.now(UTC).replace(tzinfo=None, microsecond=0) + timedelta(days=1)
        at = {"state": True, "execute_at": tomorrow.isoformat()}
        planned = await asha.ask("POST", f"/widgets/{lamp['_id']}/schedule", at)
        assert planned["execute_at"].endswith("+05:30"), "a time without an offset is the site's"
        hook = await asha.ask("POST", "/webhooks", {"url": "https://example.com/h", "device_id": porch["id"]})
        assert [one["id"] for one in (await asha.ask("GET", "/webhooks"))["webhooks"]] == [hook["id"]]
        assert (await asha.ask("DELETE", f"/webhooks/{hook['id']}"))["message"] == "Webhook deleted"
        bulk = {"device_ids": [porch["id"]], "status": "online"}
        assert (await asha.ask("PATCH", "/devices/bulk/status", bulk))["modified_count"] == 0
        layout = {"layout": [{"id": lamp["_id"], "width": 2, "height": 1}]}
        assert await asha.ask("PUT", f"/dashboards/{lamp['dashboard_id']}/layout", layout)
        assert (await asha.ask("PATCH", f"/devices/{porch['id']}", {"name": "Gate"}))["name"] == "Gate"
        assert (await asha.raw("GET", "/__debug/devices"))[0] == 404
        assert (await asha.raw("GET", "/widgets/nonsense"))[0] == 400
        anybody = ThingsApp(pair.centre.http, pair.centre.url)
        assert (await anybody.raw("GET", f"/widgets/{lamp['dashboard_id']}"))[0] == 401
        assert (await asha.ask("DELETE", f"/devices/{porch['id']}"))["message"] == "Device deleted"
        assert await asha.ask("GET", "/devices") == []


# --- the asset logger's pages


async def test_the_asset_loggers_pages_log_in_with_the_same_account(pair: Pair) -> None:
    await account(pair, "asha")
    async with pair.hub() as pune:
        await pune.hub.people.accounts.add("asha@example.com", "asha", PASSWORD, actor="tess")
        for url in (pair.centre.url, pune.url):
            page = ThingsApp(pair.centre.http, url + "/api")
            wrong = await page.raw("POST", "/auth/login", {"email": "asha@example.com", "password": "x"})
            assert wrong[0] == 400, "any 401 is a logout to its pages"
            assert (await page.raw("GET", "/auth/me"))[0] == 401
            answer = await page.ask("POST", "/auth/login", {"email": "asha@example.com", "password": PASSWORD})
            page.token = answer["token"]
            me = await page.ask("GET", "/auth/me")
            assert (me["success"], me["user"]) == (True, answer["user"])
            assert (me["user"]["email"], me["user"]["role"]) == ("asha@example.com", "user")
            for _ in range(2):
                assert (await page.ask("POST", "/auth/logout"))["success"]
            assert (await page.raw("GET", "/auth/me"))[0] == 401
            assert (await page.raw("GET", "/assets"))[0] == 404, "nothing is invented"
        form = {"email": "ben@example.com", "password": PASSWORD, "name": "Ben"}
        made = await ThingsApp(pair.centre.http, pune.url + "/api").raw("POST", "/auth/register", form)
        assert (made[0], made[1]["user"]["username"]) == (201, "ben")
        closed = await ThingsApp(pair.centre.http, pair.centre.url + "/api").raw("POST", "/auth/register", form)
        assert closed[0] == 403
