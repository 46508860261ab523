"""Others on the network: one who says he is the hub, and one who tells where hubs are."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator, Sequence
from typing import cast

from aiohttp import web


@contextlib.asynccontextmanager
async def stranger() -> AsyncIterator[tuple[str, list[str]]]:
    """A false hub: `host port` and the paths he was asked. He welcomes everybody, signed with a key of his own."""
    asked: list[str] = []

    async def answer(request: web.Request) -> web.Response:
        asked.append(request.path)
        welcome = {
            "session": "0" * 32, "nonce": "0" * 32, "approved": True, "now_us": 1, "quality": "ntp", "next": 10**6,
        }  # fmt: skip
        return web.json_response(welcome, headers={"Outpost-Mac": "ab" * 32})

    app = web.Application()
    app.router.add_route("*", "/{path:.*}", answer)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    try:
        yield f"127.0.0.1 {runner.addresses[0][1]}", asked
    finally:
        await runner.cleanup()


class _Responder(asyncio.DatagramProtocol):
    def __init__(self, answers: Sequence[str]) -> None:
        self._answers = answers

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.DatagramTransport, transport)

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        for answer in self._answers:
            self._transport.sendto(answer.encode(), addr)


@contextlib.asynccontextmanager
async def responder(answers: Sequence[str]) -> AsyncIterator[int]:
    """Answers every search with all of these; its UDP port."""
    listening = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)
    listening.bind(("", 0))
    transport, _ = await asyncio.get_running_loop().create_datagram_endpoint(
        lambda: _Responder(answers), sock=listening
    )
    try:
        yield listening.getsockname()[1]
    finally:
        transport.close()
