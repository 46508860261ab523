"""Frames of the native serial protocol, device side: COBS between zero bytes, CRC-32 inside.

docs/protocol.md is the specification, tests/vectors/frames.json binds this file and the hub's to it.
"""

import binascii

SYNC = 0x01
READY = 0x02
ANNOUNCE = 0x03
BYE = 0x04
DATA = 0x10
DATA_END = 0x11
ACK = 0x12
PING = 0x20
PONG = 0x21
BAUD = 0x22
BAUD_OK = 0x23
TYPES = (SYNC, READY, ANNOUNCE, BYE, DATA, DATA_END, ACK, PING, PONG, BAUD, BAUD_OK)

NO_SESSION = 0
FRAME_BYTES_MAX = 512
EMPTY_FRAME_BYTES = 9  # a frame without payload on the wire: 2 delimiters, COBS code, type, seq, CRC


def cobs_encode(data: bytes) -> bytes:
    """`data` without its zero bytes, reversibly."""
    out = bytearray()
    runs = bytes(data).split(b"\0")
    last = len(runs) - 1
    for i, run in enumerate(runs):
        for at in range(0, max(len(run), 1), 254):
            block = run[at : at + 254]
            out.append(len(block) + 1)
            out += block
        if i != last and run and len(run) % 254 == 0:
            out.append(1)  # a full block stands for no zero, so an empty one carries it
    return bytes(out)


def cobs_decode(data: bytes) -> "bytes | None":
    """The inverse; None when `data` is no COBS block."""
    size = len(data)
    if not size:
        return None
    out = bytearray()
    at = 0
    while at < size:
        code = data[at]
        end = at + code
        if code == 0 or end > size:
            return None
        out += data[at + 1 : end]
        at = end
        if code < 255 and at < size:
            out.append(0)
    return bytes(out)


def encode(kind: int, seq: int, payload: bytes, session: int) -> bytes:
    """The bytes on the wire. The CRC begins from the session's number, so no other session takes the frame."""
    body = bytes((kind, seq)) + payload
    crc = binascii.crc32(body, session) & 0xFFFFFFFF
    return b"\0" + cobs_encode(body + crc.to_bytes(4, "little")) + b"\0"


def decode(block: bytes, session: int) -> "tuple[int, int, bytes] | None":
    """(type, seq, payload) of a block between delimiters, if it is whole and of this session."""
    data = cobs_decode(block)
    if data is None or len(data) < 6 or data[0] not in TYPES:
        return None
    if data[0] in (SYNC, ANNOUNCE):
        session = NO_SESSION
    if binascii.crc32(data[:-4], session) & 0xFFFFFFFF != int.from_bytes(data[-4:], "little"):
        return None
    return data[0], data[1], data[2:-4]


class Parser:
    """Bytes in as they come, blocks out. Holds at most one frame's bytes; what is longer is noise."""

    def __init__(self) -> None:
        self._block = bytearray()

    def feed(self, data: bytes) -> "list[bytes]":
        """The blocks that `data` completes."""
        parts = data.split(b"\0")
        blocks = []
        for part in parts[:-1]:
            self._keep(part)
            if 0 < len(self._block) <= FRAME_BYTES_MAX:
                blocks.append(bytes(self._block))
            self._block = bytearray()
        self._keep(parts[-1])
        return blocks

    def reset(self) -> None:
        """Forget a half-received block."""
        self._block = bytearray()

    def _keep(self, part: bytes) -> None:
        self._block += part[: FRAME_BYTES_MAX + 1 - len(self._block)]
