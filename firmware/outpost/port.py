"""The seam to the hardware. `ports/esp32.py` and `ports/unix.py` are the two sides of it."""

import io  # noqa: F401  (for the types)

try:
    from collections.abc import Callable, Iterator
except ImportError:  # MicroPython has none, and needs none
    pass


TYPE_CHECKING = False
if TYPE_CHECKING:
    from outpost.improv_ble import Peripheral

LIGHT_MAX = 1023


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
    app = ""  # the folder of the app that runs; empty on a board of the older layout, all in the root
    chip_kind = "esp32"  # as manifests name it

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

    def number(self, key: str, default: int) -> int:
        """A whole number from non-volatile storage; `default` where there is none."""
        raise NotImplementedError

    def set_number(self, key: str, value: int) -> None:
        """Store a number of 32 bits so that it outlives a power cut from here on. Raises OSError when it can't."""
        raise NotImplementedError

    def image_slot(self) -> "ImageSlot | None":
        """Where a whole image can be put, to be started instead of the one that runs; None: there is no such."""
        return None

    def image_running(self) -> str:
        """The name of the slot whose image runs; empty where there is one only."""
        return ""

    def confirm_image(self) -> None:
        """The image that runs is well: start it from now on."""

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

    # Setting it up

    portal_http = 80  # where the page of the board's own network is
    portal_dns = 53

    def has_radio(self) -> bool:
        """Whether it can be given a WiFi."""
        return False

    def scan_networks(self) -> "list[tuple[str, int, str]]":
        """What the radio hears: each network's name, dBm, and `NO` or what it is locked with, such as `WPA2`. Takes
        some two seconds. Raises OSError when the radio can't tell now.
        """
        return []

    def try_join(self, ssid: str, password: str) -> None:
        """Begin to join this network, and leave the one in the settings until `end_try`. Raises OSError."""
        raise OSError(19)  # ENODEV

    def joined(self) -> bool:
        """Whether the board is in the network it tries, with an address."""
        return False

    def end_try(self) -> None:
        """Back to the network in the settings."""

    def hold_joining(self, ms: int) -> None:
        """Don't look for the network in the settings for so long: somebody is in the board's own."""

    def open_access_point(self, name: str, password: str, pause_ms: int) -> str:
        """Be a network of its own, open when there is no password; the board's address there, in numbers. Until it
        is closed there are `pause_ms` between two tries to join the network in the settings. Raises OSError.
        """
        raise OSError(19)  # ENODEV

    def close_access_point(self) -> None:
        """No longer; none that is open is no error."""

    def has_ble(self) -> bool:
        """Whether it can be heard over BLE."""
        return False

    def bluetooth(self, peripheral: "Peripheral", name: str) -> "BleRadio":
        """Let BLE clients reach `peripheral`. Raises OSError."""
        raise OSError(19)  # ENODEV

    def button(self) -> bool:
        """Whether somebody holds the BOOT button."""
        return False

    # Lights

    def light(self, level: int) -> None:
        """How bright the board's lights are, from 0 to LIGHT_MAX. Boards without one do nothing."""

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

    def tag_reader(self) -> "TagReader | None":
        """What reads NFC tags; None: there is none."""
        return None

    # Sleep

    def deep_sleep(self, ms: int, utc_us: int) -> None:
        """Be without power, but for what wakes it: the time, its button, its motion sensor. Then it starts as
        after any reset. `utc_us` is the time now, 0 where it is not known. Does not return. Raises OSError.
        """
        raise OSError(19)  # ENODEV

    def woken_by(self) -> str:
        """What ended a sleep: `timer`, `button` or `motion`; empty when the board did not sleep."""
        return ""

    def utc_us_kept(self) -> int:
        """The time as it was kept through a sleep, in us; 0 when it was not known before. It drifts by some seconds
        an hour.
        """
        return 0

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


class ImageSlot:
    """What `Port.image_slot` returns: a place in flash for one whole image, written in blocks."""

    name = ""
    size = 0
    block = 4096

    def write(self, at: int, data: bytes) -> None:
        """Put at most a block there; `at` is a multiple of the block. What was in that block is gone."""
        raise NotImplementedError

    def readinto(self, at: int, buffer: memoryview) -> None:
        """Fill `buffer`, a block at most, from there on."""
        raise NotImplementedError

    def activate(self) -> None:
        """Let the next start be of this image, once: it has to confirm itself. Raises OSError."""
        raise NotImplementedError


class BleRadio:
    """What `Port.bluetooth` returns: BLE, with one service on the air."""

    def service(self) -> None:
        """Send what is due."""
        raise NotImplementedError

    def close(self) -> None:
        """Off the air."""
        raise NotImplementedError


class TagReader:
    """What `Port.tag_reader` returns."""

    def look(self, now: int) -> "str | None":
        """The id of the tag that lies there in upper-case hex, '' for none; None while it is still looking. Called
        in every round, at `now` ms: it never waits more than a few milliseconds. Raises OSError when nothing
        answers; the next call begins anew.
        """
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


class Paper:
    """A panel that keeps what it shows without power: rows of width/8 bytes, set bits white."""

    width = 800
    height = 480

    def slices(self, rows: "Callable[[], Iterator[bytes]]") -> "Iterator[None]":
        """Show what `rows()` gives from the top on, in pieces of whole rows; it may be called twice. An iterator
        that pauses often: the panel takes seconds. Raises OSError when the panel does not answer in its time.
        """
        raise NotImplementedError
