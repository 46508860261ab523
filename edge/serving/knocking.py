"""Who knocks: requests that match no route here, or come with a key that is not known.

A client that was set up wrong is seen by a technician instead of failing in silence.
"""

from __future__ import annotations

from collections import OrderedDict

import msgspec
from aiohttp import web

from edge.clock import Clock, iso
from edge.serving.addresses import client_of
from edge.wire.views import KnockView

NOBODYS = 0  # came without a key that is known, or to a hub, which has no tenants
KEPT = 200  # distinct callers; the one longest silent goes first
TEXT_CHARS = 120


class _Knock(msgspec.Struct):
    why: str
    count: int
    last_us: int


class Knocking:
    """The last distinct (address, request) pairs that found no answer."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._knocks: OrderedDict[tuple[int, str, str], _Knock] = OrderedDict()

    def note(self, request: web.Request, why: str, *, whose: int = NOBODYS) -> None:
        """Count one; `whose`: the tenant whose key it came with."""
        path = "".join(c if c.isprintable() and c.isascii() else ascii(c)[1:-1] for c in request.path[:TEXT_CHARS])
        key = (whose, client_of(request) or "local", f"{request.method} {path}"[:TEXT_CHARS])
        knock = self._knocks.setdefault(key, _Knock(why, 0, 0))
        knock.why, knock.count, knock.last_us = why, knock.count + 1, self._clock.now().at_us
        self._knocks.move_to_end(key)
        if len(self._knocks) > KEPT:
            self._knocks.popitem(last=False)

    def views(self, *whose: int) -> list[KnockView]:
        """Latest first; those of these tenants, of all when none is named."""
        return [
            KnockView(peer=peer, what=what, why=knock.why, count=knock.count, last_at=iso(knock.last_us))
            for (tenant, peer, what), knock in reversed(self._knocks.items())
            if not whose or tenant in whose
        ]
