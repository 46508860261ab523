"""The older platform's app, as far as its requests go: the bearer token on every call, JSON, plain fetch."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator
from typing import Any

import aiohttp


class Refused(Exception):
    """The server said no; the app shows `detail`."""

    def __init__(self, status: int, detail: Any) -> None:
        super().__init__(f"{status} {detail}")
        self.status, self.detail = status, detail


class ThingsApp:
    """One person's app."""

    def __init__(self, http: aiohttp.ClientSession, base: str, token: str = "") -> None:
        self.http, self.base, self.token = http, base, token

    async def log_in(self, name: str, password: str) -> None:
        """POST /token, as its login page does."""
        form = {"username": name, "password": password}
        async with self.http.post(self.base + "/token", data=form) as response:
            body = await response.json()
            assert response.status == 200, body
            self.token = body["access_token"]

    async def ask(self, method: str, path: str, body: Any = None) -> Any:
        """One request; the decoded answer. Raises Refused."""
        status, answer = await self.raw(method, path, body)
        if not 200 <= status < 300:
            raise Refused(status, answer.get("detail") if isinstance(answer, dict) else answer)
        return answer

    async def raw(self, method: str, path: str, body: Any = None) -> tuple[int, Any]:
        """One request: status and answer, whatever they are."""
        headers = {"Content-Type": "application/json"}
        if self.token:
            headers["Authorization"] = f"Bearer {self.token}"
        data = None if body is None else json.dumps(body)
        async with self.http.request(method, self.base + path, data=data, headers=headers) as response:
            text = await response.text()
            return response.status, json.loads(text) if text else None

    async def led(self, device_id: str, dashboard_id: str = "", **config: Any) -> dict[str, Any]:
        """A switch for a device, on a dashboard of its own unless one is given."""
        if not dashboard_id:
            dashboard_id = (await self.ask("POST", "/dashboards", {"name": "Home"}))["_id"]
        wanted = {"dashboard_id": dashboard_id, "device_id": device_id, "type": "led", "label": "Lamp"}
        made: dict[str, Any] = await self.ask("POST", "/widgets", {**wanted, "config": config})
        return made

    async def switch(self, widget: dict[str, Any], state: object) -> dict[str, Any]:
        """Press the button."""
        done: dict[str, Any] = await self.ask("POST", f"/widgets/{widget['_id']}/state", {"state": state})
        return done

    @contextlib.asynccontextmanager
    async def listening(self) -> AsyncIterator[Listening]:
        """Its WebSocket, after the first message."""
        async with self.http.ws_connect(f"{self.base}/ws?token={self.token}") as socket:
            listening = Listening(socket)
            assert (await listening.next())["type"] == "connected"
            yield listening


class Listening:
    """An open WebSocket."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        self.socket = socket

    async def next(self, kind: str = "", seconds: float = 60.0) -> dict[str, Any]:
        """The next message (of a kind)."""
        async with asyncio.timeout(seconds):
            while True:
                message: dict[str, Any] = await self.socket.receive_json()
                if not kind or message["type"] == kind:
                    return message

    async def say(self, message: object) -> None:
        """Send one, as JSON; text as it is."""
        await self.socket.send_str(message if isinstance(message, str) else json.dumps(message))


async def streamed(response: aiohttp.ClientResponse, seconds: float = 60.0) -> dict[str, Any]:
    """The next message of a stream of server-sent events."""
    async with asyncio.timeout(seconds):
        async for line in response.content:
            if line.startswith(b"data:"):
                message: dict[str, Any] = json.loads(line[5:])
                return message
    raise AssertionError("the stream has ended")
