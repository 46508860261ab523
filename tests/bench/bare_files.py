"""The yardstick of downloads: aiohttp's own way of serving a folder. `python bare_files.py FOLDER`"""

from __future__ import annotations

import asyncio
import sys

from aiohttp import web


async def serve(folder: str) -> None:
    """Until killed."""
    app = web.Application()
    app.router.add_static("/files", folder)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    assert isinstance(site._server, asyncio.Server)
    print(f"ready bare http://127.0.0.1:{site._server.sockets[0].getsockname()[1]}", flush=True)
    await asyncio.Event().wait()


asyncio.run(serve(sys.argv[1]))
