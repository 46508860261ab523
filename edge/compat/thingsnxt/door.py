"""The door of the older sensors-and-switches platform: who may enter, how a body is read, how every answer looks.

Errors are `{"detail": …}`, a sentence or, for a body that does not fit, the list of wrong fields. Another account's
things are answered as things that do not exist.
"""

from __future__ import annotations

import math
import re
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Protocol, TypeVar

import msgspec
from aiohttp import web

from edge.access.accounts.model import User
from edge.clock import Clock, iso
from edge.errors import BadInput, Forbidden, NotFound, OutpostError, RateLimited, TooLarge, Unauthenticated
from edge.serving import visits
from edge.serving.bodies import read_body
from edge.serving.visits import AiohttpHandler, Gate
from edge.wire.older import things_id

T = TypeVar("T")
JSON_TYPE = {"Content-Type": "application/json"}
BODY_BYTES = 64 * 1024  # of a request; the largest is a dashboard's layout
CORS = {
    "Access-Control-Allow-Origin": "*",
    "Access-Control-Allow-Headers": "Authorization, Content-Type",
    "Access-Control-Allow-Methods": "GET, POST, PUT, PATCH, DELETE, OPTIONS",
}
_FIELD = re.compile(r" - at `\$\.?([^`]*)`$")
_MISSING = re.compile(r"missing required field `(\w+)`")

encode = msgspec.json.Encoder().encode


class Users(Protocol):
    """Knows people by their token."""

    async def learn(self, access_token: str) -> None:
        """Look up whose token this is, where that is not known yet, for `user_of`. Raises StorageError."""

    def user_of(self, access_token: str) -> User:
        """Whose token this is. Raises Unauthenticated."""


class Invalid(BadInput):
    """A field is missing or wrong."""

    def __init__(self, where: str, field: str, why: str, kind: str = "value_error") -> None:
        super().__init__(why)
        self.told = [{"type": kind, "loc": [where, *re.findall(r"\w+", field)], "msg": why}]


class Visit:
    """One request of a person who was let in: `params` out of its path, its query, its body."""

    def __init__(self, user: User, params: Mapping[str, str], asked: Mapping[str, str], raw: bytes) -> None:
        self.user, self.params, self.asked, self.raw = user, params, asked, raw

    @property
    def actor(self) -> str:
        """Who the ledger says did it."""
        return f"user:{self.user.id}"

    def id(self, name: str, what: str) -> str:
        """An id out of the path, in lower case. Raises BadInput."""
        return check_id(self.params[name], what)

    def query(self, name: str) -> str:
        """A parameter that must be there. Raises Invalid."""
        value = self.asked.get(name)
        if value is None:
            raise Invalid("query", name, "Field required", "missing")
        return value

    def read(self, decoder: msgspec.json.Decoder[T]) -> T:
        """The body. Raises Invalid."""
        return read(self.raw, decoder)


Handler = Callable[[Visit], Awaitable[web.Response]]
Table = Mapping[tuple[str, str], Handler]
"""What people may ask, by method and path."""


class Door:
    """Wraps handlers into aiohttp handlers."""

    def __init__(self, gate: Gate, users: Users, clock: Clock, *, body_s: float) -> None:
        self.gate, self._users, self.clock, self._body_s = gate, users, clock, body_s

    def person(self, handler: Handler) -> AiohttpHandler:
        """`handler` for people: with their token."""

        async def serve(request: web.Request) -> web.StreamResponse:
            user = self.enter(request)
            raw = await self.body(request, known=True)
            return await handler(Visit(user, request.match_info, request.query, raw))

        return self.guarded(serve)

    def enter(self, request: web.Request, *, in_query: bool = False) -> User:
        """Who asks, by the bearer token (or `?token=`), counted. Raises Unauthenticated, RateLimited."""
        token = bearer(request)
        if not token and in_query:
            token = request.query.get("token", "")
        try:
            if not token:
                raise Unauthenticated("Not authenticated")
            user = self._users.user_of(token)
        except Unauthenticated as error:
            self.gate.count_address(request)
            raise Unauthenticated("Could not validate credentials" if token else error.detail) from error
        return self.counted(user)

    def guarded(self, handler: AiohttpHandler) -> AiohttpHandler:
        """`handler`, with what goes wrong told in the shape the older clients read."""

        async def learned(request: web.Request) -> web.StreamResponse:
            await self.learn(bearer(request) or request.query.get("token", ""))
            return await handler(request)

        return visits.guarded(learned, lambda request, error: refused(error))

    async def learn(self, token: str) -> None:
        """Look up whose token this is, where that is needed, for `enter`; '' is nobody's. Raises StorageError."""
        if token:
            await self._users.learn(token)

    def counted(self, user: User) -> User:
        """One more request of a person who was let in elsewhere. Raises RateLimited."""
        self.gate.count_device(f"user {user.id}")
        return user

    async def body(self, request: web.Request, *, known: bool = False) -> bytes:
        """The whole body; `known`: of a person who was let in. Raises TooLarge, BadInput, RateLimited."""
        return await read_body(request, self._body_s, BODY_BYTES, known=known)


def bearer(request: web.Request) -> str:
    """The token of the Authorization header, '' without one."""
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    return token.strip() if scheme.lower() == "bearer" else ""


def require_reader(request: web.Request) -> None:
    """Raise Forbidden for what another site's page has a browser send without reading the answer, such as a form.

    It would guess at passwords, or use up what may be tried, from its visitor's address. The apps' own pages may be
    on another site too; they ask with CORS.
    """
    elsewhere = request.headers.get("Sec-Fetch-Site", "none") not in ("same-origin", "none")
    if elsewhere and request.headers.get("Sec-Fetch-Mode") != "cors":
        raise Forbidden("This was sent by another site's page.", hint="Log in with the app, or on its own pages.")


def read(raw: bytes, decoder: msgspec.json.Decoder[T]) -> T:
    """A body in its type. Raises Invalid naming the wrong field."""
    try:
        return decoder.decode(raw or b"null")
    except msgspec.ValidationError as error:
        missing, at = _MISSING.search(str(error)), _FIELD.search(str(error))
        if missing:
            raise Invalid("body", missing[1], "Field required", "missing") from error
        raise Invalid("body", at[1] if at else "", _FIELD.sub("", str(error))) from error
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise Invalid("body", "", "JSON decode error", "json_invalid") from error


def check_id(text: str, what: str) -> str:
    """`text` as an id of 24 hex digits, in lower case. Raises BadInput."""
    found = things_id(text)
    if found is None:
        raise BadInput(f"Invalid {what} ID")
    return found


def reply(body: Any, status: int = 200) -> web.Response:
    """A JSON answer with its length, open to every origin."""
    return web.Response(body=encode(body), status=status, headers={**JSON_TYPE, **CORS})


def refusal(status: int, detail: Any, **headers: str) -> web.Response:
    """An answer that says no."""
    return web.Response(body=encode({"detail": detail}), status=status, headers={**JSON_TYPE, **CORS, **headers})


def refused(error: OutpostError | None) -> web.Response:
    """What went wrong, in the older platform's shape; None: a fault of the hub itself."""
    if error is None:
        return refusal(500, "Internal Server Error")
    if isinstance(error, Invalid):
        return refusal(422, error.told)
    if isinstance(error, RateLimited):
        return refusal(
            429,
            "Too many requests. Please try again later.",
            **{"Retry-After": str(max(1, math.ceil(error.retry_after_s)))},
        )
    if isinstance(error, Unauthenticated):
        return refusal(401, error.detail, **{"WWW-Authenticate": "Bearer"})
    status = 400 if isinstance(error, BadInput) and not isinstance(error, TooLarge) else error.status
    return refusal(status, error.detail)


async def preflight(request: web.Request) -> web.Response:
    """What a browser asks before it sends a token across origins."""
    return web.Response(status=204, headers={**CORS, "Access-Control-Max-Age": "600"})


def naive(at_us: int) -> str:
    """A time as the older apps read it: UTC without a zone."""
    return iso(at_us)[:-1]


def absent(what: str) -> NotFound:
    """What is told of a thing that is not there, or is another's."""
    return NotFound(f"{what} not found")
