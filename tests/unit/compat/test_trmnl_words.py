"""What a TRMNL says in its headers and its log, as values that can be relied on."""

from __future__ import annotations

import pytest

from edge.compat.trmnl.words import LINES, log_lines, panel_name, read


@pytest.mark.parametrize(
    ("headers", "panel"),
    [
        ({}, ""),
        ({"Width": "800", "Height": "480"}, "bmp-800x480"),
        ({"Width": "800", "Height": "480", "FW-Version": "1.5.9"}, "bmp-800x480"),
        ({"Width": "800", "Height": "480", "FW-Version": "1.6.0"}, "png-800x480"),
        ({"Width": "800", "Height": "480", "FW-Version": "v2.0-rc1"}, "png-800x480"),
        ({"Width": "1040", "Height": "600"}, "png-1040x600"),
        ({"Width": "1040"}, ""),
        ({"Width": "0", "Height": "480"}, ""),
        ({"Width": "99999999999999", "Height": "480"}, ""),
        ({"Width": "८००", "Height": "x"}, ""),
    ],
)
def test_the_panel_follows_from_the_size_and_the_firmware(headers, panel):
    assert panel_name(read(headers)) == panel


@pytest.mark.parametrize(
    ("said", "volts"),
    [("4.07", 4.07), ("", None), ("nan", None), ("-1", None), ("inf", None), ("4,1", None), ("400", None)],
)
def test_a_battery_is_a_voltage_or_nothing(said, volts):
    assert read({"Battery-Voltage": said}).volts == volts


def test_a_mac_and_a_key_are_what_could_be_one():
    assert read({"ID": "aa:bb:cc:00:11:22"}).mac == "AABBCC001122"
    assert read({"ID": "x"}).mac == ""
    assert read({"Access-Token": "short"}).token == ""
    assert read({"Access-Token": "k" * 32}).token == "k" * 32
    assert read({"Access-Token": "k" * 1000}).token == ""
    assert read({"RSSI": "-61", "Image-Cached": "TRUE"}).rssi == -61
    assert read({"RSSI": "61"}).rssi is None


@pytest.mark.parametrize("body", [None, [], {}, {"logs": 3}, {"logs": [1, None]}, {"log": {"logs_array": "x"}}])
def test_a_log_that_is_none_has_no_lines(body):
    assert log_lines(body) == []


def test_the_newest_lines_of_a_log_are_kept_with_where_they_come_from():
    entries = [{"message": f"line {number}", "level": "error", "source_path": "src/bl.cpp"} for number in range(99)]
    lines = log_lines({"logs": entries})
    assert len(lines) == LINES
    assert lines[-1] == ("error", "line 98 (src/bl.cpp)")
    assert log_lines({"log": {"logs_array": [{"log_message": "older"}]}}) == [("info", "older")]
