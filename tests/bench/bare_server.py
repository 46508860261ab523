"""The yardstick: an aiohttp handler that reads the body, answers as many bytes as the hub, and stores nothing."""

from __future__ import annotations

import asyncio

from aiohttp import web

ANSWER_BYTES = 400  # about the size of a command's view


async def handler(request: web.Request) -> web.Response:
    """Answer 201."""
    await request.read()
    return web.Response(body=b'{"id":"' + b"x" * ANSWER_BYTES + b'"}', status=201, content_type="application/json")


async def poll(request: web.Request) -> web.Response:
    """Answer a poll that there is nothing."""
    return web.Response(body=b'{"now_us":1763700000000000,"quality":"ntp"}', content_type="application/json")


async def serve() -> None:
    """Until killed."""
    app = web.Application()
    app.router.add_post("/v1/devices/{id}/commands", handler)
    app.router.add_get("/v1/device/poll", poll)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    assert isinstance(site._server, asyncio.Server)
    print(f"ready bare http://127.0.0.1:{site._server.sockets[0].getsockname()[1]}", flush=True)
    await asyncio.Event().wait()


asyncio.run(serve())
