"""The firmware's network modules on this Python: a port with real sockets and its own clock, and a driver."""

from __future__ import annotations

import asyncio
import contextlib
import os
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Generator
from typing import TypeVar

from tests.firmware.board import ROOT

sys.path.insert(0, str(ROOT / "firmware"))

from outpost.clock import Clock
from outpost.http import Address
from outpost.port import Port

T = TypeVar("T")
DRIVE_S = 10.0
Serve = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


class NetPort(Port):
    """Sockets are real; time passes as fast as `speed` says."""

    def __init__(self, speed: float = 1.0) -> None:
        self.values: dict[str, bytes] = {}
        self.watched: set[object] = set()
        self.speed = speed
        self._last_s = 0.0

    def passed_ms(self) -> int:
        now_s = asyncio.get_running_loop().time() * self.speed
        passed = int((now_s - self._last_s) * 1000)
        self._last_s += passed / 1000
        return passed

    def load(self, key: str) -> bytes | None:
        return self.values.get(key)

    def save(self, key: str, value: bytes) -> None:
        self.values[key] = value

    def random(self, count: int) -> bytes:
        return os.urandom(count)

    def network_up(self) -> bool:
        return True

    def broadcasts(self) -> list[str]:
        return ["127.255.255.255"]

    def watch(self, source: object) -> None:
        self.watched.add(source)

    def unwatch(self, source: object) -> None:
        self.watched.discard(source)


async def drive(work: Generator[None, None, T]) -> T:
    """Run a generator of the firmware's to its end, as its main loop does."""
    async with asyncio.timeout(DRIVE_S):
        while True:
            try:
                next(work)
            except StopIteration as ended:
                return ended.value  # type: ignore[no-any-return]
            await asyncio.sleep(0.001)


@contextlib.asynccontextmanager
async def server(serve: Serve) -> AsyncIterator[Address]:
    """A server on this machine that does with each connection what `serve` does."""

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await serve(reader, writer)
        except ConnectionError:
            pass
        finally:
            writer.transport.abort()

    running = await asyncio.start_server(handle, "127.0.0.1", 0)
    try:
        yield Address("127.0.0.1", running.sockets[0].getsockname()[1])
    finally:
        running.close()


def clock(port: Port) -> Clock:
    """A clock on it."""
    return Clock(port)
