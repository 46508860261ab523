"""An old vending machine on a cable, as a Conversation. Its language is in serial.py.

It is asked who it is when it is met, and for its status now and then while idle: only its own answer is a sign of
life. After a vend that nobody knows the end of, nothing more is vended until the line has been quiet.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping

from edge.compat.vending.ids import mac_of, machine_name
from edge.compat.vending.serial import (
    DISCOVER,
    RESET,
    STATUS,
    End,
    Introduction,
    Vending,
    error_in,
    is_sketch,
    is_status,
    vend_line,
)
from edge.compat.vending.wire import VendingWire
from edge.errors import LinkError
from edge.links.conversation import Approach, Heard, Json, OnEvent
from edge.links.spec import Profile
from edge.links.stream import ByteStream
from edge.wire.native import Log
from edge.wire.older import OLD_SLOTS
from edge.wire.orders import Order, Outcome, Verdict

QUESTIONS = 2  # at the first meeting; the first may fall into noise in its line buffer
ASK_S = 1.0  # for an answer; the sketch answers within milliseconds
CHECK_S = 10.0  # between questions while idle: how old its last sign of life may get
CHECKS_MISSED_MAX = 3
QUIET_S = 2.0  # after a vend without an end: a motor has stopped and said so by then
RESET_S = 2.0  # for the word that it restarts


class VendingLine:
    """One live machine."""

    profile = Profile.VENDING
    panel = None

    def __init__(self, stream: ByteStream, approach: Approach) -> None:
        self.on_event: OnEvent = _ignore
        self._stream, self._approach = stream, approach
        self._loop = asyncio.get_running_loop()
        self._turn = asyncio.Lock()
        self._told: dict[str, str] = {}
        self._answered = self._sketch = self._doubt = False
        self._wire = VendingWire(stream, self._note)

    @classmethod
    async def open(cls, stream: ByteStream, approach: Approach) -> VendingLine:
        """An Opener: ask who it is. Raises LinkError when no vending machine answers.

        Where it is pinned, an answer to STATUS or silence is taken too: firmware made from the manual knows less.
        """
        machine = cls(stream, approach)
        try:
            await machine._meet()
        except BaseException:
            await machine._wire.stop()
            raise
        machine._wire.met = True
        return machine

    @property
    def identity(self) -> str:
        """Its MAC, else the best the port offers: every machine's boot banner gives the same id."""
        return mac_of(self._told.get("DEVICE_ID", "")) or self._approach.facts.identity

    @property
    def hello(self) -> Mapping[str, Json]:
        """`answered`: whether it has ever spoken; what it said of itself."""
        facts: dict[str, Json] = {"kind": "vending", "answered": self._answered}
        if mac_of(self._told.get("DEVICE_ID", "")):
            facts["name"] = machine_name(self.identity)
        if "FIRMWARE_VERSION" in self._told:
            facts["fw"] = self._told["FIRMWARE_VERSION"]
        return facts

    @property
    def port_path(self) -> str:
        """The port's path, as configured."""
        return self._approach.facts.path

    @property
    def baud(self) -> int:
        """The line's rate."""
        return self._stream.baud

    async def deliver(self, order: Order) -> Outcome:
        """One attempt. What may have reached the machine and was not answered is unknown, never "not sent"."""
        began_s = self._loop.time()
        async with self._turn:
            self._wire.sent_bytes = 0
            try:
                end = await self._act(order, began_s + order.ttl_ms / 1000)
            except LinkError as error:
                verdict = Verdict.UNKNOWN if self._wire.sent_bytes else Verdict.NOT_SENT
                end = End(verdict, error.detail)
        return Outcome(verdict=end.verdict, reason=end.reason, duration_s=self._loop.time() - began_s)

    async def wait_closed(self) -> str:
        """Wait for its end, asking now and then whether it is still there; the reason."""
        over, missed = self._wire.over, 0
        while not over.done():
            await asyncio.wait({over}, timeout=CHECK_S)
            if over.done() or self._turn.locked():
                continue
            if not self._answered:
                self.on_event(Heard("its port is open"))
                continue
            missed = 0 if await self._is_there() else missed + 1
            if missed >= CHECKS_MISSED_MAX:
                self._wire.end(LinkError("the machine stopped answering"))
        return over.result().detail

    async def close(self) -> None:
        """End it and close the port."""
        await self._wire.stop()
        await self._stream.close()

    # -- orders

    async def _act(self, order: Order, deadline_s: float) -> End:
        """Do it; what is known then. Raises LinkError when the cable ends."""
        if self._loop.time() >= deadline_s:
            return End(Verdict.NOT_SENT, "its time ran out while the machine was busy")
        if order.kind == "vend":
            return await self._vend(order.args.get("slot"), deadline_s)
        if order.kind == "machine_status":
            answered = await self._asks_status()
            return End(Verdict.DONE) if answered else End(Verdict.UNKNOWN, "the machine did not answer")
        if order.kind == "reboot":
            return await self._reset()
        return End(Verdict.FAILED, f"an old vending machine cannot do {order.kind!r}")

    async def _vend(self, slot: object, deadline_s: float) -> End:
        if not isinstance(slot, int) or not 1 <= slot <= OLD_SLOTS:
            return End(Verdict.FAILED, f"this machine has slots 1 to {OLD_SLOTS}")
        if self._doubt and not await self._wire.quiet(QUIET_S, deadline_s):
            return End(Verdict.NOT_SENT, "the line was not quiet after a vend without an end")
        self._doubt = True  # until its end is known
        end = await self._follow(Vending(slot, sketch=self._sketch), vend_line(slot))
        self._doubt = end.verdict is Verdict.UNKNOWN
        return end

    async def _follow(self, vending: Vending, command: bytes) -> End:
        await self._wire.write(command)
        self.on_event(Log(level="info", text=f"told: {command.decode().strip()}"))
        end, step, since_s = None, vending.step, self._loop.time()
        while end is None:
            text = await self._wire.next_line(since_s + vending.patience_s)
            end = vending.silence() if text is None else vending.line(text)
            if text is not None and not error_in(text):
                self.on_event(Log(level="info", text=text))
            if vending.step is not step:
                step, since_s = vending.step, self._loop.time()
        return end

    async def _reset(self) -> End:
        await self._wire.write(RESET)
        ends_s = self._loop.time() + RESET_S
        while (text := await self._wire.next_line(ends_s)) is not None:
            if "resetting system" in text.lower():
                return End(Verdict.DONE)
            if error_in(text):
                return End(Verdict.FAILED, f"the machine refused: {error_in(text)}")
        return End(Verdict.UNKNOWN, "the machine did not say that it restarts")

    # -- questions

    async def _meet(self) -> None:
        if not self._approach.pinned:
            await self._wire.write(b"\n")  # ends what another protocol's question left in its line buffer
        for _ in range(QUESTIONS):
            if await self._introduces_itself():
                return
        if not self._approach.pinned:
            raise LinkError("no vending machine answers")
        await self._asks_status()

    async def _introduces_itself(self) -> bool:
        await self._wire.write(DISCOVER)
        said, ends_s = Introduction(), self._loop.time() + ASK_S
        while not said.is_complete and (text := await self._wire.next_line(ends_s)) is not None:
            said.line(text)
        if said.is_machine:
            self._told, self._answered = said.fields, True
        return said.is_machine

    async def _asks_status(self) -> bool:
        await self._wire.write(STATUS)
        ends_s = self._loop.time() + ASK_S
        while (text := await self._wire.next_line(ends_s)) is not None:
            if is_status(text):
                self._answered = True
                self.on_event(Heard("its answer to STATUS"))
                return True
        return False

    async def _is_there(self) -> bool:
        async with self._turn:
            try:
                return await self._asks_status()
            except LinkError:
                return False  # over, and the wire says why

    def _note(self, text: str) -> None:
        self._sketch = self._sketch or is_sketch(text)
        if error_in(text):
            self.on_event(Log(level="warning", text=text))


def _ignore(event: object) -> None:
    """Nobody listens yet."""
