"""The older app's webhooks: signed over what is sent, and of their owner's devices alone."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
from collections import Counter
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from edge.compat.thingsnxt import apps, webhooks
from edge.compat.thingsnxt.webhooks import WEBHOOKS
from edge.settings import Hooks
from tests.fakes.thingsnxt_app import ThingsApp
from tests.integration.compat.things_site import ThingsSite, things_site
from tests.integration.running_hub import until

SECRET = "a secret of the receiver"


class Receiver:
    """Somebody's server."""

    def __init__(self) -> None:
        self.got: list[tuple[bytes, str]] = []
        app = web.Application()
        app.router.add_post("/", self.take)
        self.server = TestServer(app)

    async def take(self, request: web.Request) -> web.Response:
        self.got.append((await request.read(), request.headers["X-Webhook-Signature"]))
        return web.Response()


@pytest.fixture
async def site(tmp_path: Path) -> AsyncIterator[ThingsSite]:
    async with things_site(tmp_path, hooks=Hooks(allow=("127.0.0.0/8",))) as site:
        yield site


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    receiver = Receiver()
    await receiver.server.start_server()
    yield receiver
    await receiver.server.close()


@pytest.fixture
async def anna(site: ThingsSite) -> ThingsApp:
    return await site.person()


async def test_a_webhook_fires_and_its_signature_is_of_the_very_bytes(
    site: ThingsSite, anna: ThingsApp, receiver: Receiver
) -> None:
    """The old server's never fired, and would have signed other bytes than it sent."""
    _, board = await site.equipped(anna)
    wanted = {"url": str(receiver.server.make_url("/")), "secret": SECRET}
    made = await anna.ask("POST", "/webhooks", wanted)
    assert (made["secret"], made["events"], made["active"]) == (SECRET, ["telemetry_update"], True)
    work = [asyncio.create_task(run()) for run in site.hub.hooks.tasks().values()]
    await asyncio.sleep(0)  # they listen now
    await board.report()

    async def came() -> bool:
        site.clock.advance(0.1)
        return bool(receiver.got)

    await until(came)
    for task in work:
        task.cancel()
    body, signature = receiver.got[0]
    assert signature == "sha256=" + hmac.new(SECRET.encode(), body, hashlib.sha256).hexdigest()


async def test_webhooks_from_making_to_removing(site: ThingsSite, anna: ThingsApp, receiver: Receiver) -> None:
    wanted = {"url": str(receiver.server.make_url("/")), "events": ["all"]}
    assert (await anna.raw("POST", "/webhooks", wanted))[0] == 400, "there is no device it could tell of"
    device_id, _ = await site.equipped(anna)
    made = await anna.ask("POST", "/webhooks", {**wanted, "device_id": device_id})
    [listed] = (await anna.ask("GET", "/webhooks"))["webhooks"]
    assert (listed["_id"], listed["secret"], listed["device_id"]) == (made["_id"], "***", device_id)
    changed = await anna.ask("PATCH", f"/webhooks/{made['_id']}", {"active": False, "events": ["status_update"]})
    assert (changed["active"], changed["events"]) == (False, ["status_update"])
    assert (await anna.ask("PATCH", f"/webhooks/{made['_id']}", {}))["message"] == "no_changes"
    assert (await anna.raw("POST", "/webhooks", {**wanted, "events": ["everything"]}))[0] == 400
    assert (await anna.raw("POST", "/webhooks", {"url": "ftp://x"}))[0] == 400
    for _ in range(4):
        await anna.ask("POST", "/webhooks", wanted)
    assert (await anna.raw("POST", "/webhooks", wanted))[0] == 409
    assert await anna.ask("DELETE", f"/webhooks/{made['_id']}") == {"message": "Webhook deleted"}
    assert (await anna.raw("DELETE", f"/webhooks/{made['_id']}"))[0] == 404


async def test_anothers_webhook_and_a_technicians_are_as_none(
    site: ThingsSite, anna: ThingsApp, receiver: Receiver
) -> None:
    ben = await site.person()
    await site.equipped(anna)
    url = str(receiver.server.make_url("/"))
    annas = await anna.ask("POST", "/webhooks", {"url": url})
    own = await site.hub.hooks.hooks.add("site", url, ["command"], actor="tess")
    for hook_id in (annas["id"], own.id):
        for method, body in (("GET", None), ("PATCH", {"active": False}), ("DELETE", None)):
            assert await ben.raw(method, f"/webhooks/{hook_id}", body) == (404, {"detail": "Webhook not found"})
    assert (await ben.ask("GET", "/webhooks"))["webhooks"] == []


async def test_a_webhook_follows_what_its_owner_has(site: ThingsSite, anna: ThingsApp, receiver: Receiver) -> None:
    """It must not tell of a device that has been given to somebody else, and never of all there are."""
    first, _ = await site.equipped(anna)
    await anna.ask("POST", "/webhooks", {"url": str(receiver.server.make_url("/"))})
    second, _ = await site.equipped(anna)
    hooks, devices = site.hub.hooks.hooks, [site.device(claimed) for claimed in (first, second)]

    async def has(*wanted: str, on: bool = True) -> None:
        async def so() -> bool:
            [hook] = hooks.all()
            return (hook.enabled, hook.devices) == (on, frozenset(wanted))

        await until(so)

    await has(devices[0].id, devices[1].id)
    await site.hub.registry.set_owner(devices[0], "", actor="tess")
    await has(devices[1].id)
    await site.hub.registry.set_owner(devices[1], "", actor="tess")
    await has(devices[1].id, on=False)


async def test_at_once_an_account_gets_no_more_than_in_turn(
    site: ThingsSite, anna: ThingsApp, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(apps, "DEVICES", 3)
    made = await asyncio.gather(*(anna.raw("POST", "/devices", {"name": "x"}) for _ in range(12)))
    assert Counter(status for status, _ in made) == {200: 3, 409: 9}
    wanted = {"url": str(receiver.server.make_url("/"))}
    made = await asyncio.gather(*(anna.raw("POST", "/webhooks", wanted) for _ in range(30)))
    assert Counter(status for status, _ in made) == {200: WEBHOOKS, 409: 30 - WEBHOOKS}


async def test_accounts_leave_webhooks_for_technicians(
    site: ThingsSite, anna: ThingsApp, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(webhooks, "ACCOUNTS_WEBHOOKS", 4)
    ben, url = await site.person(), str(receiver.server.make_url("/"))
    for app in (anna, ben):
        await site.equipped(app)
    made = await asyncio.gather(*(app.raw("POST", "/webhooks", {"url": url}) for app in (anna, ben) * 3))
    assert Counter(status for status, _ in made) == {200: 4, 409: 2}
    await site.hub.hooks.hooks.add("site", url, ["command"], actor="tess")


@pytest.mark.parametrize("kept", [True, False])
async def test_a_device_that_goes_to_another_while_a_webhook_is_made_is_not_told_of(
    site: ThingsSite, anna: ThingsApp, monkeypatch: pytest.MonkeyPatch, kept: bool
) -> None:
    """The name of its receiver may take seconds to look up: who owns what is asked after that."""
    looking, found = asyncio.Event(), asyncio.Event()

    async def resolve(host: str, port: int) -> list[str]:
        looking.set()
        await found.wait()
        return ["127.0.0.1"]

    monkeypatch.setattr(site.hub.hooks.hooks._outbound, "_resolve", resolve)
    lost, _ = await site.equipped(anna)
    others = {site.device((await site.equipped(anna))[0]).id} if kept else set()
    making = asyncio.create_task(anna.raw("POST", "/webhooks", {"url": "http://slow.example/"}))
    await looking.wait()
    await site.person()
    ben = site.hub.people.accounts.get("person2")
    await site.hub.registry.set_owner(site.device(lost), ben.id, actor="tess")
    found.set()
    status, _ = await making
    assert status == (200 if kept else 400)
    assert [hook.devices for hook in site.hub.hooks.hooks.all()] == ([frozenset(others)] if kept else [])


async def test_an_account_that_is_deleted_leaves_no_webhooks(
    site: ThingsSite, anna: ThingsApp, receiver: Receiver
) -> None:
    ben, url, hooks = await site.person(), str(receiver.server.make_url("/")), site.hub.hooks.hooks
    for app in (anna, ben):
        await site.equipped(app)
        await app.ask("POST", "/webhooks", {"url": url})
    dropping = asyncio.create_task(site.hub.things.tasks()["things-owners"]())
    await asyncio.sleep(0)  # it listens now
    await anna.ask("DELETE", "/me")

    async def one_is_left() -> bool:
        return len(hooks.all()) == 1

    await until(one_is_left)
    assert hooks.all()[0].created_by == f"user:{(await ben.ask('GET', '/me'))['id']}"
    dropping.cancel()
