"""The door of the older system: how bodies are read, who may do what its pages do, and how every answer looks.

Its boards have no key and are counted by who they are. What its pages did, anybody on the network could do, and
that was to put any program on every board. Here it takes a key: `viewer` to see, `technician` to change.
"""

from __future__ import annotations

import base64
import binascii
import hmac
from typing import Any

import msgspec
from aiohttp import hdrs, web

from edge.errors import BadInput, OutpostError, RateLimited, Unauthenticated
from edge.serving.bodies import read_body
from edge.serving.roles import NOBODY, Principal, Role
from edge.serving.visits import AiohttpHandler, Body, Gate, Knocks, guarded
from edge.wire import lenient

BODY_BYTES = 8192  # a board's own have less than 1 KB
_KEY = "That takes a key, in X-API-Key or as Authorization: Bearer; `outpost key create` makes one."


class CmsDoor:
    """Reads requests and lets people in."""

    def __init__(self, gate: Gate, knocks: Knocks, *, body_s: float) -> None:
        self.gate, self.body_s = gate, body_s
        self._knocks = knocks

    def knock(self, request: web.Request, why: str) -> None:
        """List this client as one that somebody should look at."""
        self._knocks.note(request, why)

    async def said(self, request: web.Request) -> Body:
        """A board's JSON, with numbers that are none; {} for what is no object. Raises BadInput, RateLimited."""
        try:
            raw = await read_body(request, self.body_s, BODY_BYTES)
        except (BadInput, RateLimited):
            self.gate.count_address(request)
            raise
        try:
            body = lenient.decode(raw)
        except ValueError:
            return {}
        return body if isinstance(body, dict) else {}

    async def asked(self, request: web.Request) -> Body:
        """The JSON of a person who has shown a key; {} for what is no object. Raises BadInput, TooLarge."""
        raw = await read_body(request, self.body_s, BODY_BYTES, known=True)
        try:
            body = msgspec.json.decode(raw) if raw.strip() else {}
        except (msgspec.DecodeError, ValueError, RecursionError) as error:
            raise BadInput("The body is not valid JSON.") from error
        return body if isinstance(body, dict) else {}

    def person(self, request: web.Request, role: Role) -> Principal:
        """Who asks, with at least this role. Raises Unauthenticated, Forbidden, RateLimited."""
        try:
            principal = self.gate.identify(request)
        except Unauthenticated:
            self.gate.count_address(request)
            self.knock(request, "The key is not known here.")
            raise
        self.gate.count(principal, request)
        if principal is NOBODY:
            self.knock(request, "It has no key.")
            raise Unauthenticated(_KEY)
        principal.require(role)
        return principal

    def opened(self, handler: AiohttpHandler) -> AiohttpHandler:
        """`handler`, with what goes wrong told as the old pages read it."""
        return guarded(handler, lambda request, error: refused(error))


class Basic:
    """What boards have to show for a download, where the settings say so."""

    def __init__(self, user: str, password: str) -> None:
        self._wanted = f"{user}:{password}".encode() if user or password else b""

    def require(self, request: web.Request) -> None:
        """Raise Unauthenticated unless the name and the password are right."""
        if not self._wanted:
            return
        scheme, _, shown = request.headers.get(hdrs.AUTHORIZATION, "").partition(" ")
        try:
            given = base64.b64decode(shown.strip(), validate=True) if scheme.lower() == "basic" else b""
        except (binascii.Error, ValueError):
            given = b""
        if not hmac.compare_digest(given, self._wanted):
            raise Unauthenticated("The download wants the name and the password that the board was set up with.")


def reply(body: Any, status: int = 200) -> web.Response:
    """A JSON answer with its length."""
    return web.Response(body=msgspec.json.encode(body), status=status, content_type="application/json")


def told(**body: Any) -> web.Response:
    """An answer that says yes."""
    return reply({"success": True, **body})


def refused(error: OutpostError | None) -> web.Response:
    """What went wrong, as the old pages read it; None: a fault of the hub itself."""
    status, text = (
        (500, "Internal error") if error is None else (_STATUS.get(error.code, error.status), error.detail)
    )
    answer = reply({"success": False, "error": text, "message": text}, status)
    if isinstance(error, Unauthenticated):
        answer.headers[hdrs.WWW_AUTHENTICATE] = 'Basic realm="firmware"'
    return answer


_STATUS = {"bad-firmware": 400, "bad-picture": 400, "rejected": 400}
