"""The stand-in for a board: a tty, a folder for flash, a PNG for the panel. On MicroPython's unix port or CPython.

    micropython ports/unix.py --variant display|base|blink|eink|logger|sensor|vending --tty PATH --flash DIR
        [--png FILE] [--chip 12HEX] [--width 320] [--height 480] [--baud N] [--network BROADCAST] [--halt POINT]
        [--portal HTTP:DNS] [--layout ab] [--cause watchdog]

--network is the address that reaches everybody where the hub is looked for, such as 127.255.255.255, or - for a
board that has a network and looks only where its settings say; without it the board has no network. A display needs
a PNG; a logger's and an e-paper's is `panel.png` beside its flash unless another is given. --portal gives the ports
of page and name server of its own network, which is the loopback; without it there is none. What a radio hears is
in ports/unix_radio.py. At the POINT of --halt (`before:KEY` or
`after:KEY` of a value that is stored, or `turning`) the board writes it into the file `halted` beside its flash,
and stands still until it is killed.

With `--layout ab` the board has two folders for its app, /a and /b of its flash, and the selector before them, as a
board that can be updated has (ports/unix_boot.py); what it is, is then what its app is. --cause says why it starts.

What is around an e-paper's board is in `inputs.json` beside its flash, too: `temperature`, `humidity`, `motion`,
`button` (true while it is held) and `nfc` (the id of the tag that lies there). When it sleeps it ends, and says in
`sleep.json` for how many ms; who runs it starts it again after them, or earlier by its button or motion sensor,
with --cause sleep:timer, sleep:button or sleep:motion.

Exit codes: 0 after a `reboot` command, 2 for wrong arguments, 3 when the tty hung up, 4 when it sleeps, 1 for
anything else.
"""

import gc
import io
import os
import select
import sys
import termios
import time

if __name__ == "__main__":
    ROOT = __file__.rsplit("/", 2)[0] if __file__.count("/") > 1 else ".." if "/" not in __file__ else "."
    sys.path.insert(0, ROOT)
    if "--layout" in sys.argv:
        from ports.unix_boot import main as start

        sys.exit(start(ROOT))  # which loads this file once more, with the app it has chosen

from outpost import config  # noqa: E402
from outpost.port import ImageSlot, Inflate, LineGone, Oled, TagReader  # noqa: E402
from ports.unix_files import exists, make_folder, replace, sync  # noqa: E402
from ports.unix_options import SPEEDS, chip_of, read  # noqa: E402
from ports.unix_radio_port import RadioPort  # noqa: E402
from ports.unix_sleep import fall_asleep, utc_us_kept  # noqa: E402
from ports.unix_surroundings import Surroundings  # noqa: E402
from ports.unix_variants import made  # noqa: E402

try:
    from collections.abc import Callable
except ImportError:  # MicroPython has none, and needs none
    pass

TYPE_CHECKING = False
if TYPE_CHECKING:
    from outpost.device import Device  # noqa: F401  (for the types)

MICROPYTHON = sys.implementation.name == "micropython"
EXIT_USAGE = 2
EXIT_HANGUP = 3
EXIT_ASLEEP = 4
BAUD = 115200
BAUD_MAX = 460800
READ_BYTES = 512
VTIME, VMIN = 5, 6  # places in the control characters, on Linux
BITS_PER_BYTE = 10
ENOENT = 2
START_GARBAGE_BYTES = 16 * 1024
FALL_US = 30000  # from a motor's start until the item falls


class UnixPort(RadioPort):
    """One tty and one folder."""

    def __init__(self, tty: str, flash: str, chip: str, baud: int, network: str = "", app: str = "") -> None:
        self.app = app
        super().__init__(flash, network)
        self.chip = chip
        self.files = flash
        self.baud = baud
        self.baud_max = max(baud, BAUD_MAX)
        self._nvs = flash + "/nvs"
        self._beside = flash.rsplit("/", 1)[0] if "/" in flash else "."
        self._falls_us = 0
        self._contacts = {}  # type: dict[str, tuple[int, int]]
        self._surroundings = Surroundings(self._beside)
        self._boot_loader = None  # type: BootLoader | None
        self._fed_s = 0
        self.cause = ""
        if app:
            from ports.unix_images import BootLoader

            self._boot_loader = BootLoader(self._beside)
            self._boot_loader.start()
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

    def number(self, key: str, default: int) -> int:
        stored = self.load(key)
        return int(stored) if stored else default

    def set_number(self, key: str, value: int) -> None:
        self.save(key, b"%d" % value)

    def image_slot(self) -> "ImageSlot | None":
        return self._boot_loader.slot() if self._boot_loader is not None else None

    def image_running(self) -> str:
        return self._boot_loader.running if self._boot_loader is not None else ""

    def confirm_image(self) -> None:
        if self._boot_loader is not None:
            self._boot_loader.confirm()

    def start_watchdog(self, seconds: int) -> None:
        if self.app:
            from ports.unix_boot import arm

            arm(self._beside, seconds)

    def feed_watchdog(self) -> None:
        now_s = time.time_ns() // 1000000000
        if self.app and now_s != self._fed_s:
            self._fed_s = now_s
            with open(self._beside + "/watchdog", "r+b") as file:
                text = file.read()
                file.seek(0)
                file.write(text)

    def reset_cause(self) -> str:
        return self.cause.partition(":")[0]

    def deep_sleep(self, ms: int, utc_us: int) -> None:
        fall_asleep(self._beside, ms, utc_us)
        sys.exit(EXIT_ASLEEP)

    def woken_by(self) -> str:
        return self.cause.partition(":")[2]

    def utc_us_kept(self) -> int:
        return utc_us_kept(self._beside) if self.woken_by() else 0

    def tag_reader(self) -> TagReader:
        from ports.unix_surroundings import Tags

        return Tags(self._surroundings)

    def inflate(self, source: io.BytesIO) -> Inflate:
        if MICROPYTHON:
            import deflate

            return deflate.DeflateIO(source, deflate.ZLIB)
        from ports.unix_inflate import PythonInflate

        return PythonInflate(source)

    def random(self, count: int) -> bytes:
        return os.urandom(count)

    def heap_free(self) -> int:
        if MICROPYTHON:
            return gc.mem_free()
        return 0  # CPython's heap has no end of its own

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


def _made(port: UnixPort, options: "dict[str, str]") -> "Device":
    """The board that was asked for, with all its modules."""
    _tidy(START_GARBAGE_BYTES)  # as main.py does on a chip
    if options["variant"] == "display":
        from ports.unix_panel import PngPanel
        from variants.display.app import Display

        return Display(port, PngPanel(options["png"] or port.png, int(options["width"]), int(options["height"])))
    if options["png"]:
        port.png = options["png"]
    agent = None
    if port.network or port.has_radio():
        from outpost.agent import Agent as agent
    return made(options["variant"], port, agent)


def _tidy(threshold: int) -> None:
    """Take the garbage out whenever there is so much of it; -1: only when the heap is full."""
    if MICROPYTHON:
        gc.collect()
        gc.threshold(threshold)


def prepared(app: str) -> "Callable[[], int]":
    """The board whose app is in this folder, '' for the one of the options: what runs it, giving its exit code."""
    try:
        options = read(sys.argv[1:])
    except ValueError as error:
        sys.stderr.write("unix.py: %s\n" % error)
        return lambda: EXIT_USAGE
    flash = options["flash"].rstrip("/")
    chip = (options["chip"] or chip_of(flash)).upper()
    port = UnixPort(options["tty"], flash, chip, int(options["baud"] or BAUD), options["network"], app)
    port.cause = options["cause"]
    port.halt = options["halt"]
    port.portal_http, port.portal_dns = [int(number) for number in options["portal"].split(":")]
    if app:
        from outpost.slots import variant_of

        options["variant"] = variant_of(port)
    device = _made(port, options)
    _tidy(-1)

    def run() -> int:
        try:
            device.run()
        except LineGone:
            return EXIT_HANGUP
        return 0

    return run


def main() -> int:
    """Run the variant until the line goes."""
    return prepared("")()


if __name__ == "__main__":
    sys.exit(main())
