"""A virtual older board that updates itself over the air, as its four sketches behave (docs/compat/personalcms.md).

It is what its image says: an image with the name of another sketch in it makes it that one, with that one's
compiled id. Time is whoever calls `turn`'s: one second a turn.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec

from edge.errors import BadInput
from edge.sim.http_update import READ_S, SAME, UPDATED, Chip, PowerCut, Updated, update
from edge.sim.old_panel import DASHBOARD, IMAGE, OldPanel
from edge.sim.vending_http import REFUSED, Reply, request

HEARTBEAT_S, CONTENT_S, SENSORS_S, CHECK_S = 30, 30, 120, 120
VERSION = "2.4.0"  # compiled into all of them
ROOM = 1_310_720
CALL_S = 5.0


class Sketch(msgspec.Struct, frozen=True, kw_only=True):
    """What differs between them. `asks`: it looks for updates by itself, not only when its button is pressed."""

    name: str
    device_id: str
    chip: str = "esp32"
    keeps: str = "esp32ota"
    registers: bool = True
    lives: bool = False
    senses: bool = False
    looks_s: int = 0  # how often it asks for pictures; 0: never
    asks: bool = False


OTA_BASE = Sketch(name="ESP32_OTA_Base", device_id="ESP32_OTA_BASE_001", lives=True, asks=True)
LED_BLINK = Sketch(name="ESP32_LED_Blink", device_id="ESP32_OTA_LED_001", registers=False, lives=True, asks=True)
PERSONAL_CMS = Sketch(name="ESP32_PersonalCMS", device_id="ESP32_DEV1_002", senses=True, looks_s=30)
S3 = Sketch(
    name="S3", device_id="ESP32_S3_N8R8_001", chip="esp32s3", keeps="personalcms_s3", senses=True, looks_s=25
)
SKETCHES = {sketch.name: sketch for sketch in (OTA_BASE, LED_BLINK, PERSONAL_CMS, S3)}


def sketch_named(name: str) -> Sketch:
    """By its name. Raises BadInput."""
    if name not in SKETCHES:
        raise BadInput(f"There is no older sketch {name!r}.", hint=f"There are {', '.join(SKETCHES)}.")
    return SKETCHES[name]


class OldBoard:
    """One board. `boot` it, then `turn` it each second; `press` its button. `image` is what it runs.

    `answers` counts what it was answered, `updates` how downloads ended, `flashed` the new images it has started.
    `panel` is what it shows. `cut_at`: its power is cut when so many bytes of the next download have come.
    `forgets`: what it fetches is lost before it can start it. `wifi`: where its WiFi and server are kept; with
    another sketch's it opens its portal.
    """

    def __init__(
        self,
        server: str,
        sketch: Sketch = OTA_BASE,
        *,
        mac: str = "A0B765000001",
        image: bytes = b"",
        source: str = "",
        name: str = "",
        check_s: int = CHECK_S,
        room: int = ROOM,
        user: str = "",
        password: str = "",
        call_s: float = CALL_S,
        read_s: float = READ_S,
        out: Path | None = None,
    ) -> None:
        self.server, self.sketch, self.mac, self.source, self.name = server, sketch, mac, source, name
        self.image = image or f"built for {sketch.name}".encode()
        self.check_s, self.room, self.user, self.password = check_s, room, user, password
        self.call_s, self.read_s = call_s, read_s
        self.wifi = sketch.keeps
        self.answers: Counter[tuple[str, int]] = Counter()
        self.updates: Counter[int] = Counter()
        self.offers: list[str] = []  # addresses it was told to fetch from
        self.bodies: dict[str, Any] = {}  # what it was answered last
        self.panel = OldPanel(self._picture, out)
        self.cut_at: int | None = None
        self.forgets = False
        self.starts = self.flashed = self.uptime_s = 0

    @property
    def device_id(self) -> str:
        """What is compiled into the sketch that it runs."""
        return self.sketch.device_id

    @property
    def in_portal(self) -> bool:
        """Whether it does not know its WiFi, and waits for a person at its access point."""
        return self.wifi != self.sketch.keeps

    async def boot(self) -> None:
        """`setup()`."""
        self.starts += 1
        self.uptime_s = 0
        if self.sketch.registers and not self.in_portal:
            await self._post("register", "/api/devices/register", self._introduction())

    async def turn(self) -> None:
        """One second of `loop()`."""
        self.uptime_s += 1
        if self.in_portal:
            return
        due = self.uptime_s.__mod__  # 0 when it is
        one = f"/api/devices/{self.device_id}"
        if self.sketch.lives and not due(HEARTBEAT_S):
            await self._post("heartbeat", one + "/heartbeat", self._life())
        if self.sketch is OTA_BASE and not due(CONTENT_S):
            await self.panel.of_base(await self._get("content", one + "/content"))
        if self.sketch.looks_s and not due(self.sketch.looks_s) and not self.panel.quiet:
            await self.panel.of_paper(await self._get("images", one + "/images-sequence"))
        if self.sketch.senses and not due(SENSORS_S) and not self.panel.quiet:
            await self._post("sensor-data", one + "/sensor-data", self._senses())
        if self.sketch.asks and not due(self.check_s):
            await self.press()

    async def press(self) -> None:
        """Look for an update; by hand, its button for it."""
        headers = {
            "Content-Type": "application/json",
            "X-Device-Version": VERSION,
            "X-Device-Type": self.sketch.name,
        }
        body = await self._get("check", f"/api/ota/check/{self.device_id}", headers)
        if body.get("update_available") is True:
            self.offers.append(str(body.get("firmware_url")))
            await self.fetch(self.offers[-1])

    async def fetch(self, url: str) -> Updated | None:
        """Download, write and start; None where its power was cut."""
        chip = Chip(
            mac=self.mac,
            name=self.sketch.chip,
            running=self.image,
            room=self.room,
            user=self.user,
            password=self.password,
            source=self.source,
            read_s=self.read_s,
            cut_at=self.cut_at,
        )
        self.cut_at = None
        try:
            done = await update(chip, url)
        except PowerCut:
            await self.boot()
            return None
        self.updates[done.code] += 1
        if done.code == UPDATED:
            await self._starts_anew(done.image)
        return done

    async def _starts_anew(self, image: bytes) -> None:
        if not self.forgets:
            self.flashed += 1
            self.image = image
            self.sketch = next((one for one in SKETCHES.values() if one.name.encode() in image), self.sketch)
        await self.boot()

    def _introduction(self) -> dict[str, Any]:
        said: dict[str, Any] = {
            "device_id": self.device_id,
            "device_name": self.name,
            "occupation": "",
            "device_type": "ESP32_DevKit_V1",
            "wifi_ssid": "plant",
            "preferences": {"jokes": [], "riddles": [], "news": []},
        }
        if self.sketch is OTA_BASE:
            return {**said, "firmware_version": VERSION, "capabilities": "ota,led"}
        return {**said, **self._measured()}

    def _life(self) -> dict[str, Any]:
        said: dict[str, Any] = {
            "device_id": self.device_id,
            "device_name": self.name,
            "occupation": "",
            "device_type": self.sketch.name,
            "version": VERSION,
            "uptime": self.uptime_s,
            "free_heap": 181_236,
            "wifi_rssi": -61,
        }
        if self.sketch is LED_BLINK:
            return {**said, "led_mode": 2, "led_brightness": 128, "external_led": False}
        loaded = self.panel.loaded
        modes = {"dashboard_loaded": loaded[DASHBOARD], "image_loaded": loaded[IMAGE]}
        return {**said, "current_mode": self.panel.mode, **modes}

    def _senses(self) -> dict[str, Any]:
        return {"device_id": self.device_id, **self._measured(), "timestamp": self.uptime_s}

    def _measured(self) -> dict[str, Any]:
        """As the sketch prints floats of four bytes, and a sensor that has failed."""
        return {
            "temperature": 23.39999962,
            "humidity": None,
            "motion_detected": False,
            "sleep_mode": False,
        }

    async def _picture(self, url: str) -> Reply:
        try:
            reply = await request(
                "GET", self.server + url, connect_s=self.call_s, read_s=self.call_s, source=self.source
            )
        except ValueError:  # `http://host:5000null`
            reply = Reply(REFUSED)
        self.answers["picture", reply.code] += 1
        return reply

    async def _post(self, what: str, path: str, body: dict[str, Any]) -> None:
        await self._call(what, "POST", path, msgspec.json.encode(body))

    async def _get(self, what: str, path: str, headers: dict[str, str] | None = None) -> dict[str, Any]:
        return await self._call(what, "GET", path, b"", headers)

    async def _call(
        self, what: str, method: str, path: str, sent: bytes, headers: dict[str, str] | None = None
    ) -> dict[str, Any]:
        reply = await request(
            method,
            self.server + path,
            sent,
            headers=headers,
            connect_s=self.call_s,
            read_s=self.call_s,
            source=self.source,
        )
        self.answers[what, reply.code] += 1
        try:
            body = msgspec.json.decode(reply.body) if reply.body else {}
        except msgspec.DecodeError:
            body = {}
        self.bodies[what] = body
        return body if isinstance(body, dict) and reply.code == 200 else {}


async def live(board: OldBoard, tell: Callable[[str], None]) -> None:
    """Its power is on, in real time, until cancelled. `tell` says what becomes of its updates."""
    loop, flashed, told, shown = asyncio.get_running_loop(), 0, Counter[int](), b""
    await board.boot()
    next_s = loop.time()
    while True:
        if not board.sketch.asks and board.uptime_s and not board.uptime_s % board.check_s:
            await board.press()  # somebody presses its button now and then
        if board.flashed > flashed:
            flashed = board.flashed
            tell(f"it runs a new image of {len(board.image)} bytes, and is {board.device_id} ({board.sketch.name})")
        for code in (board.updates - told).elements():
            if code not in (SAME, UPDATED):
                tell(f"a download ended with {code}")
        told = Counter(board.updates)
        if board.panel.png != shown:
            shown = board.panel.png
            tell(f"its panel shows another picture: {board.panel.out}")
        next_s += 1
        await asyncio.sleep(max(0, next_s - loop.time()))
        await board.turn()
