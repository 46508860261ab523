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
    discovery_port = 12346  # where hubs are asked for over UDP
    served_on = "0.0.0.0"  # noqa: S104 - a page of its own is for the network, on all addresses it has

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

    def forget(self, key: str) -> None:
        """Drop a value, so that it is gone from here on; none there is no error. Raises OSError when it can't."""
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

    def start_watchdog(self, seconds: int) -> None:
        """From here on the board resets when `feed_watchdog` is not called for so long."""

    def feed_watchdog(self) -> None:
        """Called in every round of the main loop, and in slow work."""

    def reset_cause(self) -> str:
        """Why the board started, in a word or two: `power`, `watchdog`, `reset`; empty when it can't tell."""
        return ""

    def motor(self, slot: int, most_ms: int) -> None:
        """Let the motor of a slot (1, 2 ...) turn; 0 stops it. Raises OSError when there is none.

        All stand still after a reset, and the port itself stops one when `most_ms` are over.
        """
        raise OSError(19)  # ENODEV

    def has_drop_sensor(self) -> bool:
        """Whether there is something that sees an item fall."""
        return False

    def dropped(self) -> bool:
        """Whether something fell (or still blocks the sensor) since this was last asked."""
        return False

    def network_up(self) -> bool:
        """Whether there is a network to use just now. To be called often: a port with a radio joins and rejoins its
        network in there, never waiting.
        """
        return False

    def broadcasts(self) -> "list[str]":
        """The addresses that reach everybody on the network."""
        return ["255.255.255.255"]

    def address(self) -> str:
        """Its own address on the network, in numbers; empty while it has none."""
        return ""

    def signal_dbm(self) -> "int | None":
        """How strong the radio hears its access point; None where there is no radio."""
        return None

    def watch(self, source: "object") -> None:
        """Let `wait` end early, too, when there is something to read from this socket."""

    def unwatch(self, source: "object") -> None:
        """No longer; a socket that is not watched is no error."""

    def read_inputs(self) -> "dict[str, bool]":
        """What the digital inputs say, by key. Quick: it is asked in every round."""
        return {}

    def take_inputs(self, pins: "dict[str, tuple[int, int]]") -> None:
        """From here on `read_inputs` tells these pins by key, true for a high level. Of each: its number, and the
        level that it is pulled to where the chip can.
        """
        raise OSError(19)  # ENODEV

    def oled(self, sda: int, scl: int, address: int) -> "Oled":
        """The small screen on these I2C pins, whether it answers or not."""
        raise OSError(19)  # ENODEV

    def begin_measuring(self) -> None:
        """Let the slower sensors begin; they have a second."""

    def measured(self) -> "dict[str, object]":
        """What they say, by key; one that does not answer is left out."""
        return {}

    def set_output(self, number: int, on: bool) -> None:
        """Switch an output (0, 1 ...). Raises OSError when there is none."""
        raise OSError(19)  # ENODEV

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


class Oled:
    """A 1-bit screen in bands of eight rows: a byte is eight pixels of a column, the lowest on top; set is lit."""

    width = 128
    height = 64

    def start(self) -> None:
        """Switch it on; what it showed is gone. Raises OSError when there is none."""
        raise NotImplementedError

    def slices(self, picture: bytearray, bands: "list[int]") -> "Iterator[None]":
        """Draw these bands of `picture`; an iterator that pauses after each. Raises OSError when it is gone."""
        raise NotImplementedError
