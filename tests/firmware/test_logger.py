"""The logger on MicroPython, in a time that passes when it is told to: what it records of a contact, and when."""

from __future__ import annotations

import itertools
import json
import subprocess
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from tests.firmware.board import ROOT, virtual_machine

SCRIPT = Path(__file__).with_name("logger_scenarios.py")
GOLDEN = Path(__file__).with_name("golden")
HEAP = "heapsize=1M"  # for the bench's own lists; whole boards have a chip's heap
CHANGES_MAX = 30
SECOND_US = 1_000_000


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("logger")


@pytest.fixture(scope="module")
def came(folder: Path) -> dict[str, Any]:
    """What came of every scenario; one start of the machine for all."""
    machine = [word if not word.startswith("heapsize") else HEAP for word in virtual_machine()]
    done = subprocess.run(
        [*machine, SCRIPT, ROOT / "firmware", folder], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    results: dict[str, Any] = json.loads(done.stdout)
    return results


def states(records: list[Any], key: str) -> list[tuple[int, Any]]:
    """What is said of an input, and when."""
    return [(ms, values[key]) for ms, _, values in records if key in values]


def test_the_first_record_states_everything_once_it_can_be_told(came: dict[str, Any]) -> None:
    first = came["first_statement"]
    assert first["early"] == 0
    [[ms, at_us, values]] = first["records"]
    assert 450 <= ms <= 550
    assert at_us == 0
    assert values == {
        "alive": 0,
        "in1": True,
        "in2": True,
        "in3": False,
    }  # low, still low, high: 0, 1, 0 mean running


def test_an_input_is_pulled_to_the_level_at_which_its_machine_stands_still(came: dict[str, Any]) -> None:
    assert came["first_statement"]["pulled"] == {"in1": [13, 1], "in2": [14, 0], "in3": [25, 1]}


def test_a_change_is_dated_by_its_first_sample_however_it_bounced(came: dict[str, Any]) -> None:
    bouncing = came["a_bouncing_change"]
    assert bouncing["records"] == [[1010, 0, {"in1": True}]]
    assert (bouncing["report"]["bounces_in1"], bouncing["report"]["bounces_in2"]) == (4, 2)


def test_times_are_the_hubs_as_soon_as_it_has_told_them(came: dict[str, Any]) -> None:
    (_, _, _), (_, before_us, _), (ms, at_us, _) = came["times_are_the_hubs"]["records"]
    assert before_us == 0
    told = datetime(2026, 11, 21, 8, 30, tzinfo=UTC).timestamp()
    assert at_us == told * SECOND_US + (ms - 2000) * 1000


def test_every_tenth_heartbeat_states_everything(came: dict[str, Any]) -> None:
    records = came["heartbeats"]["records"]
    times = [ms for ms, _, _ in records]
    assert {after - before for before, after in itertools.pairwise(times[1:])} == {60_000}
    assert [values["alive"] for _, _, values in records] == [ms // 1000 for ms in times]
    assert [i for i, (_, _, values) in enumerate(records) if "in1" in values] == [0, 10, 20]
    assert all(len(values) == 1 for i, (_, _, values) in enumerate(records) if i % 10)


def test_a_statement_waits_for_a_change_that_is_under_way(came: dict[str, Any]) -> None:
    """Or it would say, as of a later moment, what was so before."""
    records = came["a_statement_in_the_middle_of_a_change"]["records"]
    statement = next(i for i, (ms, _, values) in enumerate(records) if ms > 50_000 and len(values) > 1)
    (changed_ms, _, change), (stated_ms, _, stated) = records[statement - 1 : statement + 1]
    assert change == {"in1": True}
    assert stated["in1"] is True
    assert stated_ms == changed_ms + 2000
    assert [values["alive"] for _, _, values in records[statement + 1 :]] == [112]  # the next one in its time


def test_a_storm_is_told_twice_and_counted(came: dict[str, Any]) -> None:
    """Contacts that change faster than can be told."""
    storm = came["a_fast_storm"]
    (began, first), (ended, last) = states(storm["records"], "in2")
    assert (first, last) == ("unknown", False)
    assert began == storm["began"] + 50
    assert ended - began >= 30_000 + 60_000 - 100  # as long as it lasted, and a minute of quiet
    assert storm["report"]["bounces_in2"] == 600
    assert storm["report"]["bounces_in1"] == 0


def test_slower_changes_become_a_storm_when_there_are_too_many(came: dict[str, Any]) -> None:
    storm = came["a_slow_storm"]
    assert (storm["during"], storm["almost"]) == ("unknown", "unknown")
    said = [value for value, _ in itertools.groupby(value for _, value in states(storm["records"], "in1"))]
    assert said == [False, *[True, False] * (CHANGES_MAX // 2), "unknown", True]
    assert storm["report"]["bounces_in1"] == 151 - CHANGES_MAX


def test_knocks_that_count_for_nothing_make_no_storm_longer(came: dict[str, Any]) -> None:
    said = states(came["a_storm_and_then_knocks"]["records"], "in1")
    assert [value for _, value in said[-2:]] == ["unknown", False]
    assert 60_000 <= said[-1][0] - said[-2][0] - 13_800 < 66_000  # it went on for so long after it was told


def test_a_contact_that_never_holds_still_does_not_hold_up_the_others(came: dict[str, Any]) -> None:
    [[ms, _, values]] = came["a_storm_from_the_start"]["records"]
    assert 10_000 <= ms <= 10_100
    assert values == {"alive": 10, "in1": False, "in2": False, "in3": "unknown"}


def test_short_cycles_are_no_storm(came: dict[str, Any]) -> None:
    assert came["a_machine_in_short_cycles"]["states"] == [True, False] * 75


def test_whatever_the_contacts_do_the_records_tell_one_story(came: dict[str, Any]) -> None:
    """Of each input the times never go back, a statement repeats what was said last, and the end is what is."""
    records = came["anything"]["records"]
    for key in ("in1", "in2", "in3"):
        said = states(records, key)
        assert [ms for ms, _ in said] == sorted(ms for ms, _ in said)
        known = None
        for _, _, values in records:
            if key not in values:
                continue
            assert known is None or ("alive" in values) == (values[key] == known)
            known = values[key]
        assert known == (not came["anything"]["levels"][key])
        assert "unknown" in [value for _, value in said]
        changes = [ms for ms, _, values in records if key in values and "alive" not in values]
        busiest = max(sum(at <= other < at + 60_000 for other in changes) for at in changes)
        assert busiest <= CHANGES_MAX + 2


def test_what_is_left_of_a_full_buffer_states_everything_soon(came: dict[str, Any]) -> None:
    full = came["a_full_buffer"]
    assert full["lost"] > 100
    beats = [len(values) > 1 for _, _, values in full["records"] if "alive" in values]
    gaps = [len(list(group)) for stating, group in itertools.groupby(beats) if not stating]
    assert max(gaps) < 10
    whole = [i for i, (_, _, values) in enumerate(full["records"]) if "alive" in values and len(values) > 1]
    assert whole[0] < 30


def test_a_change_that_flash_refused_is_stated_with_a_heartbeat(came: dict[str, Any]) -> None:
    room = came["no_room_at_all"]
    assert (room["lost"], room["still"]) == (1, 4)  # a heartbeat is tried in its time, and no more often
    (_, _, before), (_, _, after), *rest = room["records"]
    assert (before["in1"], after["in1"]) == (False, True)
    assert all(set(values) == {"alive"} for _, _, values in rest)


def test_wrong_wiring_is_told_and_costs_only_itself(came: dict[str, Any]) -> None:
    odd = came["odd_wiring"]
    assert odd["pins"] == {"in1": [13, 0], "in7": [34, 1], "in8": [22, 1]}
    assert len(odd["said"]) == 7
    for text in (
        "in2 can't be on pin 1: the board needs it itself",
        "in3 can't be on pin 13: it is in use",
        "in5 can't be on pin 99: there is no such pin",
        "the OLED is off: in8 is on one of its pins, 21 and 22",
    ):
        assert text in odd["said"]
    assert odd["oled"] is False


@pytest.mark.parametrize("name", ["eight", "four"])
def test_the_small_screen(came: dict[str, Any], folder: Path, name: str) -> None:
    assert came["the_screen"]["made"] == [True, True]
    with Image.open(folder / f"{name}.png") as shown, Image.open(GOLDEN / f"oled_{name}.png") as golden:
        assert shown.size == (128, 64)
        assert shown.tobytes() == golden.tobytes(), f"look at {folder / name}.png"


def test_a_screen_that_was_unplugged_is_told_once_and_drawn_whole_when_it_is_back(came: dict[str, Any]) -> None:
    gone = came["a_screen_that_goes"]
    assert gone["absent"]
    assert gone["present"]
    assert gone["drawn"] == 8
    assert "the OLED does not answer" in gone["error"]


def test_the_code_can_t_be_guessed(came: dict[str, Any]) -> None:
    lock = came["a_lock"]
    assert lock["waits"] == [2, 4, 8, 16, 32, 64, 128, 256, 512, 600, 600, 600]
    assert lock["opened"] is True
    assert lock["renewed"] is True  # at the console, at once
    assert lock["empty"] is False


def test_the_console_shows_the_inputs_and_makes_codes(came: dict[str, Any]) -> None:
    console = came["the_console"]
    assert "in1: Press, stopped, pin 13" in console["said"]
    assert "page code: 111111" in console["said"]
    assert len(console["after"]) == 6
    assert console["after"] != "111111"
    assert f"page code {console['after']}" in console["said"]
    assert console["off"] == ""
    assert "page_code, or: page_code off" in console["said"]  # what it says to a word it does not know


@given(st.integers(0, 253_402_300_799))
def test_a_date_is_what_the_calendar_says(at_s: int) -> None:
    from outpost.dates import iso

    assert iso(at_s * SECOND_US + 999_999) == f"{datetime.fromtimestamp(at_s, UTC):%Y-%m-%dT%H:%M:%SZ}"
