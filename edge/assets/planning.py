"""A site's rules, as the API and the live lane have them, in the form that the calendar counts with."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, date, datetime, timedelta

from edge.assets.calendar import Planned, Weekly
from edge.wire.assets import PlannedView, ShiftView

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


def weekly(rule: ShiftView | PlannedView) -> Weekly:
    """The time of day of a shift, or of planned time that comes every week."""
    first, last = (rule.first, rule.last) if isinstance(rule, PlannedView) else ("", "")
    return Weekly(
        begins_min=_minutes(rule.begins),
        ends_min=_minutes(rule.ends),
        days=frozenset(rule.days),
        first=date.fromisoformat(first) if first else None,
        last=date.fromisoformat(last) if last else None,
    )


def planned(rules: Iterable[PlannedView]) -> list[Planned]:
    """The planned times of a site."""
    return [_planned(rule) for rule in rules]


def _planned(rule: PlannedView) -> Planned:
    assets = frozenset(rule.assets)
    if rule.at is not None and rule.to is not None:
        return Planned(assets=assets, once=(_microseconds(rule.at), _microseconds(rule.to)))
    return Planned(assets=assets, weekly=weekly(rule))


def _minutes(clock: str) -> int:
    hours, minutes = clock.split(":")
    return int(hours) * 60 + int(minutes)


def _microseconds(at: str) -> int:
    return (datetime.fromisoformat(at) - _EPOCH) // _MICROSECOND
