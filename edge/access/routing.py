"""What a /v1 route is, and what its handler gets: the shape that every capability's routes.py is written in."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import msgspec
from aiohttp import web

from edge.access.model import Principal, Role
from edge.errors import BadInput

LIST_MAX = 500
LIST_DEFAULT = 100


class Call:
    """One request, after it was let in: who asks, for what, with which body."""

    __slots__ = ("body", "principal", "request")

    def __init__(self, request: web.Request, principal: Principal, body: Any) -> None:
        self.request, self.principal, self.body = request, principal, body

    @property
    def actor(self) -> str:
        """Who the audit says did it."""
        return self.principal.actor

    def param(self, name: str) -> str:
        """A part of the path."""
        return self.request.match_info[name]

    def query(self, name: str, default: str = "") -> str:
        """A query parameter."""
        return self.request.query.get(name, default)

    def limit(self) -> int:
        """How many items were asked for. Raises BadInput."""
        text = self.query("limit", str(LIST_DEFAULT))
        if not text.isdecimal() or not 1 <= int(text[:9]) <= LIST_MAX:
            raise BadInput(f"limit is a number from 1 to {LIST_MAX}.")
        return int(text)

    def cursor(self) -> int | None:
        """Where the list goes on: the opaque `next` of the page before. Raises BadInput."""
        text = self.query("cursor")
        if not text:
            return None
        if not text.isdecimal() or len(text) > 18:
            raise BadInput("cursor is what an earlier answer gave as `next`.")
        return int(text)


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

    `many`: the answer is `{"items": [returns], "next": cursor}`.
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
