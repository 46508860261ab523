"""What a person may set on one board: one JSON object in non-volatile storage over the defaults below."""

import json

from outpost.port import Port

KEY = "config"
DEFAULTS = {
    "name": "",  # shown on the idle screen and told in the hello
    "baud": 115200,  # the rate of the serial line after power-on
    "baud_max": 460800,  # the most the board may be asked to change to
    "rotate_s": 8,  # how long each stored picture stays
    "panel": "st7796",  # or ili9488
    "spi": 1,  # SPI controller
    "spi_hz": 40000000,
    "sck": 14,
    "mosi": 13,
    "cs": 15,
    "dc": 2,
    "rst": -1,  # -1: tied to the board's reset
    "backlight": 27,  # -1: always on
    "rotation": 0,  # of the panel, in quarter turns; 0 and 2 are upright
    "bgr": True,  # colour order; white and black don't care
    "invert": False,  # for panels that show the negative
    "watchdog_s": 30,  # 0: none
}


def load(port: Port) -> "dict[str, object]":
    """The settings in force. An unreadable object counts as none: a display must start."""
    settings = dict(DEFAULTS)
    stored = port.load(KEY)
    if stored is not None:
        try:
            settings.update(json.loads(stored))
        except (ValueError, TypeError):
            pass
    return settings


def store(port: Port, **changes: "object") -> None:
    """Set some of them, for use from the REPL: `config.store(port, name="Till 3")`. Raises KeyError."""
    for key in changes:
        if key not in DEFAULTS:
            raise KeyError(key)
    settings = load(port)
    settings.update(changes)
    port.save(KEY, json.dumps(settings).encode())
