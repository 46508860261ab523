"""What a layout is filled with: times by ages, what is not known left out and said."""

from __future__ import annotations

import msgspec

from edge.clock import ManualClock, Quality, Stamp
from edge.content.render.scene import AssetSaid, AssetWanted, ChartWanted, Datum, SourceSaid, wanted
from edge.content.showing.gathering import CLOCK_UNSET, Gathering, Newest, Points
from edge.content.showing.offered import again_s
from edge.content.showing.plan import Screen, Turn
from edge.devices.model import Device, DeviceState
from edge.wire.layouts import Layout
from edge.wire.playlists import Schedule

BOX = {"x": 0, "y": 0, "w": 50, "h": 50}
DOOR = Device(
    id="dev-1", name="Door", kind="eink", profile="native", state=DeviceState.APPROVED, panel="", created_us=0
)


class Site:
    """A site with one sensor, one machine and one source."""

    def __init__(self) -> None:
        self.latest: dict[tuple[str, str], Newest] = {("dev-2", "t"): Newest(21.5, 30.0)}
        self.asked: list[tuple[str, str, int, int]] = []

    def newest(self, device_id: str, key: str) -> Newest | None:
        return self.latest.get((device_id, key))

    async def series(self, device_id: str, key: str, from_us: int, to_us: int) -> Points:
        self.asked.append((device_id, key, from_us, to_us))
        return [(from_us, 1.0)]

    async def said(self, asset: AssetWanted, now_us: int) -> AssetSaid | None:
        return AssetSaid("running", now_us) if asset.asset == "Press" else None

    def find(self, id_or_name: str) -> Device | None:
        return msgspec.structs.replace(DOOR, id="dev-2", name="Hall") if id_or_name == "Hall" else None


class Source:
    """One source."""

    def said(self, source_id: str) -> SourceSaid | None:
        return SourceSaid({"sky": "clear"}, 5) if source_id == "weather" else None


def layout(*elements: dict[str, object]) -> Layout:
    return msgspec.convert({"elements": [{"box": BOX, **one} for one in elements]}, Layout)


def value(device: str, key: str = "t") -> dict[str, object]:
    return {"kind": "value", "device": device, "key": key}


def gathering(site: Site) -> Gathering:
    return Gathering(site, site, Source(), site, zone="UTC", site="North")


def now(quality: Quality = Quality.NTP) -> Stamp:
    return ManualClock(quality=quality).now()


async def test_all_that_a_layout_names_is_found_by_what_people_call_it() -> None:
    site = Site()
    screen = layout(
        value("Hall"),
        {"kind": "chart", "device": "Hall", "key": "t", "hours": 2},
        {"kind": "asset", "asset": "Press"},
        {"kind": "asset", "asset": "gone"},
        {"kind": "source", "source": "weather"},
    )
    found = await gathering(site).given(wanted(screen), DOOR, now())
    given = found.given
    at_us = now().at_us
    assert given.values == {("Hall", "t"): Datum(21.5, at_us - 30_000_000)}
    assert site.asked == [("dev-2", "t", at_us - 7_200_000_000, at_us)]
    assert list(given.charts) == [ChartWanted("Hall", "t", 2)]
    assert [one.asset for one in given.assets] == ["Press"]
    assert given.sources == {"weather": SourceSaid({"sky": "clear"}, 5)}
    assert (given.site, given.device_name, found.notes) == ("North", "Door", ())


async def test_a_site_is_called_what_it_is_called_at_the_moment() -> None:
    names = ["South", "West"]
    asks = gathering(Site())
    asks.name_site(names.pop)
    assert [(await asks.given(wanted(layout()), DOOR, now())).given.site for _ in range(2)] == ["West", "South"]


async def test_a_clock_that_is_not_set_is_spoken_of_where_time_is_shown() -> None:
    asks, unset = gathering(Site()), now(Quality.NONE)
    plain = await asks.given(wanted(layout({"kind": "text", "text": "Hello"})), DOOR, unset)
    dated = await asks.given(wanted(layout({"kind": "date"})), DOOR, unset)
    assert (plain.notes, dated.notes) == ((), (CLOCK_UNSET,))


async def test_what_is_not_there_is_left_out_and_said() -> None:
    site = Site()
    site.latest["dev-1", "t"] = Newest(3, None)
    found = await gathering(site).given(wanted(layout(value("self"), value("nobody"))), DOOR, now())
    assert found.given.values == {}
    assert found.notes == (
        "There is no device 'nobody'.",
        "Nobody can tell how old these are: t of self.",
    )


async def test_while_nothing_has_set_the_clock_only_ages_that_are_known_count() -> None:
    site = Site()
    site.latest["dev-1", "t"] = Newest(3, None)
    screen = layout(value("Hall"), value("self"), {"kind": "chart", "device": "Hall", "key": "t"})
    found = await gathering(site).given(wanted(screen), DOOR, now(Quality.NONE))
    assert list(found.given.values) == [("Hall", "t")]
    assert (found.given.clock_set, found.notes) == (False, (CLOCK_UNSET,))
    ((_, from_us, to_us),) = [asked[1:] for asked in site.asked]
    assert to_us - from_us <= now().mono_ms * 1000  # what came before this start has another clock's time


def test_who_sleeps_wakes_when_a_rule_ends_but_not_all_the_time() -> None:
    def turn(rule_until_us: int | None) -> Turn:
        return Turn(screen=Screen(layout="a"), schedule="s", refresh_s=900, rule_until_us=rule_until_us)

    assert again_s(turn(None), 0) == 900
    assert again_s(turn(3_600_000_000), 0) == 900
    assert again_s(turn(120_500_000), 0) == 121  # not a moment before it
    assert again_s(turn(1_000_000), 0) == 10
    assert Schedule().refresh_s == 60
