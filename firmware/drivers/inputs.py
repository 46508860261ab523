"""What a sensor board has on its pins: a DHT22, a DS18B20, analogue and digital inputs, switches.

The sensors' own drivers come with MicroPython. None of this has met a chip; see docs/firmware.md.
"""

import dht
import ds18x20
import onewire
from machine import ADC, Pin

PINS_MAX = 16
SWITCHES_MAX = 5


class Inputs:
    """Pins as the settings have them; what is not set is not there."""

    def __init__(self, settings: "dict[str, object]") -> None:
        self._dht = None  # type: dht.DHT22 | None
        if _pin(settings, "dht_pin") >= 0:
            self._dht = dht.DHT22(Pin(_pin(settings, "dht_pin")))
        self._ds = None  # type: ds18x20.DS18X20 | None
        self._roms = []  # type: list[bytearray]
        if _pin(settings, "ds18b20_pin") >= 0:
            self._ds = ds18x20.DS18X20(onewire.OneWire(Pin(_pin(settings, "ds18b20_pin"))))
            self._roms = self._ds.scan()[:PINS_MAX]  # type: ignore[no-untyped-call]  # so are the stubs
        self._adcs = [ADC(Pin(number), atten=ADC.ATTN_11DB) for number in _pins(settings, "adc_pins")]
        self._digital = [Pin(number, Pin.IN, Pin.PULL_UP) for number in _pins(settings, "input_pins")]
        self._level = 0 if settings["output_level"] == 0 else 1
        self._switches = [
            Pin(number, Pin.OUT, value=1 - self._level) for number in _pins(settings, "output_pins")[:SWITCHES_MAX]
        ]

    def digital(self) -> "dict[str, bool]":
        """The digital inputs, d0 first."""
        return {"d%d" % i: bool(pin.value()) for i, pin in enumerate(self._digital)}

    def begin(self) -> None:
        """Let the DS18B20s measure; they take 750 ms."""
        if self._ds is not None and self._roms:
            try:
                self._ds.convert_temp()
            except (OSError, onewire.OneWireError):
                pass  # `values` leaves out what does not answer

    def values(self) -> "dict[str, object]":
        """Temperatures in degrees Celsius, humidity in %, analogue inputs in volts. A DHT22 takes 25 ms to tell."""
        values = {}  # type: dict[str, object]
        for i, rom in enumerate(self._roms):
            try:
                values["probe_%d" % i] = round(self._ds.read_temp(rom), 2)  # type: ignore[union-attr]  # roms come from it
            except Exception:  # a failed checksum is a bare Exception there
                pass
        if self._dht is not None:
            try:
                self._dht.measure()
                values["temperature"] = self._dht.temperature()  # type: ignore[no-untyped-call]  # so are the stubs
                values["humidity"] = self._dht.humidity()  # type: ignore[no-untyped-call]  # so are the stubs
            except Exception:  # a failed checksum is a bare Exception there, too
                pass
        for i, adc in enumerate(self._adcs):
            values["a%d" % i] = adc.read_uv() / 1000000
        return values

    def switch(self, number: int, on: bool) -> None:
        """Raises OSError when there is no such switch."""
        if not 0 <= number < len(self._switches):
            raise OSError(19)  # ENODEV
        self._switches[number].value(self._level if on else 1 - self._level)


def _pin(settings: "dict[str, object]", key: str) -> int:
    value = settings[key]
    return value if isinstance(value, int) else -1


def _pins(settings: "dict[str, object]", key: str) -> "list[int]":
    value = settings[key]
    return [pin for pin in value if isinstance(pin, int)][:PINS_MAX] if isinstance(value, list) else []
