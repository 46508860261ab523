"""Numbers and times that no device measures: refused at the door, and harmless where they are stored."""

from __future__ import annotations

import asyncio
import math
from typing import Any

import pytest
from sqlalchemy import ColumnElement, func, select, update
from sqlalchemy.exc import DBAPIError

from cloud import service
from cloud.analytics import rollup_store, rollups
from cloud.analytics.rollups import Rollups
from cloud.db.models import FactRow
from cloud.db.reading_models import ClockFix, Rollup
from cloud.sync.set_aside import SET_ASIDE_S
from cloud.sync.traffic import Traffic
from edge.clock import ManualClock, iso
from edge.wire.times import BEGAN_MAX_US, MONO_MAX_MS
from tests.filled_centre import HOUR_US, NOW_US, Filled
from tests.integration.centre.hubs import enrolled
from tests.running_centre import RunningCentre, StartCentre

START_US = (NOW_US - 10 * HOUR_US) // HOUR_US * HOUR_US
SPAN = f"from={iso(START_US - HOUR_US)}&to={iso(NOW_US)}"
WAIT_S = 60.0


async def two_sites(centre: RunningCentre) -> Filled:
    """Site 1 with a device `evil`, site 2 with one `good` that has a reading."""
    filled = Filled(centre.centre.db)
    for number, name in ((1, "evil"), (2, "good")):
        await filled.site(number, name)
        await filled.device(number, name)
        await filled.series(number, 1, name, "t")
    await filled.readings(2, 1, [(1, START_US, 20.0)])
    return filled


async def rolled(filled: Filled, site: int) -> int:
    """How many hours of a site are rolled up."""
    mine: ColumnElement[bool] = Rollup.site_id == site
    async with filled.db.read() as connection:
        return int((await connection.execute(select(func.count()).select_from(Rollup).where(mine))).scalar_one())


@pytest.mark.parametrize(
    "changed",
    [{3: 1.7e308}, {3: -1.7e308}, {3: math.nan}, {3: math.inf}, {8: 2**43}, {8: -(2**62)}, {6: 2**62}, {2: 2**60}],
)
async def test_a_reading_that_nobody_can_have_measured_is_refused(
    centre: RunningCentre, changed: dict[int, Any]
) -> None:
    hub = await enrolled(centre)
    await hub.hello()
    for value in (1e300, 2.0):
        hub.reading(value)
    row: Any = [changed.get(at, value) for at, value in enumerate(hub.readings[1])]
    good, hub.readings[1] = hub.readings[1], tuple(row)
    answer = await hub.send_readings(1, 2)
    assert (answer.status, answer.body["code"]) == (422, "row-rejected")
    hub.readings[1] = good
    assert (await hub.send_readings(1, 2)).body["next"] == 3


@pytest.mark.parametrize("mono_ms", [-1, 2**43, 2**62])
async def test_a_fact_of_a_time_no_boot_has_is_refused(centre: RunningCentre, mono_ms: int) -> None:
    hub = await enrolled(centre)
    await hub.hello()
    hub.fact()
    hub.poison(1, quality="none", mono_ms=mono_ms)
    assert (await hub.send_facts(1, 1)).body["code"] == "row-rejected"


async def test_a_clock_that_was_never_so_changes_nothing(centre: RunningCentre) -> None:
    hub = await enrolled(centre)
    await hub.hello()
    told = {"boot": "boot-1", "began_us": START_US, "offset_us": 0}
    hub.fact()
    hub.poison(1, quality="none", mono_ms=MONO_MAX_MS)
    for ill in (
        {"began_us": 2**62},
        {"began_us": BEGAN_MAX_US + 1},
        {"began_us": 0},
        {"offset_us": 2**63},
        {"boot": "b" * 65},
        {"boot": "b\0"},
        {"boot": ""},
    ):
        hub.fact("clock.fixed", "clock", **{**told, **ill})
    assert (await hub.send_facts(1, len(hub.facts))).status == 200
    async with centre.centre.db.read() as connection:
        assert (await connection.execute(select(ClockFix))).first() is None
    hub.fact("clock.fixed", "clock", **{**told, "began_us": BEGAN_MAX_US})
    assert (await hub.send_facts(len(hub.facts), len(hub.facts))).status == 200
    answer = await centre.get("/v1/ledger")
    assert answer.status == 200, answer
    assert answer.body["items"][0]["quality"] == "fixed"


async def test_a_fact_that_is_stored_can_be_read(centre: RunningCentre) -> None:
    hub = await enrolled(centre)
    await hub.hello()
    hub.fact()
    hub.fact("clock.fixed", "clock", boot="boot-1", began_us=START_US, offset_us=0)
    assert (await hub.send_facts(1, 2)).status == 200
    async with centre.centre.db.write() as connection:
        far = update(FactRow).where(FactRow.seq == 1).values(quality="none", mono_ms=2**62)
        await connection.execute(far)
    ledger = await centre.get("/v1/ledger")
    assert [each["quality"] for each in ledger.body["items"]] == ["none", "ntp"], ledger
    export = await centre.get("/v1/export/facts?from=-3650d&to=2090-01-01T00:00:00Z")
    assert export.status == 200
    assert b"device.renamed" in export.body


async def test_what_is_stored_stops_no_background_work(
    start_centre: StartCentre, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Sums past every float, and times past every integer once the boot is known."""
    monkeypatch.setattr(rollups, "LOOK_S", 0.05)
    async with start_centre() as centre:
        await stored(centre)


async def stored(centre: RunningCentre) -> None:
    """What no door lets in any more, and what others see meanwhile."""
    filled = await two_sites(centre)
    await filled.fixed(1, 1, "boot-1", START_US)
    await filled.readings(1, 1, [(1, START_US, 1.7e308), (2, START_US + 1, 1.7e308)])
    await filled.readings(1, 1, [(3, 5, 1.0), (4, 6, 2.0)], quality=0, boot=-1, mono_ms=[2**62, -(2**62)])
    async with asyncio.timeout(WAIT_S):
        while not (await rolled(filled, 1) and await rolled(filled, 2)):  # noqa: ASYNC110 - the centre's own work
            await asyncio.sleep(0.05)
    for query in (f"{SPAN}&bucket=1h&key=t", f"{SPAN}&bucket=15m&key=t", SPAN):
        for device in ("evil", "good"):
            answer = await centre.get(f"/v1/devices/{device}/readings?{query}")
            assert answer.status == 200, (device, query, answer)
    assert await centre.centre.probe()
    hub = await enrolled(centre)
    await hub.hello()
    hub.reading(1.0)
    assert (await hub.send_readings(1, 1)).status == 200


@pytest.fixture
def quiet(monkeypatch: pytest.MonkeyPatch) -> None:
    """The centre's own background leaves the test alone."""
    monkeypatch.setattr(rollups, "LOOK_S", 3600.0)


async def test_a_site_that_fails_is_set_aside(
    quiet: None, centre: RunningCentre, monkeypatch: pytest.MonkeyPatch
) -> None:
    filled = await two_sites(centre)
    await filled.readings(1, 1, [(1, START_US, 1.0)])
    real, asked = rollup_store.touched, 0

    async def touched(connection: Any, tenant_id: int, site_id: int, *rest: Any) -> Any:
        nonlocal asked
        if site_id == 1:
            asked += 1
            if asked == 1:
                raise DBAPIError("SELECT", {}, ValueError("out of range"))
        return await real(connection, tenant_id, site_id, *rest)

    monkeypatch.setattr(rollup_store, "touched", touched)
    clock = ManualClock(NOW_US)
    made = Rollups(filled.db, clock, Traffic(lambda: 0.0), readings_days=400)
    await made.turn()
    await made.turn()
    assert (await rolled(filled, 1), await rolled(filled, 2), asked) == (0, 1, 1)
    clock.advance(SET_ASIDE_S)
    await made.turn()
    assert (await rolled(filled, 1), asked) == (1, 2)


async def test_background_work_that_fails_begins_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(service, "BEGIN_AGAIN_S", 0.0)
    again, runs = asyncio.Event(), 0

    async def work() -> None:
        nonlocal runs
        runs += 1
        if runs == 1:
            raise OverflowError("too large")
        again.set()
        await asyncio.Event().wait()

    task = asyncio.create_task(service.kept_up("rollups", work))
    await asyncio.wait_for(again.wait(), WAIT_S)
    assert not task.done()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
