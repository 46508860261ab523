"""The door of the old vending API: who may read, who may act, how a body is read, and how every answer looks.

The older system asked nobody for anything. Here everybody on the site's network may still read, at the rate of a
stranger; machines report without a key, since they have none; whoever wants to vend is listed or has a key.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import msgspec
from aiohttp import web

from edge.clock import Clock
from edge.compat.vending.pages import Pages
from edge.errors import BadInput, Forbidden, OutpostError, RateLimited, Unauthenticated
from edge.serving import visits
from edge.serving.roles import NOBODY, Principal, Role
from edge.serving.visits import AiohttpHandler, Body, Gate, Knocks, guarded, read_object

ROLES = frozenset({Role.APP, Role.TECHNICIAN, Role.ADMIN})
BODY_BYTES_MAX = 16_384  # an old machine's are under 300; anybody may send one
CLOSED = (
    "This computer may not vend. A technician allows its page: add {address} to vending.pages in the hub's settings"
    " and restart it; or send a key in X-API-Key."
)


class Visit(visits.Visit):
    """One request that was let in, and when it came (monotonic)."""

    def __init__(self, request: web.Request, principal: Principal, body: Body, arrived_s: float) -> None:
        super().__init__(request, principal, body)
        self.arrived_s = arrived_s

    @property
    def is_gone(self) -> bool:
        """Whether the caller has closed its connection, so that no byte can reach it any more."""
        transport = self.request.transport
        return transport is None or transport.is_closing()


Handler = Callable[[Visit], Awaitable[web.Response]]


class VendingDoor:
    """Wraps handlers into aiohttp handlers: `machine`, `reading` and `acting` say who may enter."""

    def __init__(self, gate: Gate, knocks: Knocks, clock: Clock, pages: Pages, *, body_s: float) -> None:
        self._gate, self._knocks, self.clock, self._pages, self._body_s = gate, knocks, clock, pages, body_s

    def knock(self, request: web.Request, why: str) -> None:
        """List this client as one that somebody should look at."""
        self._knocks.note(request, why)

    def count(self, visit: Visit, device_id: str | None) -> None:
        """Count a machine's request: an approved one by its id, any other by its address. Raises RateLimited."""
        if device_id is None:
            self._gate.count_address(visit.request)
        else:
            self._gate.count_device(f"vending {visit.peer} {device_id}")

    def machine(self, handler: Handler) -> AiohttpHandler:
        """For machines, which have no key; the handler counts them."""
        return self._opened(handler, _anybody)

    def reading(self, handler: Handler) -> AiohttpHandler:
        """For everybody."""
        return self._opened(handler, self._reader)

    def acting(self, handler: Handler) -> AiohttpHandler:
        """For listed pages and for keys that may act."""
        return self._opened(handler, self._actor)

    async def preflight(self, request: web.Request) -> web.StreamResponse:
        """What a browser asks before a page of another origin may speak to the hub."""
        response = web.Response(status=204)
        return self._with_cors(request, response)

    def _opened(self, handler: Handler, enter: Callable[[web.Request], Principal]) -> AiohttpHandler:
        async def visited(request: web.Request) -> web.StreamResponse:
            return await handler(await self._visit(request, enter, self.clock.mono_s()))

        answered = guarded(visited, _refused)

        async def serve(request: web.Request) -> web.StreamResponse:
            return self._with_cors(request, await answered(request))

        return serve

    async def _visit(
        self, request: web.Request, enter: Callable[[web.Request], Principal], arrived_s: float
    ) -> Visit:
        principal = enter(request)
        try:
            known = principal is not NOBODY
            body = await read_object(request, self._body_s, BODY_BYTES_MAX, known=known)
            return Visit(request, principal, body, arrived_s)
        except (BadInput, RateLimited):
            if enter is _anybody:  # no handler will count it
                self._gate.count_address(request)
            raise

    def _reader(self, request: web.Request) -> Principal:
        """Whoever it is; only the rate differs."""
        try:
            principal = self._gate.identify(request)
        except Unauthenticated:
            principal = NOBODY
        if principal is not NOBODY:
            self._gate.count(principal, request)
        elif self._pages.lists(request.remote):
            self._gate.count_device(f"vending page {request.remote}")
        else:
            self._gate.count_address(request)
        return principal

    def _actor(self, request: web.Request) -> Principal:
        """Who acts. Raises Unauthenticated, Forbidden, RateLimited."""
        try:
            principal = self._gate.identify(request)
        except Unauthenticated:
            self._gate.count_address(request)
            self.knock(request, "The key is not known here.")
            raise
        if principal is not NOBODY:
            self._gate.count(principal, request)
            if principal.role not in ROLES or principal.scope:
                raise Forbidden("This key may not vend: that takes the role app, technician or admin.")
            return principal
        if self._pages.trusts(request.remote, request.host, request.headers.get("Origin", "")):
            self._gate.count_device(f"vending page {request.remote}")
            return Principal(f"page:{request.remote}", Role.APP)
        self._gate.count_address(request)
        self.knock(request, "It may not vend: it is not in vending.pages and has no key.")
        raise Unauthenticated(CLOSED.format(address=request.remote or "its address"))

    def _with_cors(self, request: web.Request, response: web.StreamResponse) -> web.StreamResponse:
        """Let a listed page of another origin read the answer."""
        origin = request.headers.get("Origin", "")
        if origin and self._pages.opens(request.host, origin):
            response.headers["Access-Control-Allow-Origin"] = origin
            response.headers["Access-Control-Allow-Headers"] = "Content-Type, X-API-Key"
            response.headers["Access-Control-Allow-Methods"] = "GET, POST, OPTIONS"
            response.headers["Vary"] = "Origin"
        return response


def _anybody(request: web.Request) -> Principal:
    """Machines have no key; each is counted once it has said who it is."""
    return NOBODY


def reply(body: Any, status: int = 200) -> web.Response:
    """A JSON answer with its length, ended by a newline as the old server ended its own."""
    return web.Response(body=msgspec.json.encode(body) + b"\n", status=status, content_type="application/json")


def refusal(status: int, message: str) -> web.Response:
    """An answer that says no, where the old page looks for the reason."""
    return reply({"status": "error", "message": message}, status)


def _refused(request: web.Request, error: OutpostError | None) -> web.Response:
    if error is None:
        return refusal(500, "Internal error")
    return refusal(_STATUS.get(error.code, error.status), error.detail)


_STATUS = {"rejected": 400}
