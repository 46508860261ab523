"""A hub as devices see it, with bad days: it loses answers, forgets sessions, refuses, and says wrong things."""

from __future__ import annotations

import asyncio
import contextlib
import secrets
import ssl
from collections import deque
from collections.abc import AsyncIterator
from typing import Any

import msgspec
from aiohttp import web
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey

from edge.wire import signing

DEVICE = "dev-1"


class FieldHub:
    """What it was asked is in `asked`; set the others to make it behave."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.key = b""
        self.code = ""
        self.lose = 0  # so many requests are done, and their answers never sent
        self.refuse: dict[str, tuple[int, str, bool]] = {}  # by path: status, code, signed
        self.unsigned = False  # its answers prove nothing
        self.public = b""  # what it offers instead of a key of its own
        self.commands: deque[dict[str, Any]] = deque()
        self.desired: dict[str, Any] | None = None
        self.approved = True
        self.batches: list[dict[str, Any]] = []
        self.results: list[dict[str, Any]] = []
        self.bad_record: object = None  # a batch that holds it is refused for good
        self._private = X25519PrivateKey.generate()
        self._nonce = secrets.token_bytes(16)
        self._commit = ""
        self._sessions: dict[str, bytes] = {}

    def forget_sessions(self) -> None:
        """As when it restarts."""
        self._sessions.clear()

    async def handle(self, request: web.Request) -> web.Response:
        """Any request of a device."""
        body = await request.read()
        self.asked.append(request.path)
        if request.path in self.refuse:
            status, code, signed = self.refuse[request.path]
            answer = web.Response(status=status, body=msgspec.json.encode({"code": code}))
            return self._signed(request, answer) if signed else answer
        answer = await self._answer(request, body)
        if self.lose:
            self.lose -= 1
            assert request.transport is not None
            request.transport.abort()
        return answer

    async def _answer(self, request: web.Request, body: bytes) -> web.Response:
        if request.path.startswith("/v1/device/pair"):
            return self._pair(request.path, msgspec.json.decode(body))
        if request.path == "/v1/device/hello":
            return self._welcome(request, body)
        key = self._sessions.get(request.headers.get(signing.SESSION, ""))
        if key is None:
            return web.json_response({"code": "new-session"}, status=401)
        counter = int(request.headers[signing.COUNTER])
        wanted = signing.request_mac(key, request.method, request.path_qs, counter, body)
        assert signing.same(wanted, request.headers[signing.MAC])
        return self._signed(request, await self._done(request, body))

    def _pair(self, path: str, said: dict[str, Any]) -> web.Response:
        ours = self._private.public_key().public_bytes_raw()
        if path == "/v1/device/pair":
            self._commit = said["commit"]
            public = self.public or ours
            return web.json_response({"pairing": "p-1", "public": public.hex(), "nonce": self._nonce.hex()})
        theirs, nonce = bytes.fromhex(said["public"]), bytes.fromhex(said["nonce"])
        assert signing.commitment(theirs, nonce) == self._commit
        shared = self._private.exchange(X25519PublicKey.from_public_bytes(theirs))
        self.key = signing.key_from_pairing(shared, theirs, ours)
        self.code = signing.code(theirs, ours, nonce, self._nonce)
        return web.json_response({"device": DEVICE})

    def _welcome(self, request: web.Request, body: bytes) -> web.Response:
        hello = msgspec.json.decode(body)
        if not signing.same(signing.hello_mac(self.key, body), request.headers[signing.MAC]):
            return web.json_response({"code": "unknown-device"}, status=403)
        session, nonce = secrets.token_hex(16), secrets.token_hex(16)
        self._sessions[session] = signing.session_key(self.key, hello["nonce"], nonce)
        welcome = msgspec.json.encode(
            {
                "session": session,
                "nonce": nonce,
                "approved": self.approved,
                "now_us": 1,
                "quality": "none",
                "next": 0,
            }
        )
        mac = "0" * 64 if self.unsigned else signing.welcome_mac(self.key, hello["nonce"], welcome)
        return web.Response(body=welcome, headers={signing.MAC: mac})

    async def _done(self, request: web.Request, body: bytes) -> web.Response:
        if request.path == "/v1/device/poll":
            return await self._poll(int(request.query["desired"]), request.headers[signing.SESSION])
        said = msgspec.json.decode(body)
        if request.path == "/v1/device/result":
            self.results.append(said)
        if request.path == "/v1/device/readings":
            if any(record[3] == self.bad_record for record in said["records"]):
                return web.json_response({"code": "bad-input"}, status=400)
            self.batches.append(said)
            return web.json_response({"next": said["first"] + len(said["records"])})
        return web.json_response({})

    async def _poll(self, version: int, session: str) -> web.Response:
        said: dict[str, Any] = {"now_us": 1, "quality": "none"}
        for _ in range(100):
            if session not in self._sessions:
                return web.json_response({"code": "new-session"}, status=401)
            if self.commands:
                said["command"] = self.commands.popleft()
                break
            if self.desired is not None and self.desired["version"] != version:
                said["desired"] = self.desired
                break
            await asyncio.sleep(0.01)
        return web.json_response(said)

    def _signed(self, request: web.Request, answer: web.Response) -> web.Response:
        key = self._sessions.get(request.headers.get(signing.SESSION, ""))
        counter = int(request.headers.get(signing.COUNTER, "0"))
        assert isinstance(answer.body, bytes)
        if key is not None and not self.unsigned:
            answer.headers[signing.MAC] = signing.answer_mac(key, answer.status, counter, answer.body)
        return answer


@contextlib.asynccontextmanager
async def field_hub(
    tls: ssl.SSLContext | None = None, hub: FieldHub | None = None
) -> AsyncIterator[tuple[FieldHub, str]]:
    """One that listens, and its address."""
    hub = hub or FieldHub()
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", hub.handle)
    runner = web.AppRunner(app, shutdown_timeout=0.1, handler_cancellation=True)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0, ssl_context=tls).start()
    place = "http://127.0.0.1" if tls is None else "https://localhost"
    try:
        yield hub, f"{place}:{runner.addresses[0][1]}"
    finally:
        await runner.cleanup()
