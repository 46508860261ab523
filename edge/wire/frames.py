"""The frames of the native serial protocol: COBS between zero bytes, CRC-32 inside (docs/protocol.md).

Pure codec, both directions. A line carries boot banners, REPL text and noise between frames: the decoder passes
over whatever is not a whole, undamaged frame of its session and counts its bytes.
"""

from __future__ import annotations

import binascii
from collections.abc import Iterator
from enum import IntEnum

import msgspec

DELIMITER = b"\0"
NO_SESSION = 0
"""The session of the frames that begin one: SYNC and ANNOUNCE."""

HEADER_BYTES = 2  # type and sequence number
CRC_BYTES = 4
FRAME_BYTES_MAX = 512
"""The longest frame on the wire, delimiters included. Longer runs without a zero byte are noise."""

COBS_RUN = 254
"""Data bytes one COBS code byte can stand for."""


class FrameType(IntEnum):
    """What a frame is for. The high nibble groups them: 0 session, 1 messages, 2 line."""

    SYNC = 0x01  # host: begin the session named in the payload
    READY = 0x02  # device: the session has begun
    ANNOUNCE = 0x03  # device: I have no session (sent at boot, then now and again)
    BYE = 0x04  # either: this session is over
    DATA = 0x10  # a part of a message, more follow
    DATA_END = 0x11  # the last part of a message
    ACK = 0x12  # seq is the next frame expected: all before it arrived
    PING = 0x20
    PONG = 0x21  # answers the PING of the same seq
    BAUD = 0x22  # host: change to the rate in the payload
    BAUD_OK = 0x23  # device: changing to it now, after this frame


SESSIONLESS = frozenset({FrameType.SYNC, FrameType.ANNOUNCE})


class Frame(msgspec.Struct, frozen=True):
    """One frame; `seq` counts modulo 256."""

    type: FrameType
    seq: int = 0
    payload: bytes = b""


def cobs_encode(data: bytes) -> bytes:
    """`data` without its zero bytes, reversibly: at most one byte more for each 254, and one more."""
    out = bytearray()
    *runs, last = data.split(DELIMITER)
    for run in runs:
        _encode_run(run, out)
        # A zero follows, so a full block needs the empty one after it to carry that zero.
        if run and len(run) % COBS_RUN == 0:
            out.append(1)
    _encode_run(last, out)
    return bytes(out)


def cobs_decode(data: bytes) -> bytes | None:
    """The inverse; None when `data` is no COBS block."""
    out = bytearray()
    at = 0
    while at < len(data):
        code = data[at]
        end = at + code
        if code == 0 or end > len(data) or DELIMITER in data[at:end]:
            return None
        out += data[at + 1 : end]
        at = end
        if code <= COBS_RUN and at < len(data):
            out.append(0)
    return bytes(out) if data else None


def encoded_size(payload_bytes: int) -> int:
    """The most bytes a frame with so much payload takes on the wire."""
    body = HEADER_BYTES + payload_bytes + CRC_BYTES
    return body + body // COBS_RUN + 1 + 2 * len(DELIMITER)


def encode_frame(frame: Frame, session: int) -> bytes:
    """The bytes on the wire. The CRC begins from `session`, so a frame of another session never passes."""
    body = bytes((frame.type, frame.seq)) + frame.payload
    crc = binascii.crc32(body, session).to_bytes(CRC_BYTES, "little")
    return DELIMITER + cobs_encode(body + crc) + DELIMITER


def decode_frame(block: bytes, session: int) -> Frame | None:
    """The frame in one block between delimiters, if it is whole and of this session."""
    data = cobs_decode(block)
    if data is None or len(data) < HEADER_BYTES + CRC_BYTES:
        return None
    body, crc = data[:-CRC_BYTES], int.from_bytes(data[-CRC_BYTES:], "little")
    if body[0] not in _TYPES:
        return None
    kind = FrameType(body[0])
    if binascii.crc32(body, NO_SESSION if kind in SESSIONLESS else session) != crc:
        return None
    return Frame(kind, body[1], body[HEADER_BYTES:])


class Decoder:
    """Bytes in as they come, frames out. Holds at most one frame's bytes.

    `noise_bytes` counts what was no frame of this session.
    """

    def __init__(self, session: int = NO_SESSION) -> None:
        self.session = session
        self.noise_bytes = 0
        self._block = bytearray()

    def feed(self, data: bytes) -> Iterator[Frame]:
        """Yield the frames that `data` completes. Consume it before feeding more."""
        *blocks, rest = data.split(DELIMITER)
        for block in blocks:
            self._keep(block)
            frame = self._finish()
            if frame is not None:
                yield frame
        self._keep(rest)

    def reset(self, session: int) -> None:
        """Forget a half-received block and decode for `session` from here."""
        self.session = session
        self._block.clear()

    def _keep(self, part: bytes) -> None:
        """One byte past the bound is kept, so that the block is known to be too long."""
        room = FRAME_BYTES_MAX + 1 - len(self._block)
        self._block += part[:room]
        self.noise_bytes += len(part) - len(part[:room])

    def _finish(self) -> Frame | None:
        block = bytes(self._block)
        self._block.clear()
        if not block:
            return None
        frame = decode_frame(block, self.session) if len(block) <= FRAME_BYTES_MAX else None
        if frame is None:
            self.noise_bytes += len(block)
        return frame


def _encode_run(run: bytes, out: bytearray) -> None:
    """Append the blocks of a run without zeros; one that fills its blocks exactly takes no empty one after."""
    for at in range(0, max(len(run), 1), COBS_RUN):
        block = run[at : at + COBS_RUN]
        out.append(len(block) + 1)
        out += block


_TYPES = frozenset(FrameType)
