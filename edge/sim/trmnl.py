"""A virtual TRMNL, as its own firmware behaves: it wakes, asks, fetches what it has not got, shows it, and sleeps.

What it is told decides more than one would think. The status 500 makes it forget its WiFi and its key, and wait for
a person. A PNG it keeps under its name and does not fetch again; a bitmap it fetches each time.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec

from edge.content.render import decoded, panel_named
from edge.errors import NotFound
from edge.sim.bitmap import as_terminal, png_of
from edge.sim.vending_http import Reply, request

READ_S = 15.0
LADDER_S = (15.0, 30.0, 60.0, 900.0)  # how long it sleeps after the first failure, the second, the third, and later
FAST_S = 5.0  # while nobody has taken it in
FIRST_S = 900.0
NAME_CHARS = 31  # of a file on its flash
SMALL_PNG_BYTES = 90_000
FILES = 8


class Terminal:
    """One terminal. `wake` it; it says for how long it sleeps then.

    `png` is what its panel shows, `shown` the name of that picture; `fetched` counts downloads by name, `answers`
    what it was answered. `in_portal`: it has forgotten its WiFi.
    """

    def __init__(
        self,
        server: str,
        *,
        mac: str = "AA:BB:CC:00:00:01",
        firmware: str = "1.6.9",
        model: str = "og",
        size: tuple[int, int] = (800, 480),
        volts: float = 4.07,
        rssi: int = -58,
        out: Path | None = None,
        source: str = "",
        read_s: float = READ_S,
        ladder_s: tuple[float, ...] = LADDER_S,
    ) -> None:
        self.server, self.mac, self.firmware, self.model = server, mac, firmware, model
        self.size, self.volts, self.rssi, self.out = size, volts, rssi, out
        self.source, self.read_s, self.ladder_s = source, read_s, ladder_s
        self.key = self.friendly_id = self.shown = self.message = ""
        self.files: dict[str, bytes] = {}
        self.png = b""
        self.told: dict[str, Any] = {}
        self.answers: Counter[tuple[str, int]] = Counter()
        self.fetched: Counter[str] = Counter()
        self.in_portal = self.cached = False
        self.refresh_s = FIRST_S
        self.failures = 0
        self._logs: list[dict[str, Any]] = []

    async def wake(self) -> float:
        """One waking: for how many seconds it sleeps now, unless its button is pressed."""
        if self.in_portal:
            return FIRST_S
        if not self.key and not await self._set_up():
            return self._failed("setup failed")
        await self._send_logs()
        reply = await self._get("display", self.server + "/api/display", self._introduction())
        told = _object(reply)
        if reply.code not in (200, 429) or told is None:
            return self._failed(f"display answered {reply.code}")
        self.told = told
        return await self._follow(told)

    # --- what it is told

    async def _follow(self, told: dict[str, Any]) -> float:
        if told.get("status") == 500:
            self.key, self.friendly_id, self.in_portal = "", "", True
            return FAST_S
        if told.get("status") == 202:
            return FAST_S
        self.failures = 0
        if told.get("status") != 0:
            return self.refresh_s
        self.refresh_s = float(told.get("refresh_rate") or FIRST_S)
        url, name = str(told.get("image_url") or ""), _fixed(str(told.get("filename") or ""))
        if not url:
            return self.refresh_s
        self.cached = name in self.files
        if self.cached:
            self._show(name, self.files[name])
        elif not await self._fetch(url, name):
            return self._failed(f"the picture {name} could not be shown")
        return self.refresh_s

    async def _fetch(self, url: str, name: str) -> bool:
        own = url.startswith(self.server.rstrip("/") + "/")  # its key goes to its own server alone
        reply = await self._get("image", url, self._identity() if own else {})
        if reply.code != 200:
            return False
        self.fetched[name] += 1
        if reply.raw[:2] == b"BM":
            rows = as_terminal(reply.raw)
            if rows is None:
                return False
            self._shows(name, png_of(rows))
            return True
        if reply.fields.get("content-type") != "image/png" or len(reply.raw) > SMALL_PNG_BYTES:
            return False
        if not self._show(name, reply.raw):
            return False
        self.files[name] = reply.raw
        while len(self.files) > FILES:
            del self.files[next(iter(self.files))]
        return True

    def _show(self, name: str, data: bytes) -> bool:
        try:
            decoded(data, panel_named(f"png-{self.size[0]}x{self.size[1]}"))
            fits = True
        except (NotFound, ValueError, OSError, SyntaxError):
            fits = False
        if fits:
            self._shows(name, data)
        return fits

    def _shows(self, name: str, png: bytes) -> None:
        self.shown, self.png = name, png
        if self.out is not None:
            self.out.write_bytes(png)

    def _failed(self, why: str) -> float:
        self._logs.append(
            {
                "id": len(self._logs) + 1,
                "message": why,
                "source_path": "src/bl.cpp",
                "source_line": 1,
                "level": "error",
            }
        )
        self.failures += 1
        return self.ladder_s[min(self.failures, len(self.ladder_s)) - 1]

    # --- what it says

    async def _set_up(self) -> bool:
        reply = await self._get("setup", self.server + "/api/setup", {**self._identity(), "Model": self.model})
        told = _object(reply) or {}
        self.message = str(told.get("message") or "")
        if told.get("status") != 200 or not told.get("api_key"):
            return False
        self.key, self.friendly_id = str(told["api_key"]), str(told.get("friendly_id") or "")
        logo = await self._get("logo", str(told.get("image_url") or ""), {})
        return as_terminal(logo.raw) is not None

    async def _send_logs(self) -> None:
        if not self._logs:
            return
        body = msgspec.json.encode({"logs": self._logs})
        headers = self._identity() | {"Accept": "application/json"}
        reply = await request(
            "POST", self.server + "/api/log", body, headers=headers, read_s=self.read_s, source=self.source
        )
        self.answers["log", reply.code] += 1
        if reply.code in (200, 204):
            self._logs.clear()

    def _identity(self) -> dict[str, str]:
        key = {"Access-Token": self.key} if self.key else {}
        return {"ID": self.mac, "FW-Version": self.firmware, **key}

    def _introduction(self) -> dict[str, str]:
        return {
            **self._identity(),
            "Update-Source": "timer",
            "Refresh-Rate": f"{self.refresh_s:.0f}",
            "Battery-Voltage": f"{self.volts:.2f}",
            "Model": self.model,
            "Image-Cached": "true" if self.cached else "false",
            "RSSI": str(self.rssi),
            "Temperature-Profile": "true",
            "Width": str(self.size[0]),
            "Height": str(self.size[1]),
        }

    async def _get(self, what: str, url: str, headers: dict[str, str]) -> Reply:
        reply = await request(
            "GET", url, headers=headers, connect_s=self.read_s, read_s=self.read_s, source=self.source
        )
        self.answers[what, reply.code] += 1
        return reply


async def live(terminal: Terminal, tell: Callable[[str], None], most_s: float) -> None:
    """It is switched on, until cancelled. `most_s`: it never sleeps longer, for people who wait for it."""
    shown = friendly = ""
    while True:
        sleep_s = await terminal.wake()
        if terminal.friendly_id != friendly:
            friendly = terminal.friendly_id
            tell(
                f"its friendly id is {friendly}"
                if friendly
                else "it has forgotten its WiFi, and waits in its portal"
            )
        if terminal.shown != shown:
            shown = terminal.shown
            tell(f"its panel shows {shown}")
        await asyncio.sleep(min(sleep_s, most_s))


def _fixed(name: str) -> str:
    """A name as its flash takes it."""
    return name if len(name) <= NAME_CHARS else name[:7] + name[-17:]


def _object(reply: Reply) -> dict[str, Any] | None:
    try:
        body = msgspec.json.decode(reply.raw)
    except msgspec.DecodeError:
        return None
    return body if isinstance(body, dict) else None
