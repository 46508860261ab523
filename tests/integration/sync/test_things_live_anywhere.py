"""The older app at the centre: what it is told live, the scenarios it goes through at a hub, the loggers' pages."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

from tests.fakes.thingsnxt_app import ThingsApp, streamed
from tests.integration.compat.test_thingsnxt_isolation import PATHS, filled, things_of
from tests.integration.sync.conftest import Pair
from tests.integration.sync.things_anywhere import (
    PASSWORD,
    account,
    board,
    person,
    two_sites,
)
from tests.patience import AT_ONCE_S

NOBODYS = "f" * 24


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
            assert (await page.raw("GET", "/assets"))[0] == 401
        form = {"email": "ben@example.com", "password": PASSWORD, "name": "Ben"}
        made = await ThingsApp(pair.centre.http, pune.url + "/api").raw("POST", "/auth/register", form)
        assert (made[0], made[1]["user"]["username"]) == (201, "ben")
        closed = await ThingsApp(pair.centre.http, pair.centre.url + "/api").raw("POST", "/auth/register", form)
        assert closed[0] == 403
