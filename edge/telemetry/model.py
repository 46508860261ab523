"""Readings as pure values: which are taken, what time they have, and which of two is the newer.

A value is a number, true or false, or text. What cannot be stored or compared is refused with the reason, and the
rest of what came with it is kept.
"""

from __future__ import annotations

import math
import re
from collections.abc import Container, Mapping

import msgspec

from edge.clock import Quality, Stamp
from edge.wire.values import NUMBER_MAX, wrong_text

Value = int | float | bool | str

KEY_CHARS = 64
KEYS_PER_READING = 64  # a board measures a handful of things; this is all of a large PLC's page
KEYS_PER_DEVICE = 256  # each is a series for ever: a device that invents keys must not fill the disk with them
TEXT_CHARS = 256  # a state or a code, not a document
INTEGER_MAX = 2**63 - 1  # what SQLite keeps exactly
REASONS = 16  # told of one request; the rest is counted
LIVE_S = 10.0  # a reading older than that when it arrives tells of the past
AHEAD_S = 60.0  # a device's clock may be so much ahead of the hub's before it counts as wrong
AGE_MAX_MS = 20 * 365 * 86_400_000  # older than any board runs
CLOCK_SET_US = 1_577_836_800_000_000  # 2020: a clock before that was never set (an ESP32 starts in 1970 or 2000)

_KEY = re.compile(r"[A-Za-z_][A-Za-z0-9_.-]{0,63}", re.ASCII)
_NO_NUMBERS = frozenset({"nan", "inf", "infinity", "ovf"})  # how C and Arduino print what is no number
_SHOWN_CHARS = 40


class Reading(msgspec.Struct, frozen=True):
    """One value of one key, as stored. `boot` and `mono_ms` are those of the clock that `at_us` comes from."""

    key: str
    value: Value
    at_us: int
    quality: Quality
    boot: str = ""
    mono_ms: int = 0


class Latest(msgspec.Struct, frozen=True):
    """The newest value of a key. `order_us` is what the next one is compared with; it never falls."""

    value: Value
    at_us: int
    quality: Quality
    received_us: int
    order_us: int = 0
    unset_ms: int | None = None  # the hub's monotonic time then, where its clock gave the time in this boot, unset


class Ingested(msgspec.Struct, frozen=True):
    """How many readings are on disk, and why the others are not."""

    accepted: int
    refused: list[str]


class Moment(msgspec.Struct, frozen=True):
    """When a reading was so, how good that time is, and whether it was just now.

    `unset_ms`: the hub's monotonic time then, where the hub gave the time by a clock that nothing had set.
    """

    at_us: int
    quality: Quality
    live: bool
    unset_ms: int | None = None


def parse(
    values: Mapping[str, object], *, known: Container[str] = (), room: int = KEYS_PER_DEVICE
) -> tuple[list[tuple[str, Value]], list[str]]:
    """The values that are taken, and why each of the others is not.

    `known` holds the keys this device has used; `room` is how many new ones it may still begin.
    """
    taken: list[tuple[str, Value]] = []
    refused: list[str] = []
    for key, value in values.items():
        new = key not in known
        why = _why_not(key, value, new=new, full=len(taken) >= KEYS_PER_READING, room=room)
        if why:
            refused.append(why)
        else:
            taken.append((key, value))  # type: ignore[arg-type]  # _why_not has seen its type
            room -= new
    return taken, refused


def plain(values: Mapping[str, object], known: Container[str]) -> bool:
    """Whether all are numbers, or true or false, of keys known already: then parse would take each as it is."""
    if len(values) > KEYS_PER_READING:
        return False
    for key, value in values.items():
        kind = type(value)
        if key not in known:
            return False
        if kind is float:
            if not -NUMBER_MAX <= value <= NUMBER_MAX:  # type: ignore[operator]  # it is a float
                return False
        elif kind is int:
            if not -INTEGER_MAX <= value <= INTEGER_MAX:  # type: ignore[operator]  # it is an int
                return False
        elif kind is not bool:
            return False
    return True


def told(reasons: list[str]) -> list[str]:
    """The reasons as an answer holds them: bounded, the rest counted."""
    more = len(reasons) - REASONS
    return reasons if more <= 0 else [*reasons[:REASONS], f"and {more} more"]


def _why_not(key: object, value: object, *, new: bool, full: bool, room: int) -> str:
    if not isinstance(key, str) or not _KEY.fullmatch(key):
        return (
            f"{_shown(key)} is no key: it begins with a letter or _, goes on with letters, digits, _ . or -,"
            f" and has at most {KEY_CHARS} characters."
        )
    if full:
        return f"{key}: there are more than {KEYS_PER_READING} keys in one reading."
    why = _wrong_value(value)
    if why:
        return f"{key}: {why}."
    if new and room <= 0:
        return f"{key}: the device has used {KEYS_PER_DEVICE} different keys already."
    return ""


def _wrong_value(value: object) -> str:
    """Why this is no value, '' when it is one."""
    if value is None:
        return "null is no value"
    if isinstance(value, bool):
        return ""
    if isinstance(value, int):
        return "" if -INTEGER_MAX <= value <= INTEGER_MAX else "a whole number of more than 64 bits"
    if isinstance(value, float):
        return _wrong_number(value)
    if isinstance(value, str):
        return _wrong_text(value)
    return "a list or object is no value; send each part under a key of its own"


def _wrong_number(value: float) -> str:
    if math.isnan(value):
        return "NaN is no number"
    if abs(value) > NUMBER_MAX:
        return "infinity is no number" if math.isinf(value) else f"a number beyond {NUMBER_MAX:g}"
    return ""


def _wrong_text(value: str) -> str:
    if len(value) > TEXT_CHARS:
        return f"text of more than {TEXT_CHARS} characters"
    if value.strip().lstrip("+-").lower() in _NO_NUMBERS:
        return f"{_shown(value)} is no number"
    return wrong_text(value)


def _shown(text: object) -> str:
    """What was sent, fit to be quoted."""
    short = str(text)[:_SHOWN_CHARS]
    return ascii(short) if not short.isascii() or not short.isprintable() else repr(short)


def placed(at_us: int, age_ms: int | None, received: Stamp) -> Moment:
    """When a reading was so.

    `at_us` is the device's own time, 0 when it had none: that is never changed, only doubted, when it is ahead of
    the hub's good clock or from before 2020. `age_ms` is how old the device knows it to be, counted in its present
    boot; None when that is not known. Without both it is from now, for want of better, with quality none.

    A clock of the hub that nothing has set gives labels; what they are really of is told by `unset_ms`.
    """
    live = age_ms is not None and 0 <= age_ms <= LIVE_S * 1000
    if at_us:
        late_s = (received.at_us - at_us) / 1_000_000
        wrong = at_us < CLOCK_SET_US or (received.quality.good and late_s < -AHEAD_S)
        live = live or (age_ms is None and not wrong and abs(late_s) <= LIVE_S)
        return Moment(at_us, Quality.NONE if wrong else Quality.NTP, live)
    if age_ms is None or not 0 <= age_ms <= AGE_MAX_MS:
        return Moment(received.at_us, Quality.NONE, False, None if received.quality.good else received.mono_ms)
    if received.quality.good:
        return Moment(received.at_us - age_ms * 1000, received.quality, live)
    return Moment(max(0, received.at_us - age_ms * 1000), Quality.NONE, live, received.mono_ms - age_ms)


def redated(latest: Latest, began_us: int, unset_ms: int) -> Latest:
    """A newest value whose time the hub's unset clock gave, by when the boot really began."""
    shift_us = began_us + unset_ms * 1000 - latest.at_us
    at_us = latest.at_us + shift_us
    return Latest(latest.value, at_us, Quality.FIXED, latest.received_us + shift_us, max(latest.order_us, at_us))


def newer(old: Latest | None, value: Value, moment: Moment, received: Stamp) -> Latest | None:
    """What is the latest now, or None when `old` stays: history never overwrites the present.

    What is live always wins, whatever the clocks say. Else the times are compared; one that lies in the future
    counts as being from its receipt, so that a wrong clock holds the latest value for no longer than that. Of two
    with the same time the one that arrived later wins.
    """
    order_us = min(moment.at_us, received.at_us) if received.quality.good else moment.at_us
    if old is not None and order_us < old.order_us:
        if not moment.live:
            return None
        order_us = old.order_us
    return Latest(value, moment.at_us, moment.quality, received.at_us, order_us, moment.unset_ms)
