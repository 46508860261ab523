"""Answers that are sent piece by piece: what goes wrong once one has begun can only be told by cutting it off."""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Iterator

from aiohttp import web

from edge.serving.routing import Call

log = logging.getLogger(__name__)


class NotAllowedAnyMore(Exception):
    """The caller's key was revoked, or his login ended, while he was answered."""


def require_still_allowed(call: Call) -> None:
    """To be asked between the pieces of an answer. Raises NotAllowedAnyMore, on which `streaming` cuts it off: an
    answer that ended in good order would look whole."""
    if not call.still_allowed():
        raise NotAllowedAnyMore


@contextlib.contextmanager
def streaming(request: web.Request) -> Iterator[None]:
    """Around the sending, from `prepare` to `write_eof`. Where it fails the connection is cut, so that the caller
    sees an answer without an end and no second one within it."""
    try:
        yield
    except ConnectionError:
        pass  # the caller has left
    except NotAllowedAnyMore:
        log.info("an answer was cut off: its caller is not allowed any more", extra={"path": request.path[:200]})
        _cut(request)
    except Exception:  # the answer has begun: reported, logged, cut off
        log.exception("an answer was cut off", extra={"path": request.path[:200]})
        _cut(request)


def _cut(request: web.Request) -> None:
    if request.transport is not None:
        request.transport.abort()
