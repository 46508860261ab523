"""LEDs on pins, dimmed by pulses so quick that nobody sees them."""

from machine import PWM, Pin

from outpost.port import LIGHT_MAX

HZ = 1000
DUTY_MAX = 65535


class Lights:
    """All of them are as bright as one another. `level` is what a pin says when its LED is lit."""

    def __init__(self, pins: "list[int]", level: int) -> None:
        self._inverted = level == 0
        dark = DUTY_MAX if self._inverted else 0
        self._pulses = [PWM(Pin(pin, Pin.OUT), freq=HZ, duty_u16=dark) for pin in pins]

    def set(self, brightness: int) -> None:
        """From 0 to LIGHT_MAX."""
        duty = brightness * DUTY_MAX // LIGHT_MAX
        for pulses in self._pulses:
            pulses.duty_u16(DUTY_MAX - duty if self._inverted else duty)
