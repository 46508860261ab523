"""Frames in flight: what is sent, what came back, what is sent again. Pure: the clock is a parameter.

Go-back-N: the device keeps no frame that comes out of order, so after a loss everything from the gap on is sent
again. What may be unacknowledged is counted in bytes, because a device's receive buffer drops silently what it
cannot hold: an ESP32's UART takes 259 unread bytes and tells nobody about the 260th.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable

from edge.wire.frames import Frame, FrameType, encode_frame, encoded_size

SEQ_MODULUS = 256
FRAMES_IN_FLIGHT_MAX = 64
"""Well under half the sequence space, so an old number is never taken for a new one."""

BITS_PER_BYTE = 10
"""8N1: a start bit, eight, a stop bit."""

CONTROL_BYTES = 3 * encoded_size(0)
"""Kept free in the device's buffer for what goes beside the data: two acknowledgements and a ping."""

PART_BYTES_MIN = 16
PART_BYTES_MAX = 240
"""Bounds of a frame's payload; a longer one takes a second COBS block and loses more to one flipped bit."""

TURNAROUND_S = 0.25
"""What a device may take to read a frame and answer: it writes flash, or draws a slice of its panel."""

RESENDS_MAX = 8
"""So often in a row without progress, and the conversation is over."""


def part_bytes_for(rx_bytes: int) -> int:
    """The payload with which two frames fit into the device's buffer, so that the line never idles."""
    return max(PART_BYTES_MIN, min(PART_BYTES_MAX, window_bytes_for(rx_bytes) // 2 - encoded_size(0)))


def window_bytes_for(rx_bytes: int) -> int:
    """How many data bytes may be unacknowledged towards such a buffer."""
    return rx_bytes - CONTROL_BYTES


def wire_time_s(size_bytes: int, baud: int) -> float:
    """How long the line needs for so many bytes."""
    return size_bytes * BITS_PER_BYTE / baud


class SendWindow:
    """One direction's sending half.

    `queue` parts, write what `due` gives, tell it of each acknowledgement. `dead` once RESENDS_MAX is reached.
    """

    def __init__(self, session: int, *, window_bytes: int, baud: int) -> None:
        self._session = session
        self._window_bytes = window_bytes
        self._baud = baud
        self._waiting: deque[bytes] = deque()  # encoded, never sent
        self._flight: deque[bytes] = deque()  # encoded, sent, not acknowledged
        self._flight_bytes = 0
        self.queued = 0  # frames ever queued
        self.arrived = 0  # frames ever acknowledged
        self._deadline = float("inf")
        self._resend = False
        self._gap_seen = False
        self._resends = 0
        self.resent_frames = 0

    @property
    def idle(self) -> bool:
        """Everything queued was acknowledged."""
        return not self._waiting and not self._flight

    @property
    def dead(self) -> bool:
        """The other side stopped acknowledging."""
        return self._resends > RESENDS_MAX

    @property
    def deadline(self) -> float:
        """When `due` is to be asked again if nothing comes; infinity when nothing is in flight."""
        return self._deadline

    def queue(self, parts: Iterable[tuple[FrameType, bytes]]) -> int:
        """Number and encode the parts; returns what `arrived` reaches when the last of them has."""
        for kind, payload in parts:
            self._waiting.append(encode_frame(Frame(kind, self.queued % SEQ_MODULUS, payload), self._session))
            self.queued += 1
        return self.queued

    def resize(self, *, window_bytes: int, baud: int) -> None:
        """From here on: so many bytes in flight, and timeouts for this rate."""
        self._window_bytes = window_bytes
        self._baud = baud

    def due(self, now: float) -> list[bytes]:
        """The frames to write now: those lost, then new ones while the window has room."""
        out: list[bytes] = []
        if now >= self._deadline:
            self._resends += 1
            self._gap_seen = False
            self._resend = True
        if self._resend and not self.dead:
            self._resend = False
            self.resent_frames += len(self._flight)
            out.extend(self._flight)
        while self._waiting and self._fits(self._waiting[0]):
            frame = self._waiting.popleft()
            self._flight.append(frame)
            self._flight_bytes += len(frame)
            out.append(frame)
        if out:
            self._deadline = now + self._timeout_s()
        return out

    def acknowledge(self, expected: int, now: float) -> None:
        """The device expects frame `expected` next: all before arrived. A number out of the window is ignored."""
        arrived = (expected - self.arrived) % SEQ_MODULUS
        if arrived > len(self._flight):
            return
        if arrived == 0:
            self._suspect_gap()
            return
        for _ in range(arrived):
            self._flight_bytes -= len(self._flight.popleft())
        self.arrived += arrived
        self._resends = 0
        self._gap_seen = False
        self._deadline = now + self._timeout_s() if self._flight else float("inf")

    def _suspect_gap(self) -> None:
        """A repeated number means a frame arrived out of order: send again at once, but once per gap."""
        if self._flight and not self._gap_seen:
            self._gap_seen = True
            self._resend = True

    def _fits(self, frame: bytes) -> bool:
        if not self._flight:
            return True
        room = self._flight_bytes + len(frame) <= self._window_bytes
        return room and len(self._flight) < FRAMES_IN_FLIGHT_MAX

    def _timeout_s(self) -> float:
        """Twice the line's time for all that is in flight and its acknowledgements, and the device's own time.

        Each time in vain it grows by half, so that no rhythm of the line's is met again and again.
        """
        acks = len(self._flight) * encoded_size(0)
        once_s = 2 * wire_time_s(self._flight_bytes + acks, self._baud) + TURNAROUND_S
        return once_s * (1 + self._resends / 2)


class ReceiveWindow:
    """One direction's receiving half: takes frames in order only."""

    def __init__(self) -> None:
        self.expected = 0

    def take(self, frame: Frame) -> bool:
        """Whether this is the next frame. Either way `expected` is to be acknowledged."""
        if frame.seq != self.expected:
            return False
        self.expected = (self.expected + 1) % SEQ_MODULUS
        return True
