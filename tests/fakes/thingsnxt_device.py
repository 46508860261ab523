"""The older switch board, as its sketch behaves: the loop, the requests, the parser's memory, the coercions.

Time is the test's: each turn of the loop takes 100 ms, and nothing else passes it. What the board knows is what the
sketch knows: its outputs, when it polled and when it reported.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any

import aiohttp

OUTPUTS = 5
TURN_MS = 100
POLL_MS, REPORT_MS = 3000, 10_000
POOL_BYTES = 2048  # of the parser; a reply that needs more is not understood at all
SLOT_BYTES = 16  # of each member or element, on 32 bits
TIMEOUT = aiohttp.ClientTimeout(total=5)
HEADERS = {
    "User-Agent": "ESP32HTTPClient",
    "Connection": "keep-alive",
    "Accept-Encoding": "identity;q=1,chunked;q=0.1,*;q=0",
}


class ThingsBoard:
    """One board. `outputs` is what its pins are driven to; `log` every change of them, with the board's time."""

    def __init__(
        self, http: aiohttp.ClientSession, base: str, token: str, *, passes: Callable[[float], None]
    ) -> None:
        self._http, self._base, self._token, self._passes = http, base, token, passes
        self.outputs = [0] * OUTPUTS
        self.millis = 0
        self.log: list[tuple[int, str, int]] = []
        self.polls = self.reports = self.deaf = 0
        self.lose_replies = False
        self._polled = self._reported = 0

    async def run(self, seconds: float) -> None:
        """The loop, for so long."""
        for _ in range(round(seconds * 1000 / TURN_MS)):
            await self.turn()

    async def turn(self) -> None:
        """One turn of the loop."""
        if self.millis - self._polled >= POLL_MS:
            await self.poll()
            self._polled = self.millis
        if self.millis - self._reported >= REPORT_MS:
            await self.report()
            self._reported = self.millis
        self.millis += TURN_MS
        self._passes(TURN_MS / 1000)

    def restart(self) -> None:
        """Power was away for a moment: everything is off, the time begins anew."""
        self.outputs, self.millis, self._polled, self._reported = [0] * OUTPUTS, 0, 0, 0

    def by_hand(self, output: int, state: int) -> None:
        """Somebody switches an output at the board itself."""
        self._drive(output, state)

    async def poll(self) -> None:
        """GET /telemetry/latest, and what the sketch makes of the reply."""
        self.polls += 1
        status, body = await self._ask("GET", f"/telemetry/latest?device_token={self._token}", None)
        if status != 200 or self.lose_replies:
            return
        document = json.loads(body)
        if pool_bytes(document) > POOL_BYTES:
            self.deaf += 1
            return
        data = document.get("data") if isinstance(document, dict) else None
        if not isinstance(data, dict):
            return
        updated = False
        for output in range(OUTPUTS):
            key = f"v{output}"
            if key in data and as_int(data[key]) != self.outputs[output]:
                self._drive(output, as_int(data[key]))
                updated = True
        if not updated and "led" in data and as_int(data["led"]) != self.outputs[0]:
            self._drive(0, as_int(data["led"]))

    async def report(self) -> int:
        """POST /telemetry; any answer is tolerated."""
        self.reports += 1
        data = {f"v{output}": state for output, state in enumerate(self.outputs)}
        data |= {"led": self.outputs[0], "timestamp": self.millis}
        status, _ = await self._ask("POST", "/telemetry", {"device_token": self._token, "data": data})
        return status

    def _drive(self, output: int, state: int) -> None:
        self.outputs[output] = state
        self.log.append((self.millis, f"v{output}", state))

    async def _ask(self, method: str, path: str, body: Any) -> tuple[int, bytes]:
        headers = HEADERS if body is None else {**HEADERS, "Content-Type": "application/json"}
        data = None if body is None else json.dumps(body, separators=(",", ":")).encode()
        try:
            async with self._http.request(
                method, self._base + path, data=data, headers=headers, timeout=TIMEOUT, allow_redirects=False
            ) as response:
                assert "Transfer-Encoding" not in response.headers, "the sketch reads no chunks"
                assert "Content-Length" in response.headers, "without a length the sketch stalls for 5 s"
                return response.status, await response.read()
        except (aiohttp.ClientError, TimeoutError):
            return -1, b""


def as_int(value: object) -> int:
    """A JSON value as the parser's `as<int>()` gives it."""
    if isinstance(value, str):
        value = int(value) if re.fullmatch(r"-?[0-9]+", value) else 0
    if isinstance(value, int | float) and -(2**31) <= value < 2**31:
        return int(value)
    return 0


def pool_bytes(document: Any) -> int:
    """What the parser's pool needs for a document: a slot a value, and a copy of each text."""
    if isinstance(document, dict):
        return sum(SLOT_BYTES + len(key.encode()) + 1 + pool_bytes(value) for key, value in document.items())
    if isinstance(document, list):
        return sum(SLOT_BYTES + pool_bytes(value) for value in document)
    return len(document.encode()) + 1 if isinstance(document, str) else 0
