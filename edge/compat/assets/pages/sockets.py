"""Socket.IO for the older asset logger's pages: who may connect, how many, and how fast they have to read.

The older server let anybody listen to everything. Here a page shows its token as it connects, is told of what that
person sees, and is cut when the token is over or its login has ended. A page joins no rooms and asks for nothing:
what it sends is counted against its person and passed over; who speaks before he has shown a token is hung up on.
The protocol itself is python-socketio's; it has no bounds on who waits, so they stand here. Nobody holds all the
places: an address without a token has a few, a person has a few, a tenant of the centre has half.
"""

from __future__ import annotations

import asyncio
import logging
import math
import time
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

import socketio
from aiohttp import web
from socketio.exceptions import ConnectionRefusedError as Refuse

from edge.access.accounts.model import User
from edge.compat.assets.pages.event_names import Happening, messages
from edge.compat.assets.pages.frames import Said, read, token_of
from edge.compat.thingsnxt.door import Door, Users
from edge.errors import Busy, OutpostError, RateLimited
from edge.serving import visits
from edge.serving.addresses import address_of
from edge.serving.metrics import Sample
from edge.serving.visits import AiohttpHandler

log = logging.getLogger(__name__)

PATH = "/socket.io/"
READERS = 200  # of all people
READERS_PER_USER = 8
READERS_PER_TENANT = 100  # of the centre; the other tenants have the rest
STRANGERS_PER_ADDRESS = 20  # connections of one address that have not shown a token yet
WAITING_MESSAGES = 500  # of one reader: minutes of a busy site; who lets more pile up has stopped reading
MESSAGE_BYTES = 64 * 1024  # of what a page sends
TOKEN_S = 10.0  # from connecting to showing a token
CHECK_S = 1.0  # how late somebody is let go whose login has ended
GOODBYE_S = 2.0  # to take the last word; who does not is hung up on
ALIVE_S = 10.0  # the server asks more seldom than that whether a page is there; answers beyond that are words
NAMESPACE = "/"


class Connection:
    """One connection, from its request to its end. `reader`: who has shown his token on it; `tokens`: how many were
    shown; `alive_s`: when the page last said that it is there; `cut`: it was hung up on, and is about to end."""

    def __init__(self, request: web.Request) -> None:
        self.request, self.address, self.since_s = request, address_of(request), time.monotonic()
        self.reader: Reader | None = None
        self.tokens, self.alive_s, self.cut = 0, -math.inf, False

    def abort(self) -> None:
        """Hang up at once, whatever still waits to be sent."""
        if self.request.transport is not None:
            self.request.transport.abort()


class Reader:
    """One page that listens. `greeted`: it was told all there is."""

    def __init__(self, sid: str, user: User, token: str, connection: Connection) -> None:
        self.sid, self.user, self.token, self.connection = sid, user, token, connection
        self.greeted = False


class AssetSockets:
    """All of them. `tenant_of` says whose places somebody takes, None where there are no tenants; `changed` is
    called when somebody begins or ends to listen."""

    def __init__(
        self, door: Door, users: Users, tenant_of: Callable[[User], int | None], changed: Callable[[], None]
    ) -> None:
        self._door, self._users, self._tenant_of, self._changed = door, users, tenant_of, changed
        self._readers: dict[str, Reader] = {}
        self._open: set[Connection] = set()
        self._cut = {"slow": 0, "silent": 0, "over": 0, "noisy": 0, "strange": 0}
        self._sio = socketio.AsyncServer(
            async_mode="aiohttp",
            transports=["websocket"],  # as the pages ask; polling would be a second way to hold a connection
            cors_allowed_origins="*",  # the token is in the message, so another site's page has none
            max_http_buffer_size=MESSAGE_BYTES,
            async_handlers=False,  # one message of a page at a time
        )
        self._sio.on("connect", self._connected)
        self._sio.on("disconnect", self._disconnected)
        driver = self._sio.eio._async  # the library shows frames nowhere else before it reads them
        self._open_socket = driver["websocket"]
        self._sio.eio._async = {**driver, "websocket": self._listening}

    def table(self) -> dict[tuple[str, str], AiohttpHandler]:
        """Its one path."""
        return {("GET", PATH): visits.guarded(self.serve, _refused)}

    async def serve(self, request: web.Request) -> web.StreamResponse:
        """GET /socket.io/: the whole life of one connection. Raises RateLimited, Busy."""
        self._door.gate.count_address(request)
        if len(self._open) >= READERS:
            raise Busy(f"{READERS} pages are connected already.")
        connection = Connection(request)
        strangers = sum(each.reader is None and each.address == connection.address for each in self._open)
        if strangers >= STRANGERS_PER_ADDRESS:
            raise Busy(f"{strangers} pages from here have not shown a token yet.")
        self._open.add(connection)
        try:
            answer: web.StreamResponse = await self._sio.handle_request(request)
            return answer
        finally:
            self._open.discard(connection)

    # --- who listens

    @property
    def readers(self) -> list[Reader]:
        """Everybody who listens."""
        return list(self._readers.values())

    def users(self) -> dict[str, User]:
        """Who listens, by id."""
        return {reader.user.id: reader.user for reader in self._readers.values()}

    async def tell(self, user_id: str, happening: Happening) -> None:
        """Tell all pages of one person."""
        for reader in self.readers:
            if reader.user.id == user_id:
                await self.tell_one(reader, happening)

    async def tell_one(self, reader: Reader, happening: Happening) -> None:
        """Tell one page; who has too much waiting already is cut off, and begins anew."""
        for name, payload in messages(happening):
            if self._waiting(reader) >= WAITING_MESSAGES:
                self._hang_up(reader.connection, "slow")
                return
            await self._sio.emit(name, payload, to=reader.sid, namespace=NAMESPACE)

    async def check(self) -> None:
        """Let go whose token is over, and hang up on who shows none."""
        for connection in list(self._open):
            if connection.reader is None and time.monotonic() - connection.since_s > TOKEN_S:
                self._hang_up(connection, "silent")
        over = [reader for reader in self.readers if not self._still(reader)]
        await asyncio.gather(*(self._send_away(reader) for reader in over))

    async def stop(self) -> None:
        """Hang up on all, so that none holds up the end."""
        for connection in list(self._open):
            connection.abort()
        await self._sio.shutdown()

    def samples(self) -> list[Sample]:
        """How many listen, and who was cut off."""
        cut = {f'{{why="{why}"}}': float(count) for why, count in self._cut.items()}
        return [
            Sample("asset_pages_listening", "gauge", "Pages of the older asset logger that listen.",
                   {"": float(len(self._readers))}),
            Sample("asset_pages_cut_total", "counter", "Connections of such pages that were cut off.", cut),
        ]  # fmt: skip

    # --- what python-socketio calls

    def _listening(self, handler: Callable[[Any], Awaitable[None]], server: Any) -> Any:
        """One WebSocket, whose frames are looked at before `handler` gets them."""

        async def heard(socket: Any) -> None:
            await handler(_Heard(socket, self._connection(socket.environ), self._said))

        return self._open_socket(heard, server)

    async def _connected(self, sid: str, environ: Mapping[str, Any], auth: object) -> None:
        """Somebody shows his token. Raises Refuse, which he is told."""
        token = token_of(auth)
        try:
            if not token:
                raise Refuse("Authentication error: no token")
            await self._users.learn(token)
            user = self._door.counted(self._users.user_of(token))
        except OutpostError as error:
            raise Refuse(f"Authentication error: {error.detail}") from error
        self._check_room(user)
        connection = self._connection(environ)
        self._readers[sid] = connection.reader = Reader(sid, user, token, connection)
        self._changed()

    async def _disconnected(self, sid: str, why: str) -> None:
        if self._readers.pop(sid, None) is not None:
            self._changed()

    # --- inside

    def _connection(self, environ: Mapping[str, Any]) -> Connection:
        request = environ["aiohttp.request"]
        return next(each for each in self._open if each.request is request)

    def _said(self, connection: Connection, frame: str | bytes) -> str:
        """What the protocol is to see of a frame, '' for nothing. Raises ConnectionAbortedError: it ends."""
        said, handed_on = read(frame)
        if said is Said.ENDS:
            raise ConnectionAbortedError
        now_s, reader = time.monotonic(), connection.reader
        try:
            if reader is None and said is Said.TOKEN:
                connection.tokens += 1
                if connection.tokens > 1:  # the first came with the request, which is counted
                    self._door.gate.count_address(connection.request)
                return handed_on
            if reader is None:
                self._hang_up(connection, "strange")
                raise ConnectionAbortedError
            if said is Said.ALIVE and now_s - connection.alive_s >= ALIVE_S:
                connection.alive_s = now_s
                return handed_on
            self._door.counted(reader.user)
        except RateLimited as error:
            self._hang_up(connection, "noisy")
            raise ConnectionAbortedError from error
        return ""

    def _check_room(self, user: User) -> None:
        """Raise Refuse where this person, or his tenant, has as many pages as may be."""
        tenant, listening = self._tenant_of(user), [reader.user for reader in self._readers.values()]
        his = sum(other.id == user.id for other in listening)
        theirs = sum(self._tenant_of(other) == tenant for other in listening) if tenant is not None else 0
        if his >= READERS_PER_USER or theirs >= READERS_PER_TENANT:
            raise Refuse("Too many connections")

    def _still(self, reader: Reader) -> bool:
        """Whether his token is good; what he may see may be otherwise by now."""
        try:
            reader.user = self._users.user_of(reader.token)
        except OutpostError:
            return False
        return True

    def _waiting(self, reader: Reader) -> int:
        """How many messages a reader has not taken."""
        eio_sid = self._sio.manager.eio_sid_from_sid(reader.sid, NAMESPACE)
        socket = self._sio.eio.sockets.get(eio_sid)
        return 0 if socket is None else int(socket.queue.qsize())

    async def _send_away(self, reader: Reader) -> None:
        """End it in words, so that the page does not connect again with the same token."""
        try:
            async with asyncio.timeout(GOODBYE_S):
                await self._sio.disconnect(reader.sid)
        except TimeoutError:
            log.debug("a page did not take its last word")
        self._hang_up(reader.connection, "over")

    def _hang_up(self, connection: Connection, why: str) -> None:
        if not connection.cut:
            connection.cut = True
            self._cut[why] += 1
            connection.abort()


class _Heard:
    """A WebSocket as the library knows one, with `said` between the page and it."""

    def __init__(self, socket: Any, connection: Connection, said: Callable[[Connection, str | bytes], str]) -> None:
        self._socket, self._connection, self._said = socket, connection, said
        self.send, self.close = socket.send, socket.close

    async def wait(self) -> str:
        """The next frame that is for the library. Raises OSError at the end."""
        while True:
            if handed_on := self._said(self._connection, await self._socket.wait()):
                return handed_on


def _refused(request: web.Request, error: OutpostError | None) -> web.Response:
    if error is None:
        return web.Response(status=500)
    headers = {"Retry-After": str(max(1, math.ceil(error.retry_after_s)))} if isinstance(error, RateLimited) else {}
    return web.Response(status=error.status, text=error.detail, headers=headers)
