"""What an e-paper board has on its pins besides its panel: a DHT22, a motion sensor, a button.

The DHT22's driver comes with MicroPython. None of this has met a chip; see docs/firmware.md.
"""

import dht
from machine import Pin

from outpost import config

PIN_MAX = 39


class Sensors:
    """Pins as the settings have them; what is not set is not there."""

    def __init__(self, settings: "dict[str, object]") -> None:
        number = {key: config.number(settings, key, -1, PIN_MAX) for key in settings if key.startswith("room_")}
        self._dht = dht.DHT22(Pin(number["room_dht_pin"])) if number["room_dht_pin"] >= 0 else None
        self.button = None  # type: Pin | None
        self.motion = None  # type: Pin | None
        if number["room_button_pin"] >= 0:
            self.button = Pin(number["room_button_pin"], Pin.IN, Pin.PULL_UP)
        if number["room_motion_pin"] >= 0:  # pulled down, so that one which is not there sees nobody
            self.motion = Pin(number["room_motion_pin"], Pin.IN, Pin.PULL_DOWN)

    def levels(self) -> "dict[str, bool]":
        """Whether its button is held, and whether somebody moves."""
        levels = {}
        if self.button is not None:
            levels["button"] = self.button.value() == 0
        if self.motion is not None:
            levels["motion"] = self.motion.value() == 1
        return levels

    def values(self) -> "dict[str, object]":
        """Temperature in degrees Celsius, humidity in %; takes 25 ms."""
        if self._dht is None:
            return {}
        try:
            self._dht.measure()
        except Exception:  # a failed checksum is a bare Exception there
            return {}
        return {
            "temperature": self._dht.temperature(),  # type: ignore[no-untyped-call]  # so are the stubs
            "humidity": self._dht.humidity(),  # type: ignore[no-untyped-call]  # so are the stubs
        }
