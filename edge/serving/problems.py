"""Errors as RFC 9457 problem+json: one shape for everything that goes wrong on /v1."""

from __future__ import annotations

import math

import msgspec
from aiohttp import web

from edge.errors import BadInput, OutpostError
from edge.wire.views import Problem

DETAIL_CHARS = 500

_encode = msgspec.json.Encoder().encode


def problem(error: OutpostError, *, instance: str = "") -> web.Response:
    """`error` as an answer; Retry-After where there is a time to wait."""
    headers = {}
    status = error.http_status if isinstance(error, NotHttp) else error.status
    if error.retry_after_s is not None:
        headers["Retry-After"] = str(max(1, math.ceil(error.retry_after_s)))
    if status == 401:
        headers["WWW-Authenticate"] = "Bearer"
    body = Problem(
        type=f"/problems/{error.code}",
        title=(type(error).__doc__ or error.code).split("\n", 1)[0].rstrip("."),
        status=status,
        detail=_bounded(error.detail),
        code=error.code,
        hint=error.advice,
        retryable=error.retryable,
        instance=instance,
    )
    return web.Response(body=_encode(body), status=status, content_type="application/problem+json", headers=headers)


def _bounded(detail: str) -> str:
    """What was sent may be quoted in it: cut short, and characters that are none (half surrogates) escaped."""
    short = detail if len(detail) <= DETAIL_CHARS else detail[:DETAIL_CHARS] + "…"
    return short.encode("utf-8", "backslashreplace").decode()


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


class NotHttp(BadInput):
    """The request breaks a rule of HTTP."""

    code = "http"
    hint = "Send HTTP/1.1 as RFC 9110 has it."

    def __init__(self, detail: str, *, status: int) -> None:
        super().__init__(detail)
        self.http_status = status


class WrongMethod(OutpostError):
    """This address does not take that method."""

    code = "wrong-method"
    status = 405
    hint = "The API is described at /v1/openapi.json."
