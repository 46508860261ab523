"""What time alone adds, and what is much, costs no more than it has to; and nothing that goes wrong is for ever."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Sequence
from pathlib import Path

import pytest

from edge.assets.following import making, watch
from edge.assets.following.bands_store import Mark
from edge.assets.following.making import Made
from edge.assets.model import SECOND_US, Band, State
from edge.clock import ManualClock
from edge.wire.assets import ChangeAsset, SetPlanned
from tests.patience import AT_ONCE_S
from tests.unit.assets.watched_site import WatchedSite, watched

DAY_US = 86_400 * SECOND_US
Kept = Sequence[tuple[Made, Mark]]


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


async def breaks(site: WatchedSite, count: int = 3) -> None:
    """So many breaks a day."""
    for number in range(count):
        wanted = SetPlanned(name="Break", begins=f"{9 + 2 * number:02}:00", ends=f"{9 + 2 * number:02}:15")
        await site.assets.set_planned(f"break-{number}", wanted, actor="tess")


async def silent_for(site: WatchedSite, days: int) -> str:
    """A machine that stood when its logger fell silent so many days ago."""
    device = await site.logger()
    asset = await site.press(device, at="2015-01-01T00:00:00Z")
    at_us = site.clock.now().at_us - days * DAY_US
    await site.telemetry.ingest(device, {"in1": True}, at_us=at_us)
    await site.telemetry.ingest(device, {"in1": False}, at_us=at_us + 60 * SECOND_US)
    await site.watch.catch_up()
    return asset


async def agrees(site: WatchedSite, asset: str) -> None:
    """What is kept is what follows from all readings."""
    assert await site.kept(asset) == await site.from_scratch(asset)


@contextlib.asynccontextmanager
async def running(site: WatchedSite) -> AsyncIterator[None]:
    """The watch at work, as in a hub."""
    task = asyncio.create_task(site.watch.run())
    try:
        yield
        assert not task.done()
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task


async def until(holds: Callable[[], bool]) -> None:
    """Wait for it."""
    async with asyncio.timeout(AT_ONCE_S):
        while not holds():  # noqa: ASYNC110 - what is awaited tells nobody
            await asyncio.sleep(0.01)


async def until_made(site: WatchedSite, asset: str) -> None:
    """Wait until the asset lacks nothing."""
    await until(lambda: site.followed(asset).owed_us is None and site.followed(asset).track > 0)


async def test_a_break_of_a_silent_machine_costs_a_row(tmp_path: Path, clock: ManualClock) -> None:
    async with watched(tmp_path, clock) as site:
        await breaks(site)
        asset = await silent_for(site, 200)
        assert len(await site.kept(asset)) > 1_000
        written = site.keeping.made
        for _ in range(4):
            clock.advance(86_400)
            await site.watch.catch_up()
        assert site.keeping.made - written == 4 * 6
        await agrees(site, asset)


async def test_a_late_reading_of_a_silent_machine_is_made_aside_once(tmp_path: Path, clock: ManualClock) -> None:
    async with watched(tmp_path, clock) as site:
        await breaks(site, 8)
        asset = await silent_for(site, 200)
        assert len(await site.kept(asset)) > making.STEP_BANDS
        device = site.registry.all()[0]
        at_us = clock.at_us - 201 * DAY_US
        await site.telemetry.ingest(device, {"in1": True}, at_us=at_us)
        await site.watch.catch_up(100)
        assert site.followed(asset).owed_us is None
        await agrees(site, asset)
        tracks = await site.store.readings.read("SELECT COUNT(*) FROM asset_tracks")
        assert tuple(tracks[0]) == (1,)


async def test_what_is_known_of_years_is_made_in_many_commits(
    tmp_path: Path, clock: ManualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with watched(tmp_path, clock) as site:
        await breaks(site)
        keep, most = site.keeping.keep, 0

        async def keep_and_count(made: Kept) -> list[int]:
            nonlocal most
            most = max(most, sum(len(one.bands) for one, _ in made))
            return await keep(made)

        monkeypatch.setattr(site.keeping, "keep", keep_and_count)
        asset = await silent_for(site, 2_000)
        assert len(await site.kept(asset)) > 4 * making.STEP_BANDS
        assert most <= making.STEP_BANDS
        await agrees(site, asset)


async def test_what_asides_leave_behind_is_swept_while_there_is_more_to_make(
    tmp_path: Path, clock: ManualClock
) -> None:
    async with watched(tmp_path, clock) as site:
        asset = await silent_for(site, 20)
        for number in range(1, 9):
            await breaks(site, number)
            await site.watch.catch_up(4)  # never all that there is to do
        tracks = await site.store.readings.read("SELECT COUNT(*) FROM asset_tracks")
        assert tracks[0][0] <= 3
        await site.watch.catch_up()
        await agrees(site, asset)


async def test_an_asset_removed_while_its_first_bands_are_made_may_come_back(
    tmp_path: Path, clock: ManualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with watched(tmp_path, clock) as site, running(site):
        device = await site.logger()
        await site.telemetry.ingest(device, {"in1": True})
        keep, inside, gate = site.keeping.keep, asyncio.Event(), asyncio.Event()

        async def keep_slowly(made: Kept) -> list[int]:
            inside.set()
            await gate.wait()
            return await keep(made)

        monkeypatch.setattr(site.keeping, "keep", keep_slowly)
        asset = await site.machine(device)
        async with asyncio.timeout(AT_ONCE_S):
            await inside.wait()
        await site.assets.change(site.assets.get(asset), ChangeAsset(removed=True), actor="tess")
        clock.advance(60)
        gate.set()
        await until_made(site, asset)
        await site.assets.change(site.assets.get(asset), ChangeAsset(removed=False), actor="tess")
        clock.advance(1)
        await site.telemetry.ingest(device, {"in1": False})
        await until_made(site, asset)
        await agrees(site, asset)


async def test_a_fault_of_the_watch_is_told_and_it_begins_anew(
    tmp_path: Path, clock: ManualClock, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(watch, "BEGIN_ANEW_S", 0.05)
    async with watched(tmp_path, clock) as site:
        device = await site.logger()
        asset = await site.machine(device)
        make, told, fails = site.keeping.make, list[list[str]](), 2

        async def make_or_fail(*about: object) -> object:
            nonlocal fails
            told.append(site.watch.problems())
            if fails:
                fails -= 1
                raise ValueError("nobody foresaw it")
            return await make(*about)  # type: ignore[arg-type]

        monkeypatch.setattr(site.keeping, "make", make_or_fail)
        async with running(site):
            await site.telemetry.ingest(device, {"in1": True})
            await until(lambda: site.watch.standing(asset).band is not None and not site.watch.problems())
            await agrees(site, asset)
        assert "nobody foresaw it" in caplog.text
        assert "cannot be worked out" in told[1][-1]
        assert site.watch.problems() == []


async def test_what_is_made_anew_is_told(tmp_path: Path, clock: ManualClock) -> None:
    async with watched(tmp_path, clock) as site:
        asset = await silent_for(site, 20)
        assert site.watch.problems() == []
        await breaks(site)
        await site.watch.catch_up(1)
        assert "one machine are being worked out anew" in site.watch.problems()[0]
        await site.watch.catch_up()
        assert site.watch.problems() == []
        await agrees(site, asset)


async def test_the_time_of_a_removed_asset_has_ended(tmp_path: Path, clock: ManualClock) -> None:
    async with watched(tmp_path, clock) as site:
        device = await site.logger()
        asset = await site.machine(device)
        await site.telemetry.ingest(device, {"in1": True, "alive": 10})
        clock.advance(30)
        removed_us = clock.at_us
        await site.assets.change(site.assets.get(asset), ChangeAsset(removed=True), actor="tess")
        clock.advance(30)
        await site.telemetry.ingest(device, {"alive": 70})
        await site.watch.catch_up()
        assert ends(await site.kept(asset)) == (removed_us, State.UNKNOWN)
        await site.telemetry.ingest(device, {"in1": False}, at_us=removed_us - 20 * SECOND_US)  # late: of its time
        await site.watch.catch_up()
        assert [band.state for band in await site.kept(asset)] == [State.RUNNING, State.STOPPED, State.UNKNOWN]
        await agrees(site, asset)
    async with watched(tmp_path, clock) as site:
        back_us = clock.at_us
        await site.assets.change(site.assets.get(asset), ChangeAsset(removed=False), actor="tess")
        await site.watch.catch_up()
        assert ends(await site.kept(asset)) == (back_us, State.STOPPED)
        wirings = site.assets.get(asset).asset.wirings
        assert [wiring.from_us for wiring in wirings[1:]] == [removed_us, back_us]
        await agrees(site, asset)


def ends(bands: Sequence[Band]) -> tuple[int, State]:
    """The last band."""
    return bands[-1].at_us, bands[-1].state
