"""What happens, as it happens: WebSocket /v1/live and SSE /v1/events.

Both carry LiveEvent. An event that is a fact has the ledger's number as its id; a reader that comes back with
Last-Event-ID (or `?after=`) gets every fact it missed. A reader too slow for its queue is told so (`missed`) and
reads the state anew.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Iterator

import msgspec
from aiohttp import WSMsgType, web

from edge.access.model import Role
from edge.access.routing import Answer, Call, Route
from edge.bus import Bus, Event, Missed
from edge.errors import BadInput, Busy
from edge.wire.views import FactView, LiveEvent

HEARTBEAT_S = 15.0  # a dead socket is found within two of these
READERS = 64  # live connections at once; each costs a queue and a task
RESUME_PAGE = 500
RESUME_MAX = 10_000  # a reader further behind reads the ledger instead

_encode = msgspec.json.Encoder().encode
Translate = Callable[[Event], Awaitable[LiveEvent | None]]
Facts = Callable[[int, int], Awaitable[list[FactView]]]


class Live:
    """The live routes. `translate` makes a bus event into what is told; `facts(after, limit)` reads the ledger."""

    def __init__(self, bus: Bus, translate: Translate, facts: Facts) -> None:
        self._bus, self._translate, self._facts = bus, translate, facts
        self.readers = 0

    def all(self) -> list[Route]:
        """Every route."""
        viewer = Role.VIEWER
        return [
            Route("GET", "/v1/live", self.websocket, "Events over a WebSocket", viewer, returns=LiveEvent),
            Route("GET", "/v1/events", self.sse, "Events as server-sent events", viewer, returns=LiveEvent),
        ]

    async def websocket(self, call: Call) -> Answer:
        """GET /v1/live."""
        with self._reader():
            socket = web.WebSocketResponse(heartbeat=HEARTBEAT_S, max_msg_size=4096)
            await socket.prepare(call.request)
            teller = asyncio.create_task(self._tell(socket, _after(call)))
            try:
                async for message in socket:
                    if message.type is WSMsgType.ERROR:
                        break
            finally:
                teller.cancel()
                await asyncio.gather(teller, return_exceptions=True)
            return socket

    async def _tell(self, socket: web.WebSocketResponse, after: int | None) -> None:
        async for event in self.stream(after):
            await socket.send_str(_encode(event).decode())

    async def sse(self, call: Call) -> Answer:
        """GET /v1/events."""
        with self._reader():
            response = web.StreamResponse(
                headers={
                    "Content-Type": "text/event-stream",
                    "Cache-Control": "no-store",
                    "X-Accel-Buffering": "no",
                }
            )
            await response.prepare(call.request)
            stream = self.stream(_after(call))
            with contextlib.suppress(ConnectionResetError):
                pending = asyncio.ensure_future(anext(stream))
                try:
                    while True:
                        done, _ = await asyncio.wait({pending}, timeout=HEARTBEAT_S)
                        if not done:
                            await response.write(b": keep-alive\n\n")
                            continue
                        await response.write(_sse(pending.result()))
                        pending = asyncio.ensure_future(anext(stream))
                finally:
                    pending.cancel()
                    await asyncio.gather(pending, return_exceptions=True)
                    await stream.aclose()
            return response

    async def stream(self, after: int | None) -> AsyncGenerator[LiveEvent, None]:
        """The facts behind number `after`, then everything as it happens."""
        subscription = self._bus.subscribe()
        try:
            if after is not None:
                async for event in self._missed(after):
                    yield event
            async for happened in subscription:
                if isinstance(happened, Missed):
                    yield LiveEvent(topic="missed", data={"count": happened.count})
                    continue
                event_now = await self._translate(happened)
                if event_now is not None:
                    yield event_now
        finally:
            subscription.close()

    async def _missed(self, after: int) -> AsyncIterator[LiveEvent]:
        told = 0
        while page := await self._facts(after, RESUME_PAGE):
            for fact in page:
                yield LiveEvent(topic="fact", id=fact.seq, data=msgspec.to_builtins(fact))
            after, told = page[-1].seq, told + len(page)
            if told >= RESUME_MAX:
                yield LiveEvent(topic="missed", data={"after": after})
                return

    @contextlib.contextmanager
    def _reader(self) -> Iterator[None]:
        if self.readers >= READERS:
            raise Busy(f"{READERS} live readers are connected already.", hint="Close one, or poll the lists.")
        self.readers += 1
        try:
            yield
        finally:
            self.readers -= 1


def _after(call: Call) -> int | None:
    text = call.request.headers.get("Last-Event-ID") or call.query("after")
    if not text:
        return None
    if not text.isdecimal() or len(text) > 18:
        raise BadInput("Last-Event-ID is a number an earlier event gave as its id.")
    return int(text)


def _sse(event: LiveEvent) -> bytes:
    id_line = f"id: {event.id}\n" if event.id is not None else ""
    return f"{id_line}event: {event.topic}\ndata: {_encode(event).decode()}\n\n".encode()
