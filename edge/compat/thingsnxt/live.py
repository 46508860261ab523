"""What happens, told to the older apps: WebSocket /ws, SSE /events/stream and /notifications/stream.

Everybody is told of his own things alone, and never a token. A reader that is too slow for its queue is told so and
let go; it comes back and reads the lists anew.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from typing import Any, Protocol

import msgspec
from aiohttp import WSCloseCode, WSMsgType, web

from edge.access.accounts.model import User
from edge.access.accounts.tokens import TokenInvalid
from edge.compat.thingsnxt.door import Door, Users, bearer, encode, naive
from edge.errors import Busy, Unauthenticated
from edge.serving.visits import AiohttpHandler

log = logging.getLogger(__name__)

QUEUE = 256  # messages for one reader: a minute of a busy account
READERS_PER_USER = 8
READERS = 200  # of all accounts
SEND_S = 10.0  # a reader that takes nothing for so long is cut off
HEARTBEAT_S = 20.0  # a dead socket is found within two of these; an app that says nothing is not
KEEPALIVE_S = 30.0
MESSAGE_BYTES = 4096
TOKEN_OVER = 4401  # the older server's own close code
CHANNELS = 32  # told back of a subscription

Message = dict[str, Any]
_message = msgspec.json.Decoder()


class Reader:
    """One open socket or stream of a person. `over`: nothing more is told, for the reason given."""

    def __init__(self, user: User, token: str, *, notices_only: bool = False) -> None:
        self.user, self.token, self.notices_only = user, token, notices_only
        self.over: tuple[int, str] | None = None
        self._waiting: deque[bytes] = deque()
        self._wake = asyncio.Event()

    def offer(self, message: bytes) -> None:
        """Queue a message; a full queue ends the reader."""
        if len(self._waiting) >= QUEUE:
            self.end(WSCloseCode.TRY_AGAIN_LATER, "Too slow, connect again")
            return
        self._waiting.append(message)
        self._wake.set()

    @property
    def waits(self) -> bool:
        """Whether there is a message that nobody has fetched."""
        return bool(self._waiting)

    def end(self, code: int, why: str) -> None:
        """Let it go; what still waits is not told."""
        if self.over is None:
            self.over = code, why
        self._waiting.clear()
        self._wake.set()

    async def get(self) -> bytes | None:
        """The next message; None when there is none any more."""
        while not self._waiting:
            if self.over is not None:
                return None
            self._wake.clear()
            await self._wake.wait()
        return self._waiting.popleft()


class Audience(Protocol):
    """Those who listen."""

    def listens(self, user_id: str) -> bool:
        """Whether anybody of this account does."""

    def tell(self, user_id: str, message: Message) -> None:
        """Tell all of one account."""

    def check(self, user_id: str | None = None) -> None:
        """Let go whose login has ended."""


class Tellings(Protocol):
    """Makes messages of what happens, for whom it concerns."""

    def begin(self, user: User) -> None:
        """He listens: from now on nothing of his is missed."""

    async def ready(self, user: User) -> None:
        """Wait until that is so, where it takes a while."""

    def left(self, user: User, *, anybody: bool) -> None:
        """No reader of his is left; `anybody`: but some of others."""

    async def run(self, audience: Audience) -> None:
        """Tell everything; runs until cancelled."""


Unread = Callable[[User], Awaitable[list[Message]]]


class ThingsLive:
    """The live half of the facade, at a hub and at the centre. `unread`: the first that somebody has not read."""

    def __init__(self, door: Door, users: Users, tellings: Tellings, unread: Unread) -> None:
        self._door, self._users, self._tellings, self._unread = door, users, tellings, unread
        self._readers: dict[str, set[Reader]] = {}

    def table(self) -> dict[tuple[str, str], AiohttpHandler]:
        """Its routes."""
        return {
            ("GET", "/ws"): self._door.guarded(self.websocket),
            ("GET", "/events/stream"): self._door.guarded(self.events),
            ("GET", "/notifications/stream"): self._door.guarded(self.notifications),
        }

    def tell(self, user_id: str, message: Message) -> None:
        """Tell all readers of one person."""
        readers = self._readers.get(user_id)
        if readers:
            encoded, is_notice = encode(message), message["type"] == "notification"
            for reader in tuple(readers):
                if is_notice or not reader.notices_only:
                    reader.offer(encoded)

    def check(self, user_id: str | None = None) -> None:
        """Let go whose login has ended; of everybody without `user_id`."""
        concerned = [user_id] if user_id is not None else list(self._readers)
        for reader in [reader for user in concerned for reader in self._readers.get(user, ())]:
            try:
                self._users.user_of(reader.token)
            except Unauthenticated:
                reader.end(TOKEN_OVER, "Token expired")

    @property
    def readers(self) -> int:
        """How many are connected."""
        return sum(map(len, self._readers.values()))

    async def run(self) -> None:
        """Tell what happens, while somebody listens; runs until cancelled."""
        await self._tellings.run(self)

    def listens(self, user_id: str) -> bool:
        """Whether anybody would hear."""
        return user_id in self._readers

    def stop(self) -> None:
        """Let every reader go, so that none holds up the hub's end."""
        for readers in self._readers.values():
            for reader in readers:
                reader.end(WSCloseCode.GOING_AWAY, "The hub stops")

    async def websocket(self, request: web.Request) -> web.StreamResponse:
        """GET /ws?token=: the first message is `connected`; who may not enter is told by the close code."""
        token = request.query.get("token") or bearer(request)
        reader = self._welcome(request, token)  # who has tried too often gets a 429, and no socket
        socket = web.WebSocketResponse(heartbeat=HEARTBEAT_S, max_msg_size=MESSAGE_BYTES)
        await socket.prepare(request)
        try:
            if isinstance(reader, _Refused):
                raise reader
            with self.reading(reader):
                await self._tellings.ready(reader.user)
                await socket.send_json(self._now("connected", message="WebSocket connection established"))
                await self._converse(socket, reader)
        except _Refused as refused:
            await socket.close(code=refused.close_code, message=refused.why.encode())
        return socket

    async def events(self, request: web.Request) -> web.StreamResponse:
        """GET /events/stream: the same as server-sent events."""
        return await self._stream(request, notices_only=False)

    async def notifications(self, request: web.Request) -> web.StreamResponse:
        """GET /notifications/stream: what is unread, then each notice as it comes."""
        return await self._stream(request, notices_only=True)

    def _welcome(self, request: web.Request, token: str) -> Reader | _Refused:
        """Who may listen, or why not, counted against his address. Raises RateLimited."""
        try:
            if token:
                return Reader(self._users.user_of(token), token)
            refused = _Refused(WSCloseCode.POLICY_VIOLATION, "Missing authentication token")
        except TokenInvalid:
            refused = _Refused(TOKEN_OVER, "Invalid token")
        except Unauthenticated:
            refused = _Refused(WSCloseCode.POLICY_VIOLATION, "Invalid token type or user")
        self._door.gate.count_address(request)
        return refused

    async def _converse(self, socket: web.WebSocketResponse, reader: Reader) -> None:
        teller = asyncio.create_task(self._tell_socket(socket, reader))
        try:
            async for message in socket:
                if message.type is WSMsgType.TEXT:
                    answer = self._answer(message.data)
                    if answer is not None:
                        reader.offer(encode(answer))
        finally:
            teller.cancel()
            (ended,) = await asyncio.gather(teller, return_exceptions=True)
            if isinstance(ended, Exception) and not isinstance(ended, ConnectionError):
                raise ended

    async def _tell_socket(self, socket: web.WebSocketResponse, reader: Reader) -> None:
        try:
            async for message in _messages(reader):
                if message is not None:
                    async with asyncio.timeout(SEND_S):
                        await socket.send_str(message.decode())
        except TimeoutError:
            reader.end(WSCloseCode.TRY_AGAIN_LATER, "Too slow, connect again")
        code, why = reader.over or (WSCloseCode.OK, "")
        await socket.close(code=code, message=why.encode())

    async def _stream(self, request: web.Request, *, notices_only: bool) -> web.StreamResponse:
        user = self._door.enter(request, in_query=True)
        reader = Reader(user, bearer(request) or request.query["token"], notices_only=notices_only)
        with self.reading(reader):
            await self._tellings.ready(user)
            response = web.StreamResponse(
                headers={
                    "Content-Type": "text/event-stream",
                    "Cache-Control": "no-cache",
                    "X-Accel-Buffering": "no",
                    "Access-Control-Allow-Origin": "*",
                }
            )
            await response.prepare(request)
            with contextlib.suppress(ConnectionError, TimeoutError):
                await response.write(_sse(encode(await self._greeting(reader))))
                if notices_only and (unread := await self._unread(user)):
                    await response.write(_sse(encode({"type": "initial", "notifications": unread})))
                async for message in _messages(reader):
                    async with asyncio.timeout(SEND_S):
                        await response.write(b": keepalive\n\n" if message is None else _sse(message))
            return response

    async def _greeting(self, reader: Reader) -> Message:
        what = "Notification stream connected" if reader.notices_only else "Event stream connected"
        return self._now("connected", message=what)

    def _answer(self, text: str) -> Message | None:
        try:
            said = _message.decode(text)
        except (msgspec.DecodeError, UnicodeEncodeError, RecursionError):
            return {"type": "error", "message": "Invalid JSON format"}
        kind = said.get("type") if isinstance(said, dict) else None
        if kind == "ping":
            return self._now("pong")
        if kind == "subscribe":
            channels = said.get("channels", [])
            return {"type": "subscribed", "channels": channels[:CHANNELS] if isinstance(channels, list) else []}
        return None

    def _now(self, kind: str, **more: Any) -> Message:
        return {"type": kind, **more, "timestamp": naive(self._door.clock.now().at_us)}

    @contextlib.contextmanager
    def reading(self, reader: Reader) -> Iterator[None]:
        """While this one listens. Raises Busy when too many do."""
        mine = self._readers.setdefault(reader.user.id, set())
        if len(mine) >= READERS_PER_USER or self.readers >= READERS:
            raise _Refused(WSCloseCode.TRY_AGAIN_LATER, "Too many connections")
        mine.add(reader)
        self._tellings.begin(reader.user)
        try:
            yield
        finally:
            mine.discard(reader)
            if not mine:
                self._readers.pop(reader.user.id, None)
                self._tellings.left(reader.user, anybody=bool(self._readers))


class _Refused(Busy):
    """Who may not listen, or no more may; with the WebSocket's close code."""

    def __init__(self, code: int, why: str) -> None:
        super().__init__(why)
        self.close_code, self.why = code, why


async def _messages(reader: Reader) -> AsyncIterator[bytes | None]:
    """What is to be told, until the reader is over; None each KEEPALIVE_S with nothing."""
    while True:
        try:
            async with asyncio.timeout(KEEPALIVE_S):
                message = await reader.get()
        except TimeoutError:
            yield None
            continue
        if message is None:
            return
        yield message


def _sse(message: bytes) -> bytes:
    return b"data: " + message + b"\n\n"
