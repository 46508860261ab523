"""Bars, lengths of time and shares of rollouts: what needs no screen."""

from __future__ import annotations

import pytest

from edge.wire.provision import NetworkView
from edge.wire.updates import Target
from tests.tui import site_updates
from tests.tui.stage import HeldClock
from tui import update_words
from tui.boards import Boards
from tui.state_bar import BLOCKS, PLAIN


def test_what_went_wrong_is_seen_however_little_it_is() -> None:
    assert update_words.wave_bar(19, 1, 1000, 10, BLOCKS) == "▒·········"
    assert update_words.wave_bar(999, 1, 1000, 10, PLAIN) == "#########x"
    assert update_words.wave_bar(0, 5, 5, 4, PLAIN) == "xxxx"
    assert update_words.wave_bar(0, 0, 0, 4, PLAIN) == update_words.wave_bar(1, 0, 1, 0, PLAIN) == ""


def test_a_percentage_is_never_100_for_what_is_less() -> None:
    assert [update_words.percent(done, 1000) for done in (0, 999, 1000)] == ["0 %", "99 %", "100 %"]
    assert update_words.percent(0, 0) == "-"
    assert update_words.percent_bar(100, 4, PLAIN) == "####"
    assert update_words.percent_bar(49, 4, PLAIN) == "#..."


@pytest.mark.parametrize("seconds", [0, 1, 90, 600, 3600, 5400, 7200, 86_400, 1_209_600])
def test_a_length_of_time_is_read_as_it_is_written(seconds: int) -> None:
    assert update_words.seconds(update_words.lasting(seconds)) == seconds


@pytest.mark.parametrize("text", ["", "soon", "-5m", "1.5h", "10 weeks", "²m"])
def test_what_is_no_length_of_time(text: str) -> None:
    assert update_words.seconds(text) is None


def test_waves_rise_to_all_devices() -> None:
    assert update_words.waves("0, 10,50 100") == (0, 10, 50, 100)
    assert update_words.waves("100") == (100,)
    for text in ("", "10, 50", "50, 10, 100", "0, 100, 200", "5, 5, 100", "ten, 100"):
        assert update_words.waves(text) is None, text


def test_who_is_meant() -> None:
    assert update_words.whom(Target(group="hall")) == "the group hall"
    assert update_words.whom(Target(kind="sensor")) == "every sensor"
    assert update_words.whom(Target(devices=["a"])) == "a"
    assert update_words.whom(Target(devices=["a", "b"])) == "2 chosen devices"


def test_each_wifi_is_listed_once_the_strongest_first() -> None:
    boards = Boards(HeldClock())
    heard = [
        NetworkView("Far", None, True), NetworkView("Hall", -80, True), NetworkView("", -20, False),
        NetworkView("Hall", -52, True), NetworkView("Yard", -60, False),
    ]  # fmt: skip
    boards.put_setup(site_updates.setup("p", "cable", "/dev/ttyUSB0", "done", networks=heard))
    found = boards.networks_of("cable:/dev/ttyUSB0")
    assert [(network.ssid, network.rssi) for network in found] == [("Hall", -52), ("Yard", -60), ("Far", None)]
    assert update_words.signal(found[0]) == "strong (-52 dBm), with a password"


def test_an_answer_that_was_overtaken_does_not_bring_a_job_back() -> None:
    boards = Boards(HeldClock())
    boards.put_setup(site_updates.setup("p", "portal", "", "cancelled"))
    boards.put_setup(site_updates.setup("p", "portal", "", "running"))
    assert [view.state for view in boards.setups_of("portal")] == ["cancelled"]
