"""Wake-ups between those who write and those who wait, also over several instances.

A signal says that something has changed, never what: the tables are the truth, and whoever waits looks there anyway
every few seconds. So signals may be lost, doubled and merged.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Callable

EVERYBODY = "*"  # a topic of all topics
ENDED_S = 0.1  # who looks again and again while the centre stops does it no oftener


class Signals:
    """Topics: `inbox:<site id>` (something waits for a hub), `facts:<tenant id>`, `states:<tenant id>`."""

    def __init__(self) -> None:
        self._waiting: defaultdict[str, set[asyncio.Event]] = defaultdict(set)
        self._carry: Callable[[str], None] | None = None
        self.ended = False

    def end(self) -> None:
        """The centre stops: every wait is over, and every further one soon."""
        self.ended = True
        self.wake(EVERYBODY)

    def carry_with(self, carry: Callable[[str], None]) -> None:
        """Have `carry` bring what is told here to the other instances."""
        self._carry = carry

    def tell(self, topic: str) -> None:
        """Wake who waits for `topic`, here and in other instances. Call it behind the commit, never within."""
        self.wake(topic)
        if self._carry is not None:
            self._carry(topic)

    def wake(self, topic: str) -> None:
        """Wake who waits for it here; with EVERYBODY, everybody."""
        for listeners in list(self._waiting.values()) if topic == EVERYBODY else (self._waiting.get(topic, ()),):
            for event in listeners:
                event.set()

    async def wait(self, topic: str, timeout_s: float) -> bool:
        """Wait for a signal; whether one came. What came before this call is not known: look first at what
        `watch` says when that matters."""
        with self.watch(topic) as watch:
            return await watch.wait(timeout_s)

    def watch(self, topic: str) -> Watch:
        """Begin to listen now; nothing told from here on is missed."""
        return Watch(self, self._waiting, topic)


class Watch:
    """Listening to one topic, from its making to the end of its `with` block."""

    def __init__(self, signals: Signals, waiting: defaultdict[str, set[asyncio.Event]], topic: str) -> None:
        self._signals, self._waiting, self._topic, self._event = signals, waiting, topic, asyncio.Event()
        waiting[topic].add(self._event)

    def __enter__(self) -> Watch:
        return self

    def __exit__(self, *_: object) -> None:
        listeners = self._waiting[self._topic]
        listeners.discard(self._event)
        if not listeners:
            del self._waiting[self._topic]

    async def wait(self, timeout_s: float) -> bool:
        """Wait for the next signal since the last one seen; whether one came. False: the time is over, or the
        centre stops, and it is time to answer."""
        if self._signals.ended:
            await asyncio.sleep(min(timeout_s, ENDED_S))
            return False
        try:
            async with asyncio.timeout(timeout_s):  # wait_for of 3.11 may swallow a cancellation
                await self._event.wait()
        except TimeoutError:
            return False
        self._event.clear()
        return not self._signals.ended
