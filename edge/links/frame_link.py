"""One live run of the native protocol over a byte stream: frames, windows, keep-alive, baud. Knows no commands.

Single-use, like the stream under it: `start`, `begin` a session, exchange messages, and once over it stays over.
A reader, a writer and a keep-alive task share one TaskGroup; the first LinkError ends all three and is the reason.
"""

from __future__ import annotations

import asyncio
import contextlib
import secrets
from collections import deque
from collections.abc import Callable
from typing import Any, TypeVar

from edge.errors import LinkError
from edge.links.stream import ByteStream
from edge.links.window import ReceiveWindow, SendWindow, part_bytes_for, window_bytes_for, wire_time_s
from edge.wire.frames import Decoder, Frame, FrameType, encode_frame, encoded_size
from edge.wire.messages import Assembler, BadMessage, cut, encode_message

T = TypeVar("T")
OnMessage = Callable[[bytes], None]

RX_BYTES_UNKNOWN = 128
"""Taken for the device's receive buffer until its hello says better: the least any may have."""

KEEPALIVE_S = 0.5
"""A ping when nothing else was written for so long: the device takes 4 s of silence for a lost hub."""

SILENCE_S = 5.0
"""Nothing heard for so long, though pinged all the while: longer than a device's slowest flash write."""

ANSWER_S = 0.25
"""What a device may take for READY, PONG or BAUD_OK, beside the line's time for both frames."""

BAUD_PROBE_S = 1.0
"""So long a device waits at a new rate for a ping before it goes back to the old one."""

PROBES = 3
CLOSED = "closed by the hub"
CONTROL_FRAMES_MAX = 16
"""Waiting control frames; past it the oldest is given up, as if the line had lost it."""


class FrameLink:
    """Frames over `stream`; each whole message from the device goes to `on_message`, as its encoded bytes."""

    def __init__(self, stream: ByteStream, on_message: OnMessage) -> None:
        self._stream = stream
        self._on_message = on_message
        self._session = 0
        self._decoder = Decoder()
        self._window = SendWindow(0, window_bytes=window_bytes_for(RX_BYTES_UNKNOWN), baud=stream.baud)
        self._received = ReceiveWindow()
        self._assembler = Assembler()
        self._rx_bytes = RX_BYTES_UNKNOWN
        self._control: deque[bytes] = deque(maxlen=CONTROL_FRAMES_MAX)
        self._ack_due = False
        self._wake = asyncio.Event()
        self._goals: deque[tuple[int, asyncio.Future[None]]] = deque()
        self._answers: dict[FrameType, asyncio.Future[Frame]] = {}
        self._token = 0
        self._heard_at = self._wrote_at = 0.0
        self._begun = False
        self._run: asyncio.Task[None] | None = None
        self.over: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        self.data_bytes_written = 0

    @property
    def resent_frames(self) -> int:
        """How many frames went out again."""
        return self._window.resent_frames

    def start(self) -> None:
        """Begin to read and write."""
        self._heard_at = self._wrote_at = _now()
        self._run = asyncio.create_task(self._live(), name="frame-link")

    async def stop(self) -> None:
        """End the run, wait for its tasks, and tell the device, so that it need not find out. Closes no stream."""
        over = self.over.done()
        self._end(CLOSED)
        if self._run is not None:
            self._run.cancel()
            await asyncio.gather(self._run, return_exceptions=True)
        if self._begun and not over:
            with contextlib.suppress(LinkError, TimeoutError):
                farewell = encode_frame(Frame(FrameType.BYE), self._session)
                async with asyncio.timeout(ANSWER_S):
                    await self._stream.write(farewell)
                # Whoever closes the port next may drop what has not left it yet.
                await asyncio.sleep(wire_time_s(2 * len(farewell), self._stream.baud))

    async def begin(self) -> None:
        """Ask for a new session until the device is in it. Ends only by an answer, an error or cancellation."""
        self._session = secrets.randbits(32) or 1
        self._decoder.reset(self._session)
        self._window = SendWindow(
            self._session, window_bytes=window_bytes_for(RX_BYTES_UNKNOWN), baud=self._stream.baud
        )
        payload = self._session.to_bytes(4, "little")
        while await self._ask(FrameType.SYNC, FrameType.READY, payload, session=0) is None:
            pass
        self._begun = True

    async def send(self, header: bytes, blob: bytes = b"") -> None:
        """Send one message and wait until all of it arrived. Raises LinkError, and BadMessage past the bounds.

        Cancelling the wait does not take the message back: half a message would spoil the next.
        """
        parts = cut(encode_message(header, blob), part_bytes_for(self._rx_bytes))
        arrived: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._goals.append((self._window.queue(parts), arrived))
        self._wake.set()
        await self.outcome_of(arrived)

    async def drained(self) -> None:
        """Wait until all that was sent before has arrived. Raises LinkError."""
        if self._goals:
            await self.outcome_of(self._goals[-1][1])

    async def outcome_of(self, waiting: asyncio.Future[T], timeout_s: float | None = None) -> T | None:
        """Wait for something from the device; None at the timeout. Raises LinkError when the link is over first."""
        race: set[asyncio.Future[Any]] = {waiting, self.over}
        await asyncio.wait(race, timeout=timeout_s, return_when=asyncio.FIRST_COMPLETED)
        if waiting.done():
            return waiting.result()
        if self.over.done():
            raise LinkError(self.over.result(), sent_bytes=self.data_bytes_written)
        return None

    def fit(self, rx_bytes: int) -> None:
        """Size window and frames to the buffer the device announced."""
        self._rx_bytes = rx_bytes
        self._window.resize(window_bytes=window_bytes_for(rx_bytes), baud=self._stream.baud)

    async def change_baud(self, baud: int) -> bool:
        """Agree on a new rate and try it; False when the old one is in force again.

        Raises LinkError if neither works. To be called when nothing is in flight either way.
        """
        old = self._stream.baud
        if await self._ask(FrameType.BAUD, FrameType.BAUD_OK, baud.to_bytes(4, "little")) is not None:
            await self._use_baud(baud)
            if await self._probe():
                return True
            await self._use_baud(old)
        await asyncio.sleep(BAUD_PROBE_S)  # by then the device is back at the old rate, whatever it heard
        if not await self._probe():
            raise LinkError(f"the device answers neither at {old} nor at {baud} baud")
        return False

    # -- the three tasks

    async def _live(self) -> None:
        reason = CLOSED
        try:
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(self._read())
                tasks.create_task(self._write())
                tasks.create_task(self._keep_alive())
        except* LinkError as errors:
            reason = str(errors.exceptions[0])
        except* Exception as errors:  # noqa: BLE001 - the task's edge: whoever waits for the end is told
            reason = f"a fault in the hub: {errors.exceptions[0]!r}"
        finally:
            self._end(reason)

    async def _read(self) -> None:
        while True:
            for frame in self._decoder.feed(await self._stream.read()):
                self._heard_at = _now()
                self._take(frame)

    async def _write(self) -> None:
        while True:
            self._wake.clear()
            data = self._window.due(_now())
            if self._window.dead:
                raise LinkError("the device stopped acknowledging")
            out = self._take_control() + b"".join(data)
            if out:
                self.data_bytes_written += sum(map(len, data))
                await self._stream.write(out)
                self._wrote_at = _now()
                continue
            deadline = self._window.deadline
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout_at(None if deadline == float("inf") else deadline):
                    await self._wake.wait()

    async def _keep_alive(self) -> None:
        while True:
            await asyncio.sleep(KEEPALIVE_S)
            now = _now()
            if not self._begun:
                self._heard_at = now
            elif now - self._heard_at > SILENCE_S + 4 * wire_time_s(RX_BYTES_UNKNOWN, self._stream.baud):
                raise LinkError("the device fell silent")
            elif now - self._wrote_at >= KEEPALIVE_S:
                self._post(FrameType.PING)

    # -- frames in

    def _take(self, frame: Frame) -> None:
        match frame.type:
            case FrameType.DATA | FrameType.DATA_END if self._begun:
                self._take_data(frame)
            case FrameType.ACK:
                self._take_ack(frame)
            case FrameType.ANNOUNCE if self._begun:
                raise LinkError("the device restarted")
            case FrameType.BYE if self._begun:
                raise LinkError("the device ended the conversation")
            case _:
                answer = self._answers.get(frame.type)
                if answer is not None and not answer.done():
                    answer.set_result(frame)

    def _take_data(self, frame: Frame) -> None:
        self._ack_due = True
        self._wake.set()
        if not self._received.take(frame):
            return
        try:
            message = self._assembler.add(frame)
        except BadMessage as error:
            raise LinkError(f"the device sent a broken message: {error}") from error
        if message is not None:
            self._on_message(message)

    def _take_ack(self, frame: Frame) -> None:
        self._window.acknowledge(frame.seq, _now())
        self._wake.set()
        while self._goals and self._goals[0][0] <= self._window.arrived:
            _, arrived = self._goals.popleft()
            if not arrived.done():
                arrived.set_result(None)

    # -- frames out

    def _post(self, kind: FrameType, seq: int = 0, payload: bytes = b"", session: int | None = None) -> None:
        frame = Frame(kind, seq, payload)
        self._control.append(encode_frame(frame, self._session if session is None else session))
        self._wake.set()

    def _take_control(self) -> bytes:
        out = b"".join(self._control)
        self._control.clear()
        if self._ack_due:
            self._ack_due = False
            out += encode_frame(Frame(FrameType.ACK, self._received.expected), self._session)
        return out

    async def _ask(
        self, kind: FrameType, answer: FrameType, payload: bytes = b"", *, session: int | None = None
    ) -> Frame | None:
        """Send one control frame and wait as long as its answer can take; None when none came. Raises LinkError."""
        self._token = self._token % 255 + 1  # 0 is the keep-alive's
        waiting = self._answers[answer] = asyncio.get_running_loop().create_future()
        self._post(kind, self._token, payload, session)
        line_s = 2 * wire_time_s(2 * encoded_size(len(payload)), self._stream.baud)
        try:
            frame = await self.outcome_of(waiting, ANSWER_S + line_s)
        finally:
            del self._answers[answer]
        return frame if frame is not None and frame.seq == self._token else None

    async def _probe(self) -> bool:
        for _ in range(PROBES):
            if await self._ask(FrameType.PING, FrameType.PONG) is not None:
                return True
        return False

    async def _use_baud(self, baud: int) -> None:
        await self._stream.set_baud(baud)
        self._window.resize(window_bytes=window_bytes_for(self._rx_bytes), baud=baud)

    def _end(self, reason: str) -> None:
        if not self.over.done():
            self.over.set_result(reason)


def _now() -> float:
    return asyncio.get_running_loop().time()
