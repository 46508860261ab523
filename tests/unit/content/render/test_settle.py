"""A layout filled: what is said of what is old or missing, what a picture's identity is, and when it changes."""

from typing import Any

import pytest
from msgspec.structs import replace

from edge.content.render import panel_named
from edge.content.render.scene import AssetSaid, AssetWanted, ChartWanted, Datum, Given, SourceSaid, settle, wanted
from edge.content.render.scene.settled import AnyPiece, Broken, Plot, Words
from edge.wire.layouts import (
    AnyElement,
    AssetElement,
    Box,
    ChartElement,
    ClockElement,
    DateElement,
    Layout,
    PictureElement,
    QrElement,
    SourceElement,
    TextElement,
    ValueElement,
)
from tests.unit.content.render.scenes import GIVEN, HOUR_US, MINUTE_US, NOW_US, dashboard

PANEL = panel_named("eink-800x480")
BOX = Box(x=0, y=0, w=50, h=50)
SECOND_US, DAY_US = 1_000_000, 24 * HOUR_US
HALL = ValueElement(box=BOX, device="self", key="t", label="Hall", unit="°C", max_age_s=900)


def _settled(element: AnyElement, every_s: int = 60, **known: Any) -> tuple[AnyPiece, int | None]:
    scene = settle(
        Layout(elements=(element,)), Given(**{"now_us": NOW_US, "zone": "Europe/Berlin"} | known), PANEL, every_s
    )
    return scene.pieces[0], scene.changes_us


def _rows(element: AnyElement, every_s: int = 60, **known: Any) -> list[str]:
    piece, _ = _settled(element, every_s, **known)
    assert isinstance(piece, Words)
    return [row.text for row in piece.rows]


def _hall(value: Any, age_us: int = 0) -> list[str]:
    return _rows(HALL, values={("self", "t"): Datum(value, NOW_US - age_us)})


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (21.54, "21.5\u00a0°C"),
        (-0.04, "0.0\u00a0°C"),
        (-3, "\N{MINUS SIGN}3.0\u00a0°C"),
        (1.5e12, "1.5e12\u00a0°C"),
        (True, "on"),
        ("warm", "warm"),
    ],
)
def test_a_reading_as_people_read_it(value: Any, text: str) -> None:
    assert _hall(value) == ["Hall", text]


@pytest.mark.parametrize("value", [None, "", float("nan"), float("inf"), 10**400])
def test_no_number_is_a_dash(value: Any) -> None:
    assert _hall(value) == ["Hall", "—", "no reading"]


@pytest.mark.parametrize(
    ("age_us", "said"),
    [
        (900 * SECOND_US - 1, ["Hall", "21.0\u00a0°C"]),
        (900 * SECOND_US, ["Hall", "—", "15 min ago"]),
        (HOUR_US - 1, ["Hall", "—", "59 min ago"]),
        (47 * HOUR_US, ["Hall", "—", "47 h ago"]),
        (48 * HOUR_US, ["Hall", "—", "2 days ago"]),
        (-HOUR_US, ["Hall", "21.0\u00a0°C"]),
    ],
)
def test_an_old_reading_is_a_dash_and_its_age(age_us: int, said: list[str]) -> None:
    assert _hall(21, age_us) == said


def test_the_panels_own_readings_go_by_self_or_by_its_id() -> None:
    by_id = _rows(HALL, device="dev-7", values={("dev-7", "t"): Datum(4, NOW_US)})
    assert by_id == ["Hall", "4.0\u00a0°C"]


def test_a_clock_that_is_not_drawn_each_minute_says_so() -> None:
    assert _rows(ClockElement(box=BOX)) == ["13:04"]
    assert _rows(ClockElement(box=BOX, hours=12)) == ["1:04 pm"]
    assert _rows(ClockElement(box=BOX), every_s=61) == ["as of 13:04"]
    assert _settled(ClockElement(box=BOX))[1] == NOW_US - 5 * SECOND_US + MINUTE_US


@pytest.mark.parametrize(
    ("zone", "now", "then"),
    [  # the night before, and when the date changes: midnight; one that clocks skip; one that they repeat
        ("Europe/Berlin", 1_795_262_645, 1_795_302_000),
        ("America/Havana", 1_772_942_400, 1_772_946_000),  # 8 March 2026: from 24:00 to 1:00
        ("Asia/Kolkata", 1_795_262_645, 1_795_285_800),
    ],
)
def test_a_date_changes_when_the_sites_day_does(zone: str, now: int, then: int) -> None:
    element = DateElement(box=BOX, style="short", language="en-GB")
    before, changes_us = _settled(element, now_us=now * SECOND_US, zone=zone)
    assert changes_us == then * SECOND_US
    assert _settled(element, now_us=then * SECOND_US - 1, zone=zone)[0] == before
    assert _settled(element, now_us=then * SECOND_US, zone=zone)[0] != before


def test_a_date_in_words_nobody_knows_is_in_english_and_said() -> None:
    scene = settle(Layout(elements=(DateElement(box=BOX, language="xx"),)), GIVEN, PANEL, 60)
    (words,) = scene.pieces
    assert isinstance(words, Words)
    assert words.rows[0].text == "Saturday, November 21, 2026"
    assert [note.level for note in scene.notes] == ["warning"]


def test_an_asset_and_since_when() -> None:
    element, key = AssetElement(box=BOX, asset="p"), AssetWanted("p", "state", "")
    assert _rows(element) == ["p", "—", "not known"]
    for since_us, words in (
        (NOW_US - HOUR_US, "since 12:04"),
        (NOW_US - DAY_US, "since 20 Nov, 13:04"),
        (NOW_US - 365 * DAY_US, "since 21 Nov 2025, 13:04"),
    ):
        assert _rows(element, assets={key: AssetSaid("stopped", since_us, name="Press")}) == [
            "Press",
            "Stopped",
            words,
        ]


def test_a_figure_tells_what_it_does_not_cover() -> None:
    element, key = AssetElement(box=BOX, asset="p", show="availability"), AssetWanted("p", "availability", "24h")
    some = _rows(element, assets={key: AssetSaid(figure=0.9, coverage=0.449)})
    assert some == ["Availability, 24 h", "90.0\u00a0%", "44\u00a0% of the time known"]
    whole = _rows(element, assets={key: AssetSaid(figure=0.9, coverage=1.0)})
    assert whole == ["Availability, 24 h", "90.0\u00a0%"]
    assert _rows(element, assets={key: AssetSaid(coverage=0.0)})[1:] == ["—", "not known"]


def test_a_source_gets_old_and_then_is_dropped() -> None:
    element = SourceElement(box=BOX, source="s", max_age_s=3600, drop_age_s=7200)

    def said(age_us: int) -> tuple[list[str], int]:
        known = {"s": SourceSaid({"title": "Rain"}, NOW_US - age_us)}
        changes_us = _settled(element, sources=known)[1]
        assert changes_us is not None
        return _rows(element, sources=known), changes_us - NOW_US + age_us

    assert said(0) == (["Rain"], HOUR_US)
    assert said(HOUR_US) == (["Rain", "1 h ago"], 2 * HOUR_US)
    assert said(2 * HOUR_US) == (["—", "2 h ago"], 3 * HOUR_US)
    assert _rows(element) == ["—", "nothing yet"]


def test_names_in_texts() -> None:
    text = TextElement(box=BOX, text="{site}/{name} {{name}} {other}")
    assert _rows(text, site="Plant", device_name="Gate") == ["Plant/Gate {name} {other}"]


def test_time_without_readings_is_a_gap() -> None:
    element = ChartElement(box=BOX, device="self", key="t", hours=24)
    times = [*range(NOW_US - 20 * HOUR_US, NOW_US - 10 * HOUR_US, 5 * MINUTE_US), NOW_US - HOUR_US]
    plot, changes_us = _settled(element, charts={ChartWanted("self", "t", 24): tuple((at, 1.0) for at in times)})
    assert isinstance(plot, Plot)
    assert [mark.joined for mark in plot.marks].count(False) == 2  # the first, and the one after the gap
    assert plot.marks[-1].column - plot.marks[-2].column > 50
    assert (plot.begin, plot.end) == ("13:10", "13:10")
    assert changes_us == NOW_US - 245 * SECOND_US + 10 * MINUTE_US


def test_a_missing_reading_parts_a_line_and_bars_are_means() -> None:
    readings = ((NOW_US - 40 * MINUTE_US, 1.0), (NOW_US - 30 * MINUTE_US, None), (NOW_US - 20 * MINUTE_US, 3.0))
    known = {"charts": {ChartWanted("self", "t", 2): readings}}
    line, _ = _settled(ChartElement(box=BOX, device="self", key="t", hours=2), **known)
    assert isinstance(line, Plot)
    assert [mark.joined for mark in line.marks] == [False, False]
    bars, _ = _settled(ChartElement(box=BOX, device="self", key="t", hours=2, style="bars", high=4), **known)
    assert isinstance(bars, Plot)
    (bar,) = bars.marks
    assert (bar.column, bar.mean) == (0, round((bars.rows - 1) / 2))
    assert (bars.low, bars.high, bars.base) == ("0.0", "4.0", 0)


def test_a_chart_without_readings_says_so() -> None:
    plot, _ = _settled(ChartElement(box=BOX, device="self", key="t"))
    assert isinstance(plot, Plot)
    assert plot.empty == "no readings in 24 hours"


def test_a_payload_no_code_can_hold_is_a_sentence() -> None:
    broken, _ = _settled(QrElement(box=BOX, payload="\ud800"))
    assert isinstance(broken, Broken)
    assert "not valid Unicode" in broken.says


def test_the_same_words_and_numbers_are_the_same_picture() -> None:
    def key(known: Given = GIVEN, **other: Any) -> str:
        panel = other.pop("panel", PANEL)
        return settle(replace(dashboard(), **other), known, panel, 60).key

    moved = {**GIVEN.values, ("self", "temperature"): Datum(21.5401, NOW_US)}
    assert key() == key(replace(GIVEN, values=moved)) == key(replace(GIVEN, now_us=NOW_US + 30 * SECOND_US))
    warmer = {**GIVEN.values, ("self", "temperature"): Datum(21.6, NOW_US)}
    others = [
        key(replace(GIVEN, values=warmer)),
        key(replace(GIVEN, now_us=NOW_US + 55 * SECOND_US)),
        key(replace(GIVEN, device_name="Gate 3")),
        key(dark=True),
        key(panel=panel_named("tft-320x480")),
    ]
    assert len({key(), *others}) == 6


def test_a_scene_without_time_never_changes() -> None:
    assert settle(Layout(elements=(TextElement(box=BOX, text="Exit"),)), GIVEN, PANEL, 60).changes_us is None


def test_a_site_without_a_zone_and_a_box_over_the_edge_are_said() -> None:
    layout = Layout(elements=(TextElement(box=Box(x=60, y=0, w=50, h=50), text="Exit"),))
    scene = settle(layout, replace(GIVEN, zone="Nowhere/At_All"), PANEL, 60)
    assert [(note.element, note.level) for note in scene.notes] == [(-1, "warning"), (0, "warning")]
    assert (scene.pieces[0].box.x, scene.pieces[0].box.w) == (480, 320)


def test_what_a_layout_needs() -> None:
    needs = wanted(dashboard())
    assert needs.values == {("self", "temperature"), ("self", "humidity"), ("self", "cold")}
    assert needs.charts == {ChartWanted("self", "temperature", 24)}
    assert needs.assets == {AssetWanted("press-1", "state", "")}
    assert needs.sources == {("weather", "words")}
    assert needs.pictures == {"a" * 64}
    assert (needs.of_device, needs.each_minute) == (True, True)
    plain = wanted(Layout(elements=(TextElement(box=BOX, text="{{name}} {site}"),)))
    assert (plain.of_device, plain.each_minute) == (False, False)
    assert wanted(Layout(elements=(PictureElement(box=BOX, picture="c" * 64),))).pictures == {"c" * 64}


def test_while_nobody_has_set_the_clock_no_time_of_day_is_told_and_nothing_changes_by_it() -> None:
    unset = {"clock_set": False}
    assert _rows(ClockElement(box=BOX), **unset) == ["clock not set"]
    assert _rows(DateElement(box=BOX), **unset) == ["date not known"]
    press = AssetElement(box=BOX, asset="Press", label="Press")
    said = {AssetWanted("Press", "state", ""): AssetSaid("running", NOW_US - HOUR_US)}
    assert _rows(press, assets=said, **unset) == ["Press", "Running"]
    weather = SourceElement(box=BOX, source="weather", label="Sky")
    assert _rows(weather, sources={"weather": SourceSaid({"sky": "clear"}, 0)}, **unset) == [
        "Sky",
        "\N{EM DASH}",
        "age unknown",
    ]
    chart = ChartElement(box=BOX, device="self", key="t", hours=1)
    points = tuple((NOW_US - minute * MINUTE_US, float(minute)) for minute in range(50, 0, -5))
    piece, _ = _settled(chart, charts={ChartWanted("self", "t", 1): points}, **unset)
    assert isinstance(piece, Plot)
    assert (piece.begin, piece.end, piece.empty) == ("", "", "")
    assert piece.marks
