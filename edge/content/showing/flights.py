"""Work that many wait for and that is done once: who comes while it is under way waits for the same."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Hashable
from typing import Any, Generic, TypeVar

T = TypeVar("T")


class Flights(Generic[T]):
    """Work under way, by what it is."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._under_way: dict[Hashable, asyncio.Task[T]] = {}

    async def join(self, key: Hashable, work: Callable[[], Coroutine[Any, Any, T]]) -> T:
        """What `work` returns, or what the one under way with this key does. Raises what it raises.

        Who began it may give up: the others still get it.
        """
        flight = self._under_way.get(key)
        if flight is None:
            flight = self._under_way[key] = asyncio.create_task(work(), name=self._name)
            flight.add_done_callback(lambda done: self._landed(key, done))
        return await asyncio.shield(flight)

    async def settled(self) -> None:
        """Returns once nothing is under way."""
        await asyncio.gather(*self._under_way.values(), return_exceptions=True)

    def _landed(self, key: Hashable, done: asyncio.Task[T]) -> None:
        del self._under_way[key]
        if not done.cancelled():
            done.exception()  # told to those who wait; there may be nobody left
