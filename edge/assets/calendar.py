"""Shifts and planned time as spans of real time: a site's days and times of day, however long its days are."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import msgspec

from edge.assets.model import SECOND_US, Span

DAY_MIN = 24 * 60


class Weekly(msgspec.Struct, frozen=True, kw_only=True):
    """A time of day on some days of the week (Monday is 1), from `first` to `last` where these are given.

    `begins_min` and `ends_min` are minutes since local midnight; one that does not end later than it begins ends
    the next day. The days are those it begins on.
    """

    begins_min: int
    ends_min: int
    days: frozenset[int]
    first: date | None = None
    last: date | None = None


class Planned(msgspec.Struct, frozen=True, kw_only=True):
    """Planned time of some assets (none named: of all): `weekly`, or `once`."""

    assets: frozenset[str] = frozenset()
    weekly: Weekly | None = None
    once: Span | None = None


def spans(rule: Weekly, zone: ZoneInfo, within: Span) -> Iterator[Span]:
    """Every one that overlaps `within`, whole, in order."""
    day = datetime.fromtimestamp(within[0] // SECOND_US, zone).date() - timedelta(days=1)
    if rule.first is not None:
        day = max(day, rule.first)
    while True:
        if rule.last is not None and day > rule.last:
            return
        begin_us = _at(day, rule.begins_min, zone)
        if begin_us >= within[1]:
            return
        if day.isoweekday() in rule.days:
            later = rule.ends_min > rule.begins_min
            end_us = _at(day if later else day + timedelta(days=1), rule.ends_min, zone)
            if end_us > max(begin_us, within[0]):
                yield begin_us, end_us
        day += timedelta(days=1)


def planned_spans(rules: Iterable[Planned], asset: str, zone: ZoneInfo, within: Span) -> list[Span]:
    """The planned time of an asset within a span: in order, cut to it, none overlaps or touches the next."""
    found: list[Span] = []
    for rule in rules:
        if rule.assets and asset not in rule.assets:
            continue
        if rule.once is not None:
            found.append(rule.once)
        if rule.weekly is not None:
            found += spans(rule.weekly, zone, within)
    return merged((max(begin, within[0]), min(end, within[1])) for begin, end in found)


def merged(found: Iterable[Span]) -> list[Span]:
    """Spans put in order; those that overlap or touch become one, empty ones nothing."""
    whole: list[Span] = []
    for begin_us, end_us in sorted(span for span in found if span[0] < span[1]):
        if whole and begin_us <= whole[-1][1]:
            whole[-1] = whole[-1][0], max(whole[-1][1], end_us)
        else:
            whole.append((begin_us, end_us))
    return whole


def cut(found: Sequence[Span], within: Span) -> list[Span]:
    """What of the spans lies within another."""
    parts = ((max(begin, within[0]), min(end, within[1])) for begin, end in found)
    return [part for part in parts if part[0] < part[1]]


def _at(day: date, minutes: int, zone: ZoneInfo) -> int:
    """When it is so late on a day, by the clock on the wall. A time that the clock leaves out is as much later as
    it leaves out; of one that it shows twice the first counts."""
    days, minutes = divmod(minutes, DAY_MIN)
    local = datetime.combine(day + timedelta(days=days), time(minutes // 60, minutes % 60), zone)
    return int(local.timestamp()) * SECOND_US
