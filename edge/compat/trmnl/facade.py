"""TRMNL's own protocol: `routes` for the application. docs/compat/trmnl.md says what is served.

A terminal wakes, asks what to show, fetches that if it has not got it, tells its log, and sleeps. The status 500
makes it forget its WiFi and wait in its portal for a person; so nobody is ever told that. Whoever is not known with
the key he has is taken in, and waits; whose key cannot be his alone is told to come later, and it is noted.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any, Protocol

import msgspec
from aiohttp import web

from edge.clock import Clock
from edge.compat.picture_file import PictureGiver
from edge.compat.reached import reached
from edge.compat.trmnl import notices, words
from edge.compat.trmnl.offering import Offer, Offering
from edge.compat.trmnl.terminals import FRIENDLY, Terminals
from edge.content.render import PanelFormat
from edge.content.showing.receipts import FETCHED, TOLD, Receipts
from edge.content.showing.showing import Showing
from edge.devices.log.log import DeviceLog
from edge.devices.model import Device
from edge.devices.presence import Presences
from edge.devices.registry import Registry
from edge.errors import BadInput, NotFound, OutpostError, RateLimited, StorageError
from edge.serving.bodies import read_body
from edge.serving.limits import RateLimit
from edge.serving.visits import Gate, Knocks, guarded
from edge.telemetry.model import Ingested
from edge.wire import lenient

log = logging.getLogger(__name__)

SETUPS_PER_MINUTE = 6  # terminals with no key or an unknown one, from one address
LOG_BYTES = 32 * 1024
HEALTH_S = 600.0  # how often its battery and signal are kept
IMAGE_TIMEOUT_S = 15
BUSY_S = 900
OK, NO_USER, NOT_KNOWN, RESET = 0, 202, 404, 500  # `status` in a body; the last is never said


class Readings(Protocol):
    """Keeps what devices report."""

    async def ingest(self, device: Device, values: Mapping[str, object], *, at_us: int | None = None) -> Ingested:
        """Store values of now; they are on disk when this returns. Raises StorageError."""


class Trmnl:
    """The facade."""

    def __init__(
        self,
        *,
        gate: Gate,
        knocks: Knocks,
        clock: Clock,
        registry: Registry,
        presences: Presences,
        device_log: DeviceLog,
        readings: Readings,
        showing: Showing,
        receipts: Receipts,
        body_s: float,
    ) -> None:
        self._gate, self._knocks, self._clock, self._body_s = gate, knocks, clock, body_s
        self._presences, self._log, self._readings = presences, device_log, readings
        self._showing, self._receipts, self._offering = showing, receipts, Offering(showing)
        self._terminals = Terminals(registry, device_log)
        self._setups = RateLimit(SETUPS_PER_MINUTE, clock)
        self._giver = PictureGiver()
        self._health_s: dict[str, float] = {}

    def routes(self) -> list[web.RouteDef]:
        """Every path, also behind an address that was typed with a slash at its end."""
        table = {
            ("GET", "/api/setup"): self.setup,
            ("GET", "/api/display"): self.display,
            ("POST", "/api/log"): self.log,
            ("GET", "/trmnl/setup-logo.bmp"): self.logo,
            ("GET", "/trmnl/images/{name}"): self.image,
        }
        return [
            web.route(method, slashes + path.removeprefix("/"), guarded(handler, _refused))
            for (method, path), handler in table.items()
            for slashes in ("/", "/{slashes:/+}")
        ]

    async def setup(self, request: web.Request) -> web.Response:
        """GET /api/setup: a terminal without a key gets one, and an id to be approved by."""
        said = words.read(request.headers)
        self._gate.count_address(request)
        self._setups.take(_peer(request))
        if not said.mac:
            self._knocks.note(request, "It asks for a key and does not say its MAC (ID).")
            return _reply({"status": NOT_KNOWN, "api_key": None, "friendly_id": None, "message": "ID is no MAC"})
        made = await self._terminals.set_up(said, _peer(request))
        if made is None:
            message = "Too many devices wait for approval"
            return _reply({"status": NOT_KNOWN, "api_key": None, "friendly_id": None, "message": message})
        device, key = made
        device = await self._terminals.heard(device, said, _peer(request))
        self._log.exchange(device.id, "in", "http", "it has asked for a key, and got one")
        return _reply(
            {
                "status": 200,
                "api_key": key,
                "friendly_id": str(device.facts.get(FRIENDLY) or device.id),
                "image_url": f"{reached(request)}/trmnl/setup-logo.bmp",
                "filename": "setup-logo.bmp",
                "message": "Waiting for approval" if not device.approved else "Welcome",
            }
        )

    async def display(self, request: web.Request) -> web.Response:
        """GET /api/display: what to show, and when to come again."""
        said = words.read(request.headers)
        device = self._counted(request, said)
        strange = self._strange(device, said)
        if strange:
            self._knocks.note(request, strange)
            return _reply({**_NOTHING, "status": NO_USER, "error": "Set it up anew: this key cannot be its own."})
        if device is None:
            self._setups.take(_peer(request))
            device = await self._terminals.comes_with(said, _peer(request))
        if device is None:
            return _reply({**_NOTHING, "status": NO_USER})
        device = await self._heard(request, device, said)
        told = await self._offering.now(device)
        await self._sleeps(device, told.longest_s)
        url = f"{reached(request)}/trmnl/images/{told.name}" if told.name else ""
        return _reply({**_NOTHING, "image_url": url, "filename": told.name, "refresh_rate": told.refresh_s})

    async def image(self, request: web.Request) -> web.StreamResponse:
        """GET /trmnl/images/{name}: the picture that this terminal was offered. Raises NotFound for any other."""
        said = words.read(request.headers)
        device = self._counted(request, said)
        if device is None or not self._terminals.is_one(device, said):
            raise NotFound("There is no such picture for you.", hint="ID and Access-Token say who asks.")
        told = await self._offering.fetched(device, request.match_info["name"])
        if told is None:
            raise NotFound("There is no such picture for you.", hint="Ask what to show.")
        kind = "image/bmp" if told.panel.format is PanelFormat.BMP_1BPP else "image/png"
        answer, whole = await self._giver.give(request, told.data, told.picture, kind)
        if whole:
            self._offering.has(device, told.picture)
            await self._took(device, told.site_picture, FETCHED)
        return answer

    async def log(self, request: web.Request) -> web.Response:
        """POST /api/log: its own lines, into its log. 204, whatever comes."""
        said = words.read(request.headers)
        device = self._counted(request, said)
        try:
            raw = await read_body(request, self._body_s, LOG_BYTES)
            lines = words.log_lines(lenient.decode(raw))
        except (OutpostError, ValueError, RecursionError):
            lines = []
        if device is not None and self._terminals.is_one(device, said):
            for level, text in lines:
                self._log.exchange(device.id, "in", "http", text, level=level)
        return web.Response(status=204)

    async def logo(self, request: web.Request) -> web.StreamResponse:
        """GET /trmnl/setup-logo.bmp: the same for all; fetched while a terminal is set up."""
        self._gate.count_address(request)
        drawn = await notices.logo()
        answer, _ = await self._giver.give(request, drawn.data, drawn.content_hash, "image/bmp")
        return answer

    def forget(self, device: Device) -> None:
        """A device is being forgotten."""
        self._offering.forget(device)
        self._health_s.pop(device.id, None)

    # --- inside

    def _counted(self, request: web.Request, said: words.Said) -> Device | None:
        """The device whose key was shown, None for a key that is not known; counted. Raises RateLimited."""
        device = self._terminals.of_key(said)
        if device is not None and device.approved and self._terminals.is_one(device, said):
            self._gate.count_device(f"trmnl {device.id}")
        else:
            self._gate.count_address(request)
        return device

    async def _heard(self, request: web.Request, device: Device, said: words.Said) -> Device:
        """Note what it says of itself; that it cannot be kept keeps no terminal from its picture."""
        self._presences.seen(device.id, "display")
        self._log.polled(device.id)
        before = self._offering.last(device) if said.cached and device.approved else None
        if before is not None and await self._had(device, before):
            await self._took(device, before.site_picture, TOLD)
        try:
            device = await self._terminals.heard(device, said, _peer(request))
            await self._measured(device, said)
        except (StorageError, BadInput) as error:
            log.warning("what a TRMNL says could not be kept: %s", error, extra={"device": device.id})
        return device

    def _strange(self, device: Device | None, said: words.Said) -> str:
        """Why nobody can be taken in with this key, in a sentence; '' where it may be."""
        if not (said.token and said.mac):
            return "It asks what to show without a MAC, or without a key that can be one: set it up anew."
        device = device or self._terminals.holder(said)
        if device is not None and not self._terminals.is_one(device, said):
            return f"It shows the key of {device.id}, which is another device: set it up anew."
        return ""

    async def _had(self, device: Device, offer: Offer) -> bool:
        """Whether it can have its own copy of this: an offer that never arrived is none it shows. Before the hub's
        start it may have fetched it, too."""
        return self._offering.had(device, offer) or await self._receipts.had(device.id, offer.site_picture)

    async def _sleeps(self, device: Device, longest_s: int) -> None:
        try:
            await self._terminals.sleeps(device, longest_s)
        except StorageError as error:
            log.warning("how long a TRMNL sleeps could not be kept: %s", error, extra={"device": device.id})

    async def _measured(self, device: Device, said: words.Said) -> None:
        values = {"battery_voltage": said.volts, "wifi_rssi": said.rssi}
        known = {name: value for name, value in values.items() if value is not None}
        now_s = self._clock.mono_s()
        if not known or not device.approved or now_s - self._health_s.get(device.id, -HEALTH_S) < HEALTH_S:
            return
        self._health_s[device.id] = now_s
        await self._readings.ingest(device, known)

    async def _took(self, device: Device, picture: str, evidence: str) -> None:
        """It shows this picture of the site's; '' for a sentence of the hub in its place."""
        try:
            if picture:
                await self._showing.taken(device, picture, evidence)
            else:
                await self._showing.covered(device, evidence)
        except StorageError as error:
            log.warning("what a TRMNL shows could not be kept: %s", error, extra={"device": device.id})


_NOTHING: dict[str, Any] = {
    "status": OK,
    "image_url": "",
    "filename": "",
    "image_url_timeout": IMAGE_TIMEOUT_S,
    "refresh_rate": BUSY_S,
    "update_firmware": False,
    "firmware_url": "",
    "reset_firmware": False,
    "special_function": "none",
    "action": "",
}


def _peer(request: web.Request) -> str:
    return request.remote or "127.0.0.1"


def _reply(body: dict[str, Any], status: int = 200) -> web.Response:
    return web.Response(body=msgspec.json.encode(body), status=status, content_type="application/json")


def _refused(request: web.Request, error: OutpostError | None) -> web.Response:
    """What went wrong. A terminal takes 429 as a word to come later; its `status` in it is none that resets it."""
    if error is None:
        return _reply({**_NOTHING, "status": NO_USER, "error": "Internal error"}, 503)
    status = 429 if isinstance(error, RateLimited) else error.status
    return _reply({**_NOTHING, "status": status if status != RESET else NO_USER, "error": error.detail}, status)
