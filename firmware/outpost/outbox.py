"""The sending half of the link: messages cut into frames, a few in flight, sent again until acknowledged."""

import binascii
import json

from outpost import frames

PART_BYTES = 100  # a whole frame then fits the UART's 128-byte transmit FIFO, so writing it does not wait
FRAMES_IN_FLIGHT = 2
FRAMES_WAITING_MAX = 32  # about 3 KB: a hello, a result and a few states
TURNAROUND_MS = 250  # what the hub may take to answer
RESENDS_MAX = 8


def encode_message(header: "dict[str, object]") -> bytes:
    """`length of the JSON header (u16 LE) | header | CRC-32 of both (LE)`; a device sends no blobs."""
    return encode_text(json.dumps(header).encode())


def encode_text(text: bytes) -> bytes:
    """The same of a header that is JSON already."""
    body = len(text).to_bytes(2, "little") + text
    crc = binascii.crc32(body) & 0xFFFFFFFF  # type: int
    return body + crc.to_bytes(4, "little")


class Outbox:
    """Frames for one session."""

    def __init__(self, session: int) -> None:
        self._session = session
        self._waiting = []  # type: list[bytes]
        self._flight = []  # type: list[bytes]
        self._base = 0  # seq of the first in flight
        self._next = 0
        self._deadline = 0
        self._again = 0  # frames of the flight that are to be written again, counted from its end
        self._gap_seen = False
        self._resends = 0

    def idle(self) -> bool:
        """Whether all of it was acknowledged."""
        return not self._waiting and not self._flight

    def ready(self) -> bool:
        """Whether `due` has a frame without waiting for an acknowledgement."""
        return bool(self._again or self._waiting and len(self._flight) < FRAMES_IN_FLIGHT)

    def dead(self) -> bool:
        """Whether the hub stopped acknowledging."""
        return self._resends > RESENDS_MAX

    def put(self, header: "dict[str, object]") -> bool:
        """Queue one message; False when there is no room for it."""
        return self.put_text(json.dumps(header).encode())

    def put_text(self, header: bytes) -> bool:
        """The same with a header that is JSON already."""
        message = encode_text(header)
        count = (len(message) + PART_BYTES - 1) // PART_BYTES
        if len(self._waiting) + count > FRAMES_WAITING_MAX:
            return False
        for i in range(count):
            kind = frames.DATA_END if i == count - 1 else frames.DATA
            part = message[i * PART_BYTES : (i + 1) * PART_BYTES]
            self._waiting.append(frames.encode(kind, self._next, part, self._session))
            self._next = (self._next + 1) & 255
        return True

    def due(self, now: int, baud: int) -> "bytes | None":
        """The one frame to write now, if any: a lost one first."""
        if self._flight and now >= self._deadline:
            self._resends += 1
            self._gap_seen = False
            self._again = len(self._flight)
        if self._again:
            frame = self._flight[len(self._flight) - self._again]
            self._again -= 1
        elif self._waiting and len(self._flight) < FRAMES_IN_FLIGHT:
            frame = self._waiting.pop(0)
            self._flight.append(frame)
        else:
            return None
        self._deadline = now + self._timeout_ms(baud)
        return frame

    def acknowledge(self, expected: int, now: int, baud: int) -> None:
        """The hub expects frame `expected` next."""
        arrived = (expected - self._base) & 255
        if arrived > len(self._flight):
            return
        if arrived == 0:
            if self._flight and not self._gap_seen:
                self._gap_seen = True
                self._again = len(self._flight)
            return
        del self._flight[:arrived]
        self._again = min(self._again, len(self._flight))
        self._base = expected
        self._resends = 0
        self._gap_seen = False
        self._deadline = now + self._timeout_ms(baud)

    def _timeout_ms(self, baud: int) -> int:
        """Twice the line's time for what is in flight and its acknowledgements, and the hub's own time.

        Each time in vain it grows by half, so that no rhythm of the line's is met again and again.
        """
        size = sum([len(frame) + frames.EMPTY_FRAME_BYTES for frame in self._flight])
        return (2 * size * 10000 // baud + TURNAROUND_MS) * (2 + self._resends) // 2
