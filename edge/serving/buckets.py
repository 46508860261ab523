"""Time cut into buckets: where one begins, in the site's zone, and what is in it."""

from __future__ import annotations

import functools
import re
from collections.abc import Iterable
from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

import msgspec

from edge.errors import BadInput

SECOND_US = 1_000_000
HOUR_US = 3600 * SECOND_US
QUARTER_US = HOUR_US // 4
DAY_S = 86_400
WIDTH_MAX_S = 366 * DAY_S
_UNITS = {"": 1, "s": 1, "m": 60, "h": 3600, "d": DAY_S}
_WIDTH = re.compile(r"([0-9]{1,8})([smhd]?)", re.ASCII)

Part = tuple[int, int, float, float, float]
"""When it begins, and count, sum, least and greatest of what is in it."""


class Bucket(msgspec.Struct):
    """What is in one bucket."""

    at_us: int
    count: int
    sum: float
    min: float
    max: float

    @property
    def mean(self) -> float:
        """The mean; of true and false, the share of true."""
        return self.sum / self.count


def width_s(text: str) -> int:
    """The seconds that `60`, `5m`, `1h` or `1d` says. Raises BadInput."""
    match = _WIDTH.fullmatch(text)
    width = int(match[1]) * _UNITS[match[2]] if match else 0
    if not 1 <= width <= WIDTH_MAX_S:
        raise BadInput(
            "bucket is a time such as 60, 1m, 15m, 1h or 1d.",
            hint="At most 366d; leave it out for the raw readings.",
        )
    return width


def chart_width_s(length_us: int, points: int) -> int:
    """How long each of some `points` buckets is that a chart over `length_us` is made of: whole minutes, or whole
    hours where it is much, which are kept ready."""
    wanted_s, hour_s = length_us // SECOND_US // points, HOUR_US // SECOND_US
    if wanted_s >= hour_s // 2:
        return -(-wanted_s // hour_s) * hour_s
    return max(10, -(-wanted_s // 60) * 60 if wanted_s > 10 else 10)


def hour_offset_us(zone: ZoneInfo, at_us: int) -> int:
    """How far the zone's hours begin behind those of UTC: 30 minutes in India, 45 in Nepal, mostly nothing."""
    return _offset_us(zone, at_us) % HOUR_US


class Grid:
    """The buckets of one question. A day is the site's local day, be it 23 or 25 hours long; every other width
    is counted in local time with the offset that holds at `from_us`."""

    def __init__(self, bucket_s: int, zone: ZoneInfo, from_us: int) -> None:
        self._zone, self._by_day = zone, bucket_s == DAY_S
        self.width_us, self.offset_us = bucket_s * SECOND_US, _offset_us(zone, from_us)

    @property
    def of_hours(self) -> bool:
        """Whether every bucket is made of whole hours of the zone."""
        return self.width_us % HOUR_US == 0

    def begin(self, at_us: int) -> int:
        """When the bucket that holds `at_us` begins."""
        if self._by_day:
            return midnight_us(self._zone, at_us // QUARTER_US)
        return (at_us + self.offset_us) // self.width_us * self.width_us - self.offset_us

    def after(self, begin_us: int, count: int) -> int:
        """When the bucket `count` after the one that begins at `begin_us` begins."""
        if self._by_day:
            return self.begin(begin_us + count * self.width_us + self.width_us // 2)
        return begin_us + count * self.width_us

    def gather(self, parts: Iterable[Part]) -> list[Bucket]:
        """Parts that each lie within one bucket, put together by bucket, in order of time."""
        buckets: dict[int, Bucket] = {}
        for at_us, count, total, least, greatest in parts:
            begin_us = self.begin(at_us)
            bucket = buckets.get(begin_us)
            if bucket is None:
                buckets[begin_us] = Bucket(begin_us, count, total, least, greatest)
                continue
            bucket.count += count
            bucket.sum += total
            bucket.min = min(bucket.min, least)
            bucket.max = max(bucket.max, greatest)
        return [buckets[begin_us] for begin_us in sorted(buckets)]


@functools.lru_cache(maxsize=16_384)  # a year has 8,784 hours
def midnight_us(zone: ZoneInfo, quarter: int) -> int:
    """The start of the local day that holds this quarter of an hour (counted from 1970); days begin with one."""
    local = datetime.fromtimestamp(quarter * 900, zone)
    return int(datetime.combine(local.date(), time.min, zone).timestamp()) * SECOND_US


def _offset_us(zone: ZoneInfo, at_us: int) -> int:
    offset = datetime.fromtimestamp(at_us // SECOND_US, zone).utcoffset() or timedelta()
    return int(offset.total_seconds()) * SECOND_US
