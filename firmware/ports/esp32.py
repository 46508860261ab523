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
from machine import Pin

from drivers.drop_sensor import DropSensor
from drivers.motors import Motors
from outpost import config
from outpost.port import ImageSlot, Inflate, Oled
from outpost.slots import variant_of
from ports.esp32_room import RoomPort

try:
    from collections.abc import Callable
except ImportError:  # MicroPython has none, and needs none
    pass

TYPE_CHECKING = False
if TYPE_CHECKING:
    from drivers.contacts import Contacts  # noqa: F401  (for the types)
    from drivers.inputs import Inputs  # noqa: F401  (for the types)
    from drivers.lights import Lights  # noqa: F401  (for the types)
    from outpost.agent import Agent  # noqa: F401  (for the types)
    from outpost.device import Device

BOOT_BUTTON = 0
BOOT_BUTTON_MS = 1500  # how long after a reset it is looked at: held during the reset, it means the bootloader
SELECTOR_WATCHDOG_S = 60  # as outpost_boot has armed it: it can't be stopped, so it is fed from the first moment
REPL_UART = 0
REPL_BAUD = 115200
READ_BYTES_MAX = 256
VALUE_BYTES_MAX = 1536  # of one NVS value: a stored result is under 250, what is set on one board under 1300
RESTART_MS = 3000  # so long an error's text can be read before the board starts anew
NAMESPACE = "outpost"
RESET_CAUSES = {
    machine.PWRON_RESET: "power",
    machine.HARD_RESET: "reset",
    machine.WDT_RESET: "watchdog",
    machine.DEEPSLEEP_RESET: "sleep",
    machine.SOFT_RESET: "soft",
}


class Esp32Port(RoomPort):
    """One board. `rx_bytes` is the size of the REPL's ring buffer, less the one byte it never fills."""

    rx_bytes = 259

    def __init__(self, app: str = "") -> None:
        super().__init__()
        self.app = app
        self.chip_kind = (
            str(getattr(sys.implementation, "_machine", "")).split(" with ")[-1].lower().replace("-", "")
        )
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
        if app:
            self.start_watchdog(SELECTOR_WATCHDOG_S)
        self._motors = None  # type: Motors | None
        self._drop_sensor = None  # type: DropSensor | None
        self._inputs = None  # type: Inputs | None
        self._contacts = None  # type: Contacts | None
        self._boot_button = None  # type: Pin | None
        self._lights = None  # type: Lights | None
        settings = config.load(self)
        self.baud = int(str(settings["baud"]))
        self.baud_max = max(self.baud, int(str(settings["baud_max"])))
        if not _uses_boot(settings):
            self._boot_button = Pin(BOOT_BUTTON, Pin.IN, Pin.PULL_UP)
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

    def number(self, key: str, default: int) -> int:
        try:
            return int(self._nvs.get_i32(key))
        except OSError:
            return default

    def set_number(self, key: str, value: int) -> None:
        self._nvs.set_i32(key, value)
        self._nvs.commit()

    def image_slot(self) -> "ImageSlot | None":
        from ports.esp32_images import other

        return other()

    def image_running(self) -> str:
        from ports.esp32_images import running

        return running()

    def confirm_image(self) -> None:
        from ports.esp32_images import confirm

        confirm()

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

    def button(self) -> bool:
        return self._boot_button is not None and self._boot_button.value() == 0

    def light(self, level: int) -> None:
        if self._lights is not None:
            self._lights.set(level)

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
        if self._room is not None:
            return self._room.levels()
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
        if self._room is not None:
            return self._room.values()
        return {} if self._inputs is None else self._inputs.values()

    def set_output(self, number: int, on: bool) -> None:
        if self._inputs is None:
            raise OSError(19)  # ENODEV
        self._inputs.switch(number, on)

    def wire_lights(self, settings: "dict[str, object]") -> None:
        """Take the pins of a blink board's lights."""
        from drivers.lights import Lights

        pins = [config.number(settings, key, -1, 48) for key in ("led_pin", "external_led_pin")]
        self._lights = Lights([pin for pin in pins if pin >= 0], config.number(settings, "led_level", 0, 1))

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


def _uses_boot(settings: "dict[str, object]") -> bool:
    """Whether something is wired to the BOOT button's pin: then nobody can be told by it to be there."""
    for key, value in settings.items():
        if key.endswith("_pin") and value == BOOT_BUTTON:
            return True
        if key.endswith("_pins") and isinstance(value, list) and BOOT_BUTTON in value:
            return True
    return False


def wants_repl() -> bool:
    """Whether somebody holds the BOOT button."""
    button = Pin(BOOT_BUTTON, Pin.IN, Pin.PULL_UP)
    for _ in range(BOOT_BUTTON_MS // 50):
        if button.value() == 0:
            return True
        time.sleep_ms(50)
    return False


def prepared(app: str) -> "Callable[[], None]":
    """This board with all its modules, and what runs it. `app` is the folder that the selector has chosen, '' on a
    board of the older layout.
    """
    micropython.kbd_intr(-1)
    device = _made(Esp32Port(app))
    gc.collect()
    gc.threshold(-1)  # from now on garbage may lie until the heap is full; main.py says why not before
    return device.run


def main() -> None:
    """What an older main.py calls. Ends only at the BOOT button; after an error the board starts anew."""
    if wants_repl():
        print("outpost: BOOT held, staying at the REPL")
        return
    try:
        prepared("")()
    except Exception as error:
        sys.print_exception(error)
        time.sleep_ms(RESTART_MS)
        machine.reset()


def _made(port: Esp32Port) -> "Device":
    settings = config.load(port)
    settings["variant"] = variant_of(port) or settings["variant"]
    if settings["variant"] == "display":
        from ports.esp32_panels import panel
        from variants.display.app import Display

        return Display(port, panel(settings))
    agent = None  # type: type[Agent] | None
    if settings["wifi_ssid"]:
        from outpost.agent import Agent as agent

        port.join(settings)
    if settings["variant"] == "eink":
        from ports.esp32_panels import paper
        from variants.eink.app import Eink

        port.wire_room(settings)
        return Eink(port, paper(settings), agent)
    return _device(port, settings)(port, agent)


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
    if settings["variant"] == "blink":
        from variants.blink.app import Blink

        port.wire_lights(settings)
        return Blink
    from outpost.device import Device

    return Device
