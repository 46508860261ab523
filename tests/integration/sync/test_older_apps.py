"""The older apps ask the centre, anywhere: through a real centre and a real hub to a device that answers."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import pytest
import segno
from sqlalchemy import update

from cloud.db.models import Site
from edge.devices.model import Device
from edge.serving.roles import Role
from edge.wire.orders import Outcome, Verdict
from tests.fakes.nic_browser import NicBrowser
from tests.fakes.nic_client import NicClient
from tests.fakes.thingsnxt_app import Refused, ThingsApp
from tests.integration.running_hub import RunningHub
from tests.integration.sync.conftest import Pair, until
from tests.integration.sync.test_commanding import becomes, machine
from tests.running_centre import ENGINES

KEY = "NIC-DEVICE-API-KEY-2024-CHANGE-ME"
ASHA = {"id": 24, "name": "Asha"}
QR = segno.make("upi://pay?pa=a@b").png_data_uri(scale=4)


@pytest.fixture
async def hub(pair: Pair) -> AsyncIterator[RunningHub]:
    """A hub that is enrolled and live, and knows the key that its old programs have."""
    await opened(pair)
    async with pair.hub() as running:
        await pair.enrolled(running)
        yield running


async def opened(pair: Pair) -> None:
    """Head office imports the key of the old page."""
    made = await pair.centre.ask(
        "POST", "/v1/keys", {"name": "nic pages", "role": "app", "scope": "nic", "secret": KEY}
    )
    assert made.status == 201, made.body


def browser(pair: Pair) -> NicBrowser:
    """A browser somewhere, whose page asks the centre."""
    return NicBrowser(pair.centre.url, KEY)


async def desk(pair: Pair, hub: RunningHub, computer: str = "PC1") -> tuple[NicClient, Device]:
    """A PC at the site with its program running and its display approved, of which head office knows."""
    if "nic programs" not in {key.name for key, _ in hub.hub.keys.listed()}:
        await hub.ask("POST", "/v1/keys", {"name": "nic programs", "role": "app", "scope": "nic", "secret": KEY})
    client = NicClient(hub.url, KEY, f"device_{computer}_4CD717", computer)
    await client.start()
    device = hub.hub.registry.by_alias("nic", client.device_id)
    assert device is not None
    await hub.hub.registry.approve(device, actor="tess")
    await client.turn()

    async def approved() -> bool:
        view = (await pair.states("device")).get(device.id, {})
        return view.get("state") == "approved" and bool(view["online"])

    await until(approved)
    return client, device


async def away(pair: Pair) -> None:
    """No hub has spoken for any site for two minutes."""
    long_ago_us = pair.centre.centre.clock.now().at_us - 120_000_000
    async with pair.centre.centre.db.write() as connection:
        await connection.execute(update(Site).values(seen_us=long_ago_us))


# --- the payment page


@pytest.mark.parametrize("engine", ENGINES, indirect=True)
async def test_a_page_anywhere_shows_a_code_and_ends_it(pair: Pair, hub: RunningHub) -> None:
    client, _ = await desk(pair, hub)
    page = browser(pair)
    page.visit(client.link)
    assert await page.login(ASHA), page.error
    assert page.storage == {"computer_name": "PC1", "linked_device_id": client.device_id}
    shown = await page.show_qr(QR, customer_name="Ann Lee", amount=120)
    assert (shown["success"], shown["device_id"]) == (True, client.device_id), shown
    assert "queued" not in shown
    assert await client.turn() == 1
    assert client.commands[0]["command_id"] == shown["command_id"]
    ended = await becomes(pair, shown["command_id"], "succeeded")
    assert (ended["agent"], "Ann" in str(ended)) == ("24", False)
    assert (await page.close_qr())["success"]
    assert await client.turn() == 1
    assert client.screen[-1] == "rotation"
    assert not await page.is_available(), "dead code of the page stays asleep"
    listed = (await page.call("GET", "/api/device/list", None))[1]
    (row,) = listed["devices"]
    assert (row["device_id"], row["computer_name"], row["agent_id"], row["status"]) == (
        client.device_id, "PC1", 24, "online",
    )  # fmt: skip
    assert listed["stats"]["total_devices"] == 1


async def test_the_desks_rules_hold_from_anywhere(pair: Pair, hub: RunningHub) -> None:
    client, _ = await desk(pair, hub)
    first, second = browser(pair), browser(pair)
    first.visit(client.link)
    assert await first.login(ASHA)
    second.visit(client.link.replace("PC1&", "PC9&"))
    assert not await second.login({"id": 25, "name": "Bo"})
    assert second.error == "Device not found"
    assert [claim.agent for claim in await hub.hub.agents.claims()] == ["25"], "a technician sees who waits"
    answer = await second.show_qr(QR)
    assert (answer["success"], answer["error"]) == (False, "No online device linked to this agent")
    assert await client.turn() == 0
    nobody = browser(pair)
    nobody.visit(client.link)
    assert not await nobody.login({}), "users whom the page cannot identify are served at the site alone"


async def test_who_takes_a_desk_over_from_anywhere_finds_an_empty_screen(pair: Pair, hub: RunningHub) -> None:
    client, device = await desk(pair, hub)
    await hub.hub.agents.bind_workstation(device.id, "PC1", actor="tess")
    first, second = browser(pair), browser(pair)
    first.visit(client.link)
    assert await first.login(ASHA)
    assert (await first.show_qr(QR))["success"]
    assert await client.turn() == 1
    second.visit(client.link)
    assert await second.login({"id": 25, "name": "Bo"})
    assert await client.turn() == 1
    assert client.screen[-1] == "rotation"
    status, answer = await first.call("POST", "/api/device/qr", {"agent_id": 24, "qr_image": QR})
    assert (status, answer["success"]) == (404, False), answer


async def test_a_picture_without_a_code_is_refused_as_the_hub_does(pair: Pair, hub: RunningHub) -> None:
    client, _ = await desk(pair, hub)
    page = browser(pair)
    page.visit(client.link)
    assert await page.login(ASHA)
    status, answer = await page.call(
        "POST", "/api/device/qr", {"agent_id": 24, "qr_image": "data:image/png;base64,iVBORw0KGgo="}
    )
    assert status == 400, answer
    assert answer["error"]


async def test_a_code_for_a_site_that_is_away_waits_and_says_so(pair: Pair) -> None:
    await opened(pair)
    async with pair.hub() as hub:
        await pair.enrolled(hub)
        client, _ = await desk(pair, hub)
        page = browser(pair)
        page.visit(client.link)
        assert await page.login(ASHA)
    await away(pair)
    status, answer = await page.call("POST", "/api/device/qr", {"agent_id": 24, "qr_image": QR})
    assert (status, answer["success"], answer["queued"]) == (200, True, True)
    assert "The site Pune has been away since" in answer["message"]
    assert "it waits 60 s more" in answer["message"]
    assert not await page.link()
    assert "offline" in page.error, "the page looks for this word"
    async with pair.hub() as hub:
        client.base = hub.url

        async def shown() -> int:
            return await client.turn()

        await until(shown)
        assert client.commands[0]["command_id"] == answer["command_id"]


# --- the switches


async def test_a_button_anywhere_switches_what_its_widget_stands_for(pair: Pair, hub: RunningHub) -> None:
    widget, device = await switch(pair, hub)
    async with aiohttp.ClientSession() as http:
        app = ThingsApp(http, pair.centre.url, pair.centre.keys["app"])
        done = await app.switch(widget, True)
        assert (done["message"], done["state"], done["virtual_pin"]) == ("ok", 1, "v0")
        assert hub.hub.twins.twins.of(device.id).desired == {"v0": 1}
        assert (await app.switch(widget, "0"))["state"] == 0
        for state, status in ((None, 400), (7, 400)):
            with pytest.raises(Refused) as refused:
                await app.switch(widget, state)
            assert refused.value.status == status
        with pytest.raises(Refused) as refused:
            await app.switch({"_id": "0" * 24}, 1)
        assert (refused.value.status, refused.value.detail) == (404, "Widget not found")
        app.token = "nobody"
        with pytest.raises(Refused) as refused:
            await app.switch(widget, 1)
        assert refused.value.status == 401
    told = str(await pair.states("widget"))
    assert "Lamp" not in told, "what it is called stays at its hub"
    await away(pair)
    answer = await pair.centre.ask("POST", f"/widgets/{widget['_id']}/state", {"state": 1}, key="app")
    assert (answer.status, answer.body["queued"]) == (202, True)


async def test_a_widget_that_is_gone_is_gone_here_too(pair: Pair, hub: RunningHub) -> None:
    widget, _ = await switch(pair, hub)
    await hub.hub.twins.widgets.delete("ann", widget["_id"])

    async def gone() -> bool:
        return not await pair.states("widget")

    await until(gone)


async def switch(pair: Pair, hub: RunningHub) -> tuple[dict[str, Any], Device]:
    """A switch of Ann's at the hub, of which head office knows."""
    device, _ = await hub.hub.registry.add("Lamp", "thing", "thingsnxt", actor="test")
    widgets = hub.hub.twins.widgets
    board = await widgets.add_dashboard("ann", "Home", "")
    made = await widgets.add("ann", board.id, device, "led", "Lamp", None, {})

    async def seen() -> bool:
        return made.id in await pair.states("widget")

    await until(seen)
    return {"_id": made.id}, device


# --- the vending page


async def vend(pair: Pair, path: str = "/vend/1", body: Any = None, key: str = "app", **headers: str) -> Any:
    """The button, anywhere."""
    return await pair.centre.ask("POST", path, body, key=key, **headers)


@pytest.mark.parametrize("engine", ENGINES, indirect=True)
async def test_a_button_anywhere_vends_once(pair: Pair, hub: RunningHub) -> None:
    device, answering = await machine(pair, hub)
    first = await vend(pair, Idempotency_Key="k1")
    assert (first.status, first.body["status"], first.body["slot"]) == (200, "command_sent", 1), first.body
    await becomes(pair, first.body["command_id"], "succeeded")
    again = await vend(pair, Idempotency_Key="k1")
    assert again.body["command_id"] == first.body["command_id"]
    other = await vend(pair, "/vend", {"slot": "A1", "device_id": device.id})
    assert other.status == 200, other.body
    await becomes(pair, other.body["command_id"], "succeeded")
    assert len(answering.orders) == 2
    assert [(await vend(pair, path)).status for path in ("/vend/9", "/vend/1?device=nobody")] == [400, 404]
    assert [(await vend(pair, key=key)).status for key in ("", "viewer")] == [401, 403]
    status = (await pair.centre.get("/status", key="app")).body
    assert (status["status"], status["total_devices"], status["online_devices"]) == ("online", 1, 1)
    listed = (await pair.centre.get("/esp32/devices/list", key="app")).body
    assert [row["device_id"] for row in listed["devices"]] == [device.id]
    history = (await pair.centre.get("/esp32/commands/history", key="app")).body["history"]
    assert [(row["slot"], row["status"], row["success"]) for row in history] == [(1, "succeeded", True)] * 2


async def test_the_hub_says_why_it_does_not_vend(pair: Pair, hub: RunningHub) -> None:
    await machine(pair, hub)
    refused = await vend(pair, "/vend/4")
    assert (refused.status, refused.body["status"]) == (409, "error"), refused.body


async def test_a_second_click_while_one_is_under_way_vends_nothing(pair: Pair, hub: RunningHub) -> None:
    await machine(pair, hub, Outcome(verdict=Verdict.IN_DOUBT))
    await away(pair)
    clicks = await asyncio.gather(*(vend(pair) for _ in range(2)), return_exceptions=True)
    statuses = sorted(each.status for each in clicks if not isinstance(each, BaseException))
    assert statuses[-1] == 409 or len(await items_of(pair)) <= 2
    third = await vend(pair)
    assert third.status == 409, third.body


async def items_of(pair: Pair) -> list[Any]:
    """Vends that head office was asked for."""
    return list((await pair.centre.get("/v1/transactions")).body["items"])


async def test_a_vend_for_a_site_that_is_away_waits_and_says_so(pair: Pair) -> None:
    async with pair.hub() as hub:
        await pair.enrolled(hub)
        await machine(pair, hub)
    await away(pair)
    queued = await vend(pair)
    assert (queued.status, queued.body["status"]) == (202, "queued")
    assert "has been away since" in queued.body["message"]


async def test_two_sites_with_the_same_slots_are_never_mixed_up(pair: Pair, hub: RunningHub) -> None:
    here, own = await machine(pair, hub)
    async with pair.hub(folder="other") as other:
        await pair.enrolled(other, "Delhi")
        there, others = await machine(pair, other)
        unclear = await vend(pair)
        assert unclear.status == 409
        assert "Choose a machine: there are 2" in unclear.body["message"]
        named = await vend(pair, f"/vend/1?device={there.id}")
        assert named.status == 200, named.body
        await becomes(pair, named.body["command_id"], "succeeded")
        assert (len(own.orders), len(others.orders)) == (0, 1)
        await pair.centre.add_key("kiosk", Role.APP, sites="pune")
        mine = await vend(pair, key="kiosk")
        assert (mine.status, mine.body["device_id"]) == (200, here.id)
        assert (await vend(pair, f"/vend/1?device={there.id}", key="kiosk")).status == 404
