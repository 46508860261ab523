"""Messages of the native protocol: a JSON header and a blob under one CRC, cut over frames (docs/protocol.md)."""

from __future__ import annotations

import binascii

from edge.wire.frames import CRC_BYTES, Frame, FrameType

MESSAGE_BYTES_MAX = 24 * 1024
"""The longest message: a 320x480 picture that did not compress, its header, and room to grow."""

HEADER_BYTES_MAX = 4 * 1024
LENGTH_BYTES = 2


class BadMessage(ValueError):
    """The parts do not make a message; nothing of it may be used."""


def encode_message(header: bytes, blob: bytes = b"") -> bytes:
    """`length of header (u16 LE) | header | blob | crc32 of all before (LE)`. Raises BadMessage past the bounds."""
    if len(header) > HEADER_BYTES_MAX:
        raise BadMessage(f"a header of {len(header)} bytes, at most {HEADER_BYTES_MAX}")
    body = len(header).to_bytes(LENGTH_BYTES, "little") + header + blob
    if len(body) + CRC_BYTES > MESSAGE_BYTES_MAX:
        raise BadMessage(f"a message of {len(body) + CRC_BYTES} bytes, at most {MESSAGE_BYTES_MAX}")
    return body + binascii.crc32(body).to_bytes(CRC_BYTES, "little")


def decode_message(message: bytes) -> tuple[bytes, bytes]:
    """Header and blob. Raises BadMessage."""
    if len(message) < LENGTH_BYTES + CRC_BYTES:
        raise BadMessage("too short")
    body, crc = message[:-CRC_BYTES], int.from_bytes(message[-CRC_BYTES:], "little")
    if binascii.crc32(body) != crc:
        raise BadMessage("checksum")
    end = LENGTH_BYTES + int.from_bytes(body[:LENGTH_BYTES], "little")
    if end > min(len(body), LENGTH_BYTES + HEADER_BYTES_MAX):
        raise BadMessage("header longer than the message")
    return body[LENGTH_BYTES:end], body[end:]


def cut(message: bytes, part_bytes: int) -> list[tuple[FrameType, bytes]]:
    """The parts of a message, each at most `part_bytes` long, the last marked as such."""
    parts = [message[at : at + part_bytes] for at in range(0, len(message), part_bytes)]
    last = len(parts) - 1
    return [(FrameType.DATA_END if i == last else FrameType.DATA, part) for i, part in enumerate(parts)]


class Assembler:
    """Puts the parts together again, in the order the window hands them over."""

    def __init__(self) -> None:
        self._parts = bytearray()

    def add(self, frame: Frame) -> bytes | None:
        """The message this frame completes, if it does. Raises BadMessage when it grows past its bound."""
        self._parts += frame.payload
        if len(self._parts) > MESSAGE_BYTES_MAX:
            self._parts.clear()
            raise BadMessage(f"a message past {MESSAGE_BYTES_MAX} bytes")
        if frame.type is not FrameType.DATA_END:
            return None
        message = bytes(self._parts)
        self._parts.clear()
        return message
