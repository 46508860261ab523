"""Since when a panel may be behind: only from when it stopped showing what it is offered."""

from __future__ import annotations

import msgspec

from edge.content.render.panels import panel_named
from edge.content.showing.offered import AGAIN_MIN_S, SECOND_US, Looked, Offered, since_us
from edge.content.showing.store import Receipt

REFRESH_S = 60
OFFERED = Offered(picture="b" * 64, data=b"", panel=panel_named("eink-800x480"), screen="hall", refresh_s=REFRESH_S)
LOOKED = Looked(
    offered=OFFERED,
    turn=None,
    notes=(),
    trouble="",
    at_us=0,
    since_us=0,
    due_us=None,
    due_s=0,
    of=("Door", "eink-800x480"),
    era=0,
)


def shown(picture: str) -> Receipt:
    return Receipt(device="d", picture=picture, screen="hall", version=1, evidence="told", at_us=0, at_clock="")


def test_a_panel_is_behind_from_when_it_stopped_showing_what_it_is_offered() -> None:
    assert since_us(None, shown("a" * 64), 7) == 7
    assert since_us(LOOKED, shown("b" * 64), 7) == 7  # it was right until now
    assert since_us(LOOKED, shown("a" * 64), 7) == 0  # however often what it is offered changes


def test_until_its_next_look_has_passed_nothing_is_wrong() -> None:
    last_us = (REFRESH_S + AGAIN_MIN_S) * SECOND_US
    looks = [msgspec.structs.replace(LOOKED, at_us=at_us) for at_us in (0, last_us - 1, last_us, -1)]
    assert [one.fresh for one in looks] == [True, True, False, False]
