"""The door of /sync/v1: who is it, how much does he bring, and every refusal as a problem that says what to do.

A body is taken under a bound and a deadline, and memory is set aside before it arrives, so that neither a huge one
nor ten thousand slow ones stand in anybody's way.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

import msgspec
from aiohttp import web

from cloud.sites.gate import HubCaller, SiteGate
from cloud.sync.takeable import takeable
from cloud.sync.turns import Turns
from edge.errors import BadInput, GarbledBatch, OutpostError, RateLimited, RowRejected, TooLarge, Unauthenticated
from edge.serving.app import answer
from edge.serving.bodies import Bodies, read_body
from edge.serving.knocking import Knocking
from edge.serving.problems import problem
from edge.serving.routing import number
from edge.wire.sync import PACKED_MAX, SESSION_HEADER, NotABatch, Packed, TooMuch, WrongRow, unpack
from edge.wire.views import View

BODIES_BYTES = 64 * 1024 * 1024  # on their way from all hubs together; a full batch is about 512 KB
WORDS_MAX = 256 * 1024  # of a hello or a question, which are JSON
INLINE_BYTES = 16 * 1024  # a smaller batch is unpacked where it is, a larger one beside the loop
UNPACKING = 4  # batches at once; each may come to UNPACKED_MAX and its rows

B = TypeVar("B", bound=Packed)
V = TypeVar("V", bound=View)


class HubCall(msgspec.Struct, frozen=True):
    """One request of a hub that was let in. `session` is 0 where it names none (hello); whether it is the one that
    counts is asked under the stream's lock."""

    request: web.Request
    site: HubCaller
    session: int
    raw: bytes

    def read(self, kind: type[V]) -> V:
        """The body as JSON. Raises BadInput."""
        try:
            return msgspec.json.decode(self.raw, type=kind)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            raise BadInput(f"The body cannot be used: {error}.") from error


HubHandler = Callable[[HubCall], Awaitable[View]]
FileHandler = Callable[[HubCall], Awaitable[web.StreamResponse]]


class Door:
    """Lets hubs in. `body_s`: how long a body may take to arrive."""

    def __init__(self, gate: SiteGate, knocking: Knocking, *, body_s: float) -> None:
        self._gate, self._knocking, self._body_s = gate, knocking, body_s
        self._bodies = Bodies(BODIES_BYTES)
        self._unpacking = asyncio.Semaphore(UNPACKING)
        self._turns = Turns()

    def opens(
        self, handler: HubHandler, *, most: int = WORDS_MAX, hello: bool = False, bulk: bool = False
    ) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
        """`handler` behind the door: `most` bytes of body; only a `hello` needs no session. `bulk`: batches that
        the site's other requests do not wait for."""

        async def handled(request: web.Request, site: HubCaller) -> View:
            session = 0 if hello else _session(request)
            with self._turns.enters(site.site_id):
                raw = await read_body(request, self._body_s, most, known=True, bodies=self._bodies)
                async with self._turns.turn(site.site_id, bulk=bulk):
                    with takeable():
                        return await handler(HubCall(request, site, session, raw))

        return self._behind(handled)

    def opens_to_wait(self, handler: HubHandler) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
        """The same for questions without a body that are answered late, and bound themselves in number."""

        async def handled(request: web.Request, site: HubCaller) -> View:
            return await handler(HubCall(request, site, _session(request), b""))

        return self._behind(handled)

    def opens_for_files(self, handler: FileHandler) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
        """The same for files, which are sent piece by piece and bound themselves in number."""

        async def handled(request: web.Request, site: HubCaller) -> web.StreamResponse:
            return await handler(HubCall(request, site, _session(request), b""))

        return self._behind(handled)

    def _behind(
        self, handled: Callable[[web.Request, HubCaller], Awaitable[View | web.StreamResponse]]
    ) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
        async def endpoint(request: web.Request) -> web.StreamResponse:
            try:
                return answer(await handled(request, await self._identify(request)))
            except Unauthenticated as error:
                self._knocking.note(request, error.detail)
                return problem(error)
            except OutpostError as error:
                return problem(error)

        return endpoint

    async def _identify(self, request: web.Request) -> HubCaller:
        try:
            return await self._gate.identify(request)
        except RateLimited as error:
            self._knocking.note(request, error.detail)
            raise

    async def unpacked(self, call: HubCall, kind: type[B]) -> B:
        """The batch that a call brings. Raises TooLarge, RowRejected, GarbledBatch."""
        try:
            if len(call.raw) <= INLINE_BYTES:
                return unpack(call.raw, kind)
            async with self._unpacking:
                return await asyncio.to_thread(unpack, call.raw, kind)
        except TooMuch as error:
            raise TooLarge(str(error)) from error
        except WrongRow as error:
            raise RowRejected(f"A row of the batch cannot be kept: {error}.") from error
        except NotABatch as error:
            raise GarbledBatch(f"These bytes are no batch: {error}.") from error


BATCH_MAX = PACKED_MAX
"""What `opens` is given for routes that take batches."""


def _session(request: web.Request) -> int:
    session = number(SESSION_HEADER, request.headers.get(SESSION_HEADER, ""))
    if session is None:
        raise BadInput(f"The header {SESSION_HEADER} is missing: the hello gives its number.")
    return session
