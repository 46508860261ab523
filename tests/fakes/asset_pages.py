"""The older asset logger's React pages, as far as their requests and their socket go.

They send the token of localStorage with everything, log out at any 401 whatever it was for, and listen to a list of
event names of their own. `device/list` is what they fall back to where `/loggers` fails.
"""

from __future__ import annotations

import asyncio
import json
from typing import Any

import aiohttp
import socketio

LISTENS_TO = (
    "asset_config_update", "new_event", "shift_update", "new_archive", "dashboard_reset", "events_update",
    "initial_data", "asset_updated", "asset_created", "asset_deleted", "logger_status_updated", "alert",
    "alert_cleared", "settings_updated",
)  # fmt: skip


class Refused(Exception):
    """The server said no; the page shows `message`."""

    def __init__(self, status: int, body: Any) -> None:
        super().__init__(f"{status} {body}")
        self.status, self.message = status, body.get("message") if isinstance(body, dict) else body


class AssetPages:
    """One browser: its localStorage, its pages and its socket. `base` is the server without /api."""

    def __init__(self, http: aiohttp.ClientSession, base: str) -> None:
        self.http, self.base, self.token = http, base, ""
        self.logged_out = False
        self.events: list[tuple[str, Any]] = []
        self._told = asyncio.Condition()
        self.socket: socketio.AsyncClient | None = None

    # --- requests

    async def log_in(self, name: str, password: str) -> dict[str, Any]:
        """Its login page."""
        answer = await self.ask("POST", "/auth/login", {"email": name, "password": password})
        self.token, self.logged_out = answer["token"], False
        user: dict[str, Any] = answer["user"]
        return user

    async def ask(self, method: str, path: str, body: Any = None) -> Any:
        """One request of a page; the decoded answer. Raises Refused; a 401 logs out first."""
        status, answer = await self.raw(method, path, body)
        if status == 401:
            self.token, self.logged_out = "", True
        if not 200 <= status < 300:
            raise Refused(status, answer)
        return answer

    async def raw(self, method: str, path: str, body: Any = None) -> tuple[int, Any]:
        """One request: status and answer, whatever they are."""
        headers = {"Content-Type": "application/json"}
        if self.token:
            headers["Authorization"] = f"Bearer {self.token}"
        data = None if body is None else json.dumps(body)
        url = f"{self.base}/api{path}"
        async with self.http.request(method, url, data=data, headers=headers) as response:
            text = await response.text()
            is_json = "json" in response.headers.get("Content-Type", "")
            return response.status, json.loads(text) if text and is_json else text

    async def get(self, path: str) -> Any:
        """A GET."""
        return await self.ask("GET", path)

    # --- pages

    async def dashboard(self) -> list[dict[str, Any]]:
        """What its dashboard shows: it works figures out by itself from what it reads."""
        assets: list[dict[str, Any]] = (await self.get("/assets"))["assets"]
        for asset in assets:
            known_s = asset["runtime"] + asset["downtime"]
            asset["shown"] = round(100 * asset["runtime"] / known_s, 2) if known_s else 0
            assert {"id", "name", "pin_number", "current_state", "total_stops", "last_state_change"} <= asset.keys()
        return assets

    async def loggers(self) -> list[dict[str, Any]]:
        """Its page of devices: /loggers, else /device/list."""
        try:
            found: list[dict[str, Any]] = await self.get("/loggers")
        except Refused:
            found = await self.get("/device/list")
        assert isinstance(found, list)
        return found

    async def every_page(self) -> None:
        """Open each page once, as its routes do."""
        for path in (
            "/auth/me", "/assets", "/events?page=1&limit=50", "/loggers", "/device/list", "/shifts/current",
            "/reports/daily", "/reports/shifts", "/reports/monthly", "/analytics", "/analytics/availability",
            "/analytics/downtime", "/analytics/state-distribution", "/analytics/performance-metrics", "/alerts",
            "/alerts/active", "/settings", "/users", "/teams", "/backup", "/backups", "/csv/events",
            "/csv/export/assets", "/csv/loggers",
        ):  # fmt: skip
            await self.get(path)

    # --- the socket

    async def connect(self, token: str | None = None) -> None:
        """Its socket, as it opens it. Raises socketio.exceptions.ConnectionError where the server refuses it, and
        hears `connect_error`."""
        self.socket = socketio.AsyncClient(reconnection_attempts=5, reconnection_delay=0.05, handle_sigint=False)
        self.socket.on("*", self._heard)
        self.socket.on("connect_error", self._refused)
        auth = {"token": self.token if token is None else token}
        await self.socket.connect(self.base, auth=auth, transports=["websocket"], wait_timeout=60)

    @property
    def connected(self) -> bool:
        """Whether its socket is open."""
        return self.socket is not None and self.socket.connected

    async def hang_up(self) -> None:
        """Close its socket."""
        if self.socket is not None:
            await self.socket.disconnect()
            await self.socket.shutdown()

    async def hears(self, name: str, seconds: float = 60.0) -> Any:
        """The payload of the next event of this name; what was heard before it stays in `events`."""
        async with asyncio.timeout(seconds), self._told:
            while True:
                for index, (heard, payload) in enumerate(self.events):
                    if heard == name:
                        del self.events[index]
                        return payload
                await self._told.wait()

    async def _refused(self, why: Any) -> None:
        await self._heard("connect_error", why)

    async def _heard(self, name: str, *payload: Any) -> None:
        async with self._told:
            self.events.append((name, payload[0] if payload else None))
            self._told.notify_all()
