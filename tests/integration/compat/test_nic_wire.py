"""The old API to the letter: what its clients compare, byte by byte."""

from __future__ import annotations

import asyncio
import base64
import io
import random
import re

import aiohttp
import pytest
import segno
from aiohttp import web
from aiohttp.test_utils import TestServer

from edge.devices.model import Device
from edge.serving.limits import RateLimit
from tests.fakes.seat_replay import misdeliveries, sent
from tests.integration.compat.conftest import KEY, NicSite

A_PATHS = [
    "/api/device/health",
    "/api/device/register",
    "/api/device/poll",
    "/api/device/status",
    "/api/device/qr",
    "/api/device/rotation/start",
    "/api/device/link",
    "/api/device/list",
    "/health",
    "/qr/display",
    "/qr/complete",
    "/device/reconnect",
    "/device/status",
    "/device/toggle",
]
GETS = {"/api/device/health", "/api/device/poll", "/api/device/list", "/health", "/device/status"}
OPEN = {"/api/device/health", "/health"}


async def seated(site: NicSite) -> str:
    client = await site.desk("PC1")
    link: dict[str, object] = {"agent_id": 24, "agent_name": "Ann", "device_id": client.device_id}
    assert await site.post("/api/device/link", link) == (
        200,
        {"success": True, "device_id": client.device_id, "computer_name": "PC1"},
    )
    return client.device_id


async def serial_display(site: NicSite) -> Device:
    device = await site.hub.registry.take_in("serial", "usb-1a86", "nic-display", facts={})
    assert device is not None
    site.hub.presences.seen(device.id, "its port is open")
    return await site.hub.registry.approve(device, actor="tess")


async def test_health_says_online_and_leaves_the_device_out(site: NicSite) -> None:
    status, answer = await site.browser().call("GET", "/api/device/health", None, key=False)
    assert status == 200
    assert set(answer) == {"status", "service", "version", "timestamp", "instance"}
    assert (answer["status"], answer["service"], answer["version"]) == ("online", "NIC Device API", "1.0.0")
    assert answer["instance"] == site.hub.store.hub.instance
    assert not await site.browser().is_available()


@pytest.mark.parametrize("path", sorted(set(A_PATHS) - OPEN))
async def test_without_the_key_every_path_says_unauthorized(site: NicSite, path: str) -> None:
    method = "GET" if path in GETS else "POST"
    for key in ("", "wrong-key-wrong-key"):
        assert await site.browser(key=key).call(method, path, {} if method == "POST" else None) == (
            401,
            {"error": "Unauthorized"},
        )
    assert {knock.what for knock in site.hub.knocking.views()} == {f"{method} {path}"}


@pytest.mark.parametrize("path", A_PATHS)
async def test_browsers_of_every_origin_may_ask(site: NicSite, http: aiohttp.ClientSession, path: str) -> None:
    asked = {"Origin": "https://page.example", "Access-Control-Request-Headers": "x-api-key,content-type"}
    async with http.options(site.base + path, headers=asked) as preflight:
        assert preflight.status == 204
        assert preflight.headers["Access-Control-Allow-Origin"] == "*"
        allowed = preflight.headers["Access-Control-Allow-Headers"].split(", ")
        assert {"X-API-Key", "Content-Type"} <= set(allowed)  # one path is that of people with tokens as well
    method = "GET" if path in GETS else "POST"
    async with http.request(method, site.base + path, headers=asked) as response:
        assert response.headers["Access-Control-Allow-Origin"] == "*"


async def test_answers_have_their_length_and_are_never_chunked_or_redirected(
    site: NicSite, http: aiohttp.ClientSession
) -> None:
    headers = {"X-API-Key": KEY, "Content-Type": "application/json", "Accept-Encoding": "gzip"}
    for path in ("/api/device/poll?device_id=new", "//api/device/poll?device_id=new", "///api/device/list"):
        async with http.get(site.base + path, headers=headers, allow_redirects=False) as response:
            body = await response.read()
            assert response.status == 200
            assert response.headers["Content-Length"] == str(len(body))
            assert "Transfer-Encoding" not in response.headers
            assert "Content-Encoding" not in response.headers


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/api/device/register", {"device_id": "d1"}),
        ("/api/device/register", {"device_id": "", "computer_name": "PC1"}),
        ("/api/device/status", {"device_id": "d1", "command_id": "cmd_1"}),
        ("/api/device/qr", {"agent_id": 24}),
        ("/api/device/qr", {"agent_id": 0, "qr_image": "PAY:1"}),
        ("/api/device/link", {"agent_id": 24}),
        ("/api/device/link", {"agent_id": None, "agent_name": "Ann"}),
        ("/api/device/rotation/start", {}),
        ("/qr/display", {}),
    ],
)
async def test_a_missing_field_is_named_as_before(site: NicSite, path: str, body: dict[str, object]) -> None:
    assert await site.post(path, body) == (400, {"error": "Missing required fields"})


async def test_no_agent_no_display(site: NicSite) -> None:
    for path in ("/api/device/qr", "/api/device/rotation/start"):
        status, answer = await site.post(path, {"agent_id": 99, "qr_image": "PAY:1"})
        assert status == 404
        assert answer["success"] is False
        assert answer["error"] == "No online device linked to this agent"


async def test_register_and_an_empty_poll_to_the_letter(site: NicSite) -> None:
    body: dict[str, object] = {"device_id": "device_PC1_4CD717", "computer_name": "PC1", "com_port": "COM3"}
    status, answer = await site.post("/api/device/register", body)
    assert status == 200
    assert (answer["success"], answer["device_id"]) == (True, "device_PC1_4CD717")
    for device_id in ("device_PC1_4CD717", "never-seen"):
        assert await site.get(f"/api/device/poll?device_id={device_id}") == (
            200,
            {"has_commands": False, "commands": []},
        )


async def test_the_list_has_every_field_the_old_one_had(site: NicSite) -> None:
    device_id = await seated(site)
    await site.post("/api/device/qr", {"agent_id": 24, "qr_image": "PAY:1"})
    _, answer = await site.get("/api/device/list")
    devices = answer["devices"]
    assert isinstance(devices, list)
    [device] = devices
    assert list(device) == [
        "device_id",
        "computer_name",
        "com_port",
        "status",
        "last_seen",
        "registered_at",
        "agent_id",
        "agent_name",
        "linked_at",
        "qr_count_today",
        "qr_count_total",
        "pending_commands",
    ]
    assert (device["device_id"], device["computer_name"], device["com_port"]) == (device_id, "PC1", "COM3")
    assert (device["agent_id"], device["agent_name"], device["pending_commands"]) == (24, "Ann", 1)
    assert device["last_seen"].endswith("Z")


async def test_command_ids_look_as_they_did(site: NicSite) -> None:
    await seated(site)
    _, answer = await site.post("/api/device/qr", {"agent_id": 24, "qr_image": "PAY:1"})
    assert re.fullmatch(r"cmd_\d{13}_[0-9a-z]{9}", str(answer["command_id"]))


@pytest.mark.parametrize("form", ["data-uri", "base64", "text"])
async def test_a_code_may_come_as_picture_or_text(site: NicSite, form: str) -> None:
    client = await site.desk("PC1")
    await site.hub.agents.seat("24", "Ann", site.device(client).id, actor="tess")
    file = io.BytesIO()
    segno.make("https://pay.example/1?x=2").save(file, kind="png", scale=6)
    packed = base64.b64encode(file.getvalue()).decode()
    image = {"data-uri": f"data:image/png;base64,{packed}", "base64": packed, "text": "https-pay:1?x=2"}[form]
    status, answer = await site.post("/api/device/qr", {"agent_id": "24", "qr_image": image})
    assert status == 200, answer
    await client.turn()
    assert site.scan(client.screen[0]) == ("https-pay:1?x=2" if form == "text" else "https://pay.example/1?x=2")


async def test_a_code_may_come_as_the_address_of_its_picture(site: NicSite) -> None:
    file = io.BytesIO()
    segno.make("PAY:BY-ADDRESS").save(file, kind="png", scale=6)

    async def picture(request: web.Request) -> web.Response:
        return web.Response(body=file.getvalue(), content_type="image/png")

    app = web.Application()
    app.router.add_get("/qr.png", picture)
    client = await site.desk("PC1")
    await site.hub.agents.seat("24", "Ann", site.device(client).id, actor="tess")
    async with TestServer(app, host="127.0.0.1") as server:
        sent: dict[str, object] = {"agent_id": 24, "qr_image": str(server.make_url("/qr.png"))}
        status, answer = await site.post("/api/device/qr", sent)
    assert status == 200, answer
    await client.turn()
    assert site.scan(client.screen[0]) == "PAY:BY-ADDRESS"


@pytest.mark.parametrize(
    "image",
    [
        "data:image/png;base64,%%%",
        "data:image/png;base64," + base64.b64encode(b"\x89PNG\r\n\x1a\nno").decode(),
        "http://127.0.0.1:1/x.png",
        "\ud800",
        ["PAY"],
        "x" * 5000,
    ],
)
async def test_what_cannot_be_shown_is_refused_with_a_reason(site: NicSite, image: object) -> None:
    await seated(site)
    status, answer = await site.post("/api/device/qr", {"agent_id": 24, "qr_image": image})
    assert status == 400
    assert answer["error"]
    assert site.hub.commands.open() == []


async def test_broken_or_huge_bodies_get_an_error_in_the_old_shape(
    site: NicSite, http: aiohttp.ClientSession
) -> None:
    headers = {"X-API-Key": KEY, "Content-Type": "application/json"}
    bodies = {b"{": 400, b"[" * 100_000: 400, b'{"a":"' + b"x" * 11_000_000 + b'"}': 413, b"[]": 400}
    for body, status in bodies.items():
        async with http.post(site.base + "/api/device/qr", data=io.BytesIO(body), headers=headers) as response:
            assert response.status == status
            assert set(await response.json()) == {"error"}


async def test_an_asset_loggers_registration_is_not_taken_for_a_displays(site: NicSite) -> None:
    body = {"logger_id": "LOG-1", "device_id": "d1", "computer_name": "PC1"}
    status, _ = await site.browser(key="").call("POST", "/api/device/register", body)
    assert status == 200
    [device] = site.hub.registry.all()
    assert (device.kind, device.aliases) == ("logger", (("assets", "LOG-1"),))


async def test_the_weak_key_opens_the_old_paths_alone(site: NicSite) -> None:
    status, _ = await site.get("/v1/devices")
    assert status == 403


async def test_many_programs_behind_one_key_are_not_limited_as_one(site: NicSite) -> None:
    site.hub.guard._known = RateLimit(20, site.clock)
    for number in range(150):
        assert (await site.get(f"/api/device/poll?device_id=d{number % 10}"))[0] == 200
    for _ in range(6):  # the first poll of all, before it was known, counted for its address
        assert (await site.get("/api/device/poll?device_id=d0"))[0] == 200
    status, answer = await site.get("/api/device/poll?device_id=d0")
    assert status == 429
    assert set(answer) == {"error"}


async def test_a_display_on_the_hubs_own_port_is_a_desk_too(site: NicSite) -> None:
    device = await serial_display(site)
    link: dict[str, object] = {"agent_id": 24, "agent_name": "Ann", "device_id": device.id}
    status, answer = await site.post("/api/device/link", link)
    assert (status, answer["device_id"]) == (200, device.id)
    assert (await site.post("/api/device/qr", {"agent_id": 24, "qr_image": "PAY:1"}))[0] == 200
    assert site.hub.commands.next_for(device.id) is not None
    site.hub.presences.gone(device.id)
    assert (await site.post("/api/device/qr", {"agent_id": 24, "qr_image": "PAY:2"}))[0] == 404


async def test_the_older_local_service(site: NicSite) -> None:
    _, health = await site.browser().call("GET", "/health", None, key=False)
    assert (health["status"], health["device"]) == ("online", "disconnected")
    client = await site.desk("PC1")
    _, health = await site.browser().call("GET", "/health", None, key=False)
    assert health["device"] == "connected"
    status, answer = await site.post("/qr/display", {"qr_image_url": "PAY:1", "customer_name": "John"})
    assert (status, answer["success"]) == (200, True)
    await client.turn()
    assert site.scan(client.screen[0]) == "PAY:1"
    assert (await site.post("/qr/complete", {}))[1]["success"] is True
    await client.turn()
    assert client.screen[-1] == "rotation"
    assert (await site.post("/device/reconnect", {}))[1]["success"] is True
    assert (await site.get("/device/status"))[1]["connected"] is True
    assert (await site.post("/device/toggle", {}))[0] == 200


async def test_the_local_service_never_picks_among_displays_or_uses_an_agents(site: NicSite) -> None:
    client = await site.desk("PC1")
    away = site.browser(address="127.0.0.5")
    await site.hub.agents.seat("24", "Ann", site.device(client).id, actor="tess")
    assert (await site.post("/qr/display", {"qr_image_url": "PAY:1"}))[0] == 404
    await site.hub.agents.end(site.device(client).id, actor="tess")
    await site.desk("PC2")
    assert (await site.post("/qr/display", {"qr_image_url": "PAY:1"}))[0] == 404
    await site.hub.agents.seat("1@127.0.0.5", "Desk 1", site.device(client).id, actor="tess")
    status, _ = await away.call("POST", "/qr/display", {"qr_image_url": "PAY:1"})
    assert status == 200
    assert len(site.hub.commands.open_for(site.device(client).id)) == 1


async def test_two_pcs_two_agents_and_everything_at_once(site: NicSite) -> None:
    one, two = await site.desk("PC1", bound=True), await site.desk("PC2", bound=True)

    async def day(agent: int, first: str, second: str) -> None:
        chance = random.Random(agent)
        for turn in range(10):
            computer = (first, second)[turn % 2]
            link: dict[str, object] = {"agent_id": agent, "agent_name": str(agent), "computer_name": computer}
            await site.post("/api/device/link", link)
            await site.post("/api/device/qr", {"agent_id": agent, "qr_image": f"PAY:{agent}:{turn}"})
            await asyncio.sleep(chance.random() * 0.15)

    async def work() -> None:
        while True:
            await asyncio.gather(one.turn(), two.turn())

    programs = asyncio.create_task(work())
    await asyncio.gather(day(24, "PC1", "PC2"), day(25, "PC2", "PC1"))
    assert not programs.done()
    programs.cancel()
    assert await misdeliveries(site.hub.store) == []
    assert await sent(site.hub.store) > 3
