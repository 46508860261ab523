"""What happens, as it happens: WebSocket /v1/live and SSE /v1/events.

Both carry LiveEvent. Each fact is told once, in order, with the ledger's number as its id; a reader that comes back
with Last-Event-ID (or `?after=`) gets every fact it missed. Between them come the things that changed, as they are
now. A reader too slow for its queue is told so (`missed`) and reads the state anew; of the facts it misses none.

A reader may choose: `?topics=reading,command&device=ID`, and over the WebSocket also later, by a message
`{"topics": ["reading"], "devices": ["ID"]}` (null for all), which is answered with what counts from then on.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Iterable

import msgspec
from aiohttp import WSCloseCode, WSMsgType, web

from edge.errors import BadInput, Busy
from edge.serving.channels import Channel, Channels
from edge.serving.feed import TOPICS, Position, Reader, Stops, Told, Wanted, told
from edge.serving.roles import Role
from edge.serving.routing import Answer, Call, Route, number
from edge.serving.streams import streaming
from edge.wire.views import LiveEvent

HEARTBEAT_S = 15.0  # a dead socket is found within two of these
LOOK_S = 1.0  # how late a fact may come that nothing else announces, and a revoked key be noticed
FACTS_EVERY_S = 0.2  # the ledger is read no more often than this for one reader
STALLED_S = 30.0  # a reader that takes nothing for so long is cut off, and resumes where it was
READERS = 64  # live connections at once; each costs a queue and a task
READERS_OF_ONE = 16  # of one caller: nobody takes live events from all others
RESUME_PAGE = 500
RESUME_MAX = 10_000  # a reader further behind reads the ledger instead
DEVICES_MAX = 100  # that one reader may name
MESSAGE_BYTES = 4096  # of what a reader sends
QUERY = ("after", "topics", "device")

Tell = Callable[[Told | None], Awaitable[None]]


class Choice(msgspec.Struct, frozen=True):
    """What a reader of the WebSocket sends: other topics, other devices."""

    topics: list[str] | msgspec.UnsetType | None = msgspec.UNSET
    devices: list[str] | msgspec.UnsetType | None = msgspec.UNSET


_choice = msgspec.json.Decoder(Choice)


class Live:
    """The live routes. `channels` says what a caller is told from; `query`: what he may ask besides QUERY."""

    def __init__(self, channels: Channels, query: tuple[str, ...] = ()) -> None:
        self._channels, self._query = channels, (*QUERY, *query)

    def all(self) -> list[Route]:
        """Every route."""
        viewer, sse = Role.VIEWER, "text/event-stream"
        return [
            Route(
                "GET",
                "/v1/live",
                self.websocket,
                "Events over a WebSocket",
                viewer,
                returns=LiveEvent,
                stream="WebSocket",
                query=self._query,
            ),
            Route(
                "GET",
                "/v1/events",
                self.sse,
                "Events as server-sent events",
                viewer,
                returns=LiveEvent,
                stream=sse,
                query=self._query,
            ),
        ]

    async def websocket(self, call: Call) -> Answer:
        """GET /v1/live."""
        after, wanted = _after(call), _wanted(call)
        async with self._reader(call, wanted) as (channel, reader):
            position = await channel.ledger.begin(after)  # before it is answered, so that no fact falls between
            socket = web.WebSocketResponse(heartbeat=HEARTBEAT_S, max_msg_size=MESSAGE_BYTES)
            await socket.prepare(call.request)

            async def tell(message: Told | None) -> None:
                if message is not None:
                    await socket.send_str(message.text)

            async def tell_all() -> None:
                try:
                    await self._tell(call, channel, reader, position, tell)
                except Exception:  # the reader is told that it ends by a fault; the fault goes on to _raise_bug
                    await socket.close(code=WSCloseCode.INTERNAL_ERROR)
                    raise
                await socket.close(code=WSCloseCode.POLICY_VIOLATION)

            teller = asyncio.create_task(tell_all())
            try:
                async for message in socket:
                    if message.type is WSMsgType.ERROR:
                        break
                    _choose(reader, message.data)
            finally:
                teller.cancel()
                (ended,) = await asyncio.gather(teller, return_exceptions=True)
                _raise_bug(ended)
            return socket

    async def sse(self, call: Call) -> Answer:
        """GET /v1/events."""
        after, wanted = _after(call), _wanted(call)
        async with self._reader(call, wanted) as (channel, reader):
            position = await channel.ledger.begin(after)
            headers = {"Content-Type": "text/event-stream", "Cache-Control": "no-store", "X-Accel-Buffering": "no"}
            response = web.StreamResponse(headers=headers)
            told_s = time.monotonic()

            async def tell(message: Told | None) -> None:
                nonlocal told_s
                if message is not None:
                    await response.write(_sse(message))
                elif time.monotonic() - told_s >= HEARTBEAT_S:
                    await response.write(b": keep-alive\n\n")
                else:
                    return
                told_s = time.monotonic()

            with streaming(call.request):
                await response.prepare(call.request)
                await self._tell(call, channel, reader, position, tell)
            return response

    async def _tell(self, call: Call, channel: Channel, reader: Reader, position: Position, tell: Tell) -> None:
        """Tell until the reader is gone, stalled, or no longer allowed; `tell(None)` when nothing happened."""
        checked_s = time.monotonic()
        async with contextlib.aclosing(_stream(channel, reader, position)) as stream:
            async for message in stream:
                if time.monotonic() - checked_s >= LOOK_S:
                    checked_s = time.monotonic()
                    if _gone(call.request) or not call.still_allowed():
                        return
                try:
                    async with asyncio.timeout(STALLED_S):
                        await tell(message)
                except TimeoutError:
                    if call.request.transport is not None:
                        call.request.transport.abort()
                    return

    async def stop(self, app: web.Application) -> None:
        """Let every reader go, so that none holds up the end."""
        self._channels.stop()

    @contextlib.asynccontextmanager
    async def _reader(self, call: Call, wanted: Wanted) -> AsyncIterator[tuple[Channel, Reader]]:
        async with self._channels.of(call) as channel:
            if len(channel.feed) >= READERS:
                raise Busy(f"{READERS} live readers are connected already.", hint="Close one, or poll the lists.")
            caller = call.principal.actor
            if channel.feed.of(caller) >= READERS_OF_ONE:
                raise Busy(
                    f"{READERS_OF_ONE} of the live readers that are connected are yours already.",
                    hint="Close one: a page or program that is open elsewhere, too. Or poll the lists.",
                )
            reader = channel.feed.join(wanted, channel.reach, caller)
            try:
                yield channel, reader
            finally:
                channel.feed.leave(reader)


async def _stream(channel: Channel, reader: Reader, position: Position) -> AsyncGenerator[Told | None, None]:
    """The facts behind `position`, then everything as it happens; None each LOOK_S with nothing."""
    looked_s, ledger = 0.0, channel.ledger
    while True:
        if not reader.wanted.takes("fact", None):
            position = ledger.head()  # facts chosen later begin there
        if ledger.head() > position and time.monotonic() - looked_s >= FACTS_EVERY_S:
            upto = position if reader.sites is None else ledger.head()  # what was not of its sites is passed over
            async for reached, fact in _facts_behind(channel, reader, position):
                upto = max(upto, reached)
                if fact.topic == "missed" or reader.takes_fact(fact):
                    yield fact
            position, looked_s = upto, time.monotonic()
        try:
            async with asyncio.timeout(FACTS_EVERY_S if ledger.head() > position else LOOK_S):
                happened = await reader.get()
        except TimeoutError:
            yield None
            continue
        if isinstance(happened, Stops):
            return
        if happened is not None:
            yield happened


async def _facts_behind(channel: Channel, reader: Reader, after: Position) -> AsyncIterator[tuple[Position, Told]]:
    """What the ledger holds behind `after`; past RESUME_MAX of it, that the rest is left out (no id)."""
    count, ledger = 0, channel.ledger
    while page := await ledger.behind(after, RESUME_PAGE, reader.sites):
        for fact in page:
            yield fact.position, channel.feed.fact(fact)
        after, count = page[-1].position, count + len(page)
        if count >= RESUME_MAX and ledger.head() > after:
            yield ledger.head(), told(LiveEvent(topic="missed", data={"after": page[-1].id}))
            return
        if len(page) < RESUME_PAGE:
            return


def _gone(request: web.Request) -> bool:
    """Whether the reader has hung up: nothing else tells before the next write."""
    return request.transport is None or request.transport.is_closing()


def _after(call: Call) -> int | None:
    resumed = number("Last-Event-ID", call.request.headers.get("Last-Event-ID", ""))
    return call.number("after") if resumed is None else resumed


def _wanted(call: Call) -> Wanted:
    """What the query asks for. Raises BadInput."""
    topics = [topic for topic in call.query("topics").split(",") if topic]
    devices = [device for given in call.request.query.getall("device", []) for device in given.split(",") if device]
    sites = frozenset(call.request.query.getall("site", []))
    return Wanted(_topics(topics or None), _devices(devices or None), sites or None)


def _choose(reader: Reader, text: object) -> None:
    """Follow what a reader sent, and answer with what it is told from now on; what is none of it means nothing."""
    try:
        choice = _choice.decode(text if isinstance(text, str | bytes) else b"")
    except (msgspec.DecodeError, UnicodeError, RecursionError):
        return
    if choice == Choice():
        return
    now = reader.wanted
    try:
        topics = now.topics if choice.topics is msgspec.UNSET else _topics(choice.topics)
        devices = now.devices if choice.devices is msgspec.UNSET else _devices(choice.devices)
    except BadInput as error:
        reader.offer(told(LiveEvent(topic="refused", data={"detail": error.detail})))
        return
    reader.change(Wanted(topics, devices, now.sites))
    chosen = {"topics": sorted(topics or TOPICS), "devices": None if devices is None else sorted(devices)}
    reader.offer(told(LiveEvent(topic="chosen", data=chosen)))


def _topics(names: Iterable[str] | None) -> frozenset[str] | None:
    topics = None if names is None else frozenset(names)
    if topics is not None and not topics <= set(TOPICS):
        unknown = ", ".join(sorted(topics - set(TOPICS)))[:100]
        raise BadInput(f"There is no topic {unknown!r}.", hint=f"Topics are {', '.join(TOPICS)}.")
    return topics


def _devices(ids: list[str] | None) -> frozenset[str] | None:
    if ids is not None and len(ids) > DEVICES_MAX:
        raise BadInput(f"At most {DEVICES_MAX} devices are named; leave them out to hear of all.")
    return None if ids is None else frozenset(ids)


def _raise_bug(ended: BaseException | None) -> None:
    """Let what went wrong in the hub be logged; that a reader is gone is no error."""
    if isinstance(ended, Exception) and not isinstance(ended, ConnectionError):
        raise ended


def _sse(message: Told) -> bytes:
    id_line = f"id: {message.id}\n" if message.id is not None else ""
    return f"{id_line}event: {message.topic}\ndata: {message.text}\n\n".encode()
