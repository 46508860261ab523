"""Dashboards and widgets of apps as pure values: what may be made, and which pin a switch gets.

A widget that switches drives one key of its device, its pin. No two widgets of a device share one, on whatever
dashboard they stand: two that did would undo each other.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Collection
from typing import Any

import msgspec

from edge.errors import BadInput, TooLarge
from edge.telemetry.model import Value
from edge.wire.older import switch_of

TEXT_CHARS = 200  # of a name, label or type
CONFIG_BYTES = 4096  # of a widget's config, and of its value
LAYOUT_BYTES = 64 * 1024
DASHBOARDS = 50  # of one account
WIDGETS = 200  # on one dashboard: more than a telephone draws
PINS = 64  # of one device; the older sketch has 5
SWITCHES = frozenset({"led", "switch", "toggle", "button"})
"""Types of widget that get a pin."""

BARE_LED = "led"  # the key of sketches from before there were pins
_PIN = re.compile(r"v(0|[1-9][0-9]?)")

Config = dict[str, Any]  # the app's own JSON; the hub reads `virtual_pin` and `key`


class Dashboard(msgspec.Struct, frozen=True, kw_only=True):
    """A page of widgets. `owner` is an account's id."""

    id: str
    owner: str
    name: str
    description: str = ""
    layout: list[Config] = []
    created_us: int


class Widget(msgspec.Struct, frozen=True, kw_only=True):
    """One thing an app shows or switches. `device_id` is the hub's id of the device, '' for none."""

    id: str
    dashboard_id: str
    device_id: str
    type: str
    label: str
    value: Any
    config: Config
    pin: str | None
    created_us: int

    @property
    def key(self) -> str:
        """The key of its device that it shows, '' when it shows none."""
        if not self.device_id:
            return ""
        named = self.pin or self.config.get("key") or self.config.get("virtual_pin")
        return named if isinstance(named, str) else ""


def new_id() -> str:
    """24 hex digits: the form of every id that these apps know."""
    return secrets.token_hex(12)


def text(value: object, what: str, *, least: int = 1) -> str:
    """`value` as one line that may be shown. Raises BadInput naming `what`."""
    line = value.strip() if isinstance(value, str) else None
    if line is None or not least <= len(line) <= TEXT_CHARS or not all(char.isprintable() for char in line):
        raise BadInput(f"{what} is {least} to {TEXT_CHARS} printable characters.")
    return line


def bounded(value: Any, what: str, limit: int = CONFIG_BYTES) -> Any:
    """`value` as it is, when its JSON is not too long. Raises TooLarge."""
    if len(msgspec.json.encode(value)) > limit:
        raise TooLarge(f"{what} is longer than {limit} bytes.")
    return value


def choose_pin(kind: str, wanted: object, taken: Collection[str]) -> str | None:
    """The pin of a new widget: the one asked for if it is free, else the lowest free; None for what switches none.

    Raises BadInput when none is free.
    """
    if kind not in SWITCHES:
        return None
    if isinstance(wanted, str) and (_PIN.fullmatch(wanted) or wanted == BARE_LED) and wanted not in taken:
        return wanted
    free = next((f"v{number}" for number in range(PINS) if f"v{number}" not in taken), None)
    if free is None:
        raise BadInput(f"A device has at most {PINS} pins, and all are taken.")
    return free


def switch_state(asked: object) -> int:
    """0 or 1 out of what apps send: 0, 1, true, false, "0", "1". Raises BadInput."""
    state = switch_of(asked)
    if state is None:
        raise BadInput("state is 0 or 1.")
    return state


def pin_number(key: str) -> int | None:
    """The number of a pin's key, None for any other key."""
    match = _PIN.fullmatch(key)
    return int(match[1]) if match else None


def as_shown(widget: Widget, desired: dict[str, Value], reported: Value | None) -> tuple[Any, bool]:
    """What a widget shows: what is desired, else reported, else given; and whether its device has yet to follow."""
    key = widget.key
    if key in desired:
        return desired[key], reported is None or reported != desired[key]
    return (widget.value if reported is None else reported), False
