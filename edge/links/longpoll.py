"""Orders for a device that comes and asks: its poll is held until there is one; the result comes by another way.

One mailbox a device, for as long as the hub runs. It costs nothing while nobody asks; a held poll costs a future
and a timer.
"""

from __future__ import annotations

import asyncio
from typing import Any

import msgspec

from edge.links.native import outcome_of
from edge.wire.native import Result
from edge.wire.orders import Order, Outcome, Verdict

PICKUP_S = (
    2.0  # how long an order waits for a poll before it is said that it never left; polls come at once or late
)
AGAIN_S = 5.0  # a result that stays out for so long is asked for again: the device answers from its memory
GRACE_S = 15.0  # past the time to live: what the slowest act (goods that fall) takes once it has begun in time
NOBODY_CAME = Outcome(verdict=Verdict.NOT_SENT, reason="the device did not ask for it")


class Parcel:
    """An order in the hands of a poll, which must say what became of it: `left` or `back`."""

    def __init__(self, order: Order, ends_s: float) -> None:
        self.order, self._ends_s = order, ends_s
        self.fate: asyncio.Future[bool] = asyncio.get_running_loop().create_future()

    @property
    def ttl_ms(self) -> int:
        """What is left of its time to live."""
        return max(1, int((self._ends_s - asyncio.get_running_loop().time()) * 1000))

    def left(self) -> None:
        """It is being written: from here on nobody knows whether it arrived."""
        if not self.fate.done():
            self.fate.set_result(True)

    def back(self) -> None:
        """Certainly no byte of it left."""
        if not self.fate.done():
            self.fate.set_result(False)


Poll = asyncio.Future[Parcel | None]


class Mailbox:
    """One device's. `deliver` is called for one order at a time."""

    def __init__(self) -> None:
        self._poll: Poll | None = None
        self._arrival: asyncio.Future[None] | None = None
        self._awaited: tuple[str, int] | None = None
        self._result: asyncio.Future[Result] | None = None

    # --- the device asks

    @property
    def held(self) -> bool:
        """Whether a poll waits here, so that an order could leave at once."""
        return self._poll is not None and not self._poll.done()

    @property
    def offering(self) -> bool:
        """Whether an order waits for a poll."""
        return self._arrival is not None and not self._arrival.done()

    async def hold(self, seconds: float) -> Parcel | None:
        """Wait for an order, as a poll; None when there was none, or something else is to be looked at.

        A poll that is still held here makes way: the device has given it up.
        """
        self.release()
        loop = asyncio.get_running_loop()
        poll: Poll = loop.create_future()
        self._poll = poll
        if self._arrival is not None and not self._arrival.done():
            self._arrival.set_result(None)
        timer = loop.call_later(seconds, _nothing, poll)
        try:
            return await poll
        except asyncio.CancelledError:
            if poll.done() and not poll.cancelled() and (parcel := poll.result()) is not None:
                parcel.back()
            raise
        finally:
            timer.cancel()

    def release(self) -> None:
        """Let the held poll go with nothing: there is something else for it, or another has come."""
        if self._poll is not None:
            _nothing(self._poll)

    def answered(self, result: Result) -> bool:
        """A result has come; whether it is the one that is waited for."""
        if self._result is None or self._awaited != (result.id, result.seq):
            return False
        if not self._result.done():
            self._result.set_result(result)
        return True

    # --- the hub hands out

    async def deliver(self, order: Order) -> Outcome:
        """One attempt at one command; never raises for what a device or the network does.

        Not sent: no poll came, or none that was still connected. Once an answer with it was being written only a
        result tells, which is asked for again and again by handing out the same order.
        """
        loop = asyncio.get_running_loop()
        began_s = loop.time()
        ends_s = began_s + order.ttl_ms / 1000
        result: asyncio.Future[Result] = loop.create_future()
        self._awaited, self._result = (order.id, order.seq), result
        try:
            if not await self._hand_out(order, ends_s, min(PICKUP_S, ends_s - began_s), result):
                return NOBODY_CAME
            while not result.done() and (left_s := ends_s - loop.time()) > 0:
                await asyncio.wait({result}, timeout=min(AGAIN_S, left_s))
                await self._hand_out(order, ends_s, ends_s - loop.time(), result)
            if not result.done():
                await asyncio.wait({result}, timeout=GRACE_S)
            took_s = loop.time() - began_s
            if result.done():
                return outcome_of(result.result(), took_s)
            return Outcome(verdict=Verdict.UNKNOWN, reason="no answer within its time to live", duration_s=took_s)
        finally:
            self._awaited = self._result = None

    async def _hand_out(self, order: Order, ends_s: float, seconds: float, result: asyncio.Future[Result]) -> bool:
        """Give the order to a poll within `seconds`; whether it left. A result meanwhile ends the wait."""
        clock = asyncio.get_running_loop().time
        until_s = clock() + seconds
        while not result.done() and clock() < until_s:
            poll = self._poll
            if poll is None or poll.done():
                await self._next_poll(until_s - clock(), result)
                continue
            parcel = Parcel(order, ends_s)
            poll.set_result(parcel)
            if await parcel.fate:
                return True
        return result.done()

    async def _next_poll(self, seconds: float, result: asyncio.Future[Result]) -> None:
        self._arrival = asyncio.get_running_loop().create_future()
        race: set[asyncio.Future[Any]] = {self._arrival, result}
        try:
            await asyncio.wait(race, timeout=max(0.0, seconds), return_when=asyncio.FIRST_COMPLETED)
        finally:
            self._arrival = None


def _nothing(poll: Poll) -> None:
    if not poll.done():
        poll.set_result(None)


class Pace(msgspec.Struct, frozen=True):
    """How long a poll may be held: what the device asks for, and for how long where an order is on its way here."""

    longest_s: float
    at_least_s: float = 1.0  # what a commit takes on the slowest card

    def hold_s(self, asked_s: float, *, expecting: bool) -> float:
        """The time this poll is held."""
        return max(min(max(asked_s, 0.0), self.longest_s), self.at_least_s if expecting else 0.0)
