"""The old payment display on a serial port, as a Conversation. Its language is in serial.py.

It gives no number, name or version, and confirms pictures only. So it is asked for its free space when it is met,
now and then while idle, and after anything went wrong; only its own answer counts as a sign of life.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping

from edge.compat.nic.line import NicLine
from edge.compat.nic.serial import (
    START_ROTATION,
    STOP_ROTATION,
    Action,
    Refused,
    Send,
    Shown,
    Silent,
    Upload,
    upload_s,
)
from edge.errors import LinkError
from edge.links.boot_text import Stranger, excerpt, is_text
from edge.links.conversation import Approach, Heard, Json, OnEvent
from edge.links.spec import Profile
from edge.links.stream import ByteStream
from edge.wire.native import Panel, State
from edge.wire.orders import Order, Outcome, Verdict

PANEL = Panel(width=320, height=480, format="jpeg-grey")
COMMANDS = {"start_rotation": START_ROTATION, "stop_rotation": STOP_ROTATION}

QUESTIONS = 2  # at the first meeting; the first may fall into a boot
QUESTIONS_PINNED = 3  # where nothing else will be tried
RECOVERIES = 3  # rounds of idle and asking before it counts as gone
CHECK_S = 30.0  # between questions while idle: how old its last sign of life may get
CHECKS_MISSED_MAX = 2


class NicDisplay:
    """One live display."""

    profile = Profile.NIC_DISPLAY
    panel = PANEL

    def __init__(self, stream: ByteStream, approach: Approach) -> None:
        self.on_event: OnEvent = _ignore
        self._stream, self._approach = stream, approach
        self._loop = asyncio.get_running_loop()
        self._line = NicLine(stream)
        self._turn = asyncio.Lock()
        self._free_kb: float | None = None

    @classmethod
    async def open(cls, stream: ByteStream, approach: Approach) -> NicDisplay:
        """An Opener: ask for its free space. Raises LinkError without an answer, Stranger when somebody else does.

        Where profile and baud are pinned silence is taken too: firmware in the field may not know the question.
        """
        display = cls(stream, approach)
        try:
            await display._meet()
        except BaseException:
            await display._line.stop()
            raise
        return display

    @property
    def identity(self) -> str:
        """The display cannot tell who it is; its USB bridge or its socket must."""
        return self._approach.facts.identity

    @property
    def hello(self) -> Mapping[str, Json]:
        """`answered`: whether it has ever spoken; `free_kb` as it said last."""
        return {"kind": "display", "answered": self._free_kb is not None, "free_kb": self._free_kb}

    @property
    def port_path(self) -> str:
        """The port's path, as configured."""
        return self._approach.facts.path

    @property
    def baud(self) -> int:
        """The line's rate."""
        return self._stream.baud

    async def deliver(self, order: Order) -> Outcome:
        """One attempt. A failed upload is followed by a pause and a fresh start, so it may take seconds longer."""
        began_s = self._loop.time()
        async with self._turn:
            self._line.sent_bytes = 0
            try:
                verdict, reason = await self._act(order, began_s + order.ttl_ms / 1000)
            except LinkError as error:
                verdict, reason = Verdict.UNKNOWN if self._line.sent_bytes else Verdict.NOT_SENT, error.detail
        return Outcome(verdict=verdict, reason=reason, duration_s=self._loop.time() - began_s)

    async def wait_closed(self) -> str:
        """Wait for its end, asking now and then whether it is still there; the reason."""
        over, missed = self._line.over, 0
        while not over.done():
            await asyncio.wait({over}, timeout=CHECK_S)
            if not over.done() and self._free_kb is not None:
                missed = 0 if await self._is_there() else missed + 1
            if missed >= CHECKS_MISSED_MAX:
                self._line.end(LinkError("the display stopped answering"))
        return over.result().detail

    async def close(self) -> None:
        """End it and close the port."""
        await self._line.stop()
        await self._stream.close()

    # -- orders

    async def _act(self, order: Order, deadline_s: float) -> tuple[Verdict, str]:
        """Do it; what is known then, and why. Raises LinkError when the line ends."""
        if order.kind == "display_qr":
            return await self._show(order, deadline_s)
        command = COMMANDS.get(order.kind)
        if command is None:
            return Verdict.FAILED, f"an old display cannot do {order.kind!r}"
        await self._line.ready(deadline_s)
        await self._line.command(command)
        if self._free_kb is None:
            return Verdict.DONE, ""  # it has never confirmed anything; the port took the line
        answered = await self._ask()  # it reads in order, so it has read the command too
        return (Verdict.DONE, "") if answered else (Verdict.UNKNOWN, "the display did not answer afterwards")

    async def _show(self, order: Order, deadline_s: float) -> tuple[Verdict, str]:
        try:
            upload = Upload(order.blob, baud=self.baud)
        except ValueError as error:
            return Verdict.FAILED, f"it cannot be sent: {error}"
        await self._line.ready(deadline_s)
        if upload_s(len(order.blob), self.baud) > deadline_s - self._loop.time():
            return Verdict.NOT_SENT, "too little of its time is left for this line"
        end = await self._run(upload, deadline_s)
        if isinstance(end, Shown):
            await self._line.command(STOP_ROTATION)
            self.on_event(State(screen="qr", shown_ms=0, rotating=False, command=order.id))
            return Verdict.DONE, ""
        await self._recover()
        return Verdict.FAILED if isinstance(end, Refused) else Verdict.UNKNOWN, end.reason

    async def _run(self, upload: Upload, deadline_s: float) -> Shown | Refused | Silent:
        """Drive an upload to its end. Raises LinkError when the line ends or the display restarts."""
        action: Action | None = upload.begin()
        step, since_s = upload.step, self._loop.time()
        while not isinstance(action, Shown | Refused | Silent):
            if isinstance(action, Send) or upload.step is not step:
                step, since_s = upload.step, self._loop.time()
            if isinstance(action, Send):
                await self._line.write(action.data)
            text = await self._line.next_line(min(since_s + upload.patience_s, deadline_s))
            if text is None and self._loop.time() >= deadline_s:
                return Silent("its time to live ended in mid-upload")
            action = upload.silence() if text is None else upload.line(text)
        return action

    async def _recover(self) -> None:
        """Begin from zero: idle until a half transfer is dropped, meet again, give the screen back to rotation."""
        for _ in range(RECOVERIES):
            await self._line.idle()
            if self._free_kb is None or await self._ask():
                await self._line.command(START_ROTATION)
                return
        await self._line.command(START_ROTATION)
        self._line.end(LinkError("the display stopped answering"))

    # -- questions

    async def _meet(self) -> None:
        pinned = self._approach.pinned
        if not pinned:
            await self._line.write(b"\n")  # ends what another protocol's question left in its line buffer
        others: list[str] = []
        for _ in range(QUESTIONS_PINNED if pinned else QUESTIONS):
            if await self._ask(others):
                return
        heard = "\n".join(others).encode()
        if is_text(heard):
            raise Stranger(f"something else answers here: {excerpt(heard)!r}")
        if not pinned:
            raise LinkError("no old display answers")

    async def _ask(self, others: list[str] | None = None) -> bool:
        free_kb = await self._line.ask_free_kb([] if others is None else others)
        if free_kb is None:
            return False
        self._free_kb = free_kb
        self.on_event(Heard(f"{free_kb:g} KB free"))
        return True

    async def _is_there(self) -> bool:
        async with self._turn:
            try:
                return await self._ask()
            except LinkError:
                return False  # over, and the line says why


def _ignore(event: object) -> None:
    """Nobody listens yet."""
