"""Which pin is which input, what level means that its machine runs, and what it is called: the settings, checked.

An input keeps its number, which is its place in the list, whatever is wrong with another one. What can't be used is
told in the log, and left out: a logger with one wrong pin still logs the others.
"""

from outpost import config

try:
    from collections.abc import Callable
except ImportError:  # MicroPython has none, and needs none
    pass

INPUTS_MAX = 8
NAME_MAX = 24  # characters
NO_PIN = -1
PIN_MAX = 39
TAKEN = (1, 3, 6, 7, 8, 9, 10, 11)  # the serial line's, and the flash's
MISSING = (20, 24, 28, 29, 30, 31)  # the ESP32 has no such pins
ADDRESS_MAX = 127


class Wire:
    """One input. `running` is the level that means that the machine runs: 0 or 1."""

    def __init__(self, number: int, pin: int, running: int, name: str) -> None:
        self.key = "in%d" % number
        self.pin = pin
        self.running = running
        self.name = name or self.key


def wires(settings: "dict[str, object]", complain: "Callable[[str], None]") -> "list[Wire]":
    """The inputs that can be used, in order."""
    found = []  # type: list[Wire]
    pins, levels, names = _list(settings, "run_pins"), _list(settings, "run_levels"), _list(settings, "run_names")
    if len(pins) > INPUTS_MAX:
        complain("run_pins: there are %d inputs at most" % INPUTS_MAX)
    for i, pin in enumerate(pins[:INPUTS_MAX]):
        if pin == NO_PIN:
            continue
        wrong = unfit(pin) or (pin in [wire.pin for wire in found] and "it is in use")
        if wrong:
            complain("in%d can't be on pin %s: %s" % (i + 1, pin, wrong))
            continue
        level = levels[i] if i < len(levels) else 0
        if level not in (0, 1):
            complain("in%d: the level %s is neither 0 nor 1; 0 is taken" % (i + 1, level))
            level = 0
        name = names[i] if i < len(names) else ""
        found.append(Wire(i + 1, int(str(pin)), 1 if level else 0, plain(name) if isinstance(name, str) else ""))
    return found


def unfit(pin: object) -> str:
    """Why an ESP32 can't read this pin; empty when it can."""
    if isinstance(pin, bool) or not isinstance(pin, int) or not 0 <= pin <= PIN_MAX or pin in MISSING:
        return "there is no such pin"
    return "the board needs it itself" if pin in TAKEN else ""


def oled_pins(
    settings: "dict[str, object]", inputs: "list[Wire]", complain: "Callable[[str], None]"
) -> "tuple[int, int, int] | None":
    """SDA, SCL and the address of the OLED; None without one.

    One that shares a pin with an input is left off: the input would read what is said to it as starts and stops.
    """
    sda, scl = [config.number(settings, key, NO_PIN, PIN_MAX) for key in ("oled_sda", "oled_scl")]
    if sda == NO_PIN or scl == NO_PIN:
        return None
    shared = [wire.key for wire in inputs if wire.pin in (sda, scl)]
    if shared:
        complain("the OLED is off: %s is on one of its pins, %d and %d" % (shared[0], sda, scl))
        return None
    if unfit(sda) or unfit(scl) or sda == scl:
        complain("the OLED is off: it can't be on pins %d and %d" % (sda, scl))
        return None
    return sda, scl, config.number(settings, "oled_address", 0, ADDRESS_MAX)


def plain(text: str) -> str:
    """A name without what can't be seen, cut to what there is room for."""
    return "".join([character for character in text if ord(character) >= 32 and ord(character) != 127]).strip()[
        :NAME_MAX
    ]


def _list(settings: "dict[str, object]", key: str) -> "list[object]":
    value = settings[key]
    return value if isinstance(value, list) else []
