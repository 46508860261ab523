"""Something between hub and centre that answers in the centre's place whenever it likes: a captive portal, a broken
proxy, or a centre that was taken over."""

from __future__ import annotations

from collections import Counter
from collections.abc import Awaitable, Callable
from types import TracebackType

import aiohttp
from aiohttp import web

PASSED = ("Authorization", "Content-Type", "Outpost-Session")
BODY_MAX = 64 * 1024 * 1024
Trick = Callable[[web.Request, int, bytes], Awaitable[web.StreamResponse]]
"""Answers a request, knowing the true answer's status and body."""


class Meddler:
    """Passes everything on to the centre at `upstream`, but for the paths in `tricks`, by the last part of a path:
    hello, ledger, readings, state, inbox, epoch, compare. Use as `async with Meddler(url) as meddler`."""

    def __init__(self, upstream: str) -> None:
        self._upstream = upstream
        self.tricks: dict[str, Trick] = {}
        self.asked: Counter[str] = Counter()
        self.url = ""

    async def __aenter__(self) -> Meddler:
        self._http = aiohttp.ClientSession(auto_decompress=False)
        app = web.Application(client_max_size=BODY_MAX)
        app.router.add_route("*", "/{path:.*}", self._answer)
        self._runner = web.AppRunner(app, access_log=None, handler_cancellation=True, shutdown_timeout=0.1)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", 0).start()
        self.url = f"http://127.0.0.1:{self._runner.addresses[0][1]}"
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._runner.cleanup()
        await self._http.close()

    async def _answer(self, request: web.Request) -> web.StreamResponse:
        name = request.path.rsplit("/", 1)[-1]
        self.asked[name] += 1
        headers = {field: request.headers[field] for field in PASSED if field in request.headers}
        async with self._http.request(
            request.method, self._upstream + request.path_qs, data=await request.read(), headers=headers
        ) as true:
            body = await true.read()
            trick = self.tricks.get(name)
            if trick is not None:
                return await trick(request, true.status, body)
            return web.Response(status=true.status, body=body, content_type=true.content_type)
