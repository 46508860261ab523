"""The stand-in for a board: a tty, a folder for flash, a PNG for the panel. On MicroPython's unix port or CPython.

    micropython ports/unix.py --variant display|base|logger|sensor|vending --tty PATH --flash DIR [--png FILE]
        [--chip 12HEX] [--width 320] [--height 480] [--baud N] [--network BROADCAST] [--halt POINT]

--network is the address that reaches everybody where the hub is looked for, such as 127.255.255.255, or - for a
board that has a network and looks only where its settings say; without it the board has no network. A display needs
a PNG; a logger's is `panel.png` beside its flash unless another is given. At the POINT of --halt (`before:KEY` or
`after:KEY` of a value that is stored, or `turning`) the board writes it into the file `halted` beside its flash,
and stands still until it is killed.

Exit codes: 0 after a `reboot` command, 2 for wrong arguments, 3 when the tty hung up, 1 for anything else.
"""

import binascii
import gc
import io
import os
import select
import sys
import termios
import time

sys.path.insert(0, __file__.rsplit("/", 2)[0] if __file__.count("/") > 1 else ".." if "/" not in __file__ else ".")

from outpost import config  # noqa: E402
from outpost.port import Inflate, LineGone, Oled, Port  # noqa: E402
from ports.unix_files import exists, make_folder, replace, sync  # noqa: E402
from ports.unix_surroundings import Surroundings  # noqa: E402

MICROPYTHON = sys.implementation.name == "micropython"
EXIT_USAGE = 2
EXIT_HANGUP = 3
BAUD = 115200
BAUD_MAX = 460800
READ_BYTES = 512
NO_SEARCH = "-"
VTIME, VMIN = 5, 6  # places in the control characters, on Linux
BITS_PER_BYTE = 10
ENOENT = 2
VARIANTS = ("display", "base", "logger", "sensor", "vending")
LOOPBACK = "127.0.0.1"
START_GARBAGE_BYTES = 16 * 1024
FALL_US = 30000  # from a motor's start until the item falls
SPEEDS = {
    1200: 9,
    2400: 11,
    4800: 12,
    9600: 13,
    19200: 14,
    38400: 15,
    57600: 0o10001,
    115200: 0o10002,
    230400: 0o10003,
    460800: 0o10004,
    921600: 0o10007,
}  # Linux's numbers for the rates


class UnixPort(Port):
    """One tty and one folder."""

    served_on = LOOPBACK  # a page of a virtual board is for this machine alone

    def __init__(self, tty: str, flash: str, chip: str, baud: int, network: str = "") -> None:
        self.chip = chip
        self.network, _, number = network.partition(":")
        self.discovery_port = int(number or self.discovery_port)
        self.files = flash
        self.baud = baud
        self.baud_max = max(baud, BAUD_MAX)
        self._nvs = flash + "/nvs"
        self._beside = flash.rsplit("/", 1)[0] if "/" in flash else "."
        self._falls_us = 0
        self._contacts = {}  # type: dict[str, tuple[int, int]]
        self._surroundings = Surroundings(self._beside)
        self.png = self._beside + "/panel.png"
        self.halt = ""
        for folder in (flash, self._nvs):
            make_folder(folder)
        # Read and write at once, unbuffered, and reads that return what there is.
        self._tty = open(tty, "r+b", buffering=0)
        self._poll = select.poll()
        self._poll.register(self._tty, select.POLLIN)
        self._wake = select.poll()  # the tty, and the sockets that are watched
        self._wake.register(self._tty, select.POLLIN)
        self._room = select.poll()
        self._room.register(self._tty, select.POLLOUT)
        self._ticks = 0
        self._rate = baud
        self._sent_by_us = 0
        self._configure(baud)

    def passed_ms(self) -> int:
        if MICROPYTHON:
            now = time.ticks_ms()
            passed = time.ticks_diff(now, self._ticks)
        else:
            now = int(time.monotonic() * 1000)
            passed = now - self._ticks
        self._ticks = now
        return passed

    def wait(self, ms: int) -> bool:
        self._wake.poll(ms)
        return bool(self._poll.poll(0))

    def read(self) -> bytes:
        for _, events in self._poll.poll(0):
            if events & (select.POLLHUP | select.POLLERR):
                raise LineGone
        try:
            return self._tty.read(READ_BYTES) or b""
        except OSError:
            raise LineGone

    def write(self, data: bytes) -> None:
        if not self._room.poll(0):
            return  # nobody takes what we say: a UART would have said it to nobody
        view = memoryview(data)
        try:
            while view:
                view = view[self._tty.write(view) or 0 :]
        except OSError:
            raise LineGone
        now = self._now_us()
        self._sent_by_us = max(self._sent_by_us, now) + len(data) * BITS_PER_BYTE * 1000000 // self._rate

    def set_baud(self, baud: int) -> None:
        if baud not in SPEEDS:
            raise ValueError(baud)
        # A pty says nothing of bytes under way, so wait as long as a UART would need for them.
        time.sleep(max(0, self._sent_by_us - self._now_us()) / 1000000)
        self._configure(baud)

    def load(self, key: str) -> "bytes | None":
        try:
            with open(self._nvs + "/" + key, "rb") as file:
                return file.read()
        except OSError:
            return None

    def save(self, key: str, value: bytes) -> None:
        name = "result" if key.startswith("result") else key
        self._stop_at("before:" + name)
        replace(self._nvs + "/" + key, value)
        self._stop_at("after:" + name)

    def forget(self, key: str) -> None:
        try:
            os.remove(self._nvs + "/" + key)
        except OSError as error:
            if error.errno != ENOENT:
                raise

    def inflate(self, source: io.BytesIO) -> Inflate:
        if MICROPYTHON:
            import deflate

            return deflate.DeflateIO(source, deflate.ZLIB)
        return _Inflate(source)

    def random(self, count: int) -> bytes:
        return os.urandom(count)

    def heap_free(self) -> int:
        if MICROPYTHON:
            return gc.mem_free()
        return 0  # CPython's heap has no end of its own

    def network_up(self) -> bool:
        """Like a board in and out of its WiFi's reach: not while there is a file `no-network` in its folder."""
        if not self.network:
            return False
        try:
            os.stat(self.files + "/no-network")
            return False
        except OSError:
            return True

    def address(self) -> str:
        return LOOPBACK if self.network_up() else ""

    def broadcasts(self) -> "list[str]":
        return [] if self.network == NO_SEARCH else [self.network]

    def watch(self, source) -> None:
        self._wake.register(source, select.POLLIN)

    def unwatch(self, source) -> None:
        try:
            self._wake.unregister(source)
        except (KeyError, OSError, ValueError):
            pass  # it was not watched

    def reboot(self) -> None:
        sys.exit(0)

    # What is around a sensor board or a logger is in files beside the flash: ports/unix_surroundings.py.

    def take_inputs(self, pins: "dict[str, tuple[int, int]]") -> None:
        self._contacts = pins

    def read_inputs(self) -> "dict[str, bool]":
        return self._surroundings.levels(self._contacts) if self._contacts else self._surroundings.digital()

    def measured(self) -> "dict[str, object]":
        return self._surroundings.measured()

    def oled(self, sda: int, scl: int, address: int) -> Oled:
        from ports.unix_oled import PngOled

        return PngOled(self.png)

    def set_output(self, number: int, on: bool) -> None:
        self._surroundings.switch(number, on)

    # A vending machine's mechanics: a turn is a line in motor.log beside the flash, and lets an item fall unless
    # there is a file `jam`; a file `blocked` holds the sensor's beam.

    def motor(self, slot: int, most_ms: int) -> None:
        if not most_ms:
            return
        with open(self._beside + "/motor.log", "ab") as file:
            file.write(b"%d\n" % slot)
            sync(file)
        self._falls_us = self._now_us() + FALL_US
        self._stop_at("turning")

    def has_drop_sensor(self) -> bool:
        return config.number(config.load(self), "drop_pin", -1, 99) >= 0

    def dropped(self) -> bool:
        if exists(self._beside + "/blocked"):
            return True
        fell = 0 < self._falls_us <= self._now_us()
        if fell:
            self._falls_us = 0
        return fell and not exists(self._beside + "/jam")

    def _stop_at(self, point: str) -> None:
        """Where a test wants the power cut: say so, and wait for it."""
        if point != self.halt:
            return
        with open(self._beside + "/halted", "wb") as file:
            file.write(point.encode())
        while True:
            time.sleep(1)

    def _configure(self, baud: int) -> None:
        fd = self._tty.fileno()
        if MICROPYTHON:
            termios.setraw(fd)
        else:
            import tty

            tty.setraw(fd)
        settings = termios.tcgetattr(fd)
        settings[4] = settings[5] = SPEEDS[baud]
        settings[6][VMIN] = 0
        settings[6][VTIME] = 0
        termios.tcsetattr(fd, termios.TCSANOW, settings)
        self._rate = baud

    def _now_us(self) -> int:
        return time.time_ns() // 1000


class _Inflate(Inflate):
    """CPython's zlib behind the interface of MicroPython's deflate."""

    def __init__(self, source: io.BytesIO) -> None:
        import zlib

        self._source = source
        self._inflater = zlib.decompressobj()
        self._error = zlib.error

    def readinto(self, buffer: memoryview) -> int:
        data = b""
        while not data and not self._inflater.eof:
            step = self._inflater.unconsumed_tail or self._source.read(READ_BYTES)
            if not step:
                raise EOFError
            try:
                data = self._inflater.decompress(step, len(buffer))
            except self._error as error:
                raise ValueError(str(error))
        buffer[: len(data)] = data
        return len(data)


def _options(arguments: "list[str]") -> "dict[str, str]":
    """`--name value` pairs over the defaults. Raises ValueError."""
    options = {
        "variant": "display",
        "chip": "",
        "width": "320",
        "height": "480",
        "baud": "",
        "tty": "",
        "flash": "",
        "png": "",
        "network": "",
        "halt": "",
    }
    if len(arguments) % 2:
        raise ValueError("every option takes one value")
    for name, value in zip(arguments[::2], arguments[1::2]):
        if not name.startswith("--") or name[2:] not in options:
            raise ValueError("unknown option " + name)
        options[name[2:]] = value
    for name in ("tty", "flash", "png") if options["variant"] == "display" else ("tty", "flash"):
        if not options[name]:
            raise ValueError("--%s is missing" % name)
    if options["variant"] not in VARIANTS:
        raise ValueError("unknown variant " + options["variant"])
    if options["baud"] and int(options["baud"]) not in SPEEDS:
        raise ValueError("no such rate: " + options["baud"])
    return options


def _chip_of(flash: str) -> str:
    """An id made from the folder's name: locally administered, the same at every start."""
    crc = binascii.crc32(flash.encode()) & 0xFFFFFFFF
    return ("02" + "00" + binascii.hexlify(crc.to_bytes(4, "big")).decode()).upper()


def _run(port: UnixPort, options: "dict[str, str]") -> None:
    """Be the board that was asked for."""
    if options["variant"] == "display":
        from ports.unix_panel import PngPanel
        from variants.display.app import Display

        Display(port, PngPanel(options["png"], int(options["width"]), int(options["height"]))).run()
        return
    if options["png"]:
        port.png = options["png"]
    _tidy(START_GARBAGE_BYTES)  # as main.py does on a chip
    agent = None
    if port.network:
        from outpost.agent import Agent as agent
    device = _device(options["variant"])(port, agent)
    _tidy(-1)
    device.run()


def _tidy(threshold: int) -> None:
    """Take the garbage out whenever there is so much of it; -1: only when the heap is full."""
    if MICROPYTHON:
        gc.collect()
        gc.threshold(threshold)


def _device(variant: str) -> "type":
    """Only the variant that is needed takes memory."""
    if variant == "vending":
        from variants.vending.app import Vending

        return Vending
    if variant == "sensor":
        from variants.sensor.app import Sensor

        return Sensor
    if variant == "logger":
        from variants.logger.app import Logger

        return Logger
    from outpost.device import Device

    return Device


def main() -> int:
    """Run the variant until the line goes."""
    try:
        options = _options(sys.argv[1:])
    except ValueError as error:
        sys.stderr.write("unix.py: %s\n" % error)
        return EXIT_USAGE
    flash = options["flash"].rstrip("/")
    chip = (options["chip"] or _chip_of(flash)).upper()
    try:
        port = UnixPort(options["tty"], flash, chip, int(options["baud"] or BAUD), options["network"])
        port.halt = options["halt"]
        _run(port, options)
    except LineGone:
        return EXIT_HANGUP
    return 0


if __name__ == "__main__":
    sys.exit(main())
