"""A conversation with a device that runs our firmware: handshake, commands with honest verdicts, events.

Single-use: `open` it over a stream, `deliver` orders one at a time, and when `wait_closed` returns it is over; the
owner opens another over another stream. It owns its stream from a successful `open` on.
"""

from __future__ import annotations

import asyncio
import binascii
from collections.abc import Callable
from typing import Self

import msgspec

from edge.errors import LinkError, TooLarge
from edge.links.frame_link import FrameLink
from edge.links.stream import ByteStream
from edge.wire.cable import Fetch, Readings, Report, Shown, ToDevice, Told, decode_from_device
from edge.wire.messages import BadMessage, decode_message
from edge.wire.native import (
    IN_DOUBT,
    MIN_PROTOCOL,
    PROTOCOL,
    Command,
    Hello,
    HelloRequest,
    Log,
    Result,
    State,
    encode_header,
)
from edge.wire.orders import Order, Outcome, Verdict

OnEvent = Callable[[State | Log | Readings | Report | Fetch | Told | Shown], None]

BAUDS = (921_600, 460_800, 230_400, 115_200)
"""Rates worth agreeing on, best first; all are exact enough on an ESP32 and on the usual USB bridges."""

WORK_S = 3.0
"""What a device may take for a command that has arrived: to inflate, store and draw a full screen."""

REASONS = {
    "stale": "the device has claimed this number or a higher one for another command",
    "expired": "it reached the device after its time to live",
    "bad_picture": "the picture did not arrive as it was made, or does not fit the panel",
    "bad_args": "the device cannot use these arguments",
    "unsupported": "the device does not know this kind of command",
    "no_space": "the device's flash is full",
    "failed": "the device could not do it",
    "busy": "the device is doing something else",
    "not_begun": "the device lost power before it began: nothing moved",
    "no_drop": "the motor turned, but the sensor saw nothing fall",
    "sensor_blocked": "something lies in front of the drop sensor, so nothing was moved",
    IN_DOUBT: "the device lost power while doing it: whether it happened is not known",
}


class NativeSession:
    """One live conversation; see the module."""

    def __init__(self, stream: ByteStream, on_event: OnEvent) -> None:
        self._stream = stream
        self._on_event = on_event
        self._link = FrameLink(stream, self._take)
        self._hello: asyncio.Future[Hello] = asyncio.get_running_loop().create_future()
        self._results: dict[tuple[str, int], asyncio.Future[Result]] = {}
        self._turn = asyncio.Lock()
        self.unintelligible = 0

    @classmethod
    async def open(
        cls, stream: ByteStream, *, on_event: OnEvent, raise_baud: bool = True, timeout_s: float
    ) -> Self:
        """Shake hands. Raises LinkError when nobody answers as native in time; the stream then stays open.

        `on_event` is called in the event loop and must not block. `raise_baud=False` keeps a rate that an operator
        has pinned.
        """
        baud = stream.baud
        session = cls(stream, on_event)
        session._link.start()
        try:
            async with asyncio.timeout(timeout_s):
                await session._shake_hands(raise_baud)
        except TimeoutError as error:
            await session._abandon(baud)
            raise LinkError(f"no device with our firmware answered within {timeout_s:g} s") from error
        except BaseException:
            await session._abandon(baud)
            raise
        return session

    @property
    def hello(self) -> Hello:
        """What the device said of itself at the handshake."""
        return self._hello.result()

    @property
    def resent_frames(self) -> int:
        """How often the line lost something of ours."""
        return self._link.resent_frames

    async def deliver(self, order: Order) -> Outcome:
        """One attempt at one command, within its time to live; says what is known afterwards, and never raises
        for what a device or a line does.

        The device answers a repeat from its memory, so a result that stays out is asked for again with the same
        id and number.
        """
        clock = asyncio.get_running_loop().time
        began = clock()
        deadline = began + order.ttl_ms / 1000
        async with self._turn:
            written = self._link.data_bytes_written
            try:
                await self._link.drained()
                written = self._link.data_bytes_written
                result = await self._attempt(order, deadline)
            except BadMessage as error:
                return Outcome(verdict=Verdict.NOT_SENT, reason=f"it cannot be sent: {error}")
            except LinkError as error:
                return self._lost(str(error), written, clock() - began)
            if result is None:
                return self._lost("no answer within its time to live", written, clock() - began)
        return outcome_of(result, clock() - began)

    async def tell(self, message: ToDevice, blob: bytes = b"") -> None:
        """Send what is no command; it has arrived when this returns.

        Raises LinkError when the line is over, TooLarge when the message fits none.
        """
        try:
            await self._link.send(encode_header(message), blob)
        except BadMessage as error:
            raise TooLarge(f"It cannot be told to the device: {error}.") from error

    async def wait_closed(self) -> str:
        """Wait for the end; returns its reason, a phrase for a person."""
        await asyncio.wait({self._link.over})
        return self._link.over.result()

    async def close(self) -> None:
        """End the conversation and close the stream. Never raises, may be called twice."""
        await self._link.stop()
        await self._stream.close()

    # -- handshake

    async def _shake_hands(self, raise_baud: bool) -> None:
        await self._link.begin()
        await self._link.send(encode_header(HelloRequest()))
        await self._link.outcome_of(self._hello)
        hello = self.hello
        if hello.proto < MIN_PROTOCOL or hello.min_proto > PROTOCOL:
            raise LinkError(
                f"the device speaks protocols {hello.min_proto} to {hello.proto}, "
                f"the hub {MIN_PROTOCOL} to {PROTOCOL}",
                hint="Update whichever of the two is older.",
            )
        self._link.fit(hello.rx)
        best = next((baud for baud in BAUDS if baud <= hello.baud_max), 0)
        if raise_baud and best > self._stream.baud:
            await self._link.change_baud(best)

    async def _abandon(self, baud: int) -> None:
        await self._link.stop()
        if self._stream.baud != baud:
            await self._stream.set_baud(baud)

    # -- commands

    async def _attempt(self, order: Order, deadline: float) -> Result | None:
        """Send, wait, ask again; None when the time to live ended without a result."""
        clock = asyncio.get_running_loop().time
        key = (order.id, order.seq)
        waiting: asyncio.Future[Result] = asyncio.get_running_loop().create_future()
        self._results[key] = waiting
        try:
            while (left_s := deadline - clock()) > 0:
                await self._send(order, int(left_s * 1000))
                result = await self._link.outcome_of(waiting, WORK_S)
                if result is not None:
                    return result
            return None
        finally:
            del self._results[key]

    async def _send(self, order: Order, ttl_ms: int) -> None:
        if self._link.over.done():
            raise LinkError(self._link.over.result())
        command = Command(
            id=order.id,
            seq=order.seq,
            kind=order.kind,
            ttl_ms=ttl_ms,
            args=order.args,
            blob_size=len(order.blob),
            blob_crc=binascii.crc32(order.blob),
        )
        await self._link.send(encode_header(command), order.blob)

    def _lost(self, reason: str, written_before: int, duration_s: float) -> Outcome:
        """Nothing came back: not sent if no byte of it left, else nobody knows."""
        left = self._link.data_bytes_written > written_before
        verdict = Verdict.UNKNOWN if left else Verdict.NOT_SENT
        return Outcome(verdict=verdict, reason=reason, duration_s=duration_s)

    # -- what the device says

    def _take(self, message: bytes) -> None:
        try:
            header, _ = decode_message(message)
            said = decode_from_device(header)
        except BadMessage as error:
            raise LinkError(f"the device sent a broken message: {error}") from error
        except msgspec.DecodeError as error:
            if not self._hello.done():
                raise LinkError(f"the device's hello is not understood: {error}") from error
            self.unintelligible += 1  # a newer firmware may say more than this hub knows
            return
        match said:
            case Hello():
                if not self._hello.done():
                    self._hello.set_result(said)
            case Result():
                waiting = self._results.get((said.id, said.seq))
                if waiting is not None and not waiting.done():
                    waiting.set_result(said)
            case State() | Log() | Readings() | Report() | Fetch() | Told() | Shown():
                self._on_event(said)


def outcome_of(result: Result, duration_s: float) -> Outcome:
    """What a device's result says of the attempt."""
    if result.ok:
        return Outcome(
            verdict=Verdict.DONE, duration_s=duration_s, repeated=result.repeated, evidence=result.evidence
        )
    return Outcome(
        verdict=Verdict.IN_DOUBT if result.err == IN_DOUBT else Verdict.FAILED,
        reason=REASONS.get(result.err, f"the device says {result.err!r}"),
        duration_s=duration_s,
        repeated=result.repeated,
        evidence=result.evidence,
    )
