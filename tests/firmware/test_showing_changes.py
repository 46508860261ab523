"""A panel whose hub wants another picture in the middle of one, and one whose picture has been covered."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.firmware.panel_board import HEIGHT, WIDTH, Board, shows
from tests.firmware.panels import Giver, drawn

from outpost.show_cable import CableShowing  # isort: skip


@pytest.fixture
def hub() -> Giver:
    return Giver()


@pytest.fixture
def board(tmp_path: Path, hub: Giver) -> Board:
    return Board(tmp_path, hub)


def test_another_picture_in_the_middle_of_one_comes_after_it(board: Board, hub: Giver) -> None:
    one, two, three = (drawn(seed, WIDTH, HEIGHT, busy_rows=300) for seed in (1, 2, 3))
    board.showing.show(hub.add(one))
    board.showing.show(hub.add(two))  # nothing of the first is here
    board.until(lambda: len(hub.asked) == 3)
    board.showing.show(hub.add(one))
    assert board.showing.show(hub.add(three))
    assert board.showing.mark == three.sha256[:16]
    board.until(shows(board, three))
    assert [told["picture"] for told in hub.told] == [two.sha256, three.sha256]
    assert hub.asked.count(0) == 2
    assert board.kept() == ["picture"]
    board.showing.show(one.show())
    board.until(lambda: len(hub.asked) % 6 == 3)
    board.showing.show(three.show())  # it has that one: there is nothing to bring any more
    board.until(lambda: not board.showing.under_way)
    board.showing.show(one.show())
    board.until(lambda: board.showing._begun)
    del hub.pictures[one.sha256]  # no more to be had
    board.showing.show(two.show())
    board.until(shows(board, two))


def test_a_screen_that_changes_faster_than_it_is_fetched_is_shown_all_the_same(board: Board, hub: Giver) -> None:
    pictures = [drawn(seed, WIDTH, HEIGHT, busy_rows=300) for seed in range(12)]
    for picture in pictures:
        asked = len(hub.asked)
        board.showing.show(hub.add(picture))
        board.until(lambda asked=asked: len(hub.asked) - asked == 4)  # of six pieces
    assert board.drawn > 6


def test_the_hub_hears_when_nothing_of_it_is_on_the_panel_any_more(board: Board, hub: Giver) -> None:
    one = drawn(1, WIDTH, HEIGHT)
    board.showing.is_covered()  # as at a start
    board.until(lambda: hub.told)
    board.showing.show(hub.add(one))
    board.until(shows(board, one))
    board.showing.is_covered(briefly=True)  # a payment code: that is not for long
    board.showing.met()
    board.rest(1000)
    board.showing.is_shown(one.sha256)
    board.until(lambda: len(hub.told) == 3)
    board.showing.show(None)
    board.until(lambda: len(hub.told) == 4)
    board.showing.is_covered()  # by the next face
    board.rest(1000)
    board.showing.met()  # a hub that has not heard it
    board.until(lambda: len(hub.told) == 5)
    assert [told["picture"] for told in hub.told] == ["", one.sha256, one.sha256, "", ""]
    assert hub.told[-1]["shown_ms"] >= 1000  # type: ignore[operator]


def test_what_is_covered_and_what_cannot_be_shown_are_both_told(board: Board, hub: Giver) -> None:
    one, wrong = drawn(1, WIDTH, HEIGHT), drawn(2, WIDTH, HEIGHT)
    board.showing.show(hub.add(one))
    board.until(shows(board, one))
    hub.deaf = True
    board.showing.show({**hub.add(wrong), "size": 0})
    board.until(lambda: board.showing._sorry)
    board.showing.is_covered()
    hub.deaf = False
    board.until(lambda: len(hub.told) == 3)
    assert [(told["picture"], told["err"]) for told in hub.told[1:]] == [(wrong.sha256, "bad_picture"), ("", "")]


def test_what_the_cable_said_counts_once_the_network_is_away(board: Board, hub: Giver) -> None:
    one, two = drawn(1, WIDTH, HEIGHT), drawn(2, WIDTH, HEIGHT)
    online = [True]
    cable = CableShowing(board.showing, lambda: online[0])
    board.showing.show(hub.add(one))
    cable.met()
    assert cable.take("show", {"show": one.show()}, memoryview(b""))
    assert cable.take("show", {"show": hub.add(two)}, memoryview(b""))
    board.until(shows(board, one))
    assert cable.request(board.ms) is None
    online[0] = False
    assert cable.request(board.ms) is None
    board.until(shows(board, two))
    online[0] = True
    assert cable.take("show", {"show": one.show()}, memoryview(b""))
    cable.met()  # another hub on the cable
    online[0] = False
    cable.request(board.ms)
    assert board.showing.mark == two.sha256[:16]
