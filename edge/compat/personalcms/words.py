"""What older boards say, as values that are kept: readings, and what a board says of itself."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from edge.compat.personalcms import tastes
from edge.compat.personalcms.boards import Said
from edge.compat.personalcms.variants import type_of
from edge.devices.model import Facts
from edge.serving.visits import line

SENSED = ("temperature", "humidity", "motion_detected", "sleep_mode")
HEALTH = ("free_heap", "wifi_rssi")
MODES = ("current_mode", "dashboard_loaded", "image_loaded", "led_mode", "led_brightness", "external_led")
FACTS = ("occupation", "wifi_ssid", "capabilities")
DIGITS = 7  # of a float of 4 bytes: 23.4 is printed as 23.39999962
TEXT_CHARS = 60

Value = bool | int | float | str


def value_of(said: object) -> Value | None:
    """A value that can be kept; None for none, and for a number that is none."""
    if isinstance(said, bool):
        return said
    if isinstance(said, float):
        return float(f"{said:.{DIGITS}g}") if math.isfinite(said) else None
    if isinstance(said, int):
        return said if abs(said) < 2**53 else None
    if isinstance(said, str):
        return line(said)[:TEXT_CHARS] or None
    return None


def values(body: Mapping[str, Any], names: tuple[str, ...]) -> dict[str, Value]:
    """Those of these fields that have a value."""
    found = {name: value_of(body.get(name)) for name in names}
    return {name: value for name, value in found.items() if value is not None}


def sensed(body: Mapping[str, Any]) -> dict[str, Value]:
    """POST …/sensor-data. Its `timestamp` is no time: it is the seconds since the board started."""
    uptime = value_of(body.get("timestamp"))
    kept = values(body, SENSED)
    return kept | {"uptime_s": uptime} if isinstance(uptime, int | float) else kept


def health(body: Mapping[str, Any]) -> dict[str, Value]:
    """What of a heartbeat is worth keeping now and then."""
    uptime = value_of(body.get("uptime"))
    kept = values(body, HEALTH)
    return kept | {"uptime_s": uptime} if isinstance(uptime, int | float) else kept


def introduced(body: Mapping[str, Any], claimed: str) -> Said:
    """POST …/register: here `device_type` is the board's."""
    board = line(body.get("device_type"))
    facts: Facts = {name: text for name in FACTS if (text := line(body.get(name))[:TEXT_CHARS])}
    version = line(body.get("firmware_version"))[:TEXT_CHARS]
    more: Facts = {"fw": version} if version else {}
    more |= tastes.wished(body)
    return Said(type_of(claimed), board[:TEXT_CHARS], line(body.get("device_name")), {**facts, **more})


def lives(body: Mapping[str, Any], claimed: str) -> Said:
    """POST …/heartbeat: here `device_type` is the firmware's, but where it is the board's after all."""
    kind, version = line(body.get("device_type"))[:TEXT_CHARS], line(body.get("version"))[:TEXT_CHARS]
    is_board = "DevKit" in kind
    facts: Facts = {"fw": version} if version else {}
    return Said(
        type_of(claimed, "" if is_board else kind), kind if is_board else "", line(body.get("device_name")), facts
    )
