"""The door for devices with our firmware: /v1/device/pair and hello let in, everything else proves itself."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, TypeVar

import msgspec
from aiohttp import web

from edge.api.field.intake import Intake
from edge.api.field.refusals import NewSession, UnknownDevice
from edge.api.field.sessions import Session, Sessions
from edge.api.field.wifi import WifiLinks
from edge.api.guard import Guard
from edge.clock import Clock
from edge.commands.field_line import Updates
from edge.devices.model import Device, DeviceState, Facts
from edge.devices.pairing import Agreed, Pairings
from edge.devices.panels import panel_name
from edge.devices.registry import Registry
from edge.errors import BadInput, DeviceUnavailable, OutpostError, RateLimited
from edge.serving.addresses import address_of
from edge.serving.app import JSON
from edge.serving.bodies import read_body
from edge.serving.knocking import Knocking
from edge.serving.problems import problem
from edge.wire import lenient, signing
from edge.wire.field import DeviceHello, Paired, PairRequest, PairReveal, Welcome

BODY_BYTES = 256 * 1024  # 256 records of a few readings each
SMALL_BODY_BYTES = 4 * 1024  # of who is not known yet

OK = 200
T = TypeVar("T")
_JSON = {"Content-Type": "application/json"}
_encode = msgspec.json.Encoder().encode
_hello = msgspec.json.Decoder(DeviceHello)
_pair = msgspec.json.Decoder(PairRequest)
_reveal = msgspec.json.Decoder(PairReveal)


class Inside(msgspec.Struct, frozen=True):
    """A request that was verified: whose, in which session, with which body."""

    request: web.Request
    session: Session
    device: Device
    body: bytes


class Raw(msgspec.Struct, frozen=True):
    """An answer that is bytes and no object, with a status and headers of its own."""

    body: bytes
    status: int = OK
    headers: Mapping[str, str] = {}


Handler = Callable[[Inside], Awaitable[msgspec.Struct]]


class Door:
    """Lets devices in, and signs what they are answered."""

    def __init__(
        self,
        *,
        guard: Guard,
        knocking: Knocking,
        clock: Clock,
        registry: Registry,
        sessions: Sessions,
        wifi: WifiLinks,
        intake: Intake,
        updates: Updates,
        body_s: float,
    ) -> None:
        self._guard, self._knocking, self._clock = guard, knocking, clock
        self._registry, self._sessions, self._wifi, self._intake = registry, sessions, wifi, intake
        self._updates = updates
        self._pairings = Pairings(clock)
        self._arriving: dict[str, asyncio.Future[None]] = {}  # by session: its hello is being written down
        self._body_s = body_s

    async def pair(self, request: web.Request) -> web.StreamResponse:
        """POST /v1/device/pair."""
        return await self._outside(request, self._offer)

    async def reveal(self, request: web.Request) -> web.StreamResponse:
        """POST /v1/device/pair/{pairing}."""
        return await self._outside(request, self._agree)

    async def hello(self, request: web.Request) -> web.StreamResponse:
        """POST /v1/device/hello."""
        return await self._outside(request, self._welcome)

    def inside(self, handler: Handler, how: str) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
        """What serves a request of a session: verified, counted, the device there by `how`, the answer signed."""

        async def serve(request: web.Request) -> web.StreamResponse:
            try:
                if not self._sessions.knows(request.headers.get(signing.SESSION, "")):
                    raise NewSession()  # before a byte of the body is read
                body = await self._body(request, BODY_BYTES) if request.body_exists else b""
                session, number = self._verified(request, body)
            except OutpostError as error:
                return self._refused(request, error)
            try:
                device = await self._there(session, request, how)
                self._guard.count_device(device.id)
                said = await handler(Inside(request, session, device, body))
            except NewSession as error:
                return problem(error)
            except OutpostError as error:
                answer = problem(error)
                answer.headers[signing.MAC] = signing.answer_mac(session.key, answer.status, number, _bytes(answer))
                return answer
            raw = said if isinstance(said, Raw) else Raw(_encode(said), headers=_JSON)
            mac = signing.answer_mac(session.key, raw.status, number, raw.body)
            return web.Response(status=raw.status, body=raw.body, headers={**raw.headers, signing.MAC: mac})

        return serve

    def changed(self, device_id: str) -> None:
        """Something about a device is another: where its key or approval is, its session ends."""
        device, session = self._registry.known(device_id), self._sessions.of(device_id)
        if session is not None and not _still(session, device):
            self._sessions.end(session)
            self._wifi.look(device_id)
        if device.link_key is None or device.state is DeviceState.FORGOTTEN:
            self._wifi.lose(device_id)

    # --- not known yet

    async def _outside(
        self, request: web.Request, work: Callable[[web.Request, bytes], Awaitable[web.Response]]
    ) -> web.StreamResponse:
        try:
            self._guard.count_address(request)
            return await work(request, await self._body(request, SMALL_BODY_BYTES))
        except OutpostError as error:
            return self._refused(request, error, counted=True)

    async def _offer(self, request: web.Request, body: bytes) -> web.Response:
        offer = self._pairings.offer(decoded(_pair, body), address_of(request))
        return web.Response(body=_encode(offer), headers=JSON)

    async def _agree(self, request: web.Request, body: bytes) -> web.Response:
        pairing = request.match_info["pairing"]
        agreed = self._pairings.reveal(pairing, decoded(_reveal, body))
        if isinstance(agreed, Agreed):
            agreed = await self._take_in(pairing, agreed, address_of(request))
        return web.Response(body=_encode(Paired(device=agreed)), headers=JSON)

    async def _take_in(self, pairing: str, agreed: Agreed, address: str) -> str:
        asked = agreed.request
        facts: Facts = {"fw": asked.fw, "code": agreed.code, "address": address}
        try:
            device = await self._registry.pair_in(
                asked.chip, asked.kind, name=asked.name, facts=facts, key=agreed.key
            )
        except OutpostError:
            self._pairings.undo(pairing)
            raise
        if device is None:
            self._pairings.undo(pairing)
            raise DeviceUnavailable("Too many devices wait for approval here, or from this address.")
        self._pairings.became(pairing, device.id)
        return device.id

    async def _welcome(self, request: web.Request, body: bytes) -> web.Response:
        hello = decoded(_hello, body)
        device = self._registry.keyed(hello.device)
        key = device.link_key if device is not None else None
        mac = request.headers.get(signing.MAC, "")
        if device is None or key is None or not signing.same(signing.hello_mac(key, body), mac):
            raise UnknownDevice(f"No device here shares a key with what calls itself {hello.device!r}.")
        now = self._clock.now()
        next_seq = await self._intake.next_seq(device.id, hello.epoch)
        session = self._sessions.open(device.id, key, hello, approved=device.approved, now_s=self._clock.mono_s())
        welcome = _encode(
            Welcome(
                session=session.id,
                nonce=session.nonce,
                approved=device.approved,
                now_us=now.at_us,
                quality=now.quality.value,
                next=next_seq,
            )
        )
        answer = web.Response(body=welcome, headers=JSON)
        answer.headers[signing.MAC] = signing.welcome_mac(key, hello.nonce, welcome)
        return answer

    # --- known

    def _verified(self, request: web.Request, body: bytes) -> tuple[Session, int]:
        headers = request.headers
        return self._sessions.verified(
            headers.get(signing.SESSION, ""),
            headers.get(signing.COUNTER, ""),
            headers.get(signing.MAC, ""),
            method=request.method,
            target=request.raw_path,
            body=body,
        )

    async def _there(self, session: Session, request: web.Request, how: str) -> Device:
        """The device of a session, as it is now; with the first request its hello counts. Raises NewSession."""
        device = self._registry.known(session.device_id)
        if not _still(session, device):
            self._sessions.end(session)
            raise NewSession()
        if self._sessions.use(session):
            device = await self._arrives(device, session)
        elif session.id in self._arriving:  # its numbers are not known before: no command may go out
            await asyncio.wait({self._arriving[session.id]})
            if self._sessions.of(device.id) is not session:
                raise NewSession()
        self._wifi.heard(device.id, request.remote or "", how)
        return device

    async def _arrives(self, device: Device, session: Session) -> Device:
        """Write down what the hello said. When that fails the session ends, and the device says it again."""
        arriving: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._arriving[session.id] = arriving
        try:
            return await self._met(device, session.hello)
        except BaseException:
            self._sessions.end(session)
            raise
        finally:
            del self._arriving[session.id]
            arriving.set_result(None)

    async def _met(self, device: Device, hello: DeviceHello) -> Device:
        facts: Facts = {"chip": hello.chip, "fw": hello.fw, "boot": hello.boot, "name": hello.name}
        device = await self._registry.returned(device)
        if hello.sleeps or device.facts.get("sleeps"):
            facts["sleeps"] = hello.sleeps
        device = await self._registry.met(
            device,
            epoch=hello.epoch,
            last_seq=hello.hwm,
            panel=panel_name(hello.panel, hello.kind),
            facts=facts,
            kind=hello.kind,
        )
        if hello.running is not None:
            await self._updates.runs(device.id, hello.running)
        return device

    async def _body(self, request: web.Request, most: int) -> bytes:
        """The body, when it is short enough; nobody's memory is filled by whoever is not known. Raises TooLarge."""
        length = request.content_length
        if length is None:
            if request.body_exists:
                raise BadInput("The length of the body must be said.")
            return b""
        return await read_body(request, self._body_s, most)

    def _refused(self, request: web.Request, error: OutpostError, *, counted: bool = False) -> web.Response:
        """The unsigned answer to who is not known; it counts against his address."""
        if not isinstance(error, RateLimited):
            if not isinstance(error, NewSession):  # its next hello says whether it is a stranger
                self._knocking.note(request, error.detail)
            try:
                if not counted:
                    self._guard.count_address(request)
            except RateLimited as limited:
                error = limited
        return problem(error)


def decoded(decoder: msgspec.json.Decoder[T], body: bytes) -> T:
    """The message in `body`; what is no number is left to its reader. Raises BadInput naming the wrong field."""
    try:
        return lenient.read(decoder, body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise BadInput(f"The body cannot be used: {error}.") from error


def seconds(text: str, most: float) -> float:
    """A number of seconds in a query, 0 when it is not given. Raises BadInput."""
    try:
        value = float(text or 0)
    except ValueError:
        value = math.nan
    if not 0 <= value <= 1e9:
        raise BadInput("wait is a number of seconds.")
    return min(value, most)


def _still(session: Session, device: Device) -> bool:
    """Whether a session may go on: its device has the same key, and stands here as it did."""
    return device.link_key == session.link_key and device.approved == session.approved


def _bytes(answer: web.Response) -> bytes:
    body: Any = answer.body
    return body if isinstance(body, bytes) else b""
