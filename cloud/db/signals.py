"""Wake-ups between those who write and those who wait, also over several instances.

A signal says that something has changed, never what: the tables are the truth, and whoever waits looks there anyway
every few seconds. So signals may be lost, doubled and merged.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict


class Signals:
    """Topics: `inbox:<site id>` (something waits for a hub), `facts:<tenant id>`, `states:<tenant id>`."""

    def __init__(self) -> None:
        self._waiting: defaultdict[str, set[asyncio.Event]] = defaultdict(set)

    def tell(self, topic: str) -> None:
        """Wake who waits for `topic`, here and in other instances. Call it behind the commit, never within."""
        self.wake(topic)

    def wake(self, topic: str) -> None:
        """Wake who waits here."""
        for event in self._waiting.get(topic, ()):
            event.set()

    async def wait(self, topic: str, timeout_s: float) -> bool:
        """Wait for a signal; whether one came. What came before this call is not known: look first at what
        `watch` says when that matters."""
        with self.watch(topic) as watch:
            return await watch.wait(timeout_s)

    def watch(self, topic: str) -> Watch:
        """Begin to listen now; nothing told from here on is missed."""
        return Watch(self._waiting, topic)


class Watch:
    """Listening to one topic, from its making to the end of its `with` block."""

    def __init__(self, waiting: defaultdict[str, set[asyncio.Event]], topic: str) -> None:
        self._waiting, self._topic, self._event = waiting, topic, asyncio.Event()
        waiting[topic].add(self._event)

    def __enter__(self) -> Watch:
        return self

    def __exit__(self, *_: object) -> None:
        listeners = self._waiting[self._topic]
        listeners.discard(self._event)
        if not listeners:
            del self._waiting[self._topic]

    async def wait(self, timeout_s: float) -> bool:
        """Wait for the next signal since the last one seen; whether one came in time."""
        try:
            await asyncio.wait_for(self._event.wait(), timeout_s)
        except TimeoutError:
            return False
        self._event.clear()
        return True
