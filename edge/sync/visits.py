"""Requests of people who are logged in at the centre: each is done here once, as them, and answered at once.

They come beside the inbox and wait for nothing of it. A request that is cut off leaves no answer: the centre then
says that it does not know.
"""

from __future__ import annotations

import asyncio
from contextlib import nullcontext
from typing import Protocol

from edge.clock import Clock
from edge.sync.session import Session
from edge.wire.asked import ANSWER_CHARS, EVENTS_PATH, Answered, Asked
from edge.wire.sync import Heard

AT_ONCE = 4  # requests being done; each is some milliseconds of this machine
WAITING = 200  # of one session; what comes beyond is not done
TOO_LONG = '{"detail":"The answer is longer than head office takes. Ask for less."}'


class Host(Protocol):
    """Does what people ask."""

    async def visit(self, asked: Asked) -> Answered:
        """Do it as this person: what he is answered."""


class Visits:
    """Those of this hub."""

    def __init__(self, host: Host, clock: Clock) -> None:
        self._host, self._clock = host, clock
        self._turn, self._waiting = asyncio.Semaphore(AT_ONCE), 0

    def begin(self, group: asyncio.TaskGroup, session: Session, asked: Asked, arrived_s: float) -> None:
        """Do one in `group`, unless too many wait: that arrived then, by the monotonic clock."""
        if self._waiting < WAITING:
            self._waiting += 1
            group.create_task(self._answer(session, asked, arrived_s), name="sync-visit")

    async def _answer(self, session: Session, asked: Asked, arrived_s: float) -> None:
        try:
            async with nullcontext() if asked.path == EVENTS_PATH else self._turn:
                if (self._clock.mono_s() - arrived_s) * 1000 >= asked.left_ms:
                    return
                answered = await self._host.visit(asked)
        finally:
            self._waiting -= 1
        if len(answered.body) > ANSWER_CHARS:
            answered = Answered(id=asked.id, status=413, body=TOO_LONG)
        await session.ask("POST", "/sync/v1/answers", Heard, body=answered)
