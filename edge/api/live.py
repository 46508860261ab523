"""What happens, as it happens: WebSocket /v1/live and SSE /v1/events.

Both carry LiveEvent. Each fact is told once, in order, with the ledger's number as its id; a reader that comes back
with Last-Event-ID (or `?after=`) gets every fact it missed. Between them come the things that changed, as they are
now. A reader too slow for its queue is told so (`missed`) and reads the state anew; of the facts it misses none.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Iterator

import msgspec
from aiohttp import WSCloseCode, WSMsgType, web

from edge.access.model import Role
from edge.access.routing import Answer, Call, Route, number
from edge.bus import Bus, Event, Missed
from edge.errors import Busy
from edge.wire.views import FactView, LiveEvent

HEARTBEAT_S = 15.0  # a dead socket is found within two of these
LOOK_S = 1.0  # how late a fact may come that nothing else announces, and a revoked key be noticed
FACTS_EVERY_S = 0.2  # the ledger is read no more often than this for one reader
STALLED_S = 30.0  # a reader that takes nothing for so long is cut off, and resumes where it was
READERS = 64  # live connections at once; each costs a queue and a task
RESUME_PAGE = 500
RESUME_MAX = 10_000  # a reader further behind reads the ledger instead

_encode = msgspec.json.Encoder().encode
Translate = Callable[[Event], Awaitable[LiveEvent | None]]
Facts = Callable[[int, int], Awaitable[list[FactView]]]
Tell = Callable[[LiveEvent | None], Awaitable[None]]


class HubStops(Event, frozen=True):
    """The last thing that is told on the bus: readers are let go at once."""


class Live:
    """The live routes. `translate` makes a bus event into what is told; `facts(after, limit)` reads the ledger.

    `head` is the number of its newest fact.
    """

    def __init__(self, bus: Bus, translate: Translate, facts: Facts, head: Callable[[], int]) -> None:
        self._bus, self._translate, self._facts, self._head = bus, translate, facts, head
        self.readers = 0

    def all(self) -> list[Route]:
        """Every route."""
        viewer, sse, after = Role.VIEWER, "text/event-stream", ("after",)
        return [
            Route(
                "GET",
                "/v1/live",
                self.websocket,
                "Events over a WebSocket",
                viewer,
                returns=LiveEvent,
                stream="WebSocket",
                query=after,
            ),
            Route(
                "GET",
                "/v1/events",
                self.sse,
                "Events as server-sent events",
                viewer,
                returns=LiveEvent,
                stream=sse,
                query=after,
            ),
        ]

    async def websocket(self, call: Call) -> Answer:
        """GET /v1/live."""
        after = _after(call)
        with self._reader():
            socket = web.WebSocketResponse(heartbeat=HEARTBEAT_S, max_msg_size=4096)
            await socket.prepare(call.request)

            async def tell(event: LiveEvent | None) -> None:
                if event is not None:
                    await socket.send_str(_encode(event).decode())

            async def tell_all() -> None:
                try:
                    await self._tell(call, after, tell)
                except Exception:
                    await socket.close(code=WSCloseCode.INTERNAL_ERROR)
                    raise
                await socket.close(code=WSCloseCode.POLICY_VIOLATION)

            teller = asyncio.create_task(tell_all())
            try:
                async for message in socket:
                    if message.type is WSMsgType.ERROR:
                        break
            finally:
                teller.cancel()
                (ended,) = await asyncio.gather(teller, return_exceptions=True)
                _raise_bug(ended)
            return socket

    async def sse(self, call: Call) -> Answer:
        """GET /v1/events."""
        after = _after(call)
        with self._reader():
            headers = {"Content-Type": "text/event-stream", "Cache-Control": "no-store", "X-Accel-Buffering": "no"}
            response = web.StreamResponse(headers=headers)
            await response.prepare(call.request)
            told_s = time.monotonic()

            async def tell(event: LiveEvent | None) -> None:
                nonlocal told_s
                if event is not None:
                    await response.write(_sse(event))
                elif time.monotonic() - told_s >= HEARTBEAT_S:
                    await response.write(b": keep-alive\n\n")
                else:
                    return
                told_s = time.monotonic()

            with contextlib.suppress(ConnectionError):
                await self._tell(call, after, tell)
            return response

    async def _tell(self, call: Call, after: int | None, tell: Tell) -> None:
        """Tell until the reader is gone, stalled, or no longer allowed; `tell(None)` when nothing happened."""
        checked_s = time.monotonic()
        async with contextlib.aclosing(self.stream(after)) as stream:
            async for event in stream:
                if time.monotonic() - checked_s >= LOOK_S:
                    checked_s = time.monotonic()
                    if _gone(call.request) or not call.still_allowed():
                        return
                try:
                    async with asyncio.timeout(STALLED_S):
                        await tell(event)
                except TimeoutError:
                    if call.request.transport is not None:
                        call.request.transport.abort()
                    return

    async def stop(self, app: web.Application) -> None:
        """Let every reader go, so that none holds up the hub's end."""
        self._bus.publish(HubStops())

    async def stream(self, after: int | None) -> AsyncGenerator[LiveEvent | None, None]:
        """The facts behind number `after`, then everything as it happens; None each LOOK_S with nothing."""
        subscription = self._bus.subscribe()
        try:
            told = self._head() if after is None else after
            looked_s = 0.0
            while True:
                if self._head() > told and time.monotonic() - looked_s >= FACTS_EVERY_S:
                    async for event in self._facts_after(told):
                        told = event.id or self._head()
                        yield event
                    looked_s = time.monotonic()
                try:
                    async with asyncio.timeout(FACTS_EVERY_S if self._head() > told else LOOK_S):
                        happened = await subscription.get()
                except TimeoutError:
                    yield None
                    continue
                if isinstance(happened, HubStops):
                    return
                if isinstance(happened, Missed):
                    yield LiveEvent(topic="missed", data={"count": happened.count})
                    continue
                event_now = await self._translate(happened)
                if event_now is not None:
                    yield event_now
        finally:
            subscription.close()

    async def _facts_after(self, after: int) -> AsyncIterator[LiveEvent]:
        """What the ledger holds behind `after`; past RESUME_MAX of it, that the rest is left out (no id)."""
        told = 0
        while page := await self._facts(after, RESUME_PAGE):
            for fact in page:
                yield LiveEvent(topic="fact", id=fact.seq, data=msgspec.to_builtins(fact))
            after, told = page[-1].seq, told + len(page)
            if told >= RESUME_MAX and self._head() > after:
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


def _gone(request: web.Request) -> bool:
    """Whether the reader has hung up: nothing else tells before the next write."""
    return request.transport is None or request.transport.is_closing()


def _after(call: Call) -> int | None:
    resumed = number("Last-Event-ID", call.request.headers.get("Last-Event-ID", ""))
    return call.number("after") if resumed is None else resumed


def _raise_bug(ended: BaseException | None) -> None:
    """Let what went wrong in the hub be logged; that a reader is gone is no error."""
    if isinstance(ended, Exception) and not isinstance(ended, ConnectionError):
        raise ended


def _sse(event: LiveEvent) -> bytes:
    id_line = f"id: {event.id}\n" if event.id is not None else ""
    return f"{id_line}event: {event.topic}\ndata: {_encode(event).decode()}\n\n".encode()
