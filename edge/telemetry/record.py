"""What readings.db holds of single keys as of one moment, by time: for those who work something out of it.

Nothing here waits, so that work over very many readings can run on the thread of a reader of its own
(edge/store/bulk.py). What is folded is read from history, what is not yet from the readings themselves, once a
moment. Times are those that are known now: of a boot whose clock was set later, the right ones.
"""

from __future__ import annotations

import bisect
from collections.abc import Iterable, Mapping
from typing import NamedTuple

from edge.store.bulk import Raw
from edge.store.transaction import Row
from edge.telemetry import record_store as sql
from edge.telemetry.model import CLOCK_SET_US, Value
from edge.telemetry.series import Series
from edge.telemetry.store import unbound

Said = tuple[int, Value]
"""When a key had which value."""
Key = tuple[str, str]
"""A device and a key of it."""


class _Late(NamedTuple):
    """What of a series is not folded yet, in order of time, and of arrival where that is the same."""

    times: list[int]
    values: list[Value]


_NONE = _Late([], [])
_FOREVER_US = 2**62


class Record:
    """The values of some keys, asked by time. Of one time they are in the order in which they arrived.

    `floor_us`: of what was before then readings have been let go; what is from before 2020 was dated by a clock
    that nobody had set.
    """

    def __init__(self, raw: Raw, series: Series, keys: Iterable[Key]) -> None:
        """`raw` is in a transaction, so that all is of one moment."""
        self._raw, self._series = raw, series
        self.floor_us = _floor_us(raw)
        self._late: dict[int, _Late] = {}
        self._newest: dict[int, Said | None] = {}
        numbers = [number for key in keys if (number := self._number(key)) is not None]
        for number, at_us, value, kind in sql.unfolded(raw, numbers):
            late = self._late.setdefault(number, _Late([], []))
            late.times.append(at_us)
            late.values.append(unbound(value, kind))

    def between(self, key: Key, span: tuple[int, int]) -> list[Said]:
        """All of a span, its end left out."""
        number = self._number(key)
        if number is None:
            return []
        found: list[Said] = []
        if self._folded_from(number, span[0]):
            rows = sql.between(self._raw, number, span)
            found = [(at_us, unbound(value, kind)) for at_us, value, kind in rows]
        late = self._late.get(number, _NONE)
        first, end = (bisect.bisect_left(late.times, at_us) for at_us in span)
        if first < end:
            found += zip(late.times[first:end], late.values[first:end], strict=True)
            found.sort(key=_time)
        return found

    def last_before(self, key: Key, at_us: int) -> Said | None:
        """The last before a time."""
        number = self._number(key)
        if number is None:
            return None
        if self._folded_from(number, at_us):
            found = _said(sql.last_before(self._raw, number, at_us))
        else:
            found = self._newest[number]
        late = self._late.get(number, _NONE)
        index = bisect.bisect_left(late.times, at_us) - 1
        if index >= 0 and (found is None or late.times[index] >= found[0]):
            return late.times[index], late.values[index]
        return found

    def first_from(self, key: Key, at_us: int, skip: int = 0) -> int | None:
        """When the first from a time on was, or the one so many behind it. Where what is not folded lies among
        history, the latter may be a few too late."""
        number = self._number(key)
        if number is None:
            return None
        found = sql.first_from(self._raw, number, at_us, skip) if self._folded_from(number, at_us) else None
        late = self._late.get(number, _NONE)
        index = bisect.bisect_left(late.times, at_us) + skip
        if index < len(late.times) and (found is None or late.times[index] < found):
            return late.times[index]
        return found

    def _folded_from(self, number: int, at_us: int) -> bool:
        """Whether anything of a series from a time on is folded. What is new mostly is not, and then it is known
        without asking: only what was newest is looked up, once."""
        if number not in self._newest:
            self._newest[number] = _said(sql.last_before(self._raw, number, _FOREVER_US))
        newest = self._newest[number]
        return newest is not None and newest[0] >= at_us

    def _number(self, key: Key) -> int | None:
        return self._series.of(key[0]).get(key[1])


def news(raw: Raw, series: Series, keys: Iterable[Key], seq: int) -> tuple[int, Mapping[Key, int]]:
    """The number of the newest reading there is; and of each key that has readings behind `seq` the earliest time
    they are of, from the floor on."""
    by_number = {number: key for key in keys if (number := series.of(key[0]).get(key[1])) is not None}
    newest, rows = sql.news(raw, list(by_number), seq, _floor_us(raw))
    return newest, {by_number[number]: at_us for number, at_us in rows}


def moved(raw: Raw, series: Series, keys: Iterable[Key], boot_id: str) -> Mapping[Key, int]:
    """Of each key with readings that a boot's unset clock dated: the earliest time they are of or were said to be
    of, from the floor on."""
    by_number = {number: key for key in keys if (number := series.of(key[0]).get(key[1])) is not None}
    rows = sql.moved(raw, list(by_number), boot_id, _floor_us(raw))
    return {by_number[number]: at_us for number, at_us in rows}


def _floor_us(raw: Raw) -> int:
    return max(sql.gone_us(raw), CLOCK_SET_US)


def _said(row: Row | None) -> Said | None:
    return None if row is None else (int(row[0]), unbound(row[1], row[2]))


def _time(said: Said) -> int:
    return said[0]
