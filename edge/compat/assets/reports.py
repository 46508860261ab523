"""What an old asset logger says, read leniently: a change of an input, its own time, and its status page.

The logger repeats nothing. So what can be understood is taken, and what cannot spoils nothing beside it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, TypeGuard

import msgspec

from edge.serving.visits import line

PINS = 100  # a chip has 40 or 49; a number beyond this is none
PINS_LISTED = 64  # of one status page; the sketches have eight
WORD_CHARS, TEXT_CHARS = 32, 80
FIELDS = (
    *(
        "logger_id",
        "logger_name",
        "firmware_version",
        "ip_address",
        "description",
        "location",
        "heartbeat_interval",
    ),
    *("uptime", "wifi_rssi", "free_heap", "pin_number", "is_running", "state", "timestamp"),
)
PREFIX = "pin_"
RUNNING, STOPPED, UNKNOWN = "RUNNING", "STOPPED", "UNKNOWN"
TRUE, FALSE = (True, 1, "true", "1"), (False, 0, "false", "0")
YEARS_S = 100 * 365 * 86_400.0  # no logger runs for longer

_WORD = re.compile(r"[A-Z][A-Z0-9_ -]*")

Said = bool | str
"""Whether the machine runs, or the logger's own word for its state."""


class Change(msgspec.Struct, frozen=True):
    """What an input has become."""

    pin: int
    said: Said


class Listed(msgspec.Struct, frozen=True):
    """A logger's status page: which inputs run, and for how long it has been on, None where that is not told.

    Its memory holds about five of eight inputs, so one that is missing may be either.
    """

    pins: dict[int, bool]
    uptime_s: float | None


def fields_of(body: Mapping[str, Any]) -> dict[str, Any]:
    """What of a body a logger's request is about, bounded: it may have to wait."""
    said = {name: body[name] for name in FIELDS if name in body}
    short = {name: value[:TEXT_CHARS] if isinstance(value, str) else value for name, value in said.items()}
    return {name: value for name, value in short.items() if isinstance(value, str | int | float)}


def key_of(pin: int) -> str:
    """The key of an input's reading."""
    return f"{PREFIX}{pin}"


def pin_of(key: str) -> int | None:
    """The input of a reading's key, None for any other key."""
    return pin_number(key.removeprefix(PREFIX)) if key.startswith(PREFIX) else None


def change_of(body: Mapping[str, Any]) -> Change | None:
    """The change in a POST of /api/asset-state: `state` is a word, or `is_running` says it; None without one."""
    pin, said = pin_number(body.get("pin_number")), _said(body.get("state"), body.get("is_running"))
    return None if pin is None or said is None else Change(pin, said)


def pin_number(value: object) -> int | None:
    """The number of an input, None for anything else."""
    if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) <= 2:
        value = int(value)
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return value if isinstance(value, int) and not isinstance(value, bool) and 0 <= value < PINS else None


def seconds(value: object) -> float | None:
    """A duration in seconds, None for what is none."""
    return float(value) if is_number(value) and 0 <= value < YEARS_S else None


def is_number(value: object) -> TypeGuard[int | float]:
    """Whether it is a number; true and false are none."""
    return isinstance(value, int | float) and not isinstance(value, bool)


def told_us(value: object) -> int | None:
    """A logger's own time, UTC microseconds; None for what is no time."""
    try:
        moment = datetime.fromisoformat(line(value))
        at_us = round(moment.replace(tzinfo=moment.tzinfo or UTC).timestamp() * 1_000_000)
    except (ValueError, OverflowError, OSError):
        return None
    return at_us if at_us >= 0 else None


def listed(raw: bytes) -> Listed | None:
    """A status page as its logger sends it; None for anything else that may answer there."""
    try:
        page = msgspec.json.decode(raw)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None
    system, assets = (page.get("system"), page.get("assets")) if isinstance(page, dict) else (None, None)
    if not isinstance(system, dict) or not isinstance(assets, list):
        return None
    pins: dict[int, bool] = {}
    for asset in assets[:PINS_LISTED]:
        pin = pin_number(asset.get("pin")) if isinstance(asset, dict) else None
        if pin is not None and isinstance(asset.get("is_running"), bool):
            pins[pin] = asset["is_running"]
    return Listed(pins, seconds(system.get("uptime")))


def _said(word: object, runs: object) -> Said | None:
    """RUNNING and STOPPED are what `is_running` says in other words; so a wiring's polarity holds for both."""
    if isinstance(word, str) and (text := line(word).upper()[:WORD_CHARS]):
        if text in (RUNNING, STOPPED):
            return text == RUNNING
        return text if _WORD.fullmatch(text) else UNKNOWN
    if isinstance(runs, str):
        runs = runs.strip().lower()
    return True if runs in TRUE else False if runs in FALSE else None
