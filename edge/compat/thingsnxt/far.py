"""Those who listen at the centre to their things here: it asks for what there is to tell, again and again.

Each has a reader here as if he had a socket open. It is kept for a while between two questions, so that nothing is
missed; one that is not asked for any more is let go.
"""

from __future__ import annotations

import asyncio
import contextlib

import msgspec
from aiohttp import web

from edge.compat.thingsnxt.door import Invalid, Visit, reply
from edge.compat.thingsnxt.live import Reader, ThingsLive

KEPT_S = 30.0  # a reader nobody asks for
WAIT_MAX_S = 20.0
MESSAGES = 100  # in one answer
LISTENER_CHARS = 64


class _Far:
    """One of them, and how it is let go."""

    def __init__(self, reader: Reader, stack: contextlib.ExitStack) -> None:
        self.reader, self.stack = reader, stack
        self.goes: asyncio.TimerHandle | None = None


class FarReaders:
    """All of them, by person and by what the centre calls the listener."""

    def __init__(self, live: ThingsLive) -> None:
        self._live = live
        self._readers: dict[tuple[str, str], _Far] = {}

    async def next(self, visit: Visit) -> web.Response:
        """Messages since the last question, when there are some or the time is over; the first is answered at once.

        Raises Invalid, Busy when too many listen.
        """
        listener, wait_s = visit.query("listener")[:LISTENER_CHARS], _wait_s(visit)
        key = visit.user.id, listener
        far = self._readers.get(key)
        if far is None or far.reader.over is not None:
            self._let_go(key)
            self._begin(key, visit)
            return reply({"messages": []})
        self._keep(key, far)
        messages: list[msgspec.Raw] = []
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(wait_s):
                while len(messages) < MESSAGES and (message := await far.reader.get()) is not None:
                    messages.append(msgspec.Raw(message))
                    if not far.reader.waits:
                        break
        self._keep(key, far)
        return reply({"messages": messages})

    def _begin(self, key: tuple[str, str], visit: Visit) -> None:
        stack, reader = contextlib.ExitStack(), Reader(visit.user, "")
        stack.enter_context(self._live.reading(reader))
        self._readers[key] = far = _Far(reader, stack)
        self._keep(key, far)

    def _keep(self, key: tuple[str, str], far: _Far) -> None:
        if far.goes is not None:
            far.goes.cancel()
        if self._readers.get(key) is far:
            far.goes = asyncio.get_running_loop().call_later(KEPT_S, self._let_go, key)

    def _let_go(self, key: tuple[str, str]) -> None:
        far = self._readers.pop(key, None)
        if far is not None:
            if far.goes is not None:
                far.goes.cancel()
            far.stack.close()


def _wait_s(visit: Visit) -> float:
    text = visit.query("wait")
    if not text.isdecimal() or len(text) > 3:
        raise Invalid("query", "wait", "wait is a number of seconds")
    return min(float(text), WAIT_MAX_S)
