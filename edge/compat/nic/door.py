"""The door of the old payment-display API: who may enter, how a body is read, and how every answer looks.

Answers are exact, since old clients compare strings: JSON with Content-Length, CORS for every origin, never a
redirect. A request with a wrong key is listed as knocking, because the old client swallows the refusal.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import msgspec
from aiohttp import web

from edge.clock import Clock
from edge.errors import BadInput, NotAllowed, OutpostError, RateLimited, Unauthenticated
from edge.serving import visits
from edge.serving.roles import NOBODY, Principal, Role
from edge.serving.visits import AiohttpHandler, Body, Gate, Knocks, guarded, line, read_object

SCOPE = "nic"  # the older system's name, also of its keys' scope and of the ids its clients claim
ROLES = frozenset({Role.APP, Role.TECHNICIAN, Role.ADMIN})
ANYBODY_BYTES = 64 * 1024  # of who has not shown a key; a registration has some hundred
LOGGER_FIELD = "logger_id"  # tells an asset logger's registration from a display's
CORS = {
    "Access-Control-Allow-Origin": "*",
    "Access-Control-Allow-Headers": "X-API-Key, Content-Type",
    "Access-Control-Allow-Methods": "GET, POST, OPTIONS",
}


class Visit(visits.Visit):
    """One request that was let in."""

    def require(self, *names: str) -> None:
        """Raise Missing unless every field is there and counts as true, as the old server judged it."""
        if not all(self.body.get(name) for name in names):
            raise Missing("Missing required fields")


class Missing(BadInput):
    """A field that must be there is not."""


Handler = Callable[[Visit], Awaitable[web.Response]]
Loggers = Callable[[web.Request, Body], Awaitable[web.StreamResponse]]
"""Answers an asset logger that registers with this body."""


class Door:
    """Wraps a handler into an aiohttp handler. `knows(id)`: whether a display of this id is registered."""

    def __init__(
        self, gate: Gate, knocks: Knocks, clock: Clock, *, knows: Callable[[str], bool], body_s: float
    ) -> None:
        self._gate, self._knocks, self.clock, self._body_s = gate, knocks, clock, body_s
        self._knows = knows

    def knock(self, request: web.Request, why: str) -> None:
        """List this client as one that somebody should look at."""
        self._knocks.note(request, why)

    def opened(self, handler: Handler, *, key: bool = True, loggers: Loggers | None = None) -> AiohttpHandler:
        """`handler` behind the door; `key` false: everybody may enter.

        `loggers`: asset loggers use this path too, without a key; it answers their requests.
        """

        async def serve(request: web.Request) -> web.StreamResponse:
            body = await self._anybodys(request) if loggers is not None or not key else None
            if loggers is not None and body is not None and LOGGER_FIELD in body:
                return await loggers(request, body)
            principal = self._enter(request) if key else NOBODY
            if body is None:
                body = await read_object(request, self._body_s, known=True)
            return await handler(Visit(request, principal, body))

        return guarded(serve, self._refused)

    async def _anybodys(self, request: web.Request) -> Body:
        """The body of who has shown no key yet: a short one, and one that is no use counts against his address."""
        try:
            return await read_object(request, self._body_s, ANYBODY_BYTES)
        except (BadInput, RateLimited):
            self._gate.count_address(request)
            raise

    def _enter(self, request: web.Request) -> Principal:
        principal = self._gate.identify(request)
        if principal.scope not in ("", SCOPE) or (principal.role not in ROLES and principal.scope != SCOPE):
            raise Unauthenticated
        # One key is shared by all old clients, so each known display is limited by itself, and every address.
        claimed = line(request.query.get("device_id"))
        self._gate.count_device(f"{SCOPE} {request.remote} {claimed if self._knows(claimed) else ''}")
        return principal

    def _refused(self, request: web.Request, error: OutpostError | None) -> web.Response:
        if error is None:
            return refusal(500, "Internal error")
        if isinstance(error, Unauthenticated):
            return self._unknown(request)
        return refusal(_STATUS.get(error.code, error.status), error.detail)

    def _unknown(self, request: web.Request) -> web.Response:
        why = "The key is not known here." if request.headers.get("X-API-Key") else "No key was sent."
        self.knock(request, why)
        try:
            self._gate.count_address(request)
        except NotAllowed as error:
            return refusal(error.status, error.detail)
        return refusal(401, "Unauthorized")


def reply(body: Body, status: int = 200) -> web.Response:
    """A JSON answer with its length, open to every origin."""
    return web.Response(
        body=msgspec.json.encode(body),
        status=status,
        content_type="application/json",
        charset="utf-8",
        headers=CORS,
    )


def refusal(status: int, error: str, **more: Any) -> web.Response:
    """An answer that says no."""
    return reply({"error": error, **more}, status)


async def preflight(request: web.Request) -> web.Response:
    """What a browser asks before it sends a key across origins."""
    return web.Response(status=204, headers={**CORS, "Access-Control-Max-Age": "600"})


_STATUS = {"bad-picture": 400, "rejected": 400, "bad-input": 400, "unreachable": 400, "device-unavailable": 404}
