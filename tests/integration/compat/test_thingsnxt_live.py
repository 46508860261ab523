"""What the older app is told as it happens, and what it is never told."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from edge.compat.thingsnxt.live import QUEUE, READERS_PER_USER, Reader
from edge.serving import server
from edge.telemetry.events import ReadingsArrived
from tests.fakes.thingsnxt_app import ThingsApp, streamed
from tests.integration.compat.things_site import PASSWORD, ThingsSite, things_site
from tests.integration.running_hub import started
from tests.patience import AT_ONCE_S


@pytest.fixture
async def site(tmp_path: Path) -> AsyncIterator[ThingsSite]:
    async with things_site(tmp_path) as site:
        yield site


@pytest.fixture
async def anna(site: ThingsSite) -> ThingsApp:
    return await site.person()


async def closed(socket: aiohttp.ClientWebSocketResponse) -> int | None:
    """The code it is closed with."""
    async with asyncio.timeout(60):
        while not socket.closed:
            await socket.receive()
    return socket.close_code


async def test_whoever_may_not_listen_is_told_by_the_close_code(site: ThingsSite, anna: ThingsApp) -> None:
    form = {"username": "person1", "password": PASSWORD}
    async with site.http.post(site.base + "/token", data=form) as response:
        refresh = (await response.json())["refresh_token"]
    for token, code in (("", 1008), ("nonsense", 4401), (refresh, 1008)):
        async with site.http.ws_connect(f"{site.base}/ws?token={token}") as socket:
            assert await closed(socket) == code
    site.clock.advance(31 * 60)
    async with site.http.ws_connect(f"{site.base}/ws?token={anna.token}") as socket:
        assert await closed(socket) == 4401


async def test_the_conversation(anna: ThingsApp) -> None:
    async with anna.listening() as heard:
        await heard.say({"type": "ping"})
        pong = await heard.next()
        assert pong.keys() == {"type", "timestamp"}
        assert not pong["timestamp"].endswith("Z")
        await heard.say({"type": "subscribe", "channels": ["devices"]})
        assert await heard.next() == {"type": "subscribed", "channels": ["devices"]}
        await heard.say("{")
        assert await heard.next() == {"type": "error", "message": "Invalid JSON format"}
        for strange in ({"type": "whatever"}, [1], "5", {"type": "subscribe", "channels": 5}):
            await heard.say(strange)
        assert await heard.next() == {"type": "subscribed", "channels": []}


async def test_a_switch_pressed_on_one_telephone_shows_on_another(site: ThingsSite, anna: ThingsApp) -> None:
    device_id, board = await site.equipped(anna)
    async with anna.listening() as heard:
        lamp = await anna.led(device_id)
        made = await heard.next()
        assert (made["type"], made["widget"]["_id"]) == ("widget_update", lamp["_id"])
        await anna.switch(lamp, 1)
        told = await heard.next("widget_update")
        assert (told["dashboard_id"], told["widget"]["value"]) == (lamp["dashboard_id"], 1)
        await board.report()
        assert (await heard.next("status_update")).items() >= {"device_id": device_id, "status": "online"}.items()
        told = await heard.next("telemetry_update")
        assert (told["device_id"], told["data"]["v0"]) == (device_id, 0)
        await anna.ask("DELETE", f"/widgets/{lamp['_id']}")
        gone = await heard.next("widget_deleted")
        assert (gone["widget_id"], gone["dashboard_id"]) == (lamp["_id"], lamp["dashboard_id"])
        await anna.ask("DELETE", f"/devices/{device_id}")
        gone = await heard.next("device_removed")
        assert (gone["device_id"], gone["data"]) == (device_id, {"id": device_id})


async def test_schedules_and_notices_are_told(site: ThingsSite, anna: ThingsApp) -> None:
    device_id, _ = await site.equipped(anna)
    lamp = await anna.led(device_id)
    async with anna.listening() as heard:
        made = await anna.ask("POST", f"/widgets/{lamp['_id']}/timer", {"state": True, "duration_seconds": 5})
        site.clock.advance(6)
        await site.hub.twins.schedules.tick()
        notice = (await heard.next("notification"))["notification"]
        assert {"id", "title", "message", "type", "details", "time", "timestamp", "device_id", "widget_id"} <= set(
            notice
        )
        ran = await heard.next("led_schedule_executed")
        assert (ran["schedule_id"], ran["widget_id"], ran["state"]) == (made["schedule_id"], lamp["_id"], True)
        assert ran["dashboard_id"] == lamp["dashboard_id"]
        made = await anna.ask("POST", f"/widgets/{lamp['_id']}/timer", {"state": True, "duration_seconds": 5})
        await anna.ask("DELETE", f"/widgets/{lamp['_id']}/schedule/{made['schedule_id']}")
        assert (await heard.next("led_schedule_cancelled"))["schedule_id"] == made["schedule_id"]


async def test_nobody_hears_of_anybody_elses_things(site: ThingsSite, anna: ThingsApp) -> None:
    """The old server told every reader of every device, with its token."""
    ben = await site.person()
    async with ben.listening() as bens, anna.listening() as annas:
        stream = await ben.http.get(f"{site.base}/events/stream?token={ben.token}")
        device_id, board = await site.equipped(anna)
        lamp = await anna.led(device_id)
        await anna.switch(lamp, 1)
        await board.run(11)
        await annas.next("telemetry_update")
        await anna.ask("DELETE", f"/devices/{device_id}")
        await annas.next("device_removed")
        mine = await ben.ask("POST", "/devices", {"name": "Hall"})
        await ben.ask("DELETE", f"/devices/{mine['id']}")
        assert (await streamed(stream))["type"] == "connected"
        for kind in ("device_added", "device_removed"):
            for heard in (await bens.next(), await streamed(stream)):
                assert (heard["type"], heard["device_id"]) == (kind, mine["id"]), "his own is all he hears of"
                assert mine["device_token"] not in json.dumps(heard)
        stream.close()


@pytest.mark.parametrize("path", ["/events/stream", "/notifications/stream"])
async def test_a_stream_tells_a_person_of_his_own_things_alone(
    site: ThingsSite, anna: ThingsApp, path: str
) -> None:
    """Everything that can be told happens to one; then a thing to the other, and it is the first he hears of."""
    ben = await site.person()
    async with anna.listening() as annas, site.http.get(f"{site.base}{path}?token={ben.token}") as stream:
        assert (await streamed(stream))["type"] == "connected"
        await live_a_little(site, anna)
        bens_id = (await ben.ask("GET", "/me"))["id"]
        for kind in ("telemetry_update", "notification", "widget_deleted", "device_removed"):
            await annas.next(kind)
        if path == "/events/stream":
            mine = await ben.ask("POST", "/devices", {"name": "Hall"})
            heard = await streamed(stream)
            assert (heard["type"], heard["device_id"]) == ("device_added", mine["id"])
        await site.hub.twins.notices.tell(bens_id, type="info", title="Yours", message="M")
        heard = await streamed(stream)
        while heard["type"] == "status_update":
            heard = await streamed(stream)
        assert (heard["type"], heard["notification"]["title"]) == ("notification", "Yours")
        device, _ = await site.equipped(anna)
        await site.hub.registry.set_owner(site.device(device), bens_id, actor="tess")
        await site.hub.registry.set_owner(site.device(device), "", actor="tess")
        await live_a_little(site, anna)
        await ben.ask("POST", "/logout")
        rest = (await stream.content.read()).decode()  # it ends with his login
        assert ("device_removed" in rest) == (path == "/events/stream")
        assert "Not yours" not in rest


async def live_a_little(site: ThingsSite, app: ThingsApp) -> None:
    """A bit of everything happens to a person's things."""
    device_id, board = await site.equipped(app)
    lamp = await app.led(device_id)
    await app.switch(lamp, 1)
    await board.run(11)
    await app.ask("POST", f"/widgets/{lamp['_id']}/timer", {"state": False, "duration_seconds": 1})
    site.clock.advance(2)
    await site.hub.twins.schedules.tick()
    user = (await app.ask("GET", "/me"))["id"]
    await site.hub.twins.notices.tell(user, type="info", title="Not yours", message="M")
    await app.ask("PATCH", f"/devices/{device_id}", {"name": "Not yours either"})
    await app.ask("DELETE", f"/widgets/{lamp['_id']}")
    await app.ask("DELETE", f"/devices/{device_id}")


async def test_a_device_that_is_given_to_somebody_else_moves_from_app_to_app(
    site: ThingsSite, anna: ThingsApp
) -> None:
    ben = await site.person()
    device_id, _ = await site.equipped(anna)
    async with ben.listening() as bens, anna.listening() as annas:
        bens_id = (await ben.ask("GET", "/me"))["id"]
        await site.hub.registry.set_owner(site.device(device_id), bens_id, actor="tess")
        assert (await annas.next("device_removed"))["device_id"] == device_id
        assert (await bens.next("device_added"))["data"]["name"] == "Porch"
    assert [device["id"] for device in await ben.ask("GET", "/devices")] == [device_id]


async def test_streams_want_a_token(site: ThingsSite) -> None:
    for path in ("/events/stream", "/notifications/stream"):
        assert await site.get(path) == (401, {"detail": "Not authenticated"})


async def test_the_stream_of_notifications(site: ThingsSite, anna: ThingsApp) -> None:
    user = (await anna.ask("GET", "/me"))["id"]
    await site.hub.twins.notices.tell(user, type="device_online", title="Before", message="M")
    headers = {"Authorization": f"Bearer {anna.token}"}
    async with site.http.get(site.base + "/notifications/stream", headers=headers) as stream:
        assert stream.content_type == "text/event-stream"
        assert (await streamed(stream))["type"] == "connected"
        first = await streamed(stream)
        assert (first["type"], [notice["title"] for notice in first["notifications"]]) == ("initial", ["Before"])
        await anna.led((await anna.ask("POST", "/devices", {}))["id"])
        await site.hub.twins.notices.tell(user, type="device_online", title="Now", message="M")
        told = await streamed(stream)
        assert (told["type"], told["notification"]["title"]) == ("notification", "Now")


async def test_whoever_logs_out_hears_no_more(anna: ThingsApp) -> None:
    async with anna.listening() as heard:
        await anna.ask("POST", "/logout")
        assert await closed(heard.socket) == 4401


async def test_connections_of_one_person_are_bounded(site: ThingsSite, anna: ThingsApp) -> None:
    sockets = [await site.http.ws_connect(f"{site.base}/ws?token={anna.token}") for _ in range(READERS_PER_USER)]
    for socket in sockets:
        assert (await socket.receive_json())["type"] == "connected"
    async with site.http.ws_connect(f"{site.base}/ws?token={anna.token}") as one_more:
        assert await closed(one_more) == 1013
    async with (await site.person()).listening():
        pass
    for socket in sockets:
        await socket.close()


async def test_a_reader_that_is_too_slow_is_told_and_let_go(anna: ThingsApp, site: ThingsSite) -> None:
    user: Any = site.hub.people.accounts.find("person1")
    reader = Reader(user, anna.token)
    for _ in range(QUEUE):
        reader.offer(b"{}")
    assert reader.over is None
    reader.offer(b"{}")
    assert reader.over is not None
    assert (int(reader.over[0]), await reader.get()) == (1013, None)


async def test_a_hub_that_nobody_listens_to_pays_nothing(site: ThingsSite, anna: ThingsApp) -> None:
    async with anna.listening():
        assert site.hub.bus.wanted(ReadingsArrived)
    async with asyncio.timeout(60):
        while site.hub.bus.wanted(ReadingsArrived):  # noqa: ASYNC110 - the socket's end reaches the hub in its time
            await asyncio.sleep(0.01)


async def test_a_hub_that_stops_lets_its_readers_go_at_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(server, "SHUTDOWN_S", 2 * AT_ONCE_S)
    async with aiohttp.ClientSession() as http:
        async with started(tmp_path) as running:
            await running.hub.people.accounts.add("a@example.com", "anna", PASSWORD, actor="test")
            app = ThingsApp(http, running.url)
            await app.log_in("anna", PASSWORD)
            socket = await http.ws_connect(f"{running.url}/ws?token={app.token}")
            assert (await socket.receive_json())["type"] == "connected"
            stream = await http.get(f"{running.url}/events/stream?token={app.token}")
            begun = asyncio.get_running_loop().time()
            ending = asyncio.create_task(closed(socket))
        assert await ending == 1001
        assert asyncio.get_running_loop().time() - begun < AT_ONCE_S, "it did not wait for them"
        stream.close()
