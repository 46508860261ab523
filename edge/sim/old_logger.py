"""A virtual old asset logger on the network, as its sketches behave: it registers once, tells differences once.

Two sketches are in the field: the first takes a low input for running, the patched one a high input, and that one
starts anew when its server does not answer with 200. Time is whoever calls `turn`'s: one second a turn.
"""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import msgspec

from edge.sim.vending_http import Reply, request

LOGGER_ID = "ESP32_001"  # compiled into both sketches
ROOT_PINS = (4, 5, 18, 19, 21, 22, 23, 25)  # two of them are the lines of its display
PATCHED_PINS = (13, 14, 25, 26, 27, 32, 33, 4)
HEARTBEAT_S = 30
GIVE_UP_S = 120  # the patched sketch, from one failed check to another
LISTED = 5  # of its inputs that fit into its status page's memory
POST_S = 5.0
MACHINES = 4  # of a logger that lives by itself, with how long they run and stand
RUNS_S, STANDS_S = (20, 120), (5, 40)


class Sketch(msgspec.Struct, frozen=True):
    """What differs between the two."""

    firmware: str
    pins: tuple[int, ...]
    runs_when_high: bool
    restarts: bool


ROOT = Sketch("1.0.0", ROOT_PINS, runs_when_high=False, restarts=False)
PATCHED = Sketch("1.1.0", PATCHED_PINS, runs_when_high=True, restarts=True)


class OldLogger:
    """One logger. `boot` it, then `turn` it each second. `levels` are its inputs, which machines drive.

    `wall_s` is the true time; `ntp` false: it never learnt it. `post_s`: how long it waits for an answer. `answers`
    counts what it was answered.
    """

    def __init__(
        self,
        server: str,
        sketch: Sketch = PATCHED,
        *,
        wall_s: Callable[[], float],
        source: str = "",
        logger_id: str = LOGGER_ID,
        ntp: bool = True,
        off_s: float = 0.0,
        post_s: float = POST_S,
    ) -> None:
        self.server, self.sketch, self.source, self.logger_id = server, sketch, source, logger_id
        self.ntp, self.off_s, self.post_s, self._wall_s = ntp, off_s, post_s, wall_s
        self.levels = dict.fromkeys(sketch.pins, not sketch.runs_when_high)
        self.answers: Counter[tuple[str, int]] = Counter()
        self.starts = self.edges = 0
        self.cut_off = False  # its network is away
        self._server: asyncio.Server | None = None
        self._forget()

    # --- the machines

    def run(self, pin: int, *, runs: bool = True) -> None:
        """The machine at an input runs, or stops."""
        self.levels[pin] = runs is self.sketch.runs_when_high

    # --- the sketch

    async def boot(self) -> None:
        """`setup()`: all inputs are taken for stopped, and it registers, once."""
        self.starts += 1
        self._forget()
        code = await self._post("register", "/api/device/register", self._introduction())
        self.registered = self.connected = code in (200, 201)

    async def turn(self) -> None:
        """One second of `loop()`."""
        self.uptime_s += 1
        for pin in self.sketch.pins:
            runs = self.levels[pin] is self.sketch.runs_when_high
            if runs is not self.running[pin]:
                self.running[pin] = runs
                self.edges += 1
                await self._tell(pin, runs=runs)
        if self.uptime_s % HEARTBEAT_S == 0:
            if self.registered:
                await self._live()
            await self._check()

    async def serve(self, port: int) -> None:
        """Its own pages, at the address it speaks from."""
        self._server = await asyncio.start_server(self._answer, self.source or "127.0.0.1", port)

    async def close(self) -> None:
        """Its power is cut: its pages are gone."""
        if self._server is not None:
            self._server.close()
            await self._server.wait_closed()
            self._server = None

    def _forget(self) -> None:
        self.uptime_s = 0
        self.running = dict.fromkeys(self.sketch.pins, False)
        self.registered = self.connected = False
        self._failed_s: int | None = None

    async def _tell(self, pin: int, *, runs: bool) -> None:
        """Once, whatever comes of it. An answer that is no 200 changes nothing but its log."""
        body = {"logger_id": self.logger_id, "pin_number": pin, "is_running": runs, "timestamp": self._time()}
        code = await self._post("state", "/api/asset-state", body)
        if code == 200:
            self.connected = True
        elif code < 0:
            self.connected = False

    async def _live(self) -> None:
        body = {
            "logger_id": self.logger_id,
            "status": "online",
            "firmware_version": self.sketch.firmware,
            "wifi_rssi": -61,
            "free_heap": 181_236,
            "uptime": self.uptime_s,
        }
        self.connected = await self._post("heartbeat", "/api/device/heartbeat", body) == 200

    async def _check(self) -> None:
        """The patched sketch gives its server two minutes."""
        if self.connected or not self.sketch.restarts:
            self._failed_s = None
        elif self._failed_s is None:
            self._failed_s = self.uptime_s
        elif self.uptime_s - self._failed_s >= GIVE_UP_S:
            await self.boot()

    def _introduction(self) -> dict[str, Any]:
        return {
            "logger_id": self.logger_id,
            "logger_name": "Asset Logger 1",
            "firmware_version": self.sketch.firmware,
            "ip_address": self.source or "127.0.0.1",
            "description": "ESP32 asset logger",
            "location": "Hall 1",
            "heartbeat_interval": HEARTBEAT_S,
        }

    def _time(self) -> str:
        """As it prints it: whole seconds; since 1970 began with its start where NTP never answered."""
        seconds = self._wall_s() + self.off_s if self.ntp else self.uptime_s
        return datetime.fromtimestamp(int(seconds), UTC).strftime("%Y-%m-%dT%H:%M:%S.000Z")

    async def _post(self, what: str, path: str, body: dict[str, Any]) -> int:
        if self.cut_off:
            return -1
        sent = msgspec.json.encode(body)
        reply: Reply = await request(
            "POST", self.server + path, sent, connect_s=self.post_s, read_s=self.post_s, source=self.source
        )
        self.answers[what, reply.code] += 1
        return reply.code

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """GET /status and /assets; its memory holds five of its inputs."""
        await reader.readuntil(b"\r\n\r\n")
        page = msgspec.json.encode(self.page())
        head = f"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {len(page)}\r\n"
        writer.write(f"{head}Connection: close\r\n\r\n".encode() + page)
        await writer.drain()
        writer.close()

    def page(self) -> dict[str, Any]:
        """Its status page."""
        assets = [
            {
                "name": f"Asset {number}",
                "pin": pin,
                "is_running": self.running[pin],
                "availability_percentage": 0.0,
                "total_runtime": 0,
                "total_downtime": self.uptime_s,
                "total_stops": 0,
            }
            for number, pin in enumerate(self.sketch.pins, 1)
        ]
        system = {
            "wifi_connected": True,
            "server_connected": self.connected,
            "ip_address": self.source or "127.0.0.1",
            "wifi_rssi": -61,
            "free_heap": 181_236,
            "uptime": self.uptime_s,
        }
        return {"system": system, "assets": assets[:LISTED]}


async def live(logger: OldLogger, tell: Callable[[str], None]) -> None:
    """Its power is on, in real time, until cancelled; four machines run and stop by themselves. `tell` says how."""
    loop, chance = asyncio.get_running_loop(), random.Random(logger.logger_id)  # noqa: S311 - a rhythm, no secret
    turns = dict.fromkeys(logger.sketch.pins[:MACHINES], 0)
    await logger.boot()
    next_s = loop.time()
    while True:
        for pin, due_s in turns.items():
            if logger.uptime_s >= due_s:
                runs = logger.levels[pin] is not logger.sketch.runs_when_high
                logger.run(pin, runs=runs)
                turns[pin] = logger.uptime_s + chance.randint(*(RUNS_S if runs else STANDS_S))
                tell(f"the machine at pin {pin} {'runs' if runs else 'stops'}")
        next_s += 1
        await asyncio.sleep(max(0, next_s - loop.time()))
        await logger.turn()
