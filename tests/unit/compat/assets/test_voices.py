"""Two loggers with one id are never taken for one, and one that moved is not taken for two."""

from __future__ import annotations

import pytest

from edge.compat.assets.voices import Caller, Verdict, Voice, judge

MAC, OTHER = "6CC8404FE03C", "6CC8404FE03D"
NOW_S = 1000.0


def known(address: str = "10.0.0.5", mac: str = "", firmware: str = "1.0", heard_s: float = NOW_S - 10) -> Voice:
    return Voice("ESP32_001", address, mac, firmware, heard_s)


@pytest.mark.parametrize(
    ("voice", "caller", "verdict"),
    [
        # one board at one place
        (known(), Caller("10.0.0.5", firmware="1.0"), Verdict.KNOWN),
        (known(), Caller("10.0.0.5"), Verdict.KNOWN),
        (known(firmware=""), Caller("10.0.0.5", firmware="1.0"), Verdict.KNOWN),
        (known(mac=MAC), Caller("10.0.0.9", mac=MAC), Verdict.KNOWN),
        (known(), Caller("10.0.0.5", mac=MAC), Verdict.KNOWN),
        # flashed anew, which takes a start
        (known(), Caller("10.0.0.5", firmware="2.0", registers=True), Verdict.KNOWN),
        (known(), Caller("10.0.0.5", firmware="2.0"), Verdict.ANOTHER),
        (known("", firmware=""), Caller("10.0.0.5", mac=MAC, firmware="1.0"), Verdict.KNOWN),
        # another board
        (known(mac=MAC), Caller("10.0.0.5", mac=OTHER, firmware="1.0"), Verdict.ANOTHER),
        (known(mac=MAC, heard_s=0), Caller("10.0.0.9", mac=OTHER, firmware="1.0"), Verdict.ANOTHER),
        (known(), Caller("10.0.0.9", firmware="2.0", registers=True), Verdict.ANOTHER),
        # it may have moved
        (known(), Caller("10.0.0.9", firmware="1.0", registers=True), Verdict.WAIT),
        (known(), Caller("10.0.0.9"), Verdict.WAIT),
        (known(heard_s=NOW_S - 76), Caller("10.0.0.9"), Verdict.MOVED),
        (known(heard_s=NOW_S - 76), Caller("10.0.0.9", firmware="2.0"), Verdict.ANOTHER),
        (known(mac=MAC, heard_s=0), Caller("10.0.0.9", firmware="1.0"), Verdict.MOVED),
    ],
)
def test_who_it_is(voice, caller, verdict):
    assert judge([voice], caller, NOW_S, NOW_S)[0] is verdict


def test_they_are_two_once_the_known_one_speaks_too():
    assert judge([known(heard_s=NOW_S - 10)], Caller("10.0.0.9"), NOW_S, NOW_S - 20)[0] is Verdict.ANOTHER


def test_nobody_knows_which_of_two_has_moved():
    silent = [known("10.0.0.5", heard_s=0), known("10.0.0.6", heard_s=0)]
    assert judge(silent, Caller("10.0.0.9"), NOW_S, NOW_S)[0] is Verdict.ANOTHER


def test_of_two_at_one_address_a_change_is_either_ones():
    both = [known(firmware="1.0"), known(firmware="2.0")]
    assert judge(both, Caller("10.0.0.5"), NOW_S, NOW_S)[0] is Verdict.EITHER
    verdict, voice = judge(both, Caller("10.0.0.5", firmware="2.0"), NOW_S, NOW_S)
    assert (verdict, voice) == (Verdict.KNOWN, both[1])


def test_the_first_is_new():
    assert judge([], Caller("10.0.0.5"), NOW_S, NOW_S)[0] is Verdict.ANOTHER
