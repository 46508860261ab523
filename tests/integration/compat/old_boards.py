"""A hub with older boards around it that update themselves; time is moved by hand."""

from __future__ import annotations

import contextlib
import io
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp
import msgspec

from edge.clock import ManualClock
from edge.devices.model import Device
from edge.hub import Hub
from edge.serving.server import Listen, Server
from edge.settings import Hub as HubSettings
from edge.settings import Limits, Serial, Settings
from edge.sim.old_ota import OTA_BASE, OldBoard, Sketch
from edge.updates.offers.model import Target
from tests.fakes.elf import description
from tests.fakes.esp_image import image

PATIENT_S = 60.0  # a real board waits 5 s and 8 s; this machine may be busier than any hub
LIMITS = Limits(authenticated_per_minute=1_000_000, anonymous_per_minute=1_000_000)


def firmware(name: str, *, size: int = 3000, chip: int = 0, marked: str = "") -> bytes:
    """An image of a sketch, by whose name in it the board knows what it is."""
    text = f"{name} {marked}".encode()
    rodata = description() + text + bytes(-len(text) % 4)
    return image(chip=chip, segments=((0x3F400020, rodata), (0x400D0020, bytes(i % 251 for i in range(size)))))


class Yard:
    """The hub, its address, the boards, and a technician with a key."""

    def __init__(self, hub: Hub, clock: ManualClock, base: str, http: aiohttp.ClientSession) -> None:
        self.hub, self.clock, self.base, self.http = hub, clock, base, http
        self.boards: list[OldBoard] = []

    @property
    def place(self) -> tuple[str, int]:
        """Where the hub listens."""
        host, _, port = self.base.removeprefix("http://").rpartition(":")
        return host, int(port)

    def board(self, sketch: Sketch = OTA_BASE, *, address: str = "127.0.0.2", **more: Any) -> OldBoard:
        """A board that is off."""
        more.setdefault("mac", f"A0B7650000{int(address.rsplit('.', 1)[1]):02X}")
        more.setdefault("image", firmware(sketch.name, chip=9 if sketch.chip == "esp32s3" else 0, marked="first"))
        server = more.pop("server", self.base)
        board = OldBoard(server, sketch, source=address, call_s=PATIENT_S, read_s=PATIENT_S, **more)
        self.boards.append(board)
        return board

    async def on(self, sketch: Sketch = OTA_BASE, *, address: str = "127.0.0.2", **more: Any) -> OldBoard:
        """A board that has started and given a sign of life."""
        board = self.board(sketch, address=address, **more)
        await board.boot()
        await self.passes(30)
        return board

    async def passes(self, seconds: int, step: int = 30) -> None:
        """Time passes, in steps at whose ends boards do what is due."""
        for _ in range(seconds // step):
            self.clock.advance(step)
            await self.hub.rollouts.rollouts.tick()
            for board in self.boards:
                board.uptime_s += step - 1
                await board.turn()

    async def ask(self, method: str, path: str, json: Any = None, **more: Any) -> tuple[int, Any]:
        """The technician asks."""
        async with self.http.request(method, self.base + path, json=json, **more) as response:
            raw = await response.read()
            is_json = "json" in response.headers.get("Content-Type", "")
            return response.status, msgspec.json.decode(raw) if is_json else raw

    async def upload(self, name: str, data: bytes | None = None, **fields: str) -> tuple[int, Any]:
        """The old page's form."""
        form = aiohttp.FormData()
        form.add_field("firmware", io.BytesIO(firmware(name) if data is None else data), filename="firmware.bin")
        for field, value in {"device_type": name, "description": "", "auto_assign": "false", **fields}.items():
            form.add_field(field, value)
        return await self.ask("POST", "/api/ota/upload", data=form)

    async def force(self, board: OldBoard, name: str) -> tuple[int, Any]:
        """The old page's button."""
        path = f"/api/ota/force-update/{self.device(board).id}"
        return await self.ask("POST", path, {"firmware_type": name})

    def device(self, board: OldBoard) -> Device:
        """The hub's device of a board, by where it is."""
        [found] = [one for one in self.hub.registry.all() if one.facts.get("address") == board.source]
        return found

    async def newest(self, board: OldBoard) -> Target:
        """What was last wanted of a board."""
        found = await self.hub.rollouts.rollouts.newest_of(self.device(board).id)
        assert found is not None
        return found

    def latest(self, board: OldBoard) -> dict[str, Any]:
        """Its newest readings."""
        latest = self.hub.telemetry.telemetry.latest(self.device(board).id)
        return {key: one.value for key, one in latest.items()}


@contextlib.asynccontextmanager
async def yard_at(folder: Path, clock: ManualClock, *, auto: bool = True, **more: Any) -> AsyncIterator[Yard]:
    """A hub over `folder`; with `auto` it takes boards in by itself. `more`: sections of its settings."""
    taking = HubSettings(auto_approve=auto)
    hub = Hub(folder, Settings(hub=taking, serial=Serial(scan=False), limits=LIMITS, **more), clock)
    async with hub.opened():
        secret = (folder / "admin.key").read_text().strip()
        server = Server(hub.app)
        [listen] = await server.start([Listen("127.0.0.1", 0, tls=False)], None, folder / "hub.sock")
        try:
            async with aiohttp.ClientSession(headers={"X-API-Key": secret}) as http:
                yield Yard(hub, clock, listen.url.rstrip("/"), http)
        finally:
            await server.stop()
