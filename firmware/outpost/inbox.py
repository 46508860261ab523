"""The receiving half of the link: frames in order into one message, in a buffer made once at the start.

The buffer is closed from a whole message until `release`: frames of the next are neither taken nor acknowledged
meanwhile, so the hub holds them back. What it has in flight fits the receive buffer, so nothing is lost.
"""

import binascii
import json

from outpost import frames

MESSAGE_BYTES_MAX = 24 * 1024


class BadMessage(Exception):
    """What came is no message; the session can't go on."""


class Inbox:
    """One message at a time."""

    def __init__(self, size: int = MESSAGE_BYTES_MAX) -> None:
        self._buffer = bytearray(size)
        self._size = 0
        self._expected = 0
        self.whole = False
        self.began_ms = 0  # when the first frame of the message came

    def begin(self) -> None:
        """A new session: forget a half message, count frames from zero. A whole one stays until released."""
        self._expected = 0
        if not self.whole:
            self._size = 0

    def take(self, kind: int, seq: int, part: bytes, now: int) -> "int | None":
        """The number to acknowledge, or None while the buffer is closed. Raises BadMessage past the bound."""
        if self.whole:
            return None
        if seq != self._expected:
            return self._expected
        end = self._size + len(part)
        if end > len(self._buffer):
            raise BadMessage("a message past %d bytes" % len(self._buffer))
        if self._size == 0:
            self.began_ms = now
        self._buffer[self._size : end] = part
        self._size = end
        self._expected = (seq + 1) & 255
        self.whole = kind == frames.DATA_END
        return self._expected

    def message(self) -> "tuple[dict[str, object], memoryview]":
        """Header and blob of the whole message; the blob is valid until `release`. Raises BadMessage."""
        whole = memoryview(self._buffer)[: self._size]
        if self._size < 6 or binascii.crc32(whole[:-4]) & 0xFFFFFFFF != int.from_bytes(bytes(whole[-4:]), "little"):
            raise BadMessage("checksum")
        end = 2 + int.from_bytes(bytes(whole[:2]), "little")
        try:
            header = json.loads(bytes(whole[2:end]))
        except ValueError:
            raise BadMessage("header")
        if end > self._size - 4 or not isinstance(header, dict):
            raise BadMessage("header")
        return header, whole[end:-4]

    def release(self) -> None:
        """Done with the message: open the buffer for the next."""
        self._size = 0
        self.whole = False
