"""Schedules and timers as pure rules: when one is due, and when it is too late for it.

A schedule runs at a wall time. A time without an offset is the site's own, never another zone's. A timer runs after
a duration, by the monotonic clock as long as the machine's boot lasts, so a clock that is set meanwhile moves it
not; after a reboot it runs at the wall time it would have had.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo

import msgspec

from edge.clock import Stamp
from edge.errors import BadInput

LATE_S = 600.0  # a switch that comes later than this after its time surprises more than it helps
AHEAD_DAYS = 366
TIMER_MAX_S = 86_400
PENDING = 50  # of one widget
LABEL_CHARS = 200

Value = int | float | bool | str


class ScheduleState(StrEnum):
    """Where a schedule stands. All but the first are its end."""

    PENDING = "pending"
    EXECUTED = "executed"
    CANCELLED = "cancelled"
    MISSED = "missed"  # the hub was off at its time, and for too long after it
    FAILED = "failed"  # what it should switch is gone


class Due(StrEnum):
    """What is to be done with a pending schedule now."""

    WAIT = "wait"
    RUN = "run"
    MISSED = "missed"


class Target(msgspec.Struct, frozen=True, kw_only=True):
    """What shall be switched: a widget's key of a device, to a value. `owner` is an account's id."""

    owner: str
    widget_id: str
    device_id: str
    key: str
    value: Value


class Schedule(msgspec.Struct, frozen=True, kw_only=True):
    """One as stored. `boot_id` and `due_ms` are a timer's: the monotonic clock of that boot."""

    id: str
    target: Target
    label: str
    due_us: int
    created_us: int
    boot_id: str = ""
    due_ms: int = 0
    state: ScheduleState = ScheduleState.PENDING
    ended_us: int | None = None
    reason: str = ""

    @property
    def is_timer(self) -> bool:
        """Whether it was given as a duration."""
        return bool(self.boot_id)


def judge(schedule: Schedule, now: Stamp) -> Due:
    """Whether its time has come, or gone."""
    late_ms = late_by_ms(schedule, now)
    if late_ms < 0:
        return Due.WAIT
    return Due.RUN if late_ms <= LATE_S * 1000 else Due.MISSED


def late_by_ms(schedule: Schedule, now: Stamp) -> int:
    """Milliseconds since its time; negative: that long until then."""
    if schedule.is_timer and schedule.boot_id == now.boot_id:
        return now.mono_ms - schedule.due_ms
    return (now.at_us - schedule.due_us) // 1000


def wall_us(text: object, zone: ZoneInfo, now_us: int) -> int:
    """The moment `text` (ISO 8601) names, UTC microseconds; without an offset it is a time of the site's `zone`.

    A time the clocks skip is taken as if they had not yet been put forward; of an hour that comes twice the first
    is meant. Raises BadInput, also for what is past or more than AHEAD_DAYS ahead.
    """
    if not isinstance(text, str):
        raise BadInput("execute_at is an ISO 8601 time.")
    try:
        at = datetime.fromisoformat(text.strip())
        at_us = _microseconds(at if at.tzinfo else at.replace(tzinfo=zone, fold=0))
    except (ValueError, OverflowError) as error:
        raise BadInput(
            f"execute_at is an ISO 8601 time, for example 2026-11-21T18:30:00 or with +05:30: {error}."
        ) from error
    if at_us <= now_us:
        raise BadInput(f"execute_at must be in the future; times without an offset are in {zone.key}.")
    if at_us > now_us + int(timedelta(days=AHEAD_DAYS).total_seconds() * 1_000_000):
        raise BadInput(f"execute_at is at most {AHEAD_DAYS} days ahead.")
    return at_us


def duration_s(asked: object) -> float:
    """A timer's duration in seconds. Raises BadInput."""
    if isinstance(asked, bool) or not isinstance(asked, int | float) or not 0 < asked <= TIMER_MAX_S:
        raise BadInput(f"duration_seconds is more than 0 and at most {TIMER_MAX_S}.")
    return float(asked)


def label(asked: object) -> str:
    """A label as it is kept: one line, '' when none was given. Raises BadInput."""
    if asked is None:
        return ""
    if not isinstance(asked, str) or len(asked) > LABEL_CHARS or not all(char.isprintable() for char in asked):
        raise BadInput(f"label is at most {LABEL_CHARS} printable characters.")
    return asked.strip()


_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def _microseconds(at: datetime) -> int:
    return (at.astimezone(UTC) - _EPOCH) // timedelta(microseconds=1)
