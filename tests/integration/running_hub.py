"""A real hub in this process: its database on disk, its listeners on 127.0.0.1, its unix socket."""

from __future__ import annotations

import asyncio
import contextlib
import io
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import aiohttp
import msgspec

from edge.clock import Clock
from edge.devices.model import Device
from edge.hub import Hub
from edge.serving.roles import Role
from edge.serving.server import Listen
from edge.settings import Discovery, Disk, Limits, Serial, Settings, Site

QUIET = Settings(
    site=Site(name="test", timezone="Asia/Kolkata"),
    serial=Serial(scan=False),
    discovery=Discovery(enabled=False),
    disk=Disk(free_floor_mb=1, ballast_mb=1),
    limits=Limits(authenticated_per_minute=100_000, anonymous_per_minute=100_000),
)


class Answer(msgspec.Struct, frozen=True):
    """What came back: the status, the headers, and the JSON where there is some."""

    status: int
    headers: dict[str, str]
    body: Any

    @property
    def code(self) -> str:
        """A problem's code; '' for an answer that is none."""
        return str(self.body.get("code", "")) if isinstance(self.body, dict) else ""


class RunningHub:
    """A hub that listens, with a key of every role."""

    def __init__(self, hub: Hub, url: str, keys: dict[str, str]) -> None:
        self.hub, self.url, self.keys = hub, url, keys
        self.port = int(url.rsplit(":", 1)[1])
        self.http = aiohttp.ClientSession()

    async def ask(
        self, method: str, path: str, json: Any = None, *, key: str = "admin", data: Any = None, **headers: str
    ) -> Answer:
        """One request as the owner of `key` (a role, or a key itself; '' for nobody)."""
        given = {name.replace("_", "-"): value for name, value in headers.items()}
        if key:
            given.setdefault("Authorization", f"Bearer {self.keys.get(key, key)}")
        body = data if json is None else msgspec.json.encode(json)
        body = io.BytesIO(body) if isinstance(body, bytes) else body
        async with self.http.request(method, self.url + path, data=body, headers=given) as response:
            raw = await response.read()
            is_json = "json" in response.headers.get("Content-Type", "")
            decoded = msgspec.json.decode(raw) if raw and is_json else raw
            return Answer(response.status, dict(response.headers), decoded)

    async def get(self, path: str, *, key: str = "admin") -> Answer:
        """A GET."""
        return await self.ask("GET", path, key=key)

    async def raw(self, request: str | bytes, *, seconds: float = 60.0) -> bytes:
        """Exactly these bytes over a connection of their own, and all that comes back until the hub closes it."""
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        try:
            writer.write(request.encode("utf-8", "surrogateescape") if isinstance(request, str) else request)
            async with asyncio.timeout(seconds):
                return await reader.read()
        finally:
            writer.transport.abort()

    async def display(self, name: str = "Desk", profile: str = "native") -> Device:
        """An approved display that is not connected."""
        device, _ = await self.hub.registry.add(name, "display", profile, actor="test")
        return device

    async def send(self, device: Device, kind: str = "display_qr", **more: Any) -> Answer:
        """A command for a device: `args`, `ttl_s`, and `idempotency` and `key` of the request."""
        headers = {"Idempotency_Key": more.pop("idempotency")} if "idempotency" in more else {}
        key = more.pop("key", "admin")
        if kind == "display_qr":
            more.setdefault("args", {"payload": "upi://pay?pa=a@b"})
        return await self.ask(
            "POST", f"/v1/devices/{device.id}/commands", {"kind": kind, **more}, key=key, **headers
        )

    async def facts(self) -> list[dict[str, Any]]:
        """The whole ledger."""
        return list((await self.get("/v1/ledger?limit=500")).body["items"])


async def until(so: Callable[[], Awaitable[bool]], *, seconds: float = 60.0) -> None:
    """Wait until `so` gives true, with a deadline."""
    async with asyncio.timeout(seconds):
        while not await so():  # noqa: ASYNC110 - what is waited for is behind a socket, and has no event
            await asyncio.sleep(0.02)


@contextlib.asynccontextmanager
async def started(
    folder: Path, settings: Settings = QUIET, clock: Clock | None = None
) -> AsyncIterator[RunningHub]:
    """A hub over `folder`, serving on a free port."""
    hub = Hub(folder, settings, clock)
    async with hub.serving(listens=[Listen("127.0.0.1", 0, tls=False)], brief=True) as listens:
        keys = {"admin": (folder / "admin.key").read_text().strip()}
        known = {key.name for key, _ in hub.keys.listed()}
        for role in (Role.TECHNICIAN, Role.VIEWER, Role.APP):
            if role.label not in known:
                _, keys[role.label] = await hub.keys.create(role.label, role, actor="test")
        running = RunningHub(hub, listens[0].url, keys)
        try:
            yield running
        finally:
            await running.http.close()
