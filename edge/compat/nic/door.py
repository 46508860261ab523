"""The door of the old payment-display API: who may enter, how a body is read, and how every answer looks.

Answers are exact, since old clients compare strings: JSON with Content-Length, CORS for every origin, never a
redirect. A request with a wrong key is listed as knocking, because the old client swallows the refusal.
"""

from __future__ import annotations

import asyncio
import logging
import re
from collections.abc import Awaitable, Callable
from typing import Any, Protocol

import msgspec
from aiohttp import web

from edge.access.model import NOBODY, Principal, Role
from edge.clock import Clock
from edge.errors import BadInput, NotAllowed, OutpostError, TooLarge, Unauthenticated

log = logging.getLogger(__name__)

SCOPE = "nic"  # the older system's name, also of its keys' scope and of the ids its clients claim
ROLES = frozenset({Role.APP, Role.TECHNICIAN, Role.ADMIN})
LOGGER_FIELD = "logger_id"  # tells an asset logger's registration from a display's
TEXT_CHARS = 200  # of a name or number that is drawn or kept
CORS = {
    "Access-Control-Allow-Origin": "*",
    "Access-Control-Allow-Headers": "X-API-Key, Content-Type",
    "Access-Control-Allow-Methods": "GET, POST, OPTIONS",
}

Body = dict[str, Any]
AiohttpHandler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class Gate(Protocol):
    """Identifies callers and limits their rate."""

    def identify(self, request: web.Request) -> Principal:
        """Who calls. Raises Unauthenticated for an unknown key."""

    def count_device(self, device_id: str) -> None:
        """Count one request of this identity. Raises RateLimited."""

    def count_address(self, request: web.Request) -> None:
        """Count one request without a key. Raises RateLimited."""


class Knocks(Protocol):
    """Keeps the list of clients that are set up wrong."""

    def note(self, request: web.Request, why: str) -> None:
        """Count one."""


class Visit:
    """One request that was let in: who asks, from where, and what the JSON body says."""

    def __init__(self, request: web.Request, principal: Principal, body: Body) -> None:
        self.request, self.principal, self.body = request, principal, body

    @property
    def peer(self) -> str:
        """The address the request came from; the hub's own socket is the machine itself."""
        return self.request.remote or "127.0.0.1"

    def text(self, name: str) -> str:
        """A field as one bounded line of text, '' when it is absent or no text or number."""
        return line(self.body.get(name))

    def require(self, *names: str) -> None:
        """Raise Missing unless every field is there and counts as true, as the old server judged it."""
        if not all(self.body.get(name) for name in names):
            raise Missing("Missing required fields")


class Missing(BadInput):
    """A field that must be there is not."""


Handler = Callable[[Visit], Awaitable[web.Response]]


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

    def opened(self, handler: Handler, *, key: bool = True, shared: bool = False) -> AiohttpHandler:
        """`handler` behind the door; `key` false: everybody may enter.

        `shared`: asset loggers use this path too, without a key; their requests are answered as an unknown path.
        """

        async def serve(request: web.Request) -> web.StreamResponse:
            try:
                if shared and LOGGER_FIELD in await self._body(request):
                    raise web.HTTPNotFound
                principal = self._enter(request) if key else NOBODY
                return await handler(Visit(request, principal, await self._body(request)))
            except Unauthenticated:
                return self._refuse(request)
            except OutpostError as error:
                return refusal(_STATUS.get(error.code, error.status), error.detail)
            except web.HTTPException:
                raise
            except Exception:  # the task's edge: logged, and answered in the shape the old clients read
                log.exception("an old client's request failed", extra={"path": request.path[:TEXT_CHARS]})
                return refusal(500, "Internal error")

        return serve

    async def _body(self, request: web.Request) -> Body:
        return await _read(request, self._body_s) if request.method == "POST" else {}

    def _enter(self, request: web.Request) -> Principal:
        principal = self._gate.identify(request)
        if principal.scope not in ("", SCOPE) or (principal.role not in ROLES and principal.scope != SCOPE):
            raise Unauthenticated
        # One key is shared by all old clients, so each known display is limited by itself, and every address.
        claimed = line(request.query.get("device_id"))
        self._gate.count_device(f"{SCOPE} {request.remote} {claimed if self._knows(claimed) else ''}")
        return principal

    def _refuse(self, request: web.Request) -> web.Response:
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


def line(value: object) -> str:
    """A text or number as one bounded printable line, '' for anything else."""
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return ""
    return "".join(char for char in str(value) if char.isprintable()).strip()[:TEXT_CHARS]


def number_or_text(text: str) -> int | float | str:
    """An id or amount as the old server sent it on: a number where it reads as one."""
    if re.fullmatch(r"0|-?[1-9]\d{0,14}", text):
        return int(text)
    return float(text) if re.fullmatch(r"-?\d{1,12}\.\d{1,6}", text) else text


_STATUS = {"bad-picture": 400, "rejected": 400, "bad-input": 400, "unreachable": 400, "device-unavailable": 404}


async def _read(request: web.Request, body_s: float) -> Body:
    """The JSON body; {} for none, or for JSON that is no object. Raises BadInput, TooLarge."""
    try:
        async with asyncio.timeout(body_s):
            raw = await request.read()
        body = msgspec.json.decode(raw) if raw.strip() else {}
    except TimeoutError as error:
        raise BadInput(f"The body did not arrive within {body_s:g} s.") from error
    except web.HTTPRequestEntityTooLarge as error:
        raise TooLarge("request entity too large") from error
    except (msgspec.DecodeError, ValueError, RecursionError) as error:
        raise BadInput("The body is not valid JSON.") from error
    return body if isinstance(body, dict) else {}
