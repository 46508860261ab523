"""Pictures that were drawn, by what is on them: each drawn once, however many panels show it.

Kept in memory, bounded by bytes. What falls out is drawn again when somebody needs it.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Callable

import msgspec

from edge.content.render import Rendered
from edge.content.render.panels import Panel
from edge.content.showing.flights import Flights
from edge.wire.content import Note

KEPT_BYTES = 32 * 1024 * 1024  # 500 e-papers that all show something else take 24 MB; a Pi has 1 GB at the least
DRAWN_AT_ONCE = 2  # a drawing is a core for tens of milliseconds; the others of a Pi are for the site


class Print(msgspec.Struct, frozen=True):
    """A picture in a panel's format, and what was noted when it was drawn."""

    rendered: Rendered
    panel: Panel
    notes: tuple[Note, ...]


class Prints:
    """By key: what a scene's is. `drawn` counts drawings, `bytes` what is held."""

    def __init__(self) -> None:
        self.drawn = self.bytes = 0
        self._kept: OrderedDict[str, Print] = OrderedDict()
        self._by_hash: dict[str, str] = {}
        self._flights: Flights[Print] = Flights("draw")
        self._turns = asyncio.Semaphore(DRAWN_AT_ONCE)

    def find(self, sha256: str) -> Print | None:
        """The picture with these bytes, while it is held."""
        key = self._by_hash.get(sha256)
        return self._kept.get(key) if key is not None else None

    async def of(self, key: str, make: Callable[[], Print]) -> Print:
        """The picture of a key; `make` draws it, in a thread, where it was not drawn yet. Raises what it raises."""
        found = self._kept.get(key)
        if found is not None:
            self._kept.move_to_end(key)
            return found
        return await self._flights.join(key, lambda: self._draw(key, make))

    def drop(self, key: str) -> None:
        """Have the picture of a key no more: the next who asks has it drawn."""
        found = self._kept.pop(key, None)
        if found is not None:
            self._let_go(key, found)

    async def stop(self) -> None:
        """Let drawings end."""
        await self._flights.settled()

    async def _draw(self, key: str, make: Callable[[], Print]) -> Print:
        async with self._turns:
            made = await asyncio.to_thread(make)
        self.drawn += 1
        self._keep(key, made)
        return made

    def _keep(self, key: str, made: Print) -> None:
        self._kept[key] = made
        self._by_hash[made.rendered.content_hash] = key
        self.bytes += len(made.rendered.data)
        while self.bytes > KEPT_BYTES and len(self._kept) > 1:
            self._let_go(*self._kept.popitem(last=False))

    def _let_go(self, key: str, made: Print) -> None:
        self.bytes -= len(made.rendered.data)
        if self._by_hash.get(made.rendered.content_hash) == key:
            del self._by_hash[made.rendered.content_hash]
