"""What an old asset logger says is understood where it can be, and spoils nothing where it cannot."""

from __future__ import annotations

import json

import pytest

from edge.compat.assets.neighbours import found
from edge.compat.assets.reports import Change, change_of, fields_of, key_of, listed, pin_of, seconds, told_us


@pytest.mark.parametrize(
    ("body", "change"),
    [
        ({"pin_number": 25, "is_running": True}, Change(25, True)),
        ({"pin_number": "4", "is_running": "false"}, Change(4, False)),
        ({"pin_number": 4.0, "is_running": 1}, Change(4, True)),
        ({"pin_number": 0, "state": "STOPPED"}, Change(0, False)),
        ({"pin_number": 7, "state": "running"}, Change(7, True)),
        ({"pin_number": 7, "state": "Maintenance", "is_running": False}, Change(7, "MAINTENANCE")),
        ({"pin_number": 7, "state": "\u0007\u65e5"}, Change(7, "UNKNOWN")),
        ({"pin_number": 7, "state": "", "is_running": False}, Change(7, False)),
        ({"pin_number": 7}, None),
        ({"pin_number": True, "is_running": True}, None),
        ({"pin_number": 100, "is_running": True}, None),
        ({"pin_number": -1, "is_running": True}, None),
        ({"pin_number": [4], "is_running": True}, None),
        ({"pin_number": 4, "is_running": None}, None),
        ({"is_running": True}, None),
    ],
)
def test_a_change_is_an_input_and_what_it_became(body, change):
    assert change_of(body) == change


def test_a_key_names_its_input():
    assert [pin_of(key) for key in (key_of(25), "alive", "pin_", "pin_x", "bounces_pin_4")] == [25] + [None] * 4


def test_a_time_is_read_as_it_prints_it():
    assert told_us("2026-11-21T16:00:00.000Z") == 1_795_276_800_000_000
    assert told_us("1970-01-01T00:00:12.000Z") == 12_000_000
    for text in ("", "soon", None, 5, "2026-13-01T00:00:00Z", "9999-12-31T23:59:59-12:00"):
        assert told_us(text) is None or told_us(text) > 0


def test_what_it_is_not_about_is_passed_over():
    body = {
        "logger_id": "L" * 9000,
        "uptime": 3,
        "is_running": {},
        "state": ["x"],
        "secret": "x",
        "timestamp": None,
    }
    assert fields_of(body) == {"logger_id": "L" * 80, "uptime": 3}


@pytest.mark.parametrize("value", [True, "3", -1, float("nan"), float("inf"), 1e30, 10**400, None])
def test_what_is_no_duration_is_none(value):
    assert seconds(value) is None


def test_a_page_tells_the_inputs_it_lists():
    page = {
        "system": {"uptime": 90},
        "assets": [
            {"name": "A", "pin": 25, "is_running": True},
            {"pin": "26", "is_running": False},
            {"pin": 27, "is_running": "yes"},
            "no asset",
        ],
    }
    said = listed(json.dumps(page).encode())
    assert said is not None
    assert (said.pins, said.uptime_s) == ({25: True, 26: False}, 90)


@pytest.mark.parametrize(
    "raw", [b"", b"<html>", b"[]", b'{"system":{}}', b'{"system":[],"assets":[]}', b"[" * 9000, b"\xff"]
)
def test_whatever_else_answers_there_is_no_page(raw):
    assert listed(raw) is None


def test_a_neighbour_is_known_by_its_mac():
    table = (
        "IP address       HW type     Flags       HW address            Mask     Device\n"
        "192.168.1.7      0x1         0x2         6c:c8:40:4f:e0:3c     *        eth0\n"
        "192.168.1.8      0x1         0x0         00:00:00:00:00:00     *        eth0\n"
        "192.168.1.9      0x1         zz          6c:c8:40:4f:e0:3d     *        eth0\n"
        "short\n"
    )
    assert found("192.168.1.7", table) == "6CC8404FE03C"
    assert {found(address, table) for address in ("192.168.1.8", "192.168.1.9", "192.168.1.1", "")} == {""}
