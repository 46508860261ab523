"""What the records of an older asset logger's export say, as values: pure, and forgiving where its versions differ.

An event tells what ended or began at a time, and mostly how long it had lasted. From that follow statements of the
input, and a stretch of time in which the logger was there to see it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec

from edge.assets.calendar import merged
from edge.assets.model import SECOND_US, Span
from edge.wire.assets import ID_CHARS, NAME_CHARS, NOTE_CHARS

RUNNING, STOPPED = "RUNNING", "STOPPED"
FIRST_US = (
    int(datetime(2020, 1, 1, tzinfo=UTC).timestamp()) * SECOND_US
)  # earlier: a logger whose clock was not set
LASTED_MAX_US = 31 * 86_400 * SECOND_US  # longer ones come from a clock that was set in between
SLACK_US = 2 * SECOND_US  # durations are whole seconds, rounded down

_BEGINS = {"RUN_START": RUNNING, "STOP_START": STOPPED, "RUN_BEGIN": RUNNING, "STOP_BEGIN": STOPPED}
_ENDS = {"RUN_END": (RUNNING, STOPPED), "STOP_END": (STOPPED, RUNNING)}
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class Logger(msgspec.Struct, frozen=True):
    """A logger: the ids that assets name it by, the one it calls itself by, and its name."""

    ids: tuple[str, ...]
    alias: str
    name: str


class Machine(msgspec.Struct, frozen=True, kw_only=True):
    """An asset. `id`: as events name it; `logger`: as its logger is named."""

    id: str
    name: str
    line: str
    logger: str
    input: str
    short_stop_s: float | None


class Past(msgspec.Struct, frozen=True, kw_only=True):
    """What one event tells: the states before and from `at_us` on ('' where it does not say), and how long the one
    before had lasted, None where that is not known or cannot be."""

    machine: str
    at_us: int
    before: str
    after: str
    lasted_us: int | None
    reason: str
    note: str

    @property
    def span(self) -> Span | None:
        """What it tells of, where it tells since when."""
        return (self.at_us - self.lasted_us, self.at_us) if self.lasted_us else None


def logger(record: Mapping[str, Any]) -> Logger | None:
    """A record of a logger; None for one without an id."""
    alias = text(record, "logger_id", "loggerId")
    ids = tuple(dict.fromkeys(filter(None, (text(record, "id"), alias))))
    name = text(record, "logger_name", "loggerName", "name")
    return Logger(ids, alias or ids[0], name) if ids else None


def machine(record: Mapping[str, Any]) -> Machine | None:
    """A record of an asset; None for one without an id, or without an input."""
    own_id, pin = text(record, "id", "asset_id", "_id"), text(record, "pin_number", "pinNumber", "pin")
    if not own_id or not pin.isdecimal():
        return None
    info = record.get("logger_info") or record.get("logger")
    named = text(info, "logger_id", "id") if isinstance(info, Mapping) else ""
    threshold = number(record, "short_stop_threshold", "shortStopThreshold", "microstop_threshold")
    return Machine(
        id=own_id,
        name=text(record, "name", "asset_name")[:NAME_CHARS],
        line=text(record, "line", "location")[:NAME_CHARS],
        logger=text(record, "logger_id", "loggerId") or named,
        input=f"pin_{int(pin)}",
        short_stop_s=threshold if threshold is not None and 0 <= threshold <= 86_400 else None,
    )


def past(record: Mapping[str, Any], now_us: int) -> Past | str:
    """A record of an event; in words why it cannot be used."""
    named = record.get("asset")
    own_id = text(record, "asset_id", "assetId")
    own_id = own_id or (text(named, "id", "name") if isinstance(named, Mapping) else text(record, "asset"))
    at_us = moment(record.get("timestamp") or record.get("at") or record.get("created_at"))
    if not own_id:
        return "it names no asset"
    if at_us is None or not FIRST_US <= at_us <= now_us:
        return "its time is missing, or lies before 2020 or in the future"
    what, state = text(record, "event_type", "eventType").upper(), _state(record)
    if what in _ENDS:
        before, after = _ENDS[what]
        if state not in ("", RUNNING, STOPPED):  # ERROR, MAINTENANCE: a stop by another word
            before, after = (before, state) if what == "RUN_END" else (state, after)
    else:
        before, after = text(record, "previous_state", "previousState").upper(), state or _BEGINS.get(what, "")
    if not before and not after:
        return f"{what[:40] or 'an event without a type'} says nothing of running or stopped"
    lasted_s = number(record, "duration") if before else None
    lasted_us = round(lasted_s * SECOND_US) if lasted_s is not None and abs(lasted_s) < LASTED_MAX_US else 0
    return Past(
        machine=own_id,
        at_us=at_us,
        before=before,
        after=after,
        lasted_us=lasted_us if 0 < lasted_us <= LASTED_MAX_US else None,
        reason=text(record, "stop_reason", "stopReason", "reason") if before not in ("", RUNNING) else "",
        note=text(record, "note", "notes", "comment")[:NOTE_CHARS] if before not in ("", RUNNING) else "",
    )


def consistent(events: Iterable[Past]) -> list[Past]:
    """The events of one asset in order of time. A duration that reaches behind the event before it is a clock that
    was set in between: nobody knows how long that lasted."""
    ordered: list[Past] = []
    for one in sorted(events, key=lambda event: event.at_us):
        reaches = one.span is not None and ordered and one.span[0] < ordered[-1].at_us - SLACK_US
        ordered.append(msgspec.structs.replace(one, lasted_us=None) if reaches else one)
    return ordered


def statements(events: Iterable[Past]) -> list[tuple[int, bool | str]]:
    """What the input stated, in order of time: true for running, false for stopped, or another word."""
    said: list[tuple[int, bool | str]] = []
    for one in events:
        if one.span is not None:
            said.append((one.span[0], _value(one.before)))
        if one.after:
            said.append((one.at_us, _value(one.after)))
    return said


def watched(events: Iterable[Past]) -> list[Span]:
    """When the logger was there: in order, none overlaps or touches the next."""
    return merged(one.span for one in events if one.span is not None)


def signs(spans: Iterable[Span], step_us: int) -> Iterator[int]:
    """Times for signs of life, so that none of the spans is silent for longer than a step: whole multiples of it,
    in order, each once."""
    last = -1
    for begin, end in merged(spans):
        for at_us in range(begin - begin % step_us + step_us, end, step_us):
            if at_us > last:
                last = at_us
                yield at_us


def reason_id(reason: str) -> str:
    """The id that a reason gets; '' where nothing of it can be one."""
    return re.sub("[^a-z0-9]+", "-", reason.lower()).strip("-")[:ID_CHARS].strip("-")


def asset_id(machine_id: str) -> str:
    """The id that an imported asset gets here: of the same one always the same."""
    return f"older-{reason_id(machine_id)}"[:ID_CHARS].strip("-")


def text(record: Mapping[str, Any], *names: str) -> str:
    """The first of these fields that is a text or a number, as one line of text; '' where none is."""
    for name in names:
        found = record.get(name)
        if isinstance(found, str | int | float) and not isinstance(found, bool):
            line = " ".join("".join(char if char.isprintable() else " " for char in str(found)).split())
            if line:
                return line
    return ""


def number(record: Mapping[str, Any], *names: str) -> float | None:
    """The first of these fields that is a number, or a text of one."""
    for name in names:
        found = record.get(name)
        try:
            if isinstance(found, str | int | float) and not isinstance(found, bool):
                return float(found)
        except (ValueError, OverflowError):
            continue
    return None


def moment(value: object) -> int | None:
    """UTC microseconds of a time in ISO 8601 with an offset, or in milliseconds since 1970; None for none."""
    if isinstance(value, int | float) and not isinstance(value, bool):
        return round(value * 1000) if abs(value) < 1e15 else None
    try:
        at = datetime.fromisoformat(value) if isinstance(value, str) else None
    except ValueError:
        return None
    if at is None or at.tzinfo is None:
        return None
    return (at - _EPOCH) // timedelta(microseconds=1)


def _state(record: Mapping[str, Any]) -> str:
    return text(record, "newState", "new_state", "state").upper()


def _value(state: str) -> bool | str:
    return {RUNNING: True, STOPPED: False}.get(state, state[:64])
