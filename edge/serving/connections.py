"""Bounds on connections, which aiohttp does not have: how long one may say nothing, and how many there are.

A connection that sends no whole request header soon after it was made is closed, so that half-sent headers do not
pile up. Past CONNECTIONS_MAX those that have been idle the longest are closed; one that is being served never is.
"""

from __future__ import annotations

import asyncio
import resource
from collections.abc import Awaitable, Callable
from time import monotonic

import msgspec
from aiohttp import web

FIRST_REQUEST_S = 10.0  # from connecting to a whole request header; the slowest client needs a tenth of it
CONNECTIONS_MAX = 4096
FILES_PER_CONNECTION = 4  # ample: what is full is the bound on connections, never the system's
SWEEP_S = 1.0

AiohttpHandler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class _Connection(msgspec.Struct):
    since_s: float  # of being idle, or of having been made
    spoke: bool = False
    requests: int = 0  # being served now


class Connections:
    """All connections of the listeners, `most` at once. `closed` counts those ended for its bounds."""

    def __init__(self, *, first_request_s: float = FIRST_REQUEST_S, most: int = CONNECTIONS_MAX) -> None:
        self._first_request_s, self.most = first_request_s, most
        self._known: dict[object, _Connection] = {}
        self.closed = 0

    def watch(self, app: web.Application) -> None:
        """See each request of `app`, which must not have started yet."""

        @web.middleware
        async def seen(request: web.Request, handler: AiohttpHandler) -> web.StreamResponse:
            connection = self._known.get(request.protocol)
            if connection is None:
                connection = self._known[request.protocol] = _Connection(monotonic())
            connection.spoke = True
            connection.requests += 1
            try:
                return await handler(request)
            finally:
                connection.requests -= 1
                connection.since_s = monotonic()

        app.middlewares.insert(0, seen)

    async def sweep_for_ever(self, server: web.Server) -> None:
        """Close what is past its bounds, until cancelled."""
        while True:
            await asyncio.sleep(SWEEP_S)
            self.sweep(server)

    def sweep(self, server: web.Server) -> None:
        """Close what is past its bounds now."""
        now_s = monotonic()
        there = server.connections
        self._known = {handler: self._known.get(handler) or _Connection(now_s) for handler in there}
        idle = sorted(
            (handler for handler in there if not self._known[handler].requests),
            key=lambda handler: self._known[handler].since_s,
        )
        too_many = len(there) - self.most
        for count, handler in enumerate(idle):
            connection = self._known[handler]
            silent = not connection.spoke and now_s - connection.since_s >= self._first_request_s
            if silent or count < too_many:
                handler.force_close()
                self.closed += 1


def raise_file_limit(connections: int) -> None:
    """Let this process have the open files it needs: many systems begin with 1024, and sockets are files."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    most = FILES_PER_CONNECTION * connections
    wanted = most if hard == resource.RLIM_INFINITY else min(hard, most)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
