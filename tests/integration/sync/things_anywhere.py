"""People of the centre with the older app, and the sites where their things are."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator
from typing import Any

import aiohttp

from edge.devices.model import Device
from tests.fakes.thingsnxt_app import ThingsApp
from tests.fakes.thingsnxt_device import ThingsBoard
from tests.integration.running_hub import RunningHub
from tests.integration.sync.conftest import Pair, until

PASSWORD = "Passw0rd"


async def account(pair: Pair, name: str, *sites: str, role: str = "viewer", **more: Any) -> str:
    """Somebody whom an administrator has added; his id."""
    wanted = {"email": f"{name}@example.com", "username": name, "role": role, "sites": list(sites), **more}
    made = await pair.centre.ask("POST", "/v1/people", {"password": PASSWORD} | wanted)
    assert made.status == 201, made.body
    return str(made.body["person"]["id"])


async def app_of(pair: Pair, name: str, url: str = "") -> ThingsApp:
    """Somebody's app, logged in at the centre (or at another instance of it)."""
    app = ThingsApp(pair.centre.http, url or pair.centre.url)
    await app.log_in(name, PASSWORD)
    return app


async def person(pair: Pair, name: str, *sites: str) -> ThingsApp:
    """Somebody new, logged in with his app."""
    await account(pair, name, *sites)
    return await app_of(pair, name)


def device_of(hub: RunningHub, claimed: str) -> Device | None:
    """The hub's device of that id."""
    return hub.hub.registry.by_alias("thingsnxt", claimed)


def board(http: aiohttp.ClientSession, hub: RunningHub, token: str) -> ThingsBoard:
    """A board at the site."""
    return ThingsBoard(http, hub.url, token, passes=lambda seconds: None)


@contextlib.asynccontextmanager
async def two_sites(pair: Pair) -> AsyncIterator[tuple[RunningHub, RunningHub]]:
    """Pune and Delhi, both live."""
    async with pair.hub() as pune, pair.hub(folder="other") as delhi:
        await pair.enrolled(pune)
        await pair.enrolled(delhi, "Delhi")
        yield pune, delhi


async def told(pair: Pair, kind: str, thing: str) -> None:
    """Wait until the centre has been told of a thing."""

    async def seen() -> bool:
        return thing in await pair.states(kind)

    await until(seen)
