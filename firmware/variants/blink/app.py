"""The board with a light: a pattern and its brightness are desired state, and outlive the power.

`led_mode` is one of PATTERNS, `led_brightness` 0 to 100. What is so now is a reading, as with a sensor's switches;
a value that can't be is left out, so at the hub it stays pending.
"""

import json

from outpost.device import Device
from outpost.port import LIGHT_MAX, Port
from variants.blink.patterns import PATTERNS, brightness

TYPE_CHECKING = False
if TYPE_CHECKING:
    from outpost.agent import Agent

MODE, BRIGHTNESS = "led_mode", "led_brightness"
KEY = "light"  # its name in non-volatile storage
FULL = 100
IDENTIFY_MS = 5000


class Blink(Device):
    """One board."""

    kind = "blink"
    can_identify = True

    def __init__(self, port: Port, agent: "type[Agent] | None" = None) -> None:
        super().__init__(port, agent)
        self._mode, self._brightness = self._remembered()
        self._began_ms = 0
        self._level = -1  # that the light has
        self._identify_until_ms = 0
        self.note({MODE: self._mode, BRIGHTNESS: self._brightness})  # so that the hub knows what can be set

    def tick(self) -> None:
        now = self._clock.ms()
        if now < self._identify_until_ms:
            share = brightness("fast", self._identify_until_ms - now)
            self._light(int(share * LIGHT_MAX))
        else:
            share = brightness(self._mode, now - self._began_ms)
            self._light(int(share * LIGHT_MAX * self._brightness / FULL))

    def apply(self, desired: "dict[str, object]") -> "dict[str, object]":
        before = self._mode, self._brightness
        said = {}  # type: dict[str, object]
        mode, percent = desired.get(MODE), desired.get(BRIGHTNESS)
        if isinstance(mode, str) and mode in PATTERNS:
            if mode != self._mode:
                self._began_ms = self._clock.ms()
            self._mode = said[MODE] = mode
        if isinstance(percent, (int, float)) and percent is not True and percent is not False:
            if 0 <= percent <= FULL:
                self._brightness = int(percent)
                said[BRIGHTNESS] = self._brightness
        if (self._mode, self._brightness) != before:
            self._remember()
        return said

    def identify(self) -> None:
        self._identify_until_ms = self._clock.ms() + IDENTIFY_MS

    def describe(self) -> "dict[str, object]":
        return {MODE: self._mode, BRIGHTNESS: self._brightness}

    def _light(self, level: int) -> None:
        if level != self._level:
            self._level = level
            self._port.light(level)

    def _remembered(self) -> "tuple[str, int]":
        stored = self._port.load(KEY)
        try:
            kept = json.loads(stored) if stored is not None else {}
            mode, percent = str(kept[MODE]), int(kept[BRIGHTNESS])
        except (ValueError, KeyError, TypeError):
            return "blink", FULL
        return (mode, percent) if mode in PATTERNS and 0 <= percent <= FULL else ("blink", FULL)

    def _remember(self) -> None:
        try:
            self._port.save(KEY, json.dumps({MODE: self._mode, BRIGHTNESS: self._brightness}).encode())
        except OSError as error:
            self._log.error("the light could not be stored: %r" % error)
