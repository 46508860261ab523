"""The /v1 API, asked from inside: a page shows what the API answers to the one who looks at it, and nothing else.

So who may see and do what is decided in one place, for programs and for people.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterable, Mapping
from typing import Any

import msgspec
from aiohttp import web

from edge.errors import BadInput, NotFound
from edge.serving.roles import Principal
from edge.serving.routing import Call, Created, Route

Values = Mapping[str, object]
Pieces = Callable[[int, float], AsyncIterator[bytes]]
"""A file that comes with a form: called with how large it may be and how long it may pause, it gives the bytes."""


class InnerCall(Call):
    """A request of the API that a page makes for its reader; `params` and `query` are the API's, not the page's.

    `key`: under which it may come again, from the form; `file`: what the form brings.
    """

    __slots__ = ("_file", "_key", "_params", "_query")

    def __init__(
        self,
        request: web.Request,
        principal: Principal,
        body: Any,
        params: Values,
        query: Values,
        key: str,
        file: Pieces | None = None,
    ) -> None:
        super().__init__(request, principal, body)
        self._key, self._file = key, file
        self._params = {name: str(value) for name, value in params.items()}
        self._query = {name: str(value) for name, value in query.items() if value not in (None, "")}

    def param(self, name: str) -> str:
        """A part of the API's path."""
        return _plain(name, self._params[name])

    def query(self, name: str, default: str = "") -> str:
        """A parameter of the API's."""
        return _plain(name, self._query.get(name, default))

    def request_key(self) -> str:
        """The form's own."""
        return self._key

    def pieces(self, most: int, lull_s: float) -> AsyncIterator[bytes]:
        """The form's file. Raises TooLarge, BadInput."""
        return super().pieces(most, lull_s) if self._file is None else self._file(most, lull_s)


class Api:
    """Every /v1 route by its method and path, as `Route` has them."""

    def __init__(self, routes: Iterable[Route]) -> None:
        self._routes = {(route.method, route.path): route for route in routes}

    async def ask(
        self,
        request: web.Request,
        principal: Principal,
        method: str,
        path: str,
        *,
        params: Values | None = None,
        query: Values | None = None,
        body: Values | None = None,
        key: str = "",
    ) -> Any:
        """What the route answers, as its view (a list's as `Page`). `path` as the route has it, with its braces.
        `key`: what makes a form that was sent twice one request.

        Raises what the route raises: Forbidden, NotFound, BadInput, Conflict, StorageError …
        """
        route = self._allowed(principal, method, path)
        call = InnerCall(request, principal, _body(route, body), params or {}, query or {}, key)
        answer = await route.handler(call)
        return answer.view if isinstance(answer, Created) else answer

    async def give(
        self, request: web.Request, principal: Principal, path: str, *, query: Values, file: Pieces
    ) -> tuple[Any, bool]:
        """What a route answers that takes a file, and whether that made something new. Raises as `ask`."""
        route = self._allowed(principal, "POST", path)
        answer = await route.handler(InnerCall(request, principal, None, {}, query, "", file))
        return (answer.view, True) if isinstance(answer, Created) else (answer, False)

    def _allowed(self, principal: Principal, method: str, path: str) -> Route:
        route = self._routes[method, path]
        if route.role is not None:
            principal.require(route.role, app=route.app)
        if route.also is not None:
            route.also(principal)
        return route


def _body(route: Route, body: Values | None) -> Any:
    if route.body is None:
        return None
    try:
        return msgspec.convert(dict(body or {}), route.body, strict=False)
    except msgspec.ValidationError as error:
        raise BadInput(f"The form cannot be used: {error}.") from error


def _plain(name: str, text: str) -> str:
    if "\0" in text:
        raise NotFound(f"There is no such {name}.")
    return text
