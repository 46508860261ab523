"""A hub over its real parts with the older switch platform's facade on a real socket; time is moved by hand."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp
import msgspec
from aiohttp.test_utils import TestServer

from edge.clock import ManualClock
from edge.devices.model import Device
from edge.hub import Hub
from edge.settings import Limits, Serial, Settings, Site
from tests.fakes.thingsnxt_app import ThingsApp
from tests.fakes.thingsnxt_device import ThingsBoard

PASSWORD = "Passw0rd"
TOKEN = "0123456789abcdef0123456789abcdef"  # compiled into a board, years ago
SETTINGS = Settings(
    site=Site(name="test", timezone="Asia/Kolkata"),
    serial=Serial(scan=False),
    limits=Limits(body_s=2.0, authenticated_per_minute=100_000, anonymous_per_minute=100_000),
)


class ThingsSite:
    """The hub, its address, and the people around it."""

    def __init__(self, hub: Hub, clock: ManualClock, http: aiohttp.ClientSession, base: str) -> None:
        self.hub, self.clock, self.http, self.base = hub, clock, http, base
        self._people = 0

    async def person(self) -> ThingsApp:
        """Somebody with an account, logged in."""
        self._people += 1
        name = f"person{self._people}"
        await self.hub.people.accounts.add(f"{name}@example.com", name, PASSWORD, actor="test")
        app = ThingsApp(self.http, self.base)
        await app.log_in(name, PASSWORD)
        return app

    def board(self, token: str) -> ThingsBoard:
        """A board with that token compiled in; its time is the site's."""
        return ThingsBoard(self.http, self.base, token, passes=self.clock.advance)

    async def equipped(self, app: ThingsApp) -> tuple[str, ThingsBoard]:
        """A device of a person, and its board."""
        made = await app.ask("POST", "/devices", {"name": "Porch"})
        return made["id"], self.board(made["device_token"])

    def device(self, claimed: str) -> Device:
        """The hub's device of that id."""
        device = self.hub.registry.by_alias("thingsnxt", claimed)
        assert device is not None
        return device

    async def get(self, path: str, **headers: str) -> tuple[int, Any]:
        """A GET without a token."""
        async with self.http.get(self.base + path, headers=headers) as response:
            return response.status, msgspec.json.decode(await response.read())

    async def post(self, path: str, body: Any) -> tuple[int, Any]:
        """A POST without a token; bytes as they are."""
        data = body if isinstance(body, bytes) else msgspec.json.encode(body)
        async with self.http.post(self.base + path, data=data) as response:
            return response.status, msgspec.json.decode(await response.read())


@contextlib.asynccontextmanager
async def things_site(folder: Path, **settings: Any) -> AsyncIterator[ThingsSite]:
    """A site over `folder`."""
    clock = ManualClock()
    hub = Hub(folder, msgspec.structs.replace(SETTINGS, **settings), clock)
    async with hub.opened(), aiohttp.ClientSession() as http:
        server = TestServer(hub.app)
        await server.start_server()
        tasks = hub.things.tasks()
        telling = [asyncio.create_task(tasks[name]()) for name in ("things", "things-webhooks")]
        try:
            yield ThingsSite(hub, clock, http, str(server.make_url("")).rstrip("/"))
        finally:
            for task in telling:
                task.cancel()
            await server.close()
            for part in reversed(hub.parts):
                await part.stop()
            await hub.pictures.close()
