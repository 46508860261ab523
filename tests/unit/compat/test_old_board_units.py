"""Which older board speaks: by its MAC, else by where it is and what it calls itself."""

from __future__ import annotations

import pytest

from edge.compat.personalcms.units import Caller, Unit, Verdict, judge
from edge.compat.personalcms.variants import chip_of, type_of, warning
from edge.compat.personalcms.words import introduced, lives, value_of

BASE, BLINK = "ESP32_OTA_BASE_001", "ESP32_OTA_LED_001"
MAC, OTHER = "A0B765000001", "A0B765000002"


def of(units, caller, *, now_s=100.0, since_s=100.0, given=""):
    verdict, unit = judge(units, caller, lambda unit, claimed: claimed == given, now_s, since_s)
    return verdict, units.index(unit) if unit is not None else None


def unit(address="10.0.0.2", mac="", claimed=BASE, **more):
    more.setdefault("heard_s", 95.0)
    return Unit(claimed, claimed, address, mac, **more)


@pytest.mark.parametrize(
    ("units", "caller", "expected"),
    [
        ([], Caller(BASE, "10.0.0.2"), (Verdict.ANOTHER, None)),
        ([unit()], Caller(BASE, "10.0.0.2"), (Verdict.KNOWN, 0)),
        ([unit()], Caller(BASE, "10.0.0.2", MAC), (Verdict.KNOWN, 0)),  # its MAC is learnt
        ([unit(mac=MAC)], Caller(BASE, "10.0.0.2"), (Verdict.KNOWN, 0)),  # it is not known just now
        ([unit(mac=MAC)], Caller(BLINK, "10.0.0.7", MAC), (Verdict.KNOWN, 0)),  # moved, with other firmware
        ([unit(mac=MAC)], Caller(BASE, "10.0.0.2", OTHER), (Verdict.ANOTHER, None)),  # has the other's address now
        ([unit(board=MAC)], Caller(BASE, "10.0.0.7", MAC), (Verdict.KNOWN, 0)),  # told with a download
        ([unit(mac=MAC)], Caller(BASE, "10.0.0.3", OTHER), (Verdict.ANOTHER, None)),
        ([unit(), unit()], Caller(BASE, "10.0.0.2"), (Verdict.EITHER, None)),
        ([unit()], Caller(BASE, "10.0.0.3"), (Verdict.WAIT, None)),
        ([unit(address="")], Caller(BASE, "10.0.0.3"), (Verdict.KNOWN, 0)),  # another is where it was
        ([unit(heard_s=20.0)], Caller(BASE, "10.0.0.3"), (Verdict.KNOWN, 0)),
        ([unit(heard_s=20.0, sleeps=True)], Caller(BASE, "10.0.0.3"), (Verdict.ANOTHER, None)),
        ([unit(heard_s=20.0), unit("10.0.0.4", heard_s=20.0)], Caller(BASE, "10.0.0.3"), (Verdict.ANOTHER, None)),
        ([unit(claimed=BLINK)], Caller(BASE, "10.0.0.2"), (Verdict.ANOTHER, None)),
        ([unit("10.0.0.2", MAC), unit("10.0.0.3", MAC)], Caller(BASE, "10.0.0.3", MAC), (Verdict.KNOWN, 1)),
        ([unit("10.0.0.2", MAC), unit("10.0.0.2", MAC)], Caller(BASE, "10.0.0.2", MAC), (Verdict.EITHER, None)),
    ],
)
def test_who_it_is(units, caller, expected):
    assert of(units, caller) == expected


def test_one_that_speaks_meanwhile_has_not_moved():
    assert of([unit(heard_s=101.0)], Caller(BASE, "10.0.0.3"), now_s=102.0)[0] is Verdict.ANOTHER


def test_one_that_was_just_given_another_firmware_calls_itself_otherwise():
    known = [unit(), unit("10.0.0.3")]
    assert of(known, Caller(BLINK, "10.0.0.3"), given=BLINK) == (Verdict.KNOWN, 1)
    assert of(known, Caller(BLINK, "10.0.0.3"), given="") == (Verdict.ANOTHER, None)


def test_what_a_board_is_and_what_it_runs_are_two_things():
    assert introduced({"device_type": "ESP32_DevKit_V1"}, BASE).firmware == "ESP32_OTA_Base"
    assert introduced({"device_type": "ESP32_DevKit_V1"}, BASE).board == "ESP32_DevKit_V1"
    assert lives({"device_type": "ESP32_LED_Blink"}, "MINE").firmware == "ESP32_LED_Blink"
    assert lives({"device_type": "ESP32_DevKit_V1"}, BLINK).firmware == "ESP32_LED_Blink"
    assert type_of("ESP32_OTA_BASE_017") == "ESP32_OTA_Base"
    assert type_of("MINE") == ""
    assert chip_of("ESP32_S3_N8R8_001", "", "") == chip_of("MINE", "", "ESP32_S3_DevKit") == "esp32s3"
    assert chip_of(BASE, "ESP32_OTA_Base", "ESP32_DevKit_V1") == "esp32"


def test_only_an_s3_forgets_its_wifi():
    assert warning("ESP32_OTA_Base", "ESP32_PersonalCMS") == ""
    assert "by hand" in warning("S3", "ESP32_OTA_Base")
    assert warning("MINE", "ESP32_OTA_Base") == ""


@pytest.mark.parametrize(
    ("said", "kept"),
    [
        (23.39999962, 23.4),
        (float("nan"), None),
        (float("inf"), None),
        (None, None),
        (True, True),
        (2**60, None),
        (" a\nb ", "ab"),
        ({}, None),
    ],
)
def test_values_that_can_be_kept(said, kept):
    assert value_of(said) == kept
