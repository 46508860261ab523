"""Which older board was told what, and what a board's owner likes."""

from __future__ import annotations

import pytest

from edge.compat.personalcms import tastes
from edge.compat.personalcms.dashboards import layout_of
from edge.compat.personalcms.told import ADDRESSES, BOARDS, ToldBoards
from edge.devices.model import Device, DeviceState
from edge.errors import BadInput
from edge.sim.bitmap import DATA_BYTES, FILE_BYTES, as_sketch, as_terminal

HALL, DESK = "10.0.0.2", "10.0.0.3"


def test_a_picture_is_for_those_who_were_told_of_it_where_they_are_now():
    told = ToldBoards()
    told.note("a", HALL, ["/x"])
    told.note("b", HALL, ["/x", "/y"])
    assert (told.whose(HALL, "/x"), told.whose(HALL, "/y"), told.whose(DESK, "/x")) == (["a", "b"], ["b"], [])
    told.note("b", DESK, ["/x"])
    assert (told.whose(HALL, "/x"), told.whose(DESK, "/x")) == (["a"], ["b"])
    told.forget("a")
    assert told.whose(HALL, "/x") == []


def test_what_is_remembered_is_bounded():
    told = ToldBoards()
    for number in range(BOARDS + 5):
        told.note(f"b{number}", HALL, [f"/{turn}" for turn in range(ADDRESSES + 3)])
    assert len(told.whose(HALL, f"/{ADDRESSES}")) == BOARDS
    assert told.whose(HALL, "/0") == []


def board(**facts):
    return Device(
        id="dev-1", name="Desk", kind="cms", profile="personalcms", state=DeviceState.APPROVED, panel="",
        created_us=0, facts=facts,
    )  # fmt: skip


def test_what_a_person_chose_goes_before_what_the_board_was_set_up_with():
    wished = tastes.wished({"preferences": {"jokes": ["dad_jokes", 3, "x"], "news": "tech_news"}})
    assert wished == {"wishes": "dad_jokes"}
    assert tastes.wished({"preferences": {"jokes": []}}) == tastes.wished({}) == {}
    assert tastes.of(board(**wished)) == tastes.new_wishes(board(**wished)) == ("dad_jokes",)
    chosen = tastes.as_facts(tastes.read({"news": ["world_news"], "jokes": ["dad_jokes"]}))
    assert tastes.of(board(**wished, **chosen)) == ("dad_jokes", "world_news")
    assert tastes.new_wishes(board(**wished, **chosen)) == ()
    assert tastes.of(board(**wished, **tastes.as_facts(()))) == ()
    assert tastes.new_wishes(board(**wished, wishes_made="dad_jokes")) == ()  # somebody has removed it since


@pytest.mark.parametrize("said", [None, 3, [], {"cars": []}, {"jokes": "dad_jokes"}, {"jokes": ["tech_news"]}])
def test_preferences_that_are_none_are_refused(said):
    with pytest.raises(BadInput):
        tastes.read(said)


@pytest.mark.parametrize("count", [1, 2, 4, 5, 9])
def test_a_dashboard_has_room_for_all_that_is_chosen(count):
    every = tuple(name for names in tastes.KINDS.values() for name in names)
    for element in layout_of(board(), every[:count]).elements:
        assert element.box.x + element.box.w <= 100
        assert element.box.y + element.box.h <= 100


def test_boards_read_bitmaps_as_they_do():
    header = bytearray(62)
    header[0:2], header[10], header[14] = b"BM", 62, 40
    header[18:26] = (800).to_bytes(4, "little") + (480).to_bytes(4, "little")
    header[26], header[28] = 1, 1
    header[58:61] = b"\xff\xff\xff"
    body = bytes(header) + b"\x80" * 100 + b"\0" * (DATA_BYTES - 100)
    rows = as_sketch(body, FILE_BYTES)
    assert rows is not None
    assert rows[-100:] == b"\x80" * 100  # the first row of the file is the lowest
    assert as_terminal(body) == rows
    assert as_sketch(body, -1) is None  # its length was not told
    assert as_sketch(b"2ee\r\n" + body, FILE_BYTES) is None  # chunked
    assert as_sketch(body[:-1], FILE_BYTES) is None  # broke off
    assert as_terminal(body + b"\0") is None
