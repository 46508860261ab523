"""What bands are made by, as hubs tell it in the live lane: assets with their wirings, and the rules of their site.

A hub says what it likes: what cannot be read is as if it were not there.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from typing import TypeVar

import msgspec

from edge.assets.deriving import Asset, Wiring
from edge.assets.planning import weekly
from edge.wire.assets import (
    PLANNED_MAX,
    REASONS_MAX,
    SHIFTS_MAX,
    WIRINGS_MAX,
    AssetRules,
    Clock,
    PlannedView,
    ShiftView,
    SilentS,
    ThresholdS,
    Weekday,
)
from edge.wire.sync import StateRow
from edge.wire.values import TIME_MAX_US

ASSET, RULES = "asset", "asset_rules"  # kinds of states
T = TypeVar("T")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


class _Wiring(msgspec.Struct):
    at: str
    device: str
    input: str
    inverted: bool = False


class _Asset(msgspec.Struct):
    """What of an AssetView counts here."""

    short_stop_s: ThresholdS
    silent_s: SilentS
    wirings: list[_Wiring]


def told_asset(asset_id: str, view: str | bytes) -> Asset | None:
    """The asset that the state of this id tells of; None where it cannot be read, or nothing tells of it."""
    try:
        told = msgspec.json.decode(view, type=_Asset)
        wirings = {
            at_us: Wiring(at_us, wiring.device, wiring.input, wiring.inverted)
            for wiring in told.wirings[: WIRINGS_MAX + 1]  # the last may say that it is removed
            for at_us in (told_us(wiring.at),)
        }
    except (msgspec.DecodeError, ValueError, TypeError, OverflowError, RecursionError):
        return None
    names = [name for one in wirings.values() for name in (one.device, one.input)]
    if not wirings or any("\0" in name for name in names):
        return None
    in_order = tuple(wirings[at_us] for at_us in sorted(wirings))
    return Asset(id=asset_id, silent_s=told.silent_s, short_stop_s=told.short_stop_s, wirings=in_order)


def told_rules(view: str | bytes, timezone: str = "UTC") -> AssetRules:
    """The rules that a state tells of; what of them cannot be read holds for nothing. `timezone` where they do not
    tell it."""
    try:
        told = msgspec.json.decode(view, type=AssetRules)
    except (msgspec.DecodeError, ValueError, RecursionError):
        return AssetRules(timezone=timezone)
    return AssetRules(
        timezone=told.timezone,
        reasons=told.reasons[:REASONS_MAX],
        shifts=[shift for shift in told.shifts[:SHIFTS_MAX] if _is_readable(_require_weekly, shift)],
        planned=[rule for rule in told.planned[:PLANNED_MAX] if _is_readable(_require_planned, rule)],
    )


def concerned(rows: Sequence[StateRow]) -> dict[tuple[str, str], bytes]:
    """What the assets and rules among states say of definitions, by kind and id, in a form to be compared."""
    return {(kind, of): _definition(kind, of, view) for kind, of, _, _, _, view in rows if kind in (ASSET, RULES)}


def _definition(kind: str, of: str, view: bytes) -> bytes:
    if not view:
        return b""
    if kind == ASSET:
        return msgspec.json.encode(told_asset(of, view))
    rules = told_rules(view)
    return msgspec.json.encode((rules.timezone, rules.planned))


def told_us(at: str) -> int:
    """A time that a hub told, in UTC microseconds. Raises ValueError, and TypeError for one without an offset."""
    at_us = (datetime.fromisoformat(at) - _EPOCH) // _MICROSECOND
    if not 0 <= at_us <= TIME_MAX_US:
        raise ValueError("a time outside the years 1970 to 9999")
    return at_us


class _Weekly(msgspec.Struct):
    """What of a shift, and of planned time that comes every week, counts here."""

    begins: Clock
    ends: Clock
    days: list[Weekday]


def _require_weekly(rule: ShiftView | PlannedView) -> None:
    msgspec.convert(rule, _Weekly, from_attributes=True)
    weekly(rule)


def _require_planned(rule: PlannedView) -> None:
    if rule.at is None or rule.to is None:
        _require_weekly(rule)
    else:
        for at in (rule.at, rule.to):
            told_us(at)
        msgspec.convert(rule.days, list[Weekday])


def _is_readable(require: Callable[[T], None], told: T) -> bool:
    try:
        require(told)
    except (ValueError, TypeError, OverflowError):
        return False
    return True
