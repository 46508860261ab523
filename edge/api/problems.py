"""Errors as RFC 9457 problem+json: one shape for everything that goes wrong on /v1."""

from __future__ import annotations

import math

import msgspec
from aiohttp import web

from edge.errors import OutpostError, RateLimited
from edge.wire.views import Problem

_encode = msgspec.json.Encoder().encode


def problem(error: OutpostError, *, instance: str = "") -> web.Response:
    """`error` as an answer; Retry-After where there is a time to wait."""
    headers = {}
    if isinstance(error, RateLimited):
        headers["Retry-After"] = str(max(1, math.ceil(error.retry_after_s)))
    if error.status == 401:
        headers["WWW-Authenticate"] = "Bearer"
    body = Problem(
        type=f"/problems/{error.code}",
        title=(type(error).__doc__ or error.code).split("\n", 1)[0].rstrip("."),
        status=error.status,
        detail=error.detail,
        code=error.code,
        hint=error.advice,
        retryable=error.retryable,
        instance=instance,
    )
    return web.Response(
        body=_encode(body), status=error.status, content_type="application/problem+json", headers=headers
    )


class Unexpected(OutpostError):
    """Something went wrong inside the hub."""

    code = "internal"
    retryable = True
    hint = "It was logged with this instance id; `outpost doctor` helps to look further."


class NoRoute(OutpostError):
    """There is nothing at this address."""

    code = "no-route"
    status = 404
    hint = "The API is described at /v1/openapi.json."


class WrongMethod(OutpostError):
    """This address does not take that method."""

    code = "wrong-method"
    status = 405
    hint = "The API is described at /v1/openapi.json."
