"""What bands are made by, as hubs tell it in the live lane: assets with their wirings, and the rules of their site.

A hub says what it likes: what cannot be read is as if it were not there.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime, timedelta
from typing import TypeVar
from zoneinfo import ZoneInfo

import msgspec

from cloud.analytics.rollups import zone_named
from edge.assets import calendar
from edge.assets.deriving import Asset, Wiring
from edge.assets.model import ALIVE, Span
from edge.assets.planning import planned, weekly
from edge.wire.assets import (
    PLANNED_MAX,
    REASONS_MAX,
    SHIFTS_MAX,
    WIRINGS_MAX,
    AssetRules,
    PlannedView,
    SilentS,
    ThresholdS,
)
from edge.wire.sync import StateRow

ASSET, RULES = "asset", "asset_rules"  # kinds of states
T = TypeVar("T")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


class Made(msgspec.Struct, frozen=True, kw_only=True):
    """All that an asset's bands are made by, but the readings. Kept beside them, as JSON."""

    asset: Asset
    planned: list[PlannedView]
    timezone: str

    def planned_spans(self, within: Span) -> list[Span]:
        """Its planned time within a span."""
        return calendar.planned_spans(planned(self.planned), self.asset.id, self.zone, within)

    @property
    def zone(self) -> ZoneInfo:
        """The site's."""
        return zone_named(self.timezone)

    @property
    def inputs(self) -> set[tuple[str, str]]:
        """Device and key of all readings that tell of it."""
        wired = {(wiring.device, wiring.input) for wiring in self.asset.wirings}
        return wired | {(device, ALIVE) for device, _ in wired}

    def written(self) -> str:
        """As it is kept."""
        return msgspec.json.encode(self).decode()

    @property
    def device(self) -> str:
        """The logger that tells of it now."""
        return self.asset.wirings[-1].device


class Difference(msgspec.Struct, frozen=True):
    """What a new definition does to bands there are: `since_us`, from when on they are to be derived from readings,
    None for not at all; `relaid`: those before, too, are to be made anew, of what is known in them."""

    since_us: int | None
    relaid: bool


def difference(before: Made | None, now: Made) -> Difference:
    """What is to be done about bands that were made by `before`, None where there are none."""
    if before is None:
        return Difference(0, relaid=False)
    old, new = before.asset, now.asset
    since_us: int | None = None
    if old.silent_s != new.silent_s:
        since_us = 0
    elif old.wirings != new.wirings:
        since_us = min(wiring.from_us for wiring in set(old.wirings) ^ set(new.wirings))
    relaid = (before.planned, before.timezone, old.short_stop_s) != (now.planned, now.timezone, new.short_stop_s)
    return Difference(since_us, relaid)


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
            for at_us in (_microseconds(wiring.at),)
        }
    except (msgspec.DecodeError, ValueError, TypeError, OverflowError, RecursionError):
        return None
    names = [name for one in wirings.values() for name in (one.device, one.input)]
    if not wirings or min(wirings) < 0 or any("\0" in name for name in names):
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
        shifts=[shift for shift in told.shifts[:SHIFTS_MAX] if _is_readable(weekly, shift)],
        planned=[rule for rule in told.planned[:PLANNED_MAX] if _is_readable(planned, [rule])],
    )


def all_made(states: Iterable[tuple[str, str, str]], timezone: str) -> list[Made]:
    """The definitions that states, each a kind, an id and a view, make together; `timezone` where none tells it."""
    rules, assets = AssetRules(timezone=timezone), dict[str, Asset]()
    for kind, of, view in states:
        if kind == RULES:
            rules = told_rules(view, timezone)
        elif (asset := told_asset(of, view)) is not None:
            assets[asset.id] = asset
    return [
        Made(
            asset=asset,
            planned=[rule for rule in rules.planned if not rule.assets or asset.id in rule.assets],
            timezone=rules.timezone,
        )
        for asset in assets.values()
    ]


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


def _is_readable(read: Callable[[T], object], told: T) -> bool:
    try:
        read(told)
    except (ValueError, TypeError, OverflowError):
        return False
    return True


def _microseconds(at: str) -> int:
    return (datetime.fromisoformat(at) - _EPOCH) // _MICROSECOND
