"""The PN532, a reader of NFC tags, on I2C: it looks for one tag of 13.56 MHz (ISO 14443 A) and tells its id.

A frame is `00 00 FF`, its length, the length's complement, its bytes, the complement of their sum, `00`. After a
command the chip says ACK, then its answer; both are read once its status byte says that they are there. What does
not check is as if nothing had come: the next look begins anew, with the chip set up again.

The bus is anything with `writeto(address, bytes)` and `readfrom(address, count)`, such as machine.I2C.
"""

import errno

from outpost.port import TagReader

try:
    from collections.abc import Generator
except ImportError:  # MicroPython has none, and needs none
    pass

TYPE_CHECKING = False
if TYPE_CHECKING:
    from machine import I2C

ADDRESS = 0x24
READY = 0x01
TO_CHIP, FROM_CHIP = 0xD4, 0xD5
ACK = b"\x00\x00\xff\x00\xff\x00"
START = b"\x00\x00\xff"
FIRMWARE_VERSION, SAM_CONFIGURATION, RF_CONFIGURATION, IN_LIST = 0x02, 0x14, 0x32, 0x4A
CHIP = 0x32
NORMAL_MODE = b"\x01\x14\x01"  # no secure module; its answers after 1 s at most; its IRQ pin in use
FEW_RETRIES = b"\x05\xff\x01\x02"  # of a look for a tag: by itself the chip would look for ever
ONE_OF_106_A = b"\x01\x00"
ANSWER_BYTES_MAX = 64  # with one tag: 15 around its id, which has at most 10, and a chip card's ATS of at most 20
ACK_MS = 50
ANSWER_MS = 1000
UID_AT = 6  # in an answer with one tag: count, number, two bytes of type, one of abilities, length, id


class PN532(TagReader):
    """One on a bus."""

    def __init__(self, bus: "I2C") -> None:
        self._bus = bus
        self._now = 0
        self._life = None  # type: Generator[str | None, None, None] | None

    def look(self, now: int) -> "str | None":
        self._now = now
        if self._life is None:
            self._life = self._live()
        try:
            return next(self._life)
        except (OSError, StopIteration) as error:
            self._life = None
            raise OSError(getattr(error, "errno", None) or errno.EIO)

    def _live(self) -> "Generator[str | None, None, None]":
        version = yield from self._ask(FIRMWARE_VERSION, b"")
        if len(version) < 4 or version[0] != CHIP:
            raise OSError(errno.ENODEV)
        yield from self._ask(SAM_CONFIGURATION, NORMAL_MODE)
        yield from self._ask(RF_CONFIGURATION, FEW_RETRIES)
        while True:
            answer = yield from self._ask(IN_LIST, ONE_OF_106_A)
            yield _uid(answer)

    def _ask(self, command: int, data: bytes) -> "Generator[None, None, bytes]":
        """The answer's bytes after its code. Raises OSError."""
        self._bus.writeto(ADDRESS, framed(bytes((TO_CHIP, command)) + data))
        acknowledged = yield from self._read(len(ACK), ACK_MS)
        if acknowledged != ACK:
            raise OSError(errno.EIO)
        answer = unframed((yield from self._read(ANSWER_BYTES_MAX, ANSWER_MS)))
        if answer[:2] != bytes((FROM_CHIP, command + 1)):
            raise OSError(errno.EIO)
        return answer[2:]

    def _read(self, count: int, patience_ms: int) -> "Generator[None, None, bytes]":
        """So many bytes, once the chip has them. Raises OSError."""
        until = self._now + patience_ms
        while not self._bus.readfrom(ADDRESS, 1)[0] & READY:
            if self._now >= until:
                raise OSError(errno.ETIMEDOUT)
            yield
        return bytes(self._bus.readfrom(ADDRESS, count + 1)[1:])


def framed(data: bytes) -> bytes:
    """As it goes over the bus; at most 254 bytes."""
    return START + bytes((len(data), -len(data) & 0xFF)) + data + bytes((-sum(data) & 0xFF, 0))


def unframed(frame: bytes) -> bytes:
    """What a frame holds; more may follow it. Raises OSError for what is none."""
    if len(frame) < 7 or frame[:3] != START or (frame[3] + frame[4]) & 0xFF:
        raise OSError(errno.EIO)
    end = 5 + frame[3]
    if end >= len(frame) or sum(frame[5 : end + 1]) & 0xFF:
        raise OSError(errno.EIO)
    return frame[5:end]


def _uid(answer: bytes) -> str:
    """The tag's id in hex; '' when there is none. Raises OSError."""
    if not answer:
        raise OSError(errno.EIO)
    if answer[0] == 0:
        return ""
    end = UID_AT + answer[5] if len(answer) > 5 else 0
    if not UID_AT < end <= len(answer):
        raise OSError(errno.EIO)
    return "".join(["%02X" % byte for byte in answer[UID_AT:end]])
