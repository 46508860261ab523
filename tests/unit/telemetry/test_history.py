"""History: every page and bucket says what was measured, folded or not, on time or late, deleted or not."""

from __future__ import annotations

import asyncio
import tempfile
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edge.clock import ManualClock
from edge.errors import BadInput
from edge.serving.buckets import DAY_S, Grid, hour_offset_us, width_s
from edge.telemetry import history_store as sql
from edge.telemetry.history import Point
from edge.telemetry.model import Value
from edge.telemetry.telemetry import Telemetry
from tests.tools import share
from tests.unit.telemetry.conftest import KOLKATA, Site
from tests.unit.telemetry.test_telemetry import folding

SECOND = 1_000_000
HOUR = 3600 * SECOND
BERLIN = ZoneInfo("Europe/Berlin")
NEPAL = ZoneInfo("Asia/Kathmandu")
MARCH_28_2026 = 1_774_652_400 * SECOND  # 00:00 in Berlin; the 29th has 23 hours
FAR = 2**60


async def everything(telemetry: Telemetry, key: str = "", *, limit: int = 7, **ask: Any) -> list[Point]:
    """All pages."""
    points: list[Point] = []
    cursor = ""
    while True:
        given = {"from_us": 0, "to_us": FAR, **ask}
        page = await telemetry.history("dev-1", key, limit=limit, cursor=cursor, **given)
        assert len(page.points) <= limit
        points += page.points
        if page.next is None:
            return points
        cursor = page.next


async def put(site: Site, telemetry: Telemetry, at_us: int, **values: Value) -> None:
    """Readings of that time."""
    assert (await telemetry.ingest(site.device, values, at_us=at_us)).refused == []


async def test_pages_hold_every_reading_once_by_key_and_time(site: Site) -> None:
    async with site.opened() as telemetry:
        us = site.clock.at_us
        for number in range(20):
            await put(site, telemetry, us - (number % 7) * SECOND, b=number, a=str(number))
            if number == 11:
                await folding(site, telemetry).fold()
        points = await everything(telemetry)
        assert [point.key for point in points] == ["a"] * 20 + ["b"] * 20
        numbers = [point.value for point in points if point.key == "b"]
        assert numbers == sorted(range(20), key=lambda number: (-(number % 7), number))
        assert [point.value for point in await everything(telemetry, "b", limit=1)] == numbers
        half = await everything(telemetry, "b", from_us=us - 3 * SECOND, to_us=us - SECOND)
        assert {us - point.at_us for point in half} == {3 * SECOND, 2 * SECOND}
        assert await everything(telemetry, "c") == []


async def test_a_page_goes_on_where_it_ended_whatever_is_added_meanwhile(site: Site) -> None:
    async with site.opened() as telemetry:
        us = site.clock.at_us
        for number in range(10):
            await put(site, telemetry, us - (20 - number) * SECOND, a=number)
        first = await telemetry.history("dev-1", "a", 0, FAR, limit=5)
        await put(site, telemetry, us - 3600 * SECOND, a=-1)
        await put(site, telemetry, us - 15 * SECOND, a=98)
        await folding(site, telemetry).fold()
        await put(site, telemetry, us, a=99)
        assert first.next is not None
        second = await telemetry.history("dev-1", "a", 0, FAR, limit=50, cursor=first.next)
        assert [point.value for point in first.points] == [0, 1, 2, 3, 4]
        assert [point.value for point in second.points] == [5, 98, 6, 7, 8, 9, 99]


async def test_each_value_keeps_its_own_type(site: Site) -> None:
    async with site.opened() as telemetry:
        story: list[Value] = [1, 1.0, True, "1", 2**62, 0, False, 1e300]
        for number, value in enumerate(story):
            await put(site, telemetry, site.clock.at_us - 100 * SECOND + number, a=value)
            if number == 3:
                await folding(site, telemetry).fold()
        points = await everything(telemetry, "a")
        assert [(type(point.value), point.value) for point in points] == [(type(v), v) for v in story]


@pytest.mark.parametrize(
    "cursor", ["x", "1", "1.2", "1.2.", "a.1.k", f"{'9' * 30}.1.k", "1.-1.k", "..", "²²²²²².1.k"]
)
async def test_a_cursor_that_no_page_gave_is_refused(site: Site, cursor: str) -> None:
    async with site.opened() as telemetry:
        await put(site, telemetry, site.clock.at_us, k=1)
        with pytest.raises(BadInput):
            await telemetry.history("dev-1", "k", 0, FAR, cursor=cursor)


async def test_text_is_in_no_bucket(site: Site) -> None:
    async with site.opened() as telemetry:
        await put(site, telemetry, site.clock.at_us, a="x", b=True)
        for bucket_s in (60, 3600, DAY_S):
            assert [point.key for point in await everything(telemetry, bucket_s=bucket_s)] == ["b"]


async def test_a_day_is_the_sites_own_though_it_has_23_hours(site: Site) -> None:
    site.clock.at_us = MARCH_28_2026 + 7 * DAY_S * SECOND
    async with site.opened() as telemetry:
        telemetry.past._zone = BERLIN
        for hour in range(72):
            await put(site, telemetry, MARCH_28_2026 + hour * HOUR, a=1)
        points = await everything(telemetry, "a", bucket_s=DAY_S, limit=1)
        assert [point.bucket and point.bucket.count for point in points] == [24, 23, 24, 1]


@pytest.mark.parametrize(
    ("text", "seconds"), [("60", 60), ("1m", 60), ("15m", 900), ("1h", 3600), ("1d", DAY_S), ("30s", 30)]
)
def test_a_bucket_is_a_time(text: str, seconds: int) -> None:
    assert width_s(text) == seconds


@pytest.mark.parametrize("text", ["0", "-1", "1.5", "1w", "h", "9" * 20, "367d", " 1m", "\u0661m"])
def test_what_is_no_time_is_refused(text: str) -> None:
    with pytest.raises(BadInput):
        width_s(text)


@given(
    st.sampled_from([KOLKATA, BERLIN, NEPAL, ZoneInfo("UTC"), ZoneInfo("America/St_Johns")]),
    st.integers(0, 2 * 365 * DAY_S),
    st.sampled_from([1, 7, 60, 900, 3600, 6 * 3600, DAY_S, 7 * DAY_S]),
    st.integers(0, 40 * DAY_S),
)
def test_every_moment_lies_in_its_bucket(zone: ZoneInfo, from_s: int, width: int, after_s: int) -> None:
    from_us = MARCH_28_2026 + from_s * SECOND
    at_us, grid = from_us + after_s * SECOND, Grid(width, zone, from_us)
    begin = grid.begin(at_us)
    assert begin <= at_us < grid.after(begin, 1)
    assert grid.begin(begin) == begin
    if width == DAY_S:
        local = datetime.fromtimestamp(begin / SECOND, zone)
        assert (local.hour, local.minute, local.second) == (0, 0, 0)
    if grid.of_hours:
        assert (begin + hour_offset_us(zone, at_us)) % HOUR == 0


numbers = st.integers(-1000, 1000) | st.booleans()
readings = st.tuples(
    st.integers(0, 3 * DAY_S),
    st.sampled_from(["a", "b"]),
    numbers | st.just("text"),
    st.sampled_from([0, 0, 0, 1, 2]),
)


@settings(max_examples=share(12, 500))
@given(
    st.lists(readings, max_size=40),
    st.sampled_from([60, 900, 3600, 4 * 3600, DAY_S, 2 * DAY_S, 5400]),
    st.integers(0, 2 * DAY_S),
    st.integers(0, 2 * DAY_S),
    st.sampled_from([KOLKATA, BERLIN, NEPAL]),
)
def test_buckets_say_what_the_readings_say(
    story: list[tuple[int, str, Value, int]], bucket_s: int, from_s: int, length_s: int, zone: ZoneInfo
) -> None:
    """Random readings, late ones too, folded now and then: the answer is what one would add up by hand."""
    with tempfile.TemporaryDirectory() as folder:
        asyncio.run(compare(Path(folder), story, bucket_s, from_s, length_s, zone))


async def compare(
    folder: Path,
    story: list[tuple[int, str, Value, int]],
    bucket_s: int,
    from_s: int,
    length_s: int,
    zone: ZoneInfo,
) -> None:
    """Ask before the last fold, after it, and once all readings it may delete are gone."""
    site = Site(folder, ManualClock(at_us=MARCH_28_2026 + 4 * DAY_S * SECOND))
    async with site.opened() as telemetry:
        telemetry.past._zone = zone
        work = folding(site, telemetry)
        work._zone = zone
        for at_s, key, value, then in story:
            await put(site, telemetry, MARCH_28_2026 + at_s * SECOND, **{key: value})
            if then == 1:
                await work.fold()
        from_us = MARCH_28_2026 + from_s * SECOND
        to_us = from_us + (length_s + 1) * SECOND
        grid = Grid(bucket_s, zone, from_us)
        ask = {"from_us": from_us, "to_us": to_us, "bucket_s": bucket_s}
        wanted = by_hand(story, grid, from_us, to_us)
        assert told(await everything(telemetry, **ask)) == wanted
        await work.fold()
        assert told(await everything(telemetry, **ask, limit=3)) == wanted
        if grid.of_hours:
            await work._drop_upto(len(story) - 1)
            assert told(await everything(telemetry, **ask)) == wanted


def by_hand(story: list[tuple[int, str, Value, int]], grid: Grid, from_us: int, to_us: int) -> list[Any]:
    """Key, begin, count, mean, least and greatest of each bucket."""
    held: dict[tuple[str, int], list[float]] = {}
    for at_s, key, value, _ in story:
        begin = grid.begin(MARCH_28_2026 + at_s * SECOND)
        if not isinstance(value, str) and grid.begin(from_us) <= begin < to_us:
            held.setdefault((key, begin), []).append(float(value))
    return [
        (key, begin, len(held[key, begin]), sum(held[key, begin]) / len(held[key, begin]), *ends(held[key, begin]))
        for key, begin in sorted(held)
    ]


def ends(values: list[float]) -> tuple[float, float]:
    """The least and the greatest."""
    return min(values), max(values)


def told(points: list[Point]) -> list[Any]:
    """The same of what was answered."""
    assert all(point.bucket is not None for point in points)
    return [
        (point.key, point.at_us, point.bucket.count, point.value, point.bucket.min, point.bucket.max)
        for point in points
        if point.bucket is not None
    ]


@pytest.mark.parametrize("statement", [sql.PAGE, sql.FIRST, sql.FROM_RAW, sql.FROM_ROLLUPS])
async def test_a_question_reads_no_more_than_its_answer(site: Site, statement: str) -> None:
    """SQLite finds history and rollups by series and time; it walks through nothing but what is not folded yet."""
    async with site.opened():
        values = {
            "series": 1,
            "from": 0,
            "to": 9,
            "at": 0,
            "seq": 0,
            "limit": 9,
            "rolled": 1,
            "width": 1,
            "offset": 0,
        }
        plan = [row[3] for row in await site.store.readings.read(f"EXPLAIN QUERY PLAN {statement}", values)]
        scans = [step for step in plan if step.startswith("SCAN") and "SCAN (" not in step]
        assert not [step for step in scans if "history" in step or "rollups" in step or "readings" in step], plan


def test_the_29th_of_march_has_23_hours() -> None:
    """The day the tests above rely on."""
    day = datetime(2026, 3, 29, tzinfo=BERLIN)
    assert (day + timedelta(days=1)).timestamp() - day.timestamp() == 23 * 3600
    assert datetime.fromtimestamp(MARCH_28_2026 / SECOND, BERLIN).hour == 0
