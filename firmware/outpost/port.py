"""The seam to the hardware. `ports/esp32.py` and `ports/unix.py` are the two sides of it."""

import io  # noqa: F401  (for the types)

try:
    from collections.abc import Iterator
except ImportError:  # MicroPython has none, and needs none
    pass


class LineGone(Exception):
    """The serial line hung up. On hardware this cannot happen."""


class Port:
    """A board, or its stand-in: one serial line, non-volatile storage, flash files, a clock."""

    chip = ""  # 12 upper-case hex digits, burnt in
    files = ""  # the folder on flash for files of ours, without a slash at the end
    rx_bytes = 259  # unread bytes the receive buffer holds before it drops
    baud = 115200  # the rate after power-on, and again whenever a session ends
    baud_max = 115200

    def passed_ms(self) -> int:
        """Milliseconds since it was last called; for outpost.clock alone. Right for up to six days."""
        raise NotImplementedError

    def wait(self, ms: int) -> bool:
        """Wait at most `ms` for input; whether there is some."""
        raise NotImplementedError

    def read(self) -> bytes:
        """What has arrived, perhaps nothing. Never waits. Raises LineGone."""
        raise NotImplementedError

    def write(self, data: bytes) -> None:
        """Send all of it. Raises LineGone."""
        raise NotImplementedError

    def set_baud(self, baud: int) -> None:
        """Let what was written leave, then change the rate. Raises ValueError when the board can't."""
        raise NotImplementedError

    def load(self, key: str) -> "bytes | None":
        """A value from non-volatile storage."""
        raise NotImplementedError

    def save(self, key: str, value: bytes) -> None:
        """Store a value so that it outlives a power cut from here on. Raises OSError when it can't."""
        raise NotImplementedError

    def inflate(self, source: "io.BytesIO | io.BufferedReader") -> "Inflate":
        """A stream that inflates the zlib stream `source`, a binary file or BytesIO."""
        raise NotImplementedError

    def random(self, count: int) -> bytes:
        """So many random bytes."""
        raise NotImplementedError

    def heap_free(self) -> int:
        """Bytes left for Python."""
        raise NotImplementedError

    def feed_watchdog(self) -> None:
        """Called in every round of the main loop."""

    def reboot(self) -> None:
        """Start anew. Does not return."""
        raise NotImplementedError


class Inflate:
    """What `Port.inflate` returns."""

    def readinto(self, buffer: memoryview) -> int:
        """Fill `buffer` as far as there is data. Raises OSError, ValueError or EOFError for no zlib stream."""
        raise NotImplementedError


class Panel:
    """A 1-bit screen: rows of width/8 bytes, the leftmost pixel in the highest bit, a set bit is white."""

    width = 320
    height = 480

    def slices(self, picture: bytearray) -> "Iterator[None]":
        """Draw `picture`; an iterator that pauses whenever a few milliseconds of drawing are done."""
        raise NotImplementedError
