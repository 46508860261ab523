"""What the watch does by itself: silence, calendars, new inputs, readings let go, clocks that are not set."""

from __future__ import annotations

from pathlib import Path

import pytest

from edge.assets.answers.asking import Scope, availability
from edge.assets.answers.windows import Question, site_rules
from edge.assets.defined.reasons import chosen
from edge.assets.events import AssetChanged
from edge.assets.following import making
from edge.assets.model import SECOND_US, State
from edge.bus import Event
from edge.clock import ManualClock, Quality, iso
from edge.devices.model import Device
from edge.telemetry.folding import Keep
from edge.wire.assets import AvailabilityRow, ChangeAsset, SetPlanned
from tests.unit.assets.asset_site import KOLKATA
from tests.unit.assets.watched_site import WatchedSite, watched

DAY_S = 86_400
MONTH = Keep(readings_days=31, rollups_days=365, readings_mb=1000)


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


def told(site: WatchedSite) -> list[str]:
    """The assets that were said to stand otherwise since this was last asked."""
    return [event.asset_id for event in _events(site) if isinstance(event, AssetChanged)]


def _events(site: WatchedSite) -> list[Event]:
    events = list(site.heard._events)
    site.heard._events.clear()
    return events


async def state(site: WatchedSite, asset: str) -> State:
    """How an asset stands once everything due is done."""
    await site.watch.catch_up()
    band = site.watch.standing(asset).band
    return State.UNKNOWN if band is None else band.state


async def say(site: WatchedSite, device: Device, at_us: int | None = None, **values: object) -> None:
    await site.telemetry.ingest(device, values, at_us=at_us)


async def figures(site: WatchedSite, asset: str, from_us: int, to_us: int) -> AvailabilityRow:
    one = chosen(site.assets.get(asset))
    rules = {"": site_rules(site.assets.rules(), KOLKATA)}
    scope = Scope(chosen=[one], rules=rules, now_us=site.clock.at_us)
    (row,) = await availability(site.bands, scope, Question(from_us=from_us, to_us=to_us))
    return row


async def beat(site: WatchedSite, device: Device, clock: ManualClock, *, beats: int, every_s: int = 60) -> None:
    """A logger says so often that it is there."""
    for _ in range(beats):
        clock.advance(every_s)
        await say(site, device, alive=int(clock.mono_s()))


async def test_an_asset_whose_logger_falls_silent_turns_unknown_by_itself(
    tmp_path: Path, clock: ManualClock
) -> None:
    async with watched(tmp_path, clock) as site:
        device = await site.logger()
        asset = await site.machine(device)
        await say(site, device, in1=True, alive=10)
        clock.advance(30)
        await say(site, device, alive=40)
        assert await state(site, asset) is State.RUNNING
        heard_us = clock.at_us
        clock.advance(180)
        told(site)
        assert await state(site, asset) is State.RUNNING
        clock.advance(1)
        assert await state(site, asset) is State.UNKNOWN
        assert told(site) == [asset]
        assert site.watch.standing(asset).evidence_us == heard_us
        assert [(band.at_us, band.state) for band in (await site.kept(asset))[-1:]] == [(heard_us, State.UNKNOWN)]
        await say(site, device, alive=200)  # there again, but it has not said what the machine does
        assert await state(site, asset) is State.UNKNOWN


async def test_a_heartbeat_that_changes_nothing_writes_nothing(tmp_path: Path, clock: ManualClock) -> None:
    async with watched(tmp_path, clock) as site:
        device = await site.logger()
        assets = [await site.machine(device, f"Press {key}", input=key) for key in ("in1", "in2", "in3")]
        await say(site, device, in1=True, in2=False, in3=True, alive=10)
        await site.watch.catch_up()
        written, commits = site.keeping.made, site.store.readings.writer.commits
        for _ in range(50):
            clock.advance(60)
            await say(site, device, alive=int(clock.mono_s()), in1=True)
            clock.advance(0.001)
        assert site.keeping.made == written
        assert site.store.readings.writer.commits == commits + 50  # those of the readings themselves
        assert site.watch.standing(assets[1]).evidence_us == clock.at_us - 1000
        for asset in assets:
            assert site.followed(asset).owed_us is None
            assert await site.kept(asset) == await site.from_scratch(asset)


async def test_planned_time_begins_and_ends_by_itself(tmp_path: Path, clock: ManualClock) -> None:
    async with watched(tmp_path, clock) as site:
        device = await site.logger()
        standing, running = await site.machine(device, "1"), await site.machine(device, "2", input="in2")
        await say(site, device, in1=False, in2=True, alive=0)
        at_us = clock.at_us // SECOND_US * SECOND_US
        wanted = SetPlanned(name="Break", at=iso(at_us + 60 * SECOND_US), to=iso(at_us + 120 * SECOND_US))
        await site.assets.set_planned("break", wanted, actor="tess")
        seen = []
        for _ in range(5):
            seen.append((await state(site, standing), await state(site, running)))
            clock.advance(30)
        stopped, planned, runs = State.STOPPED, State.PLANNED, State.RUNNING
        assert seen == [(stopped, runs), (stopped, runs), (planned, runs), (planned, runs), (stopped, runs)]
        await site.assets.remove_planned("break", actor="tess")
        assert await state(site, standing) is State.STOPPED
        assert await site.kept(standing) == await site.from_scratch(standing)
        assert len(await site.kept(standing)) == 1


async def test_what_happened_while_the_hub_was_off_is_known_at_the_start(
    tmp_path: Path, clock: ManualClock
) -> None:
    async with watched(tmp_path, clock) as site:
        device = await site.logger()
        asset = await site.machine(device)
        await say(site, device, in1=True, alive=10)
        assert await state(site, asset) is State.RUNNING
        heard_us = clock.at_us
        clock.advance(20)
        await say(site, device, in1=False)  # on disk, and the power goes before anything follows from it
    clock.advance(DAY_S)
    async with watched(tmp_path, clock) as site:
        band = site.watch.standing(asset).band
        assert band is not None
        assert (band.at_us, band.state) == (heard_us + 20 * SECOND_US, State.UNKNOWN)
        assert await site.kept(asset) == await site.from_scratch(asset)


async def test_what_a_clock_ahead_of_the_hubs_dates_counts_when_its_time_comes(
    tmp_path: Path, clock: ManualClock
) -> None:
    async with watched(tmp_path, clock) as site:
        device = await site.logger()
        asset = await site.machine(device)
        await say(site, device, in1=True, alive=10)
        await say(site, device, clock.at_us + 20 * SECOND_US, in1=False)  # seconds: shown at once
        assert await state(site, asset) is State.STOPPED
        await say(site, device, clock.at_us + 100 * SECOND_US, in1=True)  # more: nobody believes it yet
        assert await state(site, asset) is State.STOPPED
        clock.advance(101)
        assert await state(site, asset) is State.RUNNING
        assert await site.kept(asset) == await site.from_scratch(asset)


async def test_bands_outlive_the_readings_they_were_made_of(tmp_path: Path, clock: ManualClock) -> None:
    async with watched(tmp_path, clock, MONTH) as site:
        device = await site.logger()
        asset = await site.machine(device, silent_s=3600)
        began_us = clock.at_us
        for index in range(40 * 24):
            await say(site, device, in1=bool(index % 3), alive=index * 3600)
            clock.advance(3600)
            if index % 200 == 0:
                await site.watch.catch_up()
        await site.watch.catch_up()
        await site.fold()
        before = await figures(site, asset, began_us, clock.at_us)
        bands = await site.kept(asset)
        await site.folding.retain()
        assert site.folding.expired > 0

        await say(site, device, began_us + 1800 * SECOND_US, in1=False)  # a week before the oldest reading there is
        await say(site, device, clock.at_us - 1800 * SECOND_US, in1=False)  # and half an hour late
        assert await state(site, asset) is State.STOPPED
        kept = await site.kept(asset)
        assert kept[: len(bands) - 1] == bands[:-1]
        assert len(kept) > len(bands) - 1
        after = await figures(site, asset, began_us, clock.at_us - 2 * 3600 * SECOND_US)
        assert 0 < after.run_s <= before.run_s

        await site.assets.change(site.assets.get(asset), ChangeAsset(short_stop_s=10), actor="tess")
        await site.watch.catch_up()  # another threshold needs no readings
        changed = await figures(site, asset, began_us, clock.at_us)
        assert (changed.short_stops, changed.stops) == (0, before.stops + 1)
        assert before.short_stops == 0 or before.short_stops > changed.short_stops
    async with watched(tmp_path, clock, MONTH) as site:
        assert await site.kept(asset)
        assert (await figures(site, asset, began_us, clock.at_us)).stops == changed.stops


async def test_bands_are_let_go_in_the_end_and_what_is_left_counts_right(
    tmp_path: Path, clock: ManualClock
) -> None:
    async with watched(tmp_path, clock, MONTH) as site:
        device = await site.logger()
        asset = await site.machine(device, silent_s=DAY_S)
        for index in range(80 * 4):
            await say(site, device, in1=bool(index % 2), alive=index)
            clock.advance(6 * 3600)
        await site.watch.catch_up()
        cut_us = clock.at_us - 59 * DAY_S * SECOND_US
        until_us = clock.at_us
        before = await figures(site, asset, cut_us, until_us)
        bands = len(await site.kept(asset))
    async with watched(tmp_path, clock, Keep(readings_days=31, rollups_days=60, readings_mb=1000)) as site:
        await site.watch.catch_up()
        assert len(await site.kept(asset)) < bands - 70
        assert (await figures(site, asset, cut_us, until_us)) == before
        earlier = await figures(site, asset, cut_us - 40 * DAY_S * SECOND_US, cut_us)
        assert earlier.run_s + earlier.stop_s <= 2 * DAY_S


async def test_how_it_stands_is_shown_while_nobody_knows_the_time(tmp_path: Path, clock: ManualClock) -> None:
    async with watched(tmp_path, clock) as site:
        device = await site.logger()
        asset = await site.machine(device)
        await say(site, device, in1=True, alive=10)
        assert await state(site, asset) is State.RUNNING
        true_us = clock.at_us
    clock.reboot(wall_us=1_000_000, quality=Quality.NONE)  # the battery is flat: 1970
    true_us += 600 * SECOND_US
    async with watched(tmp_path, clock) as site:
        bands = await site.kept(asset)
        told(site)
        await say(site, device, in1=False, alive=5)
        assert told(site) == [asset]
        assert await state(site, asset) is State.STOPPED
        clock.advance(60)
        await say(site, device, in1=True, alive=65)
        assert await state(site, asset) is State.RUNNING
        assert await site.kept(asset) == bands
        clock.advance(181)
        assert await state(site, asset) is State.UNKNOWN
        await say(site, device, in1=True, alive=246)
        await site.set_clock(true_us + 241 * SECOND_US)
        assert await state(site, asset) is State.RUNNING
        kept = await site.kept(asset)
        assert kept == await site.from_scratch(asset)
        second = SECOND_US
        assert [(band.at_us, band.state) for band in kept[-3:]] == [
            (true_us, State.STOPPED),
            (true_us + 60 * second, State.UNKNOWN),
            (true_us + 241 * second, State.RUNNING),
        ]


async def test_an_input_that_nobody_wired_becomes_an_asset(tmp_path: Path, clock: ManualClock) -> None:
    async with watched(tmp_path, clock) as site:
        device, _ = await site.registry.add("Hall 1", "logger", "native", actor="tess")
        other = await site.logger("Sensor")
        values = {"in1": True, "pin_25": "MAINTENANCE", "alive": 5, "wifi_rssi": -60, "version": "1.2"}
        await site.telemetry.ingest(device, {**values, "health.oled": True})
        await site.telemetry.ingest(other, {"door": True})
        await site.watch.catch_up()
        assert {one.name for one in site.assets.all()} == {"Hall 1 in1", "Hall 1 pin_25"}
        by_input = {one.wired.input: one.id for one in site.assets.all()}
        assert await state(site, by_input["in1"]) is State.RUNNING
        assert await state(site, by_input["pin_25"]) is State.STOPPED
        removed = site.assets.get(by_input["pin_25"])
        await site.assets.change(removed, ChangeAsset(removed=True), actor="tess")
        await site.telemetry.ingest(device, {"in2": False, "pin_25": "RUNNING"})  # and the power goes
    async with watched(tmp_path, clock) as site:
        assert {one.name for one in site.assets.all()} == {"Hall 1 in1", "Hall 1 in2"}
        in2 = next(one.id for one in site.assets.all() if one.wired.input == "in2")
        assert await state(site, in2) is State.STOPPED


async def test_a_removed_asset_that_comes_back_has_lost_nothing(tmp_path: Path, clock: ManualClock) -> None:
    async with watched(tmp_path, clock) as site:
        device = await site.logger()
        asset = await site.machine(device)
        await say(site, device, in1=True, alive=10)
        await site.watch.catch_up()
        await site.assets.change(site.assets.get(asset), ChangeAsset(removed=True), actor="tess")
        await site.watch.catch_up()
        clock.advance(60)
        await say(site, device, in1=False, alive=70)
        assert site.watch.standing(asset).band is None
        await site.assets.change(site.assets.get(asset), ChangeAsset(removed=False), actor="tess")
        assert await state(site, asset) is State.STOPPED
        assert await site.kept(asset) == await site.from_scratch(asset)


async def test_an_input_that_chatters_says_so(tmp_path: Path, clock: ManualClock) -> None:
    async with watched(tmp_path, clock) as site:
        device = await site.logger()
        asset = await site.machine(device)
        await say(site, device, in1=True, alive=10)
        assert not site.watch.standing(asset).chatter
        await say(site, device, clock.at_us + 1, in1="unknown")
        assert await state(site, asset) is State.UNKNOWN
        assert site.watch.standing(asset).chatter
        clock.advance(60)
        await say(site, device, in1=False)
        assert await state(site, asset) is State.STOPPED
        assert not site.watch.standing(asset).chatter


@pytest.mark.parametrize("broken", ["sideways", "twice"])
async def test_nothing_is_seen_of_bands_that_are_being_made_aside(
    tmp_path: Path, clock: ManualClock, monkeypatch: pytest.MonkeyPatch, broken: str
) -> None:
    """Much is made in steps; whoever asks meanwhile, or after a power cut in between, has the whole."""
    monkeypatch.setattr(making, "STEP_ROWS", 10)
    async with watched(tmp_path, clock) as site:
        device = await site.logger()
        asset = await site.machine(device, silent_s=600)
        for index in range(60):
            await say(site, device, in1=bool(index % 3), alive=60 * index)
            clock.advance(60)
            await site.watch.catch_up()
        before = await site.kept(asset)
        await say(site, device, clock.at_us - 50 * 60 * SECOND_US, in1=False)  # from before all steps but one
        for _ in range(3):
            await site.watch.catch_up(1)
            assert [band for band in await site.kept(asset) if band.at_us < clock.at_us - 60 * SECOND_US] == [
                band for band in before if band.at_us < clock.at_us - 60 * SECOND_US
            ]
        if broken == "sideways":  # meanwhile it goes on
            await say(site, device, in1=False, alive=3600)
            await site.watch.catch_up(1)
            assert site.watch.standing(asset).band.state is State.STOPPED  # type: ignore[union-attr]
    async with watched(tmp_path, clock) as site:
        await site.watch.catch_up()
        assert await site.kept(asset) == await site.from_scratch(asset)
        tracks = await site.store.readings.read("SELECT COUNT(*), SUM(current) FROM asset_tracks")
        assert tuple(tracks[0]) == (1, 1)
