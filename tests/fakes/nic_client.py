"""The old PC program that drives a display, as it behaves in the field.

The key and the JSON content type on every call; every error of a poll is "nothing to do"; commands are worked off
one after the other without polling; a report is sent once; anything but a single-line data URI fails without a
reason.
"""

from __future__ import annotations

import base64
import re
import time
from typing import Any

import aiohttp

POLL_TIMEOUT = aiohttp.ClientTimeout(total=5)
REGISTER_TIMEOUT = aiohttp.ClientTimeout(total=10)
_DATA_URI = re.compile(r"data:image/\w+;base64,([A-Za-z0-9+/=]+)")


class ProgramEnded(Exception):
    """The program has exited with code 1; nobody starts it again."""


class NicClient:
    """One program on one PC. `screen` is what its display has shown: PNG bytes, or "rotation"."""

    def __init__(self, base: str, key: str, device_id: str, computer_name: str) -> None:
        self.base, self.device_id, self.computer_name = base, device_id, computer_name
        self.headers = {"X-API-Key": key, "Content-Type": "application/json"}
        self.screen: list[bytes | str] = []
        self.commands: list[dict[str, Any]] = []
        self.lose_reports = False
        self.lose_replies = False

    @property
    def link(self) -> str:
        """The address with which it opens the agent's browser at its start."""
        return f"?computer_name={self.computer_name}&device_id={self.device_id}&auto_link=true"

    async def start(self) -> None:
        """Register once. Raises ProgramEnded unless that goes well."""
        body = {"device_id": self.device_id, "computer_name": self.computer_name, "com_port": "COM3"}
        try:
            status, answer = await self._call("POST", "/api/device/register", body, REGISTER_TIMEOUT)
        except (aiohttp.ClientError, TimeoutError, ValueError) as error:
            raise ProgramEnded from error
        if status != 200 or not answer.get("success"):
            raise ProgramEnded

    async def turn(self) -> int:
        """One round of its loop: poll, then work off and report what came; returns how many commands came."""
        commands = await self.poll()
        for command in commands:
            self.commands.append(command)
            started = time.monotonic()
            status, error = self._execute(command)
            await self._report(command, status, error, time.monotonic() - started)
        return len(commands)

    async def poll(self) -> list[dict[str, Any]]:
        """What the hub has for it; [] whatever goes wrong."""
        try:
            path = f"/api/device/poll?device_id={self.device_id}"
            status, answer = await self._call("GET", path, None, POLL_TIMEOUT)
        except (aiohttp.ClientError, TimeoutError, ValueError):
            return []
        if self.lose_replies or status != 200 or not answer.get("has_commands"):
            return []
        commands: list[dict[str, Any]] = answer.get("commands", [])
        return commands

    def _execute(self, command: dict[str, Any]) -> tuple[str, str | None]:
        if command["type"] == "start_rotation":
            self.screen.append("rotation")
            return "success", None
        if command["type"] != "display_qr":
            return "failed", f"Unknown command type: {command['type']}"
        match = _DATA_URI.fullmatch(command.get("qr_image", ""))
        if match is None:
            return "failed", None
        self.screen.append(base64.b64decode(match[1]))
        return "success", None

    async def _report(self, command: dict[str, Any], status: str, error: str | None, took_s: float) -> None:
        if self.lose_reports:
            return
        body: dict[str, Any] = {
            "device_id": self.device_id,
            "command_id": command["command_id"],
            "status": status,
            "error": error,
        }
        if command["type"] == "display_qr":
            body["execution_time"] = took_s
        try:
            await self._call("POST", "/api/device/status", body, POLL_TIMEOUT)
        except (aiohttp.ClientError, TimeoutError, ValueError):
            return

    async def _call(
        self, method: str, path: str, body: dict[str, Any] | None, timeout: aiohttp.ClientTimeout
    ) -> tuple[int, dict[str, Any]]:
        async with (
            aiohttp.ClientSession(headers=self.headers, timeout=timeout) as session,
            session.request(method, self.base + path, json=body) as response,
        ):
            answer: dict[str, Any] = await response.json(content_type=None)
            return response.status, answer
