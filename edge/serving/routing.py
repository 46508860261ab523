"""What a /v1 route is, and what its handler gets: the shape that every capability's routes.py is written in."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import msgspec
from aiohttp import web

from edge.errors import BadInput
from edge.serving.bodies import pieces
from edge.serving.roles import Principal, Role

LIST_MAX = 500
LIST_DEFAULT = 100
NUMBER_DIGITS = 18  # what a 64-bit number of the database always holds


class Call:
    """One request, after it was let in: who asks, for what, with which body."""

    __slots__ = ("_still_allowed", "body", "principal", "request")

    def __init__(
        self,
        request: web.Request,
        principal: Principal,
        body: Any,
        still_allowed: Callable[[], bool] = lambda: True,
    ) -> None:
        self.request, self.principal, self.body = request, principal, body
        self._still_allowed = still_allowed

    @property
    def actor(self) -> str:
        """Who the audit says did it."""
        return self.principal.actor

    def param(self, name: str) -> str:
        """A part of the path. Raises BadInput for one with a NUL, which no database looks up."""
        return _without_nul(name, self.request.match_info[name])

    def query(self, name: str, default: str = "") -> str:
        """A query parameter. Raises BadInput as `param` does."""
        return _without_nul(name, self.request.query.get(name, default))

    def limit(self) -> int:
        """How many items were asked for. Raises BadInput."""
        limit = self.number("limit")
        if limit is None:
            return LIST_DEFAULT
        if not 1 <= limit <= LIST_MAX:
            raise BadInput(f"limit is a number from 1 to {LIST_MAX}.")
        return limit

    def cursor(self) -> int | None:
        """Where the list goes on: the opaque `next` of the page before. Raises BadInput."""
        return self.number("cursor")

    def number(self, name: str) -> int | None:
        """A query parameter that is a whole number, None when it is not given. Raises BadInput."""
        return number(name, self.query(name))

    def request_key(self) -> str:
        """Under which key this request may come again without being done again; '' for none."""
        return self.request.headers.get("Idempotency-Key", "")

    def pieces(self, most: int, lull_s: float) -> AsyncIterator[bytes]:
        """A body that is a file, as it comes: see edge/serving/bodies.py. Raises TooLarge, BadInput."""
        return pieces(self.request, most, lull_s)

    def still_allowed(self) -> bool:
        """Whether the caller's key is still good: asked by answers that go on for hours."""
        return self._still_allowed()


def number(name: str, text: str) -> int | None:
    """The whole number that `text` is, None when it is empty. Raises BadInput naming what should be one."""
    if not text:
        return None
    if not (text.isascii() and text.isdecimal()) or len(text) > NUMBER_DIGITS:
        raise BadInput(f"{name} is a number of at most {NUMBER_DIGITS} digits, as an earlier answer gave it.")
    return int(text)


def _without_nul(name: str, text: str) -> str:
    if "\0" in text:
        raise BadInput(f"{name} has a NUL in it.")
    return text


class Created(msgspec.Struct, frozen=True):
    """An answer with status 201."""

    view: msgspec.Struct


class Page(msgspec.Struct, frozen=True):
    """An answer that is a list: the items, and the cursor of the next page."""

    items: list[Any]
    next: str | None = None


Answer = msgspec.Struct | web.StreamResponse | None
Handler = Callable[[Call], Awaitable[Answer]]


class Route(msgspec.Struct, frozen=True):
    """One route. `role` None is public; `app` lets keys of apps in too; `returns` and `body` make the OpenAPI.

    `bare`: a request without a body is taken for one with an empty object.
    `many`: the answer is `{"items": [returns], "next": cursor}`. `stream`: the answer is one `returns` after
    another until the caller leaves, in the form it names. `query`: the parameters besides those of every list.
    `also`: a rule besides the role; it raises Forbidden.
    """

    method: str
    path: str
    handler: Handler
    summary: str
    role: Role | None
    app: bool = False
    body: type[msgspec.Struct] | None = None
    returns: type[msgspec.Struct] | None = None
    many: bool = False
    created: bool = False
    limited: bool = True
    bare: bool = False
    stream: str = ""
    query: tuple[str, ...] = ()
    also: Callable[[Principal], None] | None = None
