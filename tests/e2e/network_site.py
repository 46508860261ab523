"""A site for boards on the network and on cables: a hub in a process of its own, killed and started at will."""

from __future__ import annotations

import asyncio
import os
import socket
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import Awaitable, Callable, Iterable, Mapping
from pathlib import Path
from typing import Any, Self, TypeVar

import aiohttp
import msgspec

T = TypeVar("T")
START_S = 60.0
HISTORY_LIMIT = 500


class Site:
    """A hub at one address for as long as the test runs. An async context manager."""

    def __init__(
        self,
        folder: Path,
        host: str = "127.0.0.1",
        *,
        discovery: bool = False,
        mdns: bool = False,
        cables: Iterable[Path] = (),
        settings: Mapping[str, str] | None = None,
    ) -> None:
        self.folder, self.host = folder, host
        self.port, self.udp_port = _free(socket.SOCK_STREAM, host), _free(socket.SOCK_DGRAM, host)
        self.url = f"http://{host}:{self.port}"
        self._discovery, self._mdns, self._settings = discovery, mdns, settings or {}
        self._serial = [word for tty in cables for word in ("--serial", f"{tty}=native@115200")]
        self._hub: Process | None = None

    async def __aenter__(self) -> Self:
        await self.start()
        self._http = aiohttp.ClientSession()
        return self

    async def __aexit__(self, *exc: object) -> None:
        await self._http.close()
        await self.kill()

    async def start(self) -> None:
        """Start the hub, where it was before."""
        self.folder.mkdir(parents=True, exist_ok=True)
        with (self.folder / "log").open("ab") as log:
            self._hub = await asyncio.create_subprocess_exec(
                *(sys.executable, "-m", "edge.cli", "hub", "--data-dir", str(self.folder), "--no-scan"),
                *("--listen", f"{self.host}:{self.port}", *(() if self._discovery else ("--no-discovery",))),
                *self._serial,
                stdout=PIPE,
                stderr=log,
                env={
                    **os.environ,
                    "OUTPOST_DISCOVERY__UDP_PORT": str(self.udp_port),
                    "OUTPOST_DISCOVERY__MDNS": "true" if self._mdns else "false",
                    "OUTPOST_LIMITS__AUTHENTICATED_PER_MINUTE": "100000",
                    **self._settings,
                },
            )
        assert self._hub.stdout is not None
        async with asyncio.timeout(START_S):
            line = await self._hub.stdout.readline()
        assert line.startswith(b"ready hub "), (self.folder / "log").read_text()

    async def kill(self) -> None:
        """SIGKILL."""
        assert self._hub is not None
        if self._hub.returncode is None:
            self._hub.kill()
        await self._hub.wait()

    async def ask(self, method: str, path: str, json: object = None) -> Any:
        """One request as the administrator; the answer's JSON."""
        key = (self.folder / "admin.key").read_text().strip()
        body = None if json is None else msgspec.json.encode(json)
        headers = {"Authorization": f"Bearer {key}", "Content-Type": "application/json"}
        async with self._http.request(method, self.url + path, data=body, headers=headers) as response:
            answer = msgspec.json.decode(await response.read() or b"null")
            assert response.status < 400, answer
            return answer

    async def text(self, path: str) -> str:
        """What a path answers the administrator, as text."""
        key = (self.folder / "admin.key").read_text().strip()
        async with self._http.get(self.url + path, headers={"Authorization": f"Bearer {key}"}) as response:
            return await response.text()

    async def upload(self, bundle: bytes) -> Any:
        """Firmware, as an administrator's computer sends it."""
        key = (self.folder / "admin.key").read_text().strip()
        headers = {"Authorization": f"Bearer {key}", "Content-Type": "application/octet-stream"}
        async with self._http.post(self.url + "/v1/artifacts", data=bundle, headers=headers) as response:
            answer = msgspec.json.decode(await response.read())
            assert response.status < 400, answer
            return answer

    async def device(self, chip: str) -> dict[str, Any] | None:
        """The device of that chip id, if the hub has seen it."""
        devices: list[dict[str, Any]] = (await self.ask("GET", "/v1/devices"))["items"]
        return next((device for device in devices if device["facts"].get("chip") == chip), None)

    async def approve(self, chip: str, code: str) -> str:
        """Type the code, once the device is there; its id."""
        device = await until(lambda: self.device(chip))
        await self.ask("POST", f"/v1/devices/{device['id']}/approve", {"code": code})
        return str(device["id"])

    async def history(self, device: str, key: str) -> list[dict[str, Any]]:
        """All readings of a key, oldest first."""
        rows: list[dict[str, Any]] = []
        since = "from=2000-01-01T00:00:00Z&to=2100-01-01T00:00:00Z"
        place = f"/v1/devices/{device}/readings?key={key}&{since}&limit={HISTORY_LIMIT}"
        cursor = ""
        while True:
            page = await self.ask("GET", place + cursor)
            rows += page["items"]
            if page["next"] is None:
                return sorted(rows, key=lambda row: str(row["at"]))
            cursor = f"&cursor={page['next']}"


async def until(holds: Callable[[], Awaitable[T]], *, seconds: float = 60.0) -> T:
    """Wait until `holds` gives something true, and give that."""
    async with asyncio.timeout(seconds):
        while not (found := await holds()):  # noqa: ASYNC110 - what is waited for is in another process
            await asyncio.sleep(0.05)
        return found


def _free(kind: socket.SocketKind, host: str) -> int:
    with socket.socket(socket.AF_INET, kind) as probe:
        probe.bind((host, 0))
        return int(probe.getsockname()[1])
