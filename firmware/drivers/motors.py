"""The motors of a vending machine: one pin each, through a transistor or a relay."""

from machine import Pin, Timer

GUARD_TIMER = 3  # of the chip's four


class Motors:
    """Off from the moment it is made. `level` is what turns a motor on."""

    def __init__(self, pins: "list[int]", level: int) -> None:
        self._level = level
        self._pins = [Pin(number, Pin.OUT, value=1 - level) for number in pins]
        self._guard = Timer(GUARD_TIMER)

    def turn(self, slot: int, most_ms: int) -> None:
        """Let a slot's motor turn; 0 stops it. Raises OSError for a slot without a pin.

        A timer stops it when the time is over, so that a program which hangs does not leave it turning.
        """
        if not 1 <= slot <= len(self._pins):
            raise OSError(19)  # ENODEV
        pin = self._pins[slot - 1]
        if not most_ms:
            pin.value(1 - self._level)
            self._guard.deinit()
            return
        self._guard.init(mode=Timer.ONE_SHOT, period=most_ms, callback=self._stop)
        pin.value(self._level)

    def _stop(self, _: Timer) -> None:
        for pin in self._pins:
            pin.value(1 - self._level)
