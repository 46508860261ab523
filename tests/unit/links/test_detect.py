"""In which order a port is asked."""

from __future__ import annotations

import pytest

from edge.links.detect import Way, first_baud, ways
from edge.links.spec import PortSpec, Profile

NATIVE, VENDING, OLD = Profile.NATIVE, Profile.VENDING, Profile.NIC_DISPLAY
OLD_BAUDS = [115200, 9600, 230400, 57600, 38400, 19200]


@pytest.mark.parametrize(
    ("spec", "plan"),
    [
        (
            PortSpec("/p"),
            [(NATIVE, 115200), (NATIVE, 9600), (VENDING, 115200), *((OLD, baud) for baud in OLD_BAUDS)],
        ),
        (PortSpec("/p", OLD), [(OLD, baud) for baud in OLD_BAUDS]),
        (PortSpec("/p", OLD, 9600), [(OLD, 9600)]),
        (PortSpec("/p", VENDING), [(VENDING, 115200)]),
        (PortSpec("/p", VENDING, 9600), [(VENDING, 9600)]),
        (PortSpec("/p", None, 57600), [(NATIVE, 57600), (OLD, 57600)]),
        (PortSpec("/p", None, 115200), [(NATIVE, 115200), (VENDING, 115200), (OLD, 115200)]),
    ],
)
def test_ours_first_then_the_old_ones_and_only_what_is_allowed(spec, plan):
    assert ways(spec) == [Way(*way) for way in plan]


def test_what_worked_last_time_comes_first():
    last = Way(OLD, 38400)
    assert ways(PortSpec("/p"), last)[:2] == [last, Way(NATIVE, 115200)]
    assert first_baud(PortSpec("/p"), last) == 38400
    assert first_baud(PortSpec("/p", None, 9600), last) == 9600
