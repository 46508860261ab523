"""What a person may set on one board: one JSON object in non-volatile storage over the defaults below.

Only what was set is stored, so a newer firmware may bring better defaults.
"""

import json
import os

from outpost.port import Port

KEY = "config"
DEFAULTS = {
    "variant": "display",  # what the board is: a folder of variants/
    "name": "",  # shown on the idle screen and told in the hello
    "baud": 115200,  # the rate of the serial line after power-on
    "baud_max": 460800,  # the most the board may be asked to change to
    "watchdog_s": 30,  # 0: none
    "debug": 1,  # 0 errors only, to 3 everything
    "wifi_ssid": "",  # empty: the cable only
    "wifi_password": "",
    "hostname": "",  # what networks call it; empty: outpost- and the end of its chip id
    "portal_password": "",  # of the board's own network, while it is set up; empty: it is open
    "ble": True,  # whether it can be given a WiFi over BLE, too
    "hub_url": "",  # empty: the hub is looked for
    "device_id": "",  # both empty: the device pairs with the hub it finds
    "device_token": "",
    "read_s": 10,  # between two readings
    "buffer_kb": 256,  # of flash, for readings the hub has not got yet
    "slots": 5,  # of a vending machine
    "motor_pins": [13, 14, 25, 26, 27],  # of slot 1, 2 ...
    "motor_level": 1,  # what turns a motor on; 0 for relays that are on when low
    "motor_ms": 2500,  # how long a motor turns for one item; the most it turns when there is a drop sensor
    "drop_pin": -1,  # of the drop sensor; -1: there is none
    "drop_level": 0,  # what it says while something falls through
    "drop_ms": 5000,  # how long after the motor's start something may fall
    "dht_pin": -1,  # of a DHT22; -1: there is none
    "ds18b20_pin": -1,  # of a DS18B20
    "adc_pins": [],  # of analogue inputs a0, a1 ...
    "input_pins": [],  # of digital inputs d0, d1 ...; pulled up, so a contact to ground reads false
    "output_pins": [],  # of switches v0, v1 ...
    "output_level": 1,  # what turns a switch on
    "debounce_ms": 50,  # for how long an input must say the same
    "run_pins": [13, 14, 25, 26, 27, 32, 33, 4],  # of a logger's inputs in1, in2 ...; -1: there is none
    "run_levels": [],  # of each input, the level that means that its machine runs; 0 where nothing is said
    "run_names": [],  # of each input, its machine's
    "heartbeat_s": 60,  # between two records that the logger was there
    "oled_sda": 21,  # of an SSD1306; -1: there is none
    "oled_scl": 22,
    "oled_address": 60,
    "page_port": 80,  # of the logger's own page; 0: there is none
    "page_code": "",  # what lets somebody change settings over the page; empty: nobody may
    "led_pin": 2,  # of a blink board's light; -1: there is none
    "external_led_pin": -1,  # of one beside it, that does the same
    "led_level": 1,  # what lights them
    "epd_sck": 18,  # of an e-paper panel
    "epd_mosi": 23,
    "epd_cs": 5,
    "epd_dc": 27,
    "epd_rst": 26,
    "epd_busy": 25,
    "epd_rest_s": 30,  # from one drawing of it to the next, at least
    "epd_power": 33,  # what switches its power; -1: it always has some
    "room_dht_pin": 4,  # of a DHT22 on an e-paper's board; -1: there is none
    "room_motion_pin": 32,  # of a motion sensor, high while it sees somebody
    "room_button_pin": 12,  # of a button to ground
    "nfc_sda": 21,  # of a PN532; -1: there is none
    "nfc_scl": 22,
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
}  # type: dict[str, object]
SECRETS = ("wifi_password", "device_token", "portal_password")  # never shown

PERSONAL = (
    "name",
    "debug",
    "wifi_ssid",
    "wifi_password",
    "hostname",
    "portal_password",
    "hub_url",
    "device_id",
    "device_token",
    "read_s",
    "rotate_s",
    "heartbeat_s",
    "page_code",
)
"""What goes when a device is to forget everything. What it is and how it is wired stays: the same board with other
pins could turn a motor."""

VARIANT_KEY = "variant"  # stored by itself as well, so that it outlives damage to the rest
NVS_KEYS = (
    "motor", "epoch", "boot", "claim", "buffer", "key", "hub", "outputs", "light", "ended", "show", "panel",
    "sleep",
) + tuple(["result%d" % i for i in range(16)])  # fmt: skip
"""All that a device ever stores beside its settings, in the order in which it may be forgotten: once the epoch is
gone the hub knows, and by then no old turn of a motor may be left that could be taken for a new one."""

FOLDERS = ("buffer", "pictures", "offered", "showing")  # and these files


def load(port: Port) -> "dict[str, object]":
    """The settings in force. A value of another type than its default counts as none: a device must start."""
    settings = dict(DEFAULTS)
    for key, value in _stored(port).items():
        if key not in DEFAULTS or fits(key, value):
            settings[key] = value
    variant = port.load(VARIANT_KEY)
    if variant is not None:
        settings["variant"] = variant.decode()
    return settings


def store(port: Port, **changes: "object") -> None:
    """Set some of them in one commit: `config.store(port, name="Till 3")`. Raises KeyError, ValueError, OSError."""
    for key, value in changes.items():
        if key not in DEFAULTS:
            raise KeyError(key)
        if not fits(key, value):
            raise ValueError(key)
    if "variant" in changes:
        port.save(VARIANT_KEY, str(changes["variant"]).encode())
    stored = _stored(port)
    stored.update(changes)
    port.save(KEY, json.dumps(stored).encode())


def forget(port: Port) -> None:
    """Back to the defaults, but for what the board is and how it is wired. Raises OSError."""
    kept = {key: value for key, value in _stored(port).items() if key not in PERSONAL}
    port.save(KEY, json.dumps(kept).encode())


def forget_everything(port: Port) -> None:
    """As if the board were new, but for what it is and how it is wired. Raises OSError when it can't."""
    for key in NVS_KEYS:
        port.forget(key)
    forget(port)
    for folder in FOLDERS:
        path = port.files + "/" + folder
        try:
            names = os.listdir(path)
        except OSError:
            continue  # there is none
        for name in names:
            os.remove(path + "/" + name)


def fits(key: str, value: "object") -> bool:
    """Whether `value` is of the kind that the setting has."""
    return type(value) is type(DEFAULTS[key])


def number(settings: "dict[str, object]", key: str, least: int, most: int) -> int:
    """A whole number among the settings, moved into its bounds."""
    value = settings.get(key)
    return min(max(value, least), most) if isinstance(value, int) else least


def _stored(port: Port) -> "dict[str, object]":
    """What was set. An unreadable object counts as none."""
    stored = port.load(KEY)
    if stored is None:
        return {}
    try:
        settings = json.loads(stored)
    except (ValueError, TypeError):
        return {}
    return settings if isinstance(settings, dict) else {}
