"""One old asset logger as the hub follows it while it runs; what must outlast that is in its readings."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any

import msgspec

from edge.clock import Stamp
from edge.compat.assets.chatter import Chatter
from edge.compat.assets.reports import Said
from edge.telemetry.model import Value

HEARTBEAT_S = 30.0
SETTLE_S = 5.0  # after its start a running machine is told with the first sample, within 1 s or so
GAP_S = 2 * HEARTBEAT_S  # silent for longer, and a change of it may have got lost
LOOK_AFTER_S = 3.0  # after its start its page is asked so much later, to know its inputs when the window is over
LOOK_EVERY_S = 300.0
LOOK_AGAIN_S, LOOK_AGAIN_MAX_S = 60.0, 900.0  # where nothing answers


class Report(msgspec.Struct, frozen=True):
    """What a logger sent: which path, its body, when it arrived, also by the monotonic clock.

    `waited`: who it is had to be seen first, so it is of then, not of now.
    """

    kind: str
    body: dict[str, Any]
    received: Stamp
    received_s: float
    waited: bool = False

    @property
    def at_us(self) -> int | None:
        """When it arrived, where that is not now; None where that is, or no clock could tell."""
        return self.received.at_us if self.waited and self.received.quality.good else None


class Logger:
    """Times are seconds of the monotonic clock. `said`: what it told of each input since its start, or the hub's.

    `settles_s`: when the window after its start is over, None while there is none. `whole`: the hub has been there
    since its start, so nothing it said got lost. `look_s`: when its page is asked next. `restate`: state all it
    lists then, changed or not. `owed`: what could not be stored yet. `wired`: its inputs that told of an asset when
    that was last looked at.
    """

    def __init__(self, device_id: str, heard_s: float) -> None:
        self.device_id, self.heard_s = device_id, heard_s
        self.lock = asyncio.Lock()
        self.said: dict[int, Said] = {}
        self._said_s: dict[int, float] = {}
        self.chatters: dict[int, Chatter] = {}
        self.listed: dict[int, bool] = {}
        self.owed: dict[str, Value] = {}
        self.wired: Sequence[str] = ()
        self.settles_s: float | None = None
        self.settles_us: int | None = None
        self.whole = self.admitted = self.looking = self._sought = False
        self.restate = True
        self.look_s, self._look_again_s = heard_s, LOOK_AGAIN_S
        self.health_s = -float("inf")

    def hears(self, at_s: float) -> None:
        """A word of it. After a silence what it lists is stated anew."""
        if at_s - self.heard_s > GAP_S:
            self.whole, self.restate, self.look_s = False, True, at_s
        self.heard_s = max(self.heard_s, at_s)
        self._sought = False

    def starts(self, report: Report) -> None:
        """It has started, and taken all its inputs for stopped."""
        self.said, self._said_s, self.chatters, self.listed = {}, {}, {}, {}
        self.whole, self.restate = True, False
        self.settles_s = report.received_s + SETTLE_S
        self.settles_us = (
            report.received.at_us + round(SETTLE_S * 1_000_000) if report.received.quality.good else None
        )
        self.look_s = report.received_s + LOOK_AFTER_S

    def says(self, pin: int, told: Said, at_s: float) -> None:
        """It told this of an input."""
        self.said[pin], self._said_s[pin] = told, at_s

    def said_since(self, pin: int, at_s: float) -> bool:
        """Whether it told anything of an input from a moment on."""
        return self._said_s.get(pin, -float("inf")) >= at_s

    def chatter(self, pin: int) -> Chatter:
        """How often an input changes."""
        return self.chatters.setdefault(pin, Chatter())

    def is_silent(self, now_s: float) -> bool:
        """Whether it has said nothing for longer than it ever does."""
        return now_s - self.heard_s > GAP_S

    def seek(self, now_s: float) -> None:
        """Ask for its page as soon as it has fallen silent: it may be there and its words may not arrive."""
        if not self._sought and self.is_silent(now_s):
            self._sought, self.restate, self.look_s = True, True, now_s

    def is_settled(self, now_s: float, wait_s: float) -> bool:
        """Whether the window after its start is over; a page that was asked for is waited for, for so long."""
        if self.settles_s is None or now_s < self.settles_s:
            return False
        return not self.looking or now_s >= self.settles_s + wait_s

    def looked(self, now_s: float, *, answered: bool) -> None:
        """Its page was asked. Of a silent one it is the only sign of life; where nothing answers, less often."""
        if answered:
            self.look_s = now_s + (GAP_S if self.is_silent(now_s) else LOOK_EVERY_S)
            self._look_again_s = LOOK_AGAIN_S
            return
        self.look_s = now_s + self._look_again_s
        self._look_again_s = min(2 * self._look_again_s, LOOK_AGAIN_MAX_S)
