"""What the doors of the older systems share: reading a body, one line of text, an answer whatever goes wrong."""

from __future__ import annotations

import logging
import math
from collections.abc import Awaitable, Callable
from typing import Any, Protocol

import msgspec
from aiohttp import web

from edge.errors import BadInput, OutpostError, RateLimited
from edge.serving.bodies import read_body
from edge.serving.roles import Principal

log = logging.getLogger(__name__)

TEXT_CHARS = 200  # of a field that is kept or shown

Body = dict[str, Any]
AiohttpHandler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class Gate(Protocol):
    """Identifies callers and limits their rate."""

    def identify(self, request: web.Request) -> Principal:
        """Who calls. Raises Unauthenticated for an unknown key."""

    def count(self, principal: Principal, request: web.Request) -> None:
        """Count one request of a caller with a key. Raises RateLimited."""

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


def guarded(
    handler: AiohttpHandler, refused: Callable[[web.Request, OutpostError | None], web.Response]
) -> AiohttpHandler:
    """`handler`, with what goes wrong told in the shape the old clients read; None: a fault of the hub itself."""

    async def serve(request: web.Request) -> web.StreamResponse:
        try:
            return await handler(request)
        except OutpostError as error:
            answer = refused(request, error)
            if isinstance(error, RateLimited):
                answer.headers.setdefault("Retry-After", str(max(1, math.ceil(error.retry_after_s))))
            return answer
        except web.HTTPException:
            raise
        except Exception:  # the task's edge: logged, and answered
            log.exception("an old client's request failed", extra={"path": request.path[:TEXT_CHARS]})
            return refused(request, None)

    return serve


async def read_object(request: web.Request, body_s: float, most: int | None = None, *, known: bool = False) -> Body:
    """The JSON body of a POST, whose sender is `known` by a key; {} for none, or for JSON that is no object.

    Raises BadInput, TooLarge, RateLimited.
    """
    if request.method != "POST":
        return {}
    raw = await read_body(request, body_s, most, known=known)
    try:
        body = msgspec.json.decode(raw) if raw.strip() else {}
    except (msgspec.DecodeError, ValueError, RecursionError) as error:
        raise BadInput("The body is not valid JSON.") from error
    return body if isinstance(body, dict) else {}


def line(value: object) -> str:
    """A text or number as one bounded printable line, '' for anything else."""
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return ""
    text = str(value)
    if not text.isprintable():
        text = "".join(char for char in text if char.isprintable())
    return text.strip()[:TEXT_CHARS]
