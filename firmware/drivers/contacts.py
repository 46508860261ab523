"""Contacts of machines on a logger's pins."""

from machine import Pin

INPUT_ONLY = 34  # from here on the chip's pins have nothing to pull them with


class Contacts:
    """Pins by key: the number of each, and the level it is pulled to, so that a cable that is cut says that."""

    def __init__(self, pins: "dict[str, tuple[int, int]]") -> None:
        self._pins = {key: _pin(pins[key][0], pins[key][1]) for key in pins}

    def levels(self) -> "dict[str, bool]":
        """Which are high."""
        return {key: bool(self._pins[key].value()) for key in self._pins}


def _pin(number: int, rest: int) -> Pin:
    if number >= INPUT_ONLY:
        return Pin(number, Pin.IN)
    return Pin(number, Pin.IN, Pin.PULL_UP if rest else Pin.PULL_DOWN)
