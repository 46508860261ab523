"""What live readers are told from: at a hub one bus and one ledger, at the centre those of the caller's tenant."""

from __future__ import annotations

import contextlib
from collections.abc import Awaitable, Callable
from typing import Protocol

import msgspec

from edge.bus import Bus
from edge.serving.feed import Feed, LedgerFact, Position, Stops, Translate
from edge.serving.routing import Call
from edge.wire.views import FactView


class Ledger(Protocol):
    """Facts in an order that never changes behind a reader: what is added comes behind `head`."""

    def head(self) -> Position:
        """Where the newest fact is that is known of."""

    async def begin(self, after: int | None) -> Position:
        """Where a reader begins who has the fact with the id `after`, or who wants just what is to come."""

    async def behind(self, position: Position, limit: int, sites: frozenset[str] | None) -> list[LedgerFact]:
        """The next facts behind a position, at the centre of these sites (None: all that are there)."""


class Channel(msgspec.Struct, frozen=True):
    """What one caller is told from; `reach`: the sites whose events he may be told, None for all."""

    feed: Feed
    ledger: Ledger
    reach: frozenset[str] | None = None


class Channels(Protocol):
    """Finds the channel of a caller."""

    def of(self, call: Call) -> contextlib.AbstractAsyncContextManager[Channel]:
        """His channel while he reads. Raises Forbidden."""

    def stop(self) -> None:
        """Let every reader go."""


class OneChannel:
    """The hub's: `translate` makes a bus event into what is told, `facts(after, limit)` reads the ledger, whose
    newest fact has the number `head`."""

    def __init__(
        self,
        bus: Bus,
        translate: Translate,
        facts: Callable[[int, int], Awaitable[list[FactView]]],
        head: Callable[[], int],
    ) -> None:
        self._bus, self._facts, self._head = bus, facts, head
        self._channel = Channel(Feed(bus, translate), self)

    def of(self, call: Call) -> contextlib.AbstractAsyncContextManager[Channel]:
        """The same for everybody."""
        return contextlib.nullcontext(self._channel)

    def stop(self) -> None:
        """Let every reader go."""
        self._bus.publish(Stops())

    def head(self) -> Position:
        """Where the newest fact is."""
        return 0, self._head()

    async def begin(self, after: int | None) -> Position:
        """Where a reader begins."""
        return 0, self._head() if after is None else after

    async def behind(self, position: Position, limit: int, sites: frozenset[str] | None) -> list[LedgerFact]:
        """The next facts."""
        return [
            LedgerFact((0, fact.seq), fact.seq, fact, str(fact.body.get("device") or fact.subject))
            for fact in await self._facts(position[1], limit)
        ]
