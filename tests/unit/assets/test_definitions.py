"""Assets as people define them: names, wirings, what is taken, what is said twice, and what a restart finds."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import msgspec
import pytest

from edge.assets.deriving import Wiring
from edge.assets.events import AssetDefined
from edge.clock import ManualClock, Quality, iso
from edge.errors import BadInput, Conflict, NotFound
from edge.store.boot_clock import BootClock
from edge.store.transaction import Transaction
from edge.wire.assets import WIRINGS_MAX, ChangeAsset, NewAsset, Wire
from tests.unit.assets.asset_site import AssetSite, opened

MINUTE_US = 60_000_000


@pytest.fixture
async def site(tmp_path: Path) -> AsyncIterator[AssetSite]:
    """Nothing in it."""
    async with opened(tmp_path, ManualClock()) as site:
        yield site


def events(site: AssetSite) -> list[AssetDefined]:
    """What was told of definitions since this was last asked."""
    found = [one for one in site.heard._events if isinstance(one, AssetDefined)]
    site.heard._events.clear()
    return found


async def test_an_asset_is_kept_told_and_found(site: AssetSite, tmp_path: Path) -> None:
    device = await site.logger()
    wanted = NewAsset(name=" Press 1 ", device="Hall 1", input="in1", line="Cans", short_stop_s=60)
    made = await site.assets.add(wanted, actor="tess")
    assert made.wired == Wiring(site.clock.at_us // 1000 * 1000, device.id, "in1")
    assert (made.name, made.line, made.named, made.removed) == ("Press 1", "Cans", True, False)
    assert site.assets.get("press 1") == site.assets.get(made.id) == site.assets.by_input(device.id, "in1") == made
    assert site.assets.of_device(device.id) == [made]
    assert events(site) == [AssetDefined(asset_id=made.id, since_us=0)]
    (told,) = await site.told("asset.added")
    assert {key: told[key] for key in ("of", "name", "device", "input", "by")} == {
        "of": made.id,
        "name": "Press 1",
        "device": device.id,
        "input": "in1",
        "by": "tess",
    }
    with pytest.raises(NotFound):
        site.assets.get("Press 2")
    await site.store.close()
    async with opened(tmp_path, site.clock) as again:
        assert again.assets.all() == [made]
        assert msgspec.json.encode(again.assets.all()) == msgspec.json.encode([made])


async def test_names_and_inputs_are_taken_once(site: AssetSite) -> None:
    hall, yard = await site.logger(), await site.logger("Yard")
    press = await site.press(hall)
    with pytest.raises(Conflict, match="Press already"):
        await site.press(yard, "PRESS")
    with pytest.raises(Conflict, match="in1 of Hall 1 tells of Press"):
        await site.press(hall, "Saw")
    saw = await site.press(hall, "Saw", "in2")
    with pytest.raises(Conflict, match="in1 of Hall 1"):
        await site.assets.wire(site.assets.get(saw), Wire(device=hall.id, input="in1"), actor="tess")
    with pytest.raises(Conflict, match="Press already"):
        await site.assets.change(site.assets.get(saw), ChangeAsset(name="press"), actor="tess")
    # what moved away leaves its input, and its name stays its own
    site.clock.advance(60)
    await site.assets.wire(site.assets.get(press), Wire(device=yard.id, input="in1"), actor="tess")
    site.clock.advance(60)
    await site.assets.wire(site.assets.get(saw), Wire(device=hall.id, input="in1"), actor="tess")
    # but not for the time before
    early = iso(site.assets.get(press).asset.wirings[0].from_us)
    with pytest.raises(Conflict):
        await site.assets.wire(site.assets.get(saw), Wire(device=hall.id, input="in1", at=early), actor="tess")


async def test_a_wiring_replaces_what_was_said_of_later(site: AssetSite) -> None:
    device = await site.logger()
    asset = site.assets.get(await site.press(device, at="2025-11-01T00:00:00Z"))
    events(site)
    begun_us = asset.wired.from_us
    at = [iso(begun_us + step * MINUTE_US) for step in range(4)]
    for step in (1, 2, 3):
        wired = Wire(device=device.id, input=f"in{step + 1}", at=at[step])
        asset = await site.assets.wire(asset, wired, actor="tess")
    assert [wiring.input for wiring in asset.asset.wirings] == ["in1", "in2", "in3", "in4"]
    assert [event.since_us for event in events(site)] == [begun_us + step * MINUTE_US for step in (1, 2, 3)]
    back = Wire(device=device.id, input="in9", at=at[2])
    asset = await site.assets.wire(asset, back, actor="tess")
    assert [wiring.input for wiring in asset.asset.wirings] == ["in1", "in2", "in9"]
    events(site)
    # the same again is no other wiring, which would end a stop under way
    facts = len(await site.told("asset.wired"))
    assert await site.assets.wire(asset, back, actor="tess") == asset
    assert await site.assets.wire(asset, Wire(device=device.id, input="in9"), actor="tess") == asset
    assert (events(site), len(await site.told("asset.wired"))) == ([], facts)
    # a polarity that was wrong all along
    whole = await site.assets.wire(
        asset, Wire(device=device.id, input="in1", inverted=True, at=at[0]), actor="tess"
    )
    assert whole.asset.wirings == (Wiring(begun_us, device.id, "in1", True),)
    assert [event.since_us for event in events(site)] == [begun_us]


async def test_what_cannot_be_is_refused(site: AssetSite) -> None:
    device = await site.logger()
    asset = site.assets.get(await site.press(device))
    for wanted in (
        Wire(device=device.id, input="in 1"),
        Wire(device=device.id, input="alive"),
        Wire(device=device.id, input="in2", at="tomorrow"),
        Wire(device=device.id, input="in2", at=iso(site.clock.at_us + 3600_000_000)),
    ):
        with pytest.raises(BadInput):
            await site.assets.wire(asset, wanted, actor="tess")
    with pytest.raises(NotFound):
        await site.assets.wire(asset, Wire(device="nobody", input="in2"), actor="tess")
    for name in ("", "   ", "a\nb", "x" * 81):
        with pytest.raises(BadInput):
            await site.assets.change(asset, ChangeAsset(name=name), actor="tess")
    for step in range(1, WIRINGS_MAX):
        at = iso(asset.asset.wirings[0].from_us + step * 1000)
        wired = Wire(device=device.id, input="in1", inverted=step % 2 == 1, at=at)
        asset = await site.assets.wire(asset, wired, actor="tess")
    site.clock.advance(60)
    with pytest.raises(Conflict, match="times already"):
        await site.assets.wire(asset, Wire(device=device.id, input="in7"), actor="tess")


async def test_removed_it_keeps_its_past_and_gives_up_name_and_input(site: AssetSite) -> None:
    device = await site.logger()
    first = site.assets.get(await site.press(device))
    gone = await site.assets.change(first, ChangeAsset(removed=True), actor="tess")
    assert (site.assets.all(), site.assets.all(removed=True)) == ([], [gone])
    assert site.assets.by_input(device.id, "in1") is None
    assert await site.assets.ensure(device.id, "in1") is None  # what was removed does not come back by itself
    second = await site.press(device)
    with pytest.raises(Conflict):
        await site.assets.change(gone, ChangeAsset(removed=False), actor="tess")
    with pytest.raises(Conflict, match="in1"):
        await site.assets.change(gone, ChangeAsset(removed=False, name="Old press"), actor="tess")
    await site.assets.change(site.assets.get(second), ChangeAsset(removed=True), actor="tess")
    events(site)
    back = await site.assets.change(gone, ChangeAsset(removed=False), actor="tess")
    assert not back.removed
    assert events(site) == [AssetDefined(asset_id=first.id, since_us=back.wired.from_us)]
    nothing = gone.asset.wirings[-1]
    assert (nothing.device, nothing.input) == ("", "")
    assert back.asset.wirings[:2] == gone.asset.wirings
    assert back.wired.from_us > nothing.from_us
    assert [told["name"] for told in await site.told("asset.removed")] == ["Press", "Press"]


async def test_a_change_that_changes_nothing_is_not_told(site: AssetSite) -> None:
    asset = site.assets.get(await site.press(await site.logger()))
    done: list[str] = []
    events(site)

    def within(tx: Transaction) -> None:
        done.append("written")

    same = ChangeAsset(name="Press", short_stop_s=300, removed=False)
    assert await site.assets.change(asset, same, actor="tess", within=within) == asset
    assert (done, events(site), await site.told("asset.changed")) == (["written"], [], [])
    slow = await site.assets.change(asset, ChangeAsset(short_stop_s=600), actor="tess")
    assert (slow.asset.short_stop_s, events(site)) == (600, [AssetDefined(asset_id=asset.id, since_us=0)])
    (told,) = await site.told("asset.changed")
    assert told == {"of": asset.id, "short_stop_s": 600, "by": "tess"}


async def test_one_chosen_id_makes_one_asset(site: AssetSite) -> None:
    device = await site.logger()
    wanted = NewAsset(name="Press", device=device.id, input="in1")
    made = [await site.assets.add(wanted, actor="centre:ann", asset_id="asset-1") for _ in range(2)]
    assert made[0] == made[1]
    assert len(await site.told("asset.added")) == 1


async def test_an_input_nobody_wired_makes_its_own_asset_until_somebody_does(site: AssetSite) -> None:
    device = await site.logger()
    made = await site.assets.ensure(device.id, "pin_25", silent_s=100)
    assert made is not None
    assert (made.name, made.named, made.wired) == ("Hall 1 pin_25", False, Wiring(0, device.id, "pin_25"))
    assert await site.assets.ensure(device.id, "pin_25") == made
    named = await site.assets.change(made, ChangeAsset(name="Oven"), actor="tess")
    assert named.named
    other = await site.assets.ensure(device.id, "pin_26")
    assert other is not None
    saw = await site.press(device, "Saw", "pin_26")  # which takes the input over
    found = site.assets.by_input(device.id, "pin_26")
    assert found is not None
    assert found.id == saw
    assert [one.name for one in site.assets.all()] == ["Oven", "Saw"]
    # an input that is free again tells of something new from then on, unless that is not wanted
    for name, key in (("Oven", "pin_25"), ("Saw", "pin_26")):
        site.clock.advance(60)
        moved = await site.assets.wire(
            site.assets.get(name), Wire(device=device.id, input=key.replace("2", "3")), actor="tess"
        )
        fresh = await site.assets.ensure(device.id, key)
        assert fresh is not None
        assert fresh.wired.from_us == moved.wired.from_us
        await site.assets.change(fresh, ChangeAsset(removed=True), actor="tess")
        assert await site.assets.ensure(device.id, key) is None


async def test_wirings_made_before_the_clock_was_set_begin_when_they_did(tmp_path: Path) -> None:
    clock = ManualClock(30_000_000, Quality.NONE)
    async with opened(tmp_path, clock) as site:
        device = await site.logger()
        watch = BootClock(site.store, clock)
        await watch.start()
        asset = await site.press(device)
        clock.advance(10)
        events(site)
        clock.at_us, clock.quality = 1_763_700_000_000_000, Quality.NTP
        await watch.look()
        assert site.assets.get(asset).wired.from_us == clock.at_us - 10_000_000
        assert [event.asset_id for event in events(site)] == [asset]
        clock.advance(60)
        await site.assets.wire(site.assets.get(asset), Wire(device=device.id, input="in2"), actor="tess")
        clock.reboot(wall_us=5_000_000, quality=Quality.NONE)
        with pytest.raises(BadInput, match="clock"):  # now would be long ago, and undo all of it
            await site.assets.wire(site.assets.get(asset), Wire(device=device.id, input="in3"), actor="tess")
        for at in ("9999-01-01T00:00:00Z", iso(1_763_700_060_000_000 + 2 * 86_400_000_000)):
            wanted = Wire(device=device.id, input="in3", at=at)
            with pytest.raises(BadInput, match="day ahead"):
                await site.assets.wire(site.assets.get(asset), wanted, actor="tess")
    async with opened(tmp_path, clock) as site:
        assert [wiring.input for wiring in site.assets.get(asset).asset.wirings] == ["in1", "in2"]


async def test_a_removed_asset_that_is_wired_anew_stays_removed_until_it_is_taken_back(site: AssetSite) -> None:
    device = await site.logger()
    asset = await site.press(device, at="2025-01-01T00:00:00Z")
    gone = await site.assets.change(site.assets.get(asset), ChangeAsset(removed=True), actor="tess")
    end = gone.asset.wirings[-1]
    earlier = Wire(device=device.id, input="in2", at="2025-06-01T00:00:00Z")
    wired = await site.assets.wire(gone, earlier, actor="tess")
    assert [wiring.input for wiring in wired.asset.wirings] == ["in1", "in2", ""]
    assert (wired.asset.wirings[-1], wired.wired.input) == (end, "in2")
    again = await site.assets.wire(wired, Wire(device=device.id, input="in3"), actor="tess")
    assert [wiring.input for wiring in again.asset.wirings] == ["in1", "in2", "in3", ""]
    back = await site.assets.change(again, ChangeAsset(removed=False), actor="tess")
    assert [wiring.input for wiring in back.asset.wirings] == ["in1", "in2", "in3", "", "in3"]
