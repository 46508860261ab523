"""Answers that are sent piece by piece: what goes wrong once one has begun can only be told by cutting it off."""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Iterator

from aiohttp import web

log = logging.getLogger(__name__)


@contextlib.contextmanager
def streaming(request: web.Request) -> Iterator[None]:
    """Around the sending, from `prepare` to `write_eof`. Where it fails the connection is cut, so that the caller
    sees an answer without an end and no second one within it."""
    try:
        yield
    except ConnectionError:
        pass  # the caller has left
    except Exception:  # the answer has begun: reported, logged, cut off
        log.exception("an answer was cut off", extra={"path": request.path[:200]})
        if request.transport is not None:
            request.transport.abort()
