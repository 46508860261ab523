"""A hub over its real parts with the old payment displays' facade on a real socket; time is moved by hand."""

from __future__ import annotations

import io
from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import pytest
import zxingcpp
from aiohttp.test_utils import TestServer
from PIL import Image

from edge.clock import ManualClock
from edge.devices.model import Device
from edge.hub import Hub
from edge.serving.roles import Role
from edge.settings import Content, Limits, Settings
from edge.settings import Serial as SerialSettings
from tests.fakes.asset_logger import Hall
from tests.fakes.nic_browser import NicBrowser
from tests.fakes.nic_client import NicClient
from tests.integration.compat.old_boards import Yard, yard_at
from tests.integration.compat.old_loggers import hall_at

KEY = "NIC-DEVICE-API-KEY-2024-CHANGE-ME"


class NicSite:
    """The hub, its address, and the people around it."""

    def __init__(self, hub: Hub, clock: ManualClock) -> None:
        self.hub, self.clock, self.base = hub, clock, ""

    def client(self, computer: str, *, key: str = KEY, device_id: str = "") -> NicClient:
        """The program on a PC."""
        return NicClient(self.base, key, device_id or f"device_{computer}_4CD717", computer)

    def browser(self, *, key: str = KEY, address: str = "") -> NicBrowser:
        """A browser on a PC."""
        return NicBrowser(self.base, key, address=address)

    async def desk(self, computer: str, *, bound: bool = False) -> NicClient:
        """A PC with its program running and its display approved."""
        client = self.client(computer)
        await client.start()
        device = self.device(client)
        await self.hub.registry.approve(device, actor="tess")
        if bound:
            await self.hub.agents.bind_workstation(device.id, computer, actor="tess")
        await client.turn()
        return client

    def device(self, client: NicClient) -> Device:
        """The hub's device of a program."""
        device = self.hub.registry.by_alias("nic", client.device_id)
        assert device is not None
        return device

    async def get(self, path: str, *, key: str = KEY) -> tuple[int, dict[str, object]]:
        """A GET with the key."""
        status, answer = await self.browser(key=key).call("GET", path, None)
        return status, answer

    async def post(self, path: str, body: dict[str, object], *, key: str = KEY) -> tuple[int, dict[str, object]]:
        """A POST with the key."""
        return await self.browser(key=key).call("POST", path, body)

    @staticmethod
    def scan(screen: bytes | str) -> str:
        """What a customer's phone reads."""
        assert isinstance(screen, bytes)
        with Image.open(io.BytesIO(screen)) as image:
            assert image.size == (320, 480)
            [code] = zxingcpp.read_barcodes(image.convert("L"))
        return str(code.text)


@pytest.fixture
async def site(tmp_path: Path) -> AsyncIterator[NicSite]:
    clock = ManualClock()
    settings = Settings(
        serial=SerialSettings(scan=False), limits=Limits(body_s=2.0), content=Content(fetch_allow=("127.0.0.0/8",))
    )
    hub = Hub(tmp_path, settings, clock)
    site = NicSite(hub, clock)
    async with hub.opened():
        await hub.keys.import_("old clients", Role.APP, "nic", KEY, actor="tess")
        server = TestServer(hub.app)
        await server.start_server()
        site.base = str(server.make_url("")).rstrip("/")
        try:
            yield site
        finally:
            await server.close()
            await hub.pictures.close()


@pytest.fixture
async def http() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession() as session:
        yield session


@pytest.fixture
async def hall(tmp_path: Path) -> AsyncIterator[Hall]:
    async with hall_at(tmp_path, ManualClock()) as hall:
        yield hall


@pytest.fixture
async def strict(tmp_path: Path) -> AsyncIterator[Hall]:
    """Nobody is approved by itself."""
    async with hall_at(tmp_path, ManualClock(), auto=False) as hall:
        yield hall


@pytest.fixture
async def yard(tmp_path: Path) -> AsyncIterator[Yard]:
    """Older boards that update themselves; the hub takes them in by itself."""
    async with yard_at(tmp_path, ManualClock()) as yard:
        yield yard
