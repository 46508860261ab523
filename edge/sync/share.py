"""Who may send how much of a bounded line: state before the ledger before readings, none of them ever starved."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable

STATE, LEDGER, READINGS, REST = "state", "ledger", "readings", "rest"
SHARES = {STATE: 0.3, LEDGER: 0.3, REST: 0.1, READINGS: 0.1}
"""What each lane gets at the least while it has something to send, in the order of who goes first with the rest."""

BURST_S = 1.0  # what was not used is saved up for no longer
FORGET_S = 20.0  # the time over which shares are judged


class Share:
    """A bucket of `kbit_s`, filled evenly; 0: without an end. `loop_s` tells monotonic seconds."""

    def __init__(self, kbit_s: int, loop_s: Callable[[], float] | None = None) -> None:
        self._rate = kbit_s * 1000 / 8
        self._now = loop_s or (lambda: asyncio.get_running_loop().time())
        self._tokens = 0.0
        self._filled_s: float | None = None
        self._given = dict.fromkeys(SHARES, 0.0)
        self._waiting: dict[str, deque[tuple[int, asyncio.Future[None]]]] = {lane: deque() for lane in SHARES}
        self._pump: asyncio.Task[None] | None = None
        self.sent_bytes = 0

    async def take(self, lane: str, count: int) -> None:
        """Wait until this lane may send `count` bytes. A batch larger than what is there goes on credit, and the
        next one waits the longer."""
        self.sent_bytes += count
        if not self._rate:
            return
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting[lane].append((count, turn))
        if self._pump is None:
            self._pump = asyncio.create_task(self._serve(), name="sync-share")
        await turn

    def next_lane(self) -> str | None:
        """Whose turn it is among those who wait."""
        waiting = [lane for lane in SHARES if self._waiting[lane]]
        total = sum(self._given.values()) or 1.0
        starved = [lane for lane in waiting if self._given[lane] / total < SHARES[lane]]
        if len(waiting) > 1 and starved:
            return min(starved, key=lambda lane: self._given[lane] / SHARES[lane])
        return waiting[0] if waiting else None

    async def _serve(self) -> None:
        try:
            while (lane := self.next_lane()) is not None:
                self._fill()
                if self._tokens <= 0:
                    await asyncio.sleep(min(1.0, -self._tokens / self._rate + 0.01))
                    continue
                count, turn = self._waiting[lane].popleft()
                if not turn.done():
                    self._tokens -= count
                    self._given[lane] += count
                    turn.set_result(None)
        finally:
            self._pump = None

    def _fill(self) -> None:
        now = self._now()
        passed = now - self._filled_s if self._filled_s is not None else BURST_S
        self._filled_s = now
        self._tokens = min(self._rate * BURST_S, self._tokens + passed * self._rate)
        fading = max(0.0, 1.0 - passed / FORGET_S)
        for lane in self._given:
            self._given[lane] *= fading
