"""Carries signals between the instances over one PostgreSQL, by LISTEN and NOTIFY on a connection of its own.

Signals of one burst go together. While the connection is away they wait to be sent; when it is back everybody here
is woken, because nobody knows what was missed.
"""

from __future__ import annotations

import asyncio
import logging
import uuid
from collections.abc import Callable, Iterator

from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine
from tenacity import AsyncRetrying, retry_if_exception_type, wait_random_exponential

from cloud.db.signals import EVERYBODY

log = logging.getLogger(__name__)

CHANNEL = "outpost"
BURST_S = 0.02  # what is told within it goes as one; the first of a burst goes at once
PAYLOAD_BYTES = 7000  # PostgreSQL takes less than 8000
PENDING_MAX = 10_000  # topics that wait to be sent; past it "wake everybody" is sent instead
BEAT_S = 5.0  # a connection that has silently gone is noticed within this and ANSWER_S
ANSWER_S = 5.0
RETRY_MAX_S = 2.0
_AWAY = (DBAPIError, OSError, TimeoutError)


class Relay:
    """`hear` is called with each topic another instance told, and with EVERYBODY when all must look."""

    def __init__(self, engine: AsyncEngine, hear: Callable[[str], None]) -> None:
        self._engine, self._hear = engine, hear
        self._instance = uuid.uuid4().hex
        self._pending: dict[str, None] = {}
        self._told = asyncio.Event()
        self._lost = asyncio.Event()
        self.connected = asyncio.Event()
        self.connections = 0  # made so far

    def tell(self, topic: str) -> None:
        """Send it soon."""
        if len(self._pending) >= PENDING_MAX:
            self._pending = {EVERYBODY: None}
        self._pending[topic] = None
        self._told.set()

    async def run(self) -> None:
        """Connect, listen and send, again and again, until cancelled."""
        try:
            while True:
                connection = await self._connected()
                try:
                    await self._serve(connection)
                except _AWAY as error:
                    log.warning("the connection for signals was lost: %s", type(error).__name__)
                finally:
                    self.connected.clear()
                    await _drop(connection)
        finally:
            await self._engine.dispose()

    async def _connected(self) -> AsyncConnection:
        retrying = AsyncRetrying(
            retry=retry_if_exception_type(_AWAY),
            wait=wait_random_exponential(multiplier=0.1, max=RETRY_MAX_S),
        )
        async for attempt in retrying:
            with attempt:
                async with asyncio.timeout(ANSWER_S):
                    return await self._connect()
        raise AssertionError("it is tried for ever")

    async def _connect(self) -> AsyncConnection:
        connection = await self._engine.connect()
        try:
            raw = (await connection.get_raw_connection()).driver_connection
            assert raw is not None
            self._lost.clear()
            raw.add_termination_listener(lambda _: self._lost.set())
            await raw.add_listener(CHANNEL, self._heard)
        except BaseException:
            await _drop(connection)
            raise
        self.connections += 1
        self._hear(EVERYBODY)
        self.connected.set()
        return connection

    async def _serve(self, connection: AsyncConnection) -> None:
        """Send what is told, and a beat when nothing is. Raises when the connection has gone."""
        loop = asyncio.get_running_loop()
        while True:
            await _first(self._told, self._lost, timeout_s=BEAT_S)
            if self._lost.is_set():
                raise ConnectionError("closed by the server")
            began = loop.time()
            async with asyncio.timeout(ANSWER_S):
                await self._send(connection)
            await asyncio.sleep(max(0.0, BURST_S - (loop.time() - began)))

    async def _send(self, connection: AsyncConnection) -> None:
        pending, self._pending = self._pending, {}
        self._told.clear()
        try:
            for payload in _payloads(self._instance, pending):
                await connection.execute(
                    text("SELECT pg_notify(:channel, :payload)"), {"channel": CHANNEL, "payload": payload}
                )
        except BaseException:
            self._pending = {**pending, **self._pending}
            self._told.set()
            raise
        if not pending:
            await connection.execute(text("SELECT 1"))

    def _heard(self, _connection: object, _pid: int, _channel: str, payload: str) -> None:
        instance, *topics = payload.split()
        if instance != self._instance:
            for topic in topics:
                self._hear(topic)


def _payloads(instance: str, topics: dict[str, None]) -> Iterator[str]:
    """The topics behind the instance's name, in as few messages as they fit in."""
    message = instance
    for topic in topics:
        if len(message) + 1 + len(topic) > PAYLOAD_BYTES:
            yield message
            message = instance
        message += f" {topic}"
    if message != instance:
        yield message


async def _first(*events: asyncio.Event, timeout_s: float) -> None:
    """Until one of the events is set, or the time is over."""
    waits = [asyncio.ensure_future(event.wait()) for event in events]
    try:
        await asyncio.wait(waits, timeout=timeout_s, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for wait in waits:
            wait.cancel()


async def _drop(connection: AsyncConnection) -> None:
    """Let go of it, whatever state it is in."""
    try:
        async with asyncio.timeout(ANSWER_S):
            await connection.invalidate()
            await connection.close()
    except _AWAY:
        pass
