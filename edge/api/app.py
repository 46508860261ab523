"""Builds the aiohttp application from routes, and serves each request the same way.

Identify, limit, check the role, read the body under a deadline, decode it into its type, call the handler, encode.
Whatever goes wrong comes back as problem+json.
"""

from __future__ import annotations

import asyncio
import logging
import secrets
from collections.abc import Awaitable, Callable, Iterable
from typing import Any

import msgspec
from aiohttp import hdrs, web

from edge.access.model import NOBODY
from edge.access.routing import Answer, Call, Created, Route
from edge.api.guard import Guard
from edge.api.knocking import Knocking
from edge.api.problems import NoRoute, Unexpected, WrongMethod, problem
from edge.errors import BadInput, OutpostError, TooLarge, Unauthenticated

log = logging.getLogger(__name__)

_encode = msgspec.json.Encoder().encode
AiohttpHandler = Callable[[web.Request], Awaitable[web.StreamResponse]]


def build(
    routes: Iterable[Route],
    legacy: Iterable[web.RouteDef],
    guard: Guard,
    knocking: Knocking,
    *,
    body_bytes: int,
    body_s: float,
) -> web.Application:
    """The application: /v1 from `routes`, the older systems' paths from `legacy`."""
    app = web.Application(client_max_size=body_bytes, middlewares=[_outermost(knocking)])
    for route in routes:
        app.router.add_route(route.method, route.path, _endpoint(route, guard, body_s), name=None)
    app.router.add_routes(legacy)
    return app


def _endpoint(route: Route, guard: Guard, body_s: float) -> AiohttpHandler:
    decoder = msgspec.json.Decoder(route.body) if route.body else None

    async def endpoint(request: web.Request) -> web.StreamResponse:
        try:
            principal = NOBODY
            if route.role is not None:
                principal = guard.identify(request)
                guard.count(principal, request)
                if principal is NOBODY:
                    raise Unauthenticated()
                principal.require(route.role, app=route.app)
            elif route.limited:
                guard.count_address(request)
            body = await read(request, decoder, body_s) if decoder else None
            return answer(await route.handler(Call(request, principal, body)))
        except Unauthenticated as error:
            return problem(await _count_refusal(guard, request, error))
        except OutpostError as error:
            return problem(error)

    return endpoint


async def _count_refusal(guard: Guard, request: web.Request, error: OutpostError) -> OutpostError:
    """A wrong key counts against the address, so that keys are not guessed at full speed."""
    try:
        guard.count_address(request)
    except OutpostError as limited:
        return limited
    return error


async def read(request: web.Request, decoder: msgspec.json.Decoder[Any], body_s: float) -> Any:
    """The body, decoded into its type. Raises TooLarge, or BadInput naming the wrong field."""
    raw = await read_bytes(request, body_s)
    try:
        return decoder.decode(raw)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise BadInput(f"The body cannot be used: {error}.") from error


async def read_bytes(request: web.Request, body_s: float) -> bytes:
    """The whole body within `body_s` seconds. Raises TooLarge or BadInput."""
    try:
        async with asyncio.timeout(body_s):
            return await request.read()
    except TimeoutError as error:
        raise BadInput(f"The body did not arrive within {body_s:g} s.") from error
    except web.HTTPRequestEntityTooLarge as error:
        raise TooLarge(f"The body is larger than {request.client_max_size} bytes.") from error


def answer(result: Answer) -> web.StreamResponse:
    """A handler's result as a response."""
    if isinstance(result, web.StreamResponse):
        return result
    if result is None:
        return web.Response(status=204)
    if isinstance(result, Created):
        return web.Response(body=_encode(result.view), status=201, content_type="application/json")
    return web.Response(body=_encode(result), content_type="application/json")


def _outermost(knocking: Knocking) -> Any:
    @web.middleware
    async def outermost(request: web.Request, handler: AiohttpHandler) -> web.StreamResponse:
        try:
            return await handler(request)
        except web.HTTPNotFound:
            knocking.note(request, "No such path here.")
            return problem(NoRoute(f"There is nothing at {request.path[:200]}."))
        except web.HTTPMethodNotAllowed as error:
            response = problem(WrongMethod(f"{request.path[:200]} does not take {error.method}."))
            response.headers[hdrs.ALLOW] = ", ".join(sorted(error.allowed_methods))
            return response
        except web.HTTPException:
            raise
        except Exception:  # the task's edge: reported, logged with its id, never shown
            instance = secrets.token_hex(4)
            log.exception("a request failed", extra={"instance": instance, "path": request.path[:200]})
            return problem(Unexpected("Something went wrong inside the hub."), instance=instance)

    return outermost
