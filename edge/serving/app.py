"""Builds the aiohttp application from routes, and serves each request the same way.

Identify, limit, check the role, read the body under a deadline, decode it into its type, call the handler, encode.
Whatever goes wrong comes back as problem+json.
"""

from __future__ import annotations

import logging
import secrets
from collections.abc import Awaitable, Callable, Iterable
from typing import Any, Protocol

import msgspec
from aiohttp import hdrs, web

from edge.errors import BadInput, OutpostError, Unauthenticated
from edge.serving.addresses import TRUSTED, Proxies
from edge.serving.bodies import BODIES, Bodies, has_nul, read_body
from edge.serving.knocking import Knocking
from edge.serving.problems import NoRoute, NotHttp, Unexpected, WrongMethod, problem
from edge.serving.roles import NOBODY, Principal
from edge.serving.routing import Answer, Call, Created, Route

log = logging.getLogger(__name__)

JSON = {hdrs.CONTENT_TYPE: "application/json"}
_encode = msgspec.json.Encoder().encode
AiohttpHandler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class Gate(Protocol):
    """Who is calling, and may he call so often?"""

    async def learn(self, request: web.Request) -> None:
        """Look up what `identify` will need to know, where that takes a look elsewhere. Raises StorageError."""

    def identify(self, request: web.Request) -> Principal:
        """Who calls; NOBODY without credentials. Raises Unauthenticated for a key that is not known."""

    def still(self, principal: Principal, request: web.Request) -> bool:
        """Whether the caller is still who he was let in as."""

    def count(self, principal: Principal, request: web.Request) -> None:
        """Count one request of this caller. Raises RateLimited."""

    def count_address(self, request: web.Request) -> None:
        """Count one request of an address that has not shown a key. Raises RateLimited."""


def build(
    routes: Iterable[Route],
    legacy: Iterable[web.RouteDef],
    guard: Gate,
    knocking: Knocking,
    *,
    body_bytes: int,
    body_s: float,
    proxies: Proxies = (),
    nul: bool = True,
) -> web.Application:
    """The application: /v1 from `routes`, the older systems' paths from `legacy`; `proxies`: those it believes.

    `nul`: whether a text in a body may have a NUL, which not every database keeps.
    """
    app = web.Application(client_max_size=body_bytes, middlewares=[_outermost(knocking)])
    app[BODIES] = Bodies(body_bytes)
    app[TRUSTED] = proxies
    for route in routes:
        endpoint = _endpoint(route, guard, knocking, body_s, nul)
        app.router.add_route(route.method, route.path, endpoint)
        if route.method == hdrs.METH_GET and not route.stream:
            app.router.add_route(hdrs.METH_HEAD, route.path, endpoint)
    app.router.add_routes(legacy)
    return app


def _endpoint(route: Route, guard: Gate, knocking: Knocking, body_s: float, nul: bool) -> AiohttpHandler:
    decoder = msgspec.json.Decoder(route.body) if route.body else None

    async def endpoint(request: web.Request) -> web.StreamResponse:
        try:
            if route.role is not None:
                await guard.learn(request)
            principal = _admitted(route, request, guard)
            _check_idempotency_key(request)
            known, bare = principal is not NOBODY, route.bare
            body = await read(request, decoder, body_s, known=known, bare=bare, nul=nul) if decoder else None

            def still_allowed() -> bool:
                return guard.still(principal, request)

            return answer(await route.handler(Call(request, principal, body, still_allowed)))
        except Unauthenticated as error:
            knocking.note(request, error.detail)
            return problem(error)
        except OutpostError as error:
            return problem(error)

    return endpoint


def _admitted(route: Route, request: web.Request, guard: Gate) -> Principal:
    """Who calls, counted and found to have the role. A call without a good key counts against its address."""
    if route.role is None:
        if route.limited:
            guard.count_address(request)
        return NOBODY
    try:
        principal = guard.identify(request)
    except Unauthenticated:
        guard.count_address(request)
        raise
    guard.count(principal, request)
    if principal is NOBODY:
        raise Unauthenticated()
    principal.require(route.role, app=route.app)
    if route.also is not None:
        route.also(principal)
    return principal


def _check_idempotency_key(request: web.Request) -> None:
    """Raise BadInput for a key that is no printable ASCII: nobody could send quite the same one again."""
    key = request.headers.get("Idempotency-Key", "")
    if not key.isascii() or not key.isprintable():
        raise BadInput("An Idempotency-Key is made of printable ASCII characters.")


async def read(
    request: web.Request,
    decoder: msgspec.json.Decoder[Any],
    body_s: float,
    *,
    known: bool = False,
    bare: bool = False,
    nul: bool = True,
) -> Any:
    """The body, decoded into its type; `known`: who sends it has a key; `bare`: none is like `{}`; `nul`: a text
    in it may have one.

    Raises TooLarge, RateLimited, or BadInput naming the field.
    """
    raw = await read_body(request, body_s, known=known)
    if not nul and has_nul(raw):
        raise BadInput("The body has a NUL in a text.")
    try:
        return decoder.decode(raw or b"{}" if bare else raw)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise BadInput(f"The body cannot be used: {error}.") from error


def answer(result: Answer) -> web.StreamResponse:
    """A handler's result as a response."""
    if isinstance(result, web.StreamResponse):
        return result
    if result is None:
        return web.Response(status=204)
    if isinstance(result, Created):
        return web.Response(body=_encode(result.view), status=201, headers=JSON)
    return web.Response(body=_encode(result), headers=JSON)


def _outermost(knocking: Knocking) -> Any:
    @web.middleware
    async def outermost(request: web.Request, handler: AiohttpHandler) -> web.StreamResponse:
        try:
            return await handler(request)
        except web.HTTPNotFound:
            knocking.note(request, "No such path here.")
            return problem(NoRoute(f"There is nothing at {request.path[:200]}."))
        except web.HTTPMethodNotAllowed as error:
            knocking.note(request, f"This path does not take {error.method}.")
            response = problem(WrongMethod(f"{request.path[:200]} does not take {error.method}."))
            response.headers[hdrs.ALLOW] = ", ".join(sorted(error.allowed_methods))
            return response
        except web.HTTPException as error:
            if error.status < 400:
                raise
            return problem(NotHttp(error.reason, status=error.status))
        except Exception:  # the task's edge: reported, logged with its id, never shown
            instance = secrets.token_hex(4)
            log.exception("a request failed", extra={"instance": instance, "path": request.path[:200]})
            return problem(Unexpected("Something went wrong inside the hub."), instance=instance)

    return outermost
