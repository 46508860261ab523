"""The older switch boards: they poll for the state of their outputs every 3 s and report every 10 s, by a token.

A poll, like a report, is a sign of life. A board with an unknown token gets the answer it always got, and is taken
in as pending, so that a technician can approve it; until then what it reports is kept apart and it is told nothing.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from typing import Any, Protocol

import msgspec
from aiohttp import web

from edge.automation.notices.notices import Notices
from edge.compat.thingsnxt.door import (
    JSON_TYPE,
    Door,
    Invalid,
    Table,
    Visit,
    absent,
    bearer,
    check_id,
    encode,
    naive,
    read,
    reply,
)
from edge.compat.thingsnxt.echo import Echoes
from edge.compat.thingsnxt.names import HIDDEN, SYSTEM, Names, claimed_id
from edge.compat.thingsnxt.state import REPLY_KEYS, UPTIME_KEY, Orders, orders
from edge.devices.log.log import DeviceLog
from edge.devices.model import TOKEN_CHARS_MAX, TOKEN_CHARS_MIN, Device, Trust
from edge.devices.presence import Presences
from edge.devices.registry import Registry
from edge.errors import BadInput, Forbidden, OutpostError, RateLimited
from edge.serving.visits import AiohttpHandler
from edge.telemetry.model import Ingested
from edge.telemetry.twins.model import Twin
from edge.telemetry.twins.routes import Reported
from edge.telemetry.twins.twins import Twins
from edge.wire.lenient import decode

log = logging.getLogger(__name__)

REPORT_BYTES = 2048  # of a pending board's report that is kept
LINE_BYTES = 300  # of a report or an order in the communication log
HINT_CHARS = 4  # of a token, so that a technician knows which board it is
LONG_TOKEN_CHARS = 24  # a shorter one shows nothing of itself


class Knocks(Protocol):
    """Keeps the list of clients that are set up wrong."""

    def note(self, request: web.Request, why: str) -> None:
        """Count one."""


class Readings(Reported, Protocol):
    """Keeps what devices report."""

    async def ingest(self, device: Device, values: Mapping[str, object]) -> Ingested:
        """Store values of now; they are on disk when this returns."""


class Report(msgspec.Struct):
    """What a board sends: its token and its values."""

    device_token: str
    data: dict[str, Any] = {}


_report = msgspec.json.Decoder(Report)


class ThingsDevices:
    """The device half of the facade. `source(request)` is what counts as one unknown caller."""

    def __init__(
        self,
        door: Door,
        knocks: Knocks,
        registry: Registry,
        presences: Presences,
        telemetry: Readings,
        twins: Twins,
        notices: Notices,
        names: Names,
        device_log: DeviceLog,
        source: Callable[[web.Request], str],
    ) -> None:
        self._door, self._knocks, self._registry, self._presences = door, knocks, registry, presences
        self._telemetry, self._twins, self._notices, self._names = telemetry, twins, notices, names
        self._log, self._source, self._echoes = device_log, source, Echoes()
        twins.on_order(self._echoes.ordered)
        self._to_app = door.person(self.for_app)
        self._told: dict[str, tuple[int, Orders]] = {}
        self._heard_us: dict[str, int] = {}
        self._cut: dict[str, tuple[str, ...]] = {}  # outputs left out of a device's reply, as they were last told

    def asked_by_people(self) -> Table:
        """What people may ask of it."""
        return {("GET", "/telemetry/latest"): self.for_app}

    def table(self) -> dict[tuple[str, str], AiohttpHandler]:
        """Its routes."""
        door = self._door
        return {
            ("GET", "/telemetry/latest"): door.guarded(self.latest),
            ("POST", "/telemetry"): door.guarded(self.report),
            ("POST", "/devices/{id}/telemetry"): door.guarded(self.report_v2),
        }

    async def latest(self, request: web.Request) -> web.StreamResponse:
        """GET /telemetry/latest: a board's orders; for an app, which says who it is, what its device reports."""
        token = request.query.get("device_token")
        if token is None:
            raise Invalid("query", "device_token", "Field required", "missing")
        if bearer(request):
            return await self._to_app(request)
        device = await self._known(request, token, "")
        told = await self._orders(device)
        self._presences.seen(device.id, "poll")
        heard_us = self._heard_us.get(device.id) or self._twins.of(device.id).changed_us
        body = {
            "device_id": self._names.id_of(device),
            "data": told.data,
            "timestamp": naive(heard_us) if heard_us else None,
        }
        return web.Response(body=encode(body), headers=JSON_TYPE)

    async def report(self, request: web.Request) -> web.StreamResponse:
        """POST /telemetry: values are on disk when this answers."""
        sent = await self._sent(request)
        device = await self._known(request, sent.device_token, "", sent.data)
        at_us, refused = await self._take(device, sent.data)
        body = {
            "message": "ok",
            "device_id": self._names.id_of(device),
            "led": sent.data.get("led") or sent.data.get("v0") or 0,
            "updated_data": sent.data,
            "timestamp": naive(at_us),
        }
        if refused:
            body["refused"] = refused
        return web.Response(body=encode(body), headers=JSON_TYPE)

    async def report_v2(self, request: web.Request) -> web.StreamResponse:
        """POST /devices/{id}/telemetry: the same, answered with the state the device shall have."""
        claimed = check_id(request.match_info["id"], "device")
        sent = await self._sent(request)
        named = self._registry.by_alias(SYSTEM, claimed)
        if named is not None and self._registry.by_token(sent.device_token) != named:
            self._door.gate.count_address(request)
            raise Forbidden("Invalid device_token for device")
        device = await self._known(request, sent.device_token, claimed, sent.data)
        at_us, refused = await self._take(device, sent.data)
        told = await self._orders(device)
        body = {
            "message": "ok",
            "device_id": claimed,
            "data": _in_step(sent.data, told),
            "timestamp": naive(at_us),
            "iot_derived": {},
        }
        if refused:
            body["refused"] = refused
        return web.Response(body=encode(body), headers=JSON_TYPE)

    def forget(self, device_id: str) -> None:
        """The device is gone."""
        self._echoes.forget(device_id)
        self._heard_us.pop(device_id, None)
        self._told.pop(device_id, None)
        self._cut.pop(device_id, None)

    async def _sent(self, request: web.Request) -> Report:
        """What a board sends. What is no use counts against its address. Raises BadInput, RateLimited."""
        try:
            return _read(await self._door.body(request))
        except (BadInput, RateLimited):
            self._door.gate.count_address(request)
            raise

    async def _take(self, device: Device, data: dict[str, Any]) -> tuple[int, list[str]]:
        """Keep what a board reports; when, and what of it cannot be kept."""
        now = self._door.clock.now()
        self._presences.seen(device.id, "telemetry")
        self._heard_us[device.id] = now.at_us
        values = {key: value for key, value in data.items() if key != UPTIME_KEY} if UPTIME_KEY in data else data
        twin = self._twins.of(device.id)
        if twin.version:  # of most devices nothing is desired
            told = self._outputs(twin).data
            self._echoes.reported(device.id, values, data.get(UPTIME_KEY), told, now.mono_ms / 1000)
        self._log.exchange(device.id, "in", "http", f"report {_line(data)}")
        taken = await self._telemetry.ingest(device, values)
        if twin.version and (by_hand := self._echoes.by_hand(device.id)):
            await self._twins.follow(device.id, by_hand, since=twin.version, actor=f"device:{device.id}")
        return now.at_us, taken.refused

    async def _orders(self, device: Device) -> Orders:
        twin = self._twins.of(device.id)
        told = self._outputs(twin)
        if self._echoes.told(device.id, told.data, self._door.clock.mono_s()):
            self._log.exchange(device.id, "out", "http", f"outputs {_line(told.data)}, version {twin.version}")
        else:
            self._log.polled(device.id)
        if told.left_out != self._cut.get(device.id, ()):
            self._cut[device.id] = told.left_out
            if told.left_out:
                await self._notices.tell(
                    device.owner,
                    type="outputs_left_out",
                    title="Too many outputs",
                    message=f"{device.name} can be told of {REPLY_KEYS} outputs at once; {len(told.left_out)} more,"
                    f" from {told.left_out[0]} on, are not sent to it.",
                    device_id=device.id,
                )
        return told

    def _outputs(self, twin: Twin) -> Orders:
        """What a device is told, worked out once for each version."""
        known = self._told.get(twin.device_id)
        if known is None or known[0] != twin.version:
            known = self._told[twin.device_id] = twin.version, orders(twin.desired)
        return known[1]

    async def for_app(self, visit: Visit) -> web.Response:
        """GET /telemetry/latest of an app: what its device reports, with what is desired over it."""
        user, token = visit.user, visit.query("device_token")
        device = self._registry.by_token(token)
        if token.startswith(HIDDEN):
            device = self._names.owned(user.id, token.removeprefix(HIDDEN))
        if device is None or device.owner != user.id:
            raise absent("Device")
        latest = self._telemetry.latest(device.id)
        values = {key: newest.value for key, newest in latest.items()}
        received_us = max((newest.received_us for newest in latest.values()), default=0)
        return reply(
            {
                "device_id": self._names.id_of(device),
                "data": {**values, **self._twins.of(device.id).desired},
                "timestamp": naive(received_us) if received_us else None,
            }
        )

    async def _known(
        self, request: web.Request, token: str, claimed: str, data: dict[str, Any] | None = None
    ) -> Device:
        """The approved device with this token, counted. Raises NotFound; an unknown one is pending then."""
        device = self._registry.by_token(token)
        if device is not None and device.approved:
            self._door.gate.count_device(device.id)
            return device
        self._door.gate.count_address(request)
        if not token.startswith(HIDDEN):
            await self._taken_in(request, device, token, claimed, data)
        raise absent("Device")

    async def _taken_in(
        self, request: web.Request, device: Device | None, token: str, claimed: str, data: dict[str, Any] | None
    ) -> None:
        """Keep an unknown board as pending, and apart what it reports."""
        try:
            if device is None:
                device = await self._new(request, token, claimed or claimed_id(token))
            if device is None or device.approved:
                return
            self._presences.seen(device.id, "poll" if data is None else "telemetry")
            if data:
                await self._registry.report(device, encode(data)[:REPORT_BYTES].decode("utf-8", "replace"))
        except OutpostError as error:
            log.warning("an unknown board could not be taken in: %s", error)

    async def _new(self, request: web.Request, token: str, alias: str) -> Device | None:
        if self._registry.by_alias(SYSTEM, alias) is not None or not _is_token(token):
            self._knocks.note(request, "The token is not known here.")
            return None
        hint = (token if len(token) >= LONG_TOKEN_CHARS else alias)[-HINT_CHARS:]
        device = await self._registry.take_in(
            SYSTEM, alias, SYSTEM, name=f"thing …{hint}", facts={"address": self._source(request)}
        )
        if device is None:
            self._knocks.note(request, "Too many unknown boards wait already, from this address or in all.")
            return None
        if device.trust is Trust.REVOKED:
            return None
        return await self._registry.adopt_token(device, token, actor="itself")


def _read(raw: bytes) -> Report:
    """A report; numbers that are none (NaN) spoil nothing but themselves. Raises Invalid."""
    try:
        return _report.decode(raw)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        pass
    try:
        report = msgspec.convert(decode(raw), Report)
        encode(report)  # what cannot be written back, half a character, is no text
        return report
    except (ValueError, RecursionError):  # a ValidationError is one
        return read(raw, _report)  # it says which field is wrong


def _line(data: Mapping[str, Any]) -> str:
    return encode(data)[:LINE_BYTES].decode("utf-8", "replace")


def _is_token(token: str) -> bool:
    return TOKEN_CHARS_MIN <= len(token) <= TOKEN_CHARS_MAX and token.isascii() and token.isprintable()


def _in_step(data: dict[str, Any], told: Orders) -> dict[str, Any]:
    """What a board reported, its outputs as they shall be, no echo of `led`: few enough keys for its memory."""
    own = {key: value for key, value in data.items() if key not in (UPTIME_KEY, "led") and _is_short(value)}
    room = max(0, REPLY_KEYS - len(told.data))
    kept = [key for key in own if key not in told.data][:room]
    return {**{key: own[key] for key in kept}, **told.data}


def _is_short(value: object) -> bool:
    """A number: text of any length would burst the memory that numbers fit."""
    return isinstance(value, int | float)
