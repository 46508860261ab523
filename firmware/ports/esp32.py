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
import network
from machine import SPI, Pin

from drivers.drop_sensor import DropSensor
from drivers.motors import Motors
from drivers.spi_panel import SpiPanel
from outpost import config
from outpost.backoff import Backoff
from outpost.port import Inflate, Oled, Port
from outpost.wifi import Wifi

TYPE_CHECKING = False
if TYPE_CHECKING:
    from drivers.contacts import Contacts  # noqa: F401  (for the types)
    from drivers.inputs import Inputs  # noqa: F401  (for the types)
    from outpost.agent import Agent  # noqa: F401  (for the types)
    from outpost.device import Device

BOOT_BUTTON = 0
BOOT_BUTTON_MS = 1500  # how long after a reset it is looked at: held during the reset, it means the bootloader
REPL_UART = 0
REPL_BAUD = 115200
READ_BYTES_MAX = 256
VALUE_BYTES_MAX = 1536  # of one NVS value: a stored result is under 250, what is set on one board under 1300
RESTART_MS = 3000  # so long an error's text can be read before the board starts anew
NAMESPACE = "outpost"
WIFI_PAUSE_MS_MAX = 30000  # between two tries to join: so soon it is back after the access point is
RESET_CAUSES = {
    machine.PWRON_RESET: "power",
    machine.HARD_RESET: "reset",
    machine.WDT_RESET: "watchdog",
    machine.DEEPSLEEP_RESET: "sleep",
    machine.SOFT_RESET: "soft",
}


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
        self._wake = select.poll()  # the line, and the sockets that are watched
        self._wake.register(sys.stdin, select.POLLIN)
        self._one = bytearray(1)
        self._bytes = bytearray(READ_BYTES_MAX)
        self._ticks = time.ticks_ms()
        self._watchdog = None  # type: machine.WDT | None
        self._motors = None  # type: Motors | None
        self._drop_sensor = None  # type: DropSensor | None
        self._inputs = None  # type: Inputs | None
        self._contacts = None  # type: Contacts | None
        self._radio = None  # type: network.WLAN | None
        self._wifi = None  # type: Wifi | None
        self._wifi_ms = 0
        self._wifi_ticks = self._ticks
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
        if ms:
            for _ in self._wake.ipoll(ms):
                break
        for _ in self._poll.ipoll(0):
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

    def forget(self, key: str) -> None:
        try:
            self._nvs.erase_key(key)
        except OSError:
            return  # there is none
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

    def reset_cause(self) -> str:
        return RESET_CAUSES.get(machine.reset_cause(), "")

    def motor(self, slot: int, most_ms: int) -> None:
        if self._motors is None:
            raise OSError(19)  # ENODEV
        self._motors.turn(slot, most_ms)

    def has_drop_sensor(self) -> bool:
        return self._drop_sensor is not None

    def dropped(self) -> bool:
        return self._drop_sensor is not None and self._drop_sensor.dropped()

    def reboot(self) -> None:
        machine.reset()

    def network_up(self) -> bool:
        if self._wifi is None:
            return False
        now = time.ticks_ms()
        self._wifi_ms += time.ticks_diff(now, self._wifi_ticks)
        self._wifi_ticks = now
        return self._wifi.up(self._wifi_ms)

    def broadcasts(self) -> "list[str]":
        """Both: some networks pass one of them on, some the other."""
        if self._radio is None:
            return []
        address, mask = [[int(part) for part in text.split(".")] for text in self._radio.ifconfig()[:2]]
        directed = ".".join([str(a | ~m & 0xFF) for a, m in zip(address, mask)])
        return [directed, "255.255.255.255"]

    def address(self) -> str:
        if self._radio is None or not self._radio.isconnected():
            return ""
        return str(self._radio.ifconfig()[0])

    def signal_dbm(self) -> "int | None":
        if self._radio is None or not self._radio.isconnected():
            return None
        try:
            return int(self._radio.status("rssi"))
        except (OSError, TypeError):
            return None  # it has just gone

    def watch(self, source: "object") -> None:
        self._wake.register(source, select.POLLIN)

    def unwatch(self, source: "object") -> None:
        try:
            self._wake.unregister(source)
        except (KeyError, OSError):
            pass  # it was not watched

    def read_inputs(self) -> "dict[str, bool]":
        if self._contacts is not None:
            return self._contacts.levels()
        return {} if self._inputs is None else self._inputs.digital()

    def take_inputs(self, pins: "dict[str, tuple[int, int]]") -> None:
        from drivers.contacts import Contacts

        self._contacts = Contacts(pins)

    def oled(self, sda: int, scl: int, address: int) -> Oled:
        from drivers.ssd1306 import SSD1306

        return SSD1306(sda, scl, address)

    def begin_measuring(self) -> None:
        if self._inputs is not None:
            self._inputs.begin()

    def measured(self) -> "dict[str, object]":
        return {} if self._inputs is None else self._inputs.values()

    def set_output(self, number: int, on: bool) -> None:
        if self._inputs is None:
            raise OSError(19)  # ENODEV
        self._inputs.switch(number, on)

    def join(self, settings: "dict[str, object]") -> None:
        """Take the radio for the network the settings name; `network_up` then keeps it in there.

        Its power saving is off: it would hold back a command by up to a third of a second.
        """
        network.hostname("outpost-" + self.chip[-6:].lower())
        self._radio = network.WLAN(network.STA_IF)
        self._radio.active(True)
        self._radio.config(reconnects=0, pm=network.WLAN.PM_NONE)
        backoff = Backoff(self, cap_ms=WIFI_PAUSE_MS_MAX)
        self._wifi = Wifi(self._radio, str(settings["wifi_ssid"]), str(settings["wifi_password"]), backoff)
        self._wifi_ticks = time.ticks_ms()

    def wire_inputs(self, settings: "dict[str, object]") -> None:
        """Take the pins of a sensor board."""
        from drivers.inputs import Inputs

        self._inputs = Inputs(settings)

    def wire_machine(self, settings: "dict[str, object]") -> None:
        """Take the pins of a vending machine's motors and drop sensor."""
        pins = settings["motor_pins"]
        if isinstance(pins, list):
            numbers = [pin for pin in pins if isinstance(pin, int)]
            self._motors = Motors(numbers, config.number(settings, "motor_level", 0, 1))
        drop_pin = config.number(settings, "drop_pin", -1, 39)
        if drop_pin >= 0:
            self._drop_sensor = DropSensor(drop_pin, config.number(settings, "drop_level", 0, 1))


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
    port = Esp32Port()
    settings = config.load(port)
    if settings["variant"] == "display":
        _serve_display(port, settings)
        return
    agent = None  # type: type[Agent] | None
    if settings["wifi_ssid"]:
        from outpost.agent import Agent as agent

        port.join(settings)
    device = _device(port, settings)(port, agent)
    _loaded()
    device.run()


def _loaded() -> None:
    """All modules are there: from now on garbage may lie until the heap is full. main.py says why not before."""
    gc.collect()
    gc.threshold(-1)


def _device(port: Esp32Port, settings: "dict[str, object]") -> "type[Device]":
    """Only the variant that is needed takes memory, and its pins."""
    if settings["variant"] == "vending":
        from variants.vending.app import Vending

        port.wire_machine(settings)
        return Vending
    if settings["variant"] == "sensor":
        from variants.sensor.app import Sensor

        port.wire_inputs(settings)
        return Sensor
    if settings["variant"] == "logger":
        from variants.logger.app import Logger

        return Logger
    return Device


def _serve_display(port: Esp32Port, settings: "dict[str, object]") -> None:
    from variants.display.app import Display

    display = Display(port, panel(settings))
    _loaded()
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
