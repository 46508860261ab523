"""A webhook's receiver: a bare HTTP/1.1 listener that keeps what it gets and answers what a test tells it to."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator, Callable
from typing import Any

DEADLINE_S = 60.0
OK = b"HTTP/1.1 204 No Content\r\nContent-Length: 0\r\n\r\n"
BROKEN = b"HTTP/1.1 500 Oh\r\nContent-Length: 6\r\n\r\nsecret"


class Got:
    """One request."""

    def __init__(self, head: bytes, body: bytes) -> None:
        lines = head.decode("latin-1").split("\r\n")
        self.line = lines[0]
        self.headers = dict(line.split(": ", 1) for line in lines[1:] if ": " in line)
        self.body = body

    @property
    def json(self) -> dict[str, Any]:
        """The body as JSON."""
        return dict(json.loads(self.body))


class Receiver:
    """What came, in order. `answer(n)` gives the bytes for the n-th request; None: hang until it goes away."""

    def __init__(self) -> None:
        self.port = 0
        self.connections = 0
        self.got: list[Got] = []
        self.answer: Callable[[int], bytes | None] = lambda number: OK
        self._came = asyncio.Condition()

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"http://127.0.0.1:{self.port}/hook"

    async def count(self, count: int) -> list[Got]:
        """All that came, once it is so many."""
        async with asyncio.timeout(DEADLINE_S), self._came:
            await self._came.wait_for(lambda: len(self.got) >= count)
        return self.got

    async def __call__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError):
            head = (await reader.readuntil(b"\r\n\r\n")).removesuffix(b"\r\n\r\n")
            got = Got(head, b"")
            got.body = await reader.readexactly(int(got.headers.get("Content-Length", 0)))
            self.got.append(got)
            async with self._came:
                self._came.notify_all()
            answer = self.answer(len(self.got))
            if answer is None:
                await reader.read()
            else:
                writer.write(answer)
                await writer.drain()
        writer.close()


@contextlib.asynccontextmanager
async def receiver(port: int = 0) -> AsyncIterator[Receiver]:
    """A receiver that listens on the loopback."""
    here = Receiver()
    server = await asyncio.start_server(here, "127.0.0.1", port)
    here.port = server.sockets[0].getsockname()[1]
    try:
        yield here
    finally:
        server.close()
        await server.wait_closed()
