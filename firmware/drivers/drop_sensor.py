"""A light barrier or a contact under the slots: it sees an item fall."""

from machine import Pin


class DropSensor:
    """Latched by an interrupt, as what falls is past within a few milliseconds. `level` is what it says then."""

    def __init__(self, pin: int, level: int) -> None:
        self._level = level
        self._seen = False
        self._pin = Pin(pin, Pin.IN, Pin.PULL_UP if level == 0 else Pin.PULL_DOWN)
        self._pin.irq(self._on_edge, Pin.IRQ_FALLING if level == 0 else Pin.IRQ_RISING)

    def dropped(self) -> bool:
        """Whether something fell since this was last asked, or is in the way now."""
        seen, self._seen = self._seen, False
        return seen or self._pin.value() == self._level

    def _on_edge(self, _: Pin) -> None:
        self._seen = True
