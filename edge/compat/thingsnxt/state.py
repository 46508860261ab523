"""What an older switch board may be told: its own outputs as whole numbers, few enough for its memory.

The board takes each `v<n>` as the state its output shall have. When nothing changed by that and there is a `led`
too, it sets its first output to that; as it reports `led` itself, a reply that held both would undo every order. So
`led` is told only to a board of which nothing else is desired.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

import msgspec

from edge.telemetry.model import Value
from edge.telemetry.widgets.model import BARE_LED, pin_number

UPTIME_KEY = "timestamp"  # milliseconds since the board started: no reading, but it tells a restart
REPLY_KEYS = 40  # the board parses into 2,048 bytes: 60 short keys were seen to fit, 80 made it deaf to all
INT_MAX = 2**31 - 1  # its int; what is larger it takes for 0

_WHOLE = re.compile(r"-?[0-9]{1,10}")


class Orders(msgspec.Struct, frozen=True):
    """What a board is told, and which of its outputs had to be left out for want of room."""

    data: dict[str, int]
    left_out: tuple[str, ...] = ()


def orders(desired: Mapping[str, Value]) -> Orders:
    """The desired outputs, lowest first; no others of its keys, however many there are."""
    numbered = sorted((number, key) for key in desired if (number := pin_number(key)) is not None)
    pins = [(key, state) for _, key in numbered if (state := whole(desired[key])) is not None]
    if pins:
        return Orders(dict(pins[:REPLY_KEYS]), tuple(key for key, _ in pins[REPLY_KEYS:]))
    led = whole(desired.get(BARE_LED))
    return Orders({} if led is None else {BARE_LED: led})


def whole(value: object) -> int | None:
    """A value as the board understands it, a whole number of 32 bits; None for what it would take for 0."""
    if isinstance(value, str):
        value = int(value) if _WHOLE.fullmatch(value) else None
    if not isinstance(value, int | float) or not -INT_MAX - 1 <= value <= INT_MAX:
        return None
    return int(value)
