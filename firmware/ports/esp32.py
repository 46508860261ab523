"""The ESP32: MicroPython's REPL line as the link, NVS, and a TFT on SPI.

The link is the UART (or native USB) that the REPL is on, since that is what the board's USB plug carries. Its
receive buffer holds 259 unread bytes and drops the rest silently; the protocol's window keeps within that, so the
board may be busy for a while and still loses nothing. Ctrl-C is off, as a frame may hold that byte.

Holding the BOOT button (GPIO 0) just after a reset leaves the board at its REPL.
"""

import binascii
import gc
import os
import select
import sys
import time

import deflate
import esp32
import machine
import micropython
from machine import SPI, Pin

from drivers.spi_panel import SpiPanel
from outpost import config
from outpost.port import Inflate, Port

BOOT_BUTTON = 0
BOOT_BUTTON_MS = 1500  # how long after a reset it is looked at: held during the reset, it means the bootloader
REPL_UART = 0
REPL_BAUD = 115200
READ_BYTES_MAX = 256
VALUE_BYTES_MAX = 512  # of one NVS value: a stored result is under 200, the settings under 400
RESTART_MS = 3000  # so long an error's text can be read before the board starts anew
NAMESPACE = "outpost"
CTRL_C = 3


class Esp32Port(Port):
    """One board. `rx_bytes` is the size of the REPL's ring buffer, less the one byte it never fills."""

    rx_bytes = 259

    def __init__(self) -> None:
        self.chip = binascii.hexlify(machine.unique_id()).decode().upper()
        self.files = ""
        self._nvs = esp32.NVS(NAMESPACE)
        self._stdin = sys.stdin.buffer
        self._stdout = sys.stdout.buffer
        self._poll = select.poll()
        self._poll.register(sys.stdin, select.POLLIN)
        self._one = bytearray(1)
        self._bytes = bytearray(READ_BYTES_MAX)
        self._ticks = time.ticks_ms()
        self._watchdog = None  # type: machine.WDT | None
        settings = config.load(self)
        self.baud = int(str(settings["baud"]))
        self.baud_max = max(self.baud, int(str(settings["baud_max"])))
        if self.baud != REPL_BAUD:
            self.set_baud(self.baud)

    def passed_ms(self) -> int:
        now = time.ticks_ms()
        passed = time.ticks_diff(now, self._ticks)
        self._ticks = now
        return passed

    def wait(self, ms: int) -> bool:
        for _ in self._poll.ipoll(ms):
            return True
        return False

    def read(self) -> bytes:
        """Byte by byte, as reading more than there is would wait; some 30 us each."""
        count = 0
        while count < READ_BYTES_MAX and self.wait(0):
            self._stdin.readinto(self._one)
            self._bytes[count] = self._one[0]
            count += 1
        return bytes(self._bytes[:count])

    def write(self, data: bytes) -> None:
        """`sys.stdout` itself would turn a newline into two bytes; its buffer does not."""
        view = memoryview(data)
        while view:
            view = view[self._stdout.write(view) or 0 :]

    def set_baud(self, baud: int) -> None:
        """Constructing the REPL's UART anew waits for what is being sent, and changes its rate only."""
        try:
            machine.UART(REPL_UART, baudrate=baud)
        except (OSError, ValueError):
            raise ValueError(baud)

    def load(self, key: str) -> "bytes | None":
        buffer = bytearray(VALUE_BYTES_MAX)
        try:
            size = self._nvs.get_blob(key, buffer)
        except OSError:
            return None
        return bytes(buffer[:size])

    def save(self, key: str, value: bytes) -> None:
        if len(value) > VALUE_BYTES_MAX:
            raise OSError(27)  # EFBIG
        self._nvs.set_blob(key, value)
        self._nvs.commit()

    def inflate(self, source: "object") -> Inflate:
        return deflate.DeflateIO(source, deflate.ZLIB)  # type: ignore[return-value]  # the stubs know it as a plain stream

    def random(self, count: int) -> bytes:
        return os.urandom(count)

    def heap_free(self) -> int:
        return gc.mem_free()

    def start_watchdog(self, seconds: int) -> None:
        """From here on `feed_watchdog` must be called, or the board resets. It can't be stopped."""
        self._watchdog = machine.WDT(timeout=seconds * 1000)

    def feed_watchdog(self) -> None:
        if self._watchdog is not None:
            self._watchdog.feed()

    def reboot(self) -> None:
        machine.reset()


def panel(settings: "dict[str, object]") -> SpiPanel:
    """The panel the settings tell of. Raises KeyError for a controller that is not here."""
    number = {key: int(str(value)) for key, value in settings.items() if isinstance(value, int)}
    spi = SPI(
        number["spi"],
        baudrate=number["spi_hz"],
        polarity=0,
        phase=0,
        sck=Pin(number["sck"]),
        mosi=Pin(number["mosi"]),
    )
    cs = Pin(number["cs"], Pin.OUT, value=1)
    dc = Pin(number["dc"], Pin.OUT, value=0)
    rst = Pin(number["rst"], Pin.OUT, value=1) if number["rst"] >= 0 else None
    made = _controller(str(settings["panel"]))(
        spi, cs, dc, rst,
        rotation=number["rotation"], bgr=bool(settings["bgr"]), invert=bool(settings["invert"]),
    )  # fmt: skip
    if number["backlight"] >= 0:
        Pin(number["backlight"], Pin.OUT, value=1)
    return made


def wants_repl() -> bool:
    """Whether somebody holds the BOOT button."""
    button = Pin(BOOT_BUTTON, Pin.IN, Pin.PULL_UP)
    for _ in range(BOOT_BUTTON_MS // 50):
        if button.value() == 0:
            return True
        time.sleep_ms(50)
    return False


def main() -> None:
    """What main.py calls. Ends only at the BOOT button; after an error the board starts anew."""
    if wants_repl():
        print("outpost: BOOT held, staying at the REPL")
        return
    micropython.kbd_intr(-1)
    try:
        _serve()
    except Exception as error:
        sys.print_exception(error)
        time.sleep_ms(RESTART_MS)
        machine.reset()


def _serve() -> None:
    from variants.display.app import Display

    port = Esp32Port()
    settings = config.load(port)
    display = Display(port, panel(settings))
    seconds = int(str(settings["watchdog_s"]))
    if seconds:
        port.start_watchdog(seconds)
    display.run()


def _controller(name: str) -> "type[SpiPanel]":
    """Only the driver that is needed takes memory."""
    if name == "st7796":
        from drivers.st7796 import ST7796

        return ST7796
    if name == "ili9488":
        from drivers.ili9488 import ILI9488

        return ILI9488
    raise KeyError(name)
