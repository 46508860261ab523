"""The older boards' own paths but those of updates: they register, give signs of life, tell what they measure.

None of them ever gets an error that it would act upon: a board with a fault of the hub is a board that shows
nothing. So a sign of life is answered with 200 whatever it holds, and whoever is not known is taken in as
pending.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Protocol

import msgspec
from aiohttp import web

from edge.clock import Clock
from edge.compat.personalcms import words
from edge.compat.personalcms.boards import ID_CHARS, Boards, Heard, Said
from edge.compat.personalcms.door import CmsDoor, told
from edge.compat.personalcms.evidence import Evidence
from edge.devices.log.log import DeviceLog
from edge.devices.model import Device
from edge.devices.registry import Registry
from edge.errors import BadInput, OutpostError, RateLimited, StorageError
from edge.serving.visits import AiohttpHandler, Body, line
from edge.telemetry.model import Ingested, Latest

log = logging.getLogger(__name__)

HEALTH_S = 600.0  # how often memory and signal of a board are kept
REPORT_CHARS = 300  # of what a board says that nobody has approved


class Readings(Protocol):
    """Keeps what devices report."""

    async def ingest(self, device: Device, values: Mapping[str, object], *, at_us: int | None = None) -> Ingested:
        """Store values of now; they are on disk when this returns. Raises StorageError."""

    def latest(self, device_id: str) -> Mapping[str, Latest]:
        """The newest value of each key."""


class CmsDevices:
    """The device half of the facade."""

    def __init__(
        self,
        door: CmsDoor,
        boards: Boards,
        evidence: Evidence,
        registry: Registry,
        device_log: DeviceLog,
        readings: Readings,
        clock: Clock,
    ) -> None:
        self._door, self._boards, self._evidence, self._registry = door, boards, evidence, registry
        self._log, self._readings, self._clock = device_log, readings, clock
        self._health_s: dict[str, float] = {}

    def table(self) -> dict[tuple[str, str], AiohttpHandler]:
        """Every path."""
        opened, one = self._door.opened, "/api/devices/{id}"
        return {
            ("POST", "/api/devices/register"): opened(self.register),
            ("POST", one + "/heartbeat"): self.heartbeat,
            ("POST", one + "/sensor-data"): opened(self.sensor_data),
        }

    async def register(self, request: web.Request) -> web.Response:
        """POST /api/devices/register: at its start, once."""
        body = await self._door.said(request)
        claimed = line(body.get("device_id"))[:ID_CHARS]
        if not claimed:
            self._door.gate.count_address(request)
            self._door.knock(request, "It does not say which board it is (device_id).")
            raise BadInput("Missing device_id")
        device = await self.hears(request, claimed, "register", words.introduced(body, claimed))
        if device is not None and device.approved:
            self._log.exchange(device.id, "in", "http", "it has started, and registers")
            await self._keep(device, words.values(body, words.SENSED))
        elif device is not None:
            await self._kept_apart(device, body)
        return told(message="Device registered", device_id=claimed)

    async def heartbeat(self, request: web.Request) -> web.StreamResponse:
        """POST /api/devices/{id}/heartbeat: 200, whatever comes."""
        claimed = claimed_by(request)
        try:
            body = await self._door.said(request)
            device = await self.hears(request, claimed, "heartbeat", words.lives(body, claimed))
            if device is not None and device.approved:
                self._log.polled(device.id)
                await self._keep(device, self._worth_keeping(device, body))
        except OutpostError as error:
            self._door.knock(request, error.detail)
        except web.HTTPException:
            raise
        except Exception:  # the task's edge: logged; the board goes on as if all were well
            log.exception("a heartbeat of an older board failed")
        return told(message="Heartbeat received", device_id=claimed)

    async def sensor_data(self, request: web.Request) -> web.Response:
        """POST /api/devices/{id}/sensor-data."""
        body, claimed = await self._door.said(request), claimed_by(request)
        device = await self.hears(request, claimed, "sensor-data", Said())
        if device is not None and device.approved:
            self._log.polled(device.id)
            await self._keep(device, words.sensed(body))
        elif device is not None:
            await self._kept_apart(device, body)
        return told(message="Sensor data received")

    async def hears(self, request: web.Request, claimed: str, how: str, said: Said) -> Device | None:
        """The device whose request this is, noted; None where that is not clear, or it cannot be kept."""
        caller = self._boards.caller(claimed, request.remote or "127.0.0.1")
        try:
            known = self._boards.known(caller)
            if known is not None and known.approved:
                self._door.gate.count_device(f"personalcms {caller.address} {known.id}")
            else:
                self._door.gate.count_address(request)
            heard: Heard = await self._boards.heard(caller, how, said)
            if heard.why:
                self._door.knock(request, heard.why)
            if heard.device is not None and heard.device.approved:
                await self._evidence.said(heard.device, heard.before, line(said.facts.get("fw")))
        except RateLimited:
            self._door.knock(request, f"{claimed} says too much; not all of it is kept.")
            return None
        except (StorageError, BadInput) as error:
            log.warning("what an older board said could not be kept: %s", error, extra={"claimed": claimed})
            return None
        return heard.device

    def forget(self, device: Device) -> None:
        """The device is gone."""
        self._health_s.pop(device.id, None)

    # --- inside

    def _worth_keeping(self, device: Device, body: Body) -> dict[str, words.Value]:
        """Of a heartbeat each 30 s: what it changed to, and now and then how the board is."""
        latest, now_s = self._readings.latest(device.id), self._clock.mono_s()
        modes = words.values(body, words.MODES)
        kept = {name: value for name, value in modes.items() if name not in latest or latest[name].value != value}
        if now_s - self._health_s.get(device.id, -HEALTH_S) >= HEALTH_S:
            self._health_s[device.id] = now_s
            kept |= words.health(body)
        return kept

    async def _keep(self, device: Device, kept: Mapping[str, words.Value]) -> None:
        if not kept:
            return
        try:
            await self._readings.ingest(device, kept)
        except StorageError as error:
            log.warning("what an older board measures could not be kept: %s", error, extra={"device": device.id})

    async def _kept_apart(self, device: Device, body: Body) -> None:
        """What nobody has approved yet, for a person to look at."""
        try:
            said = msgspec.json.encode(words.values(body, tuple(body))).decode()
            await self._registry.report(device, said[:REPORT_CHARS])
        except StorageError as error:
            log.warning("what an older board says could not be kept: %s", error, extra={"device": device.id})


def claimed_by(request: web.Request) -> str:
    """The id in a path, as a board claims it."""
    return line(request.match_info["id"])[:ID_CHARS] or "unnamed"
