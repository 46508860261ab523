"""What a device does with the picture that its hub wants shown: fetched once, kept whole, told when it is there."""

from __future__ import annotations

import json
import random
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.firmware.board import ROOT, has_micropython, virtual_machine
from tests.firmware.panel_board import HEIGHT, WIDTH, Board, shows
from tests.firmware.panels import Giver, Picture, drawn

from outpost import picture_file  # isort: skip
from outpost.showing import FAILED_MS, GONE_MS  # isort: skip

CUTS, MOMENTS = 60, 31_000  # of so many moments, about
BENCH_HEAP = "heapsize=16M"  # for the bench's disk; what the work itself takes is measured
HEAP_BYTES_MAX = 12 * 1024  # on this build, whose words are twice as long as the chip's


@pytest.fixture
def hub() -> Giver:
    return Giver()


@pytest.fixture
def board(tmp_path: Path, hub: Giver) -> Board:
    return Board(tmp_path, hub)


def test_a_picture_is_fetched_in_pieces_shown_told_and_never_fetched_again(board: Board, hub: Giver) -> None:
    one, two = drawn(1, WIDTH, HEIGHT), drawn(2, WIDTH, HEIGHT)
    assert board.showing.show(hub.add(one))
    board.until(shows(board, one))
    assert hub.asked == list(range(0, len(one.data), 2048))
    assert board.showing.mark == one.sha256[:16]
    assert board.kept() == ["picture"]
    asked = len(hub.asked)
    for _ in range(3):
        assert not board.showing.show(one.show(again_s=30))
        board.rest(1000)
    assert board.showing.again_s == 30
    board.power_cut()
    assert board.showing.show(one.show())
    board.until(shows(board, one))
    assert len(hub.asked) == asked
    board.showing.show(hub.add(two))
    board.until(shows(board, two))
    board.showing.show(one.show())  # one is kept, not a museum
    board.until(shows(board, one))
    assert board.drawn == 4


def test_without_hub_and_after_a_power_cut_the_last_one_is_shown_and_told_when_there_is_a_hub(
    board: Board, hub: Giver
) -> None:
    one = drawn(1, WIDTH, HEIGHT)
    board.showing.show(hub.add(one))
    board.until(shows(board, one))
    hub.deaf, hub.told = True, []
    board.panel = b""
    board.power_cut()
    board.until(lambda: board.panel == one.bitmap)
    board.rest(60_000)
    hub.deaf = False
    board.showing.met()
    board.until(lambda: hub.told)
    assert hub.told[0]["picture"] == one.sha256
    assert hub.told[0]["shown_ms"] >= 60_000  # type: ignore[operator]
    board.showing.met()  # another session: it hears it, too
    board.until(lambda: len(hub.told) == 2)
    assert not board.showing.under_way


def test_nothing_scheduled_is_remembered_too_and_costs_no_second_fetch(board: Board, hub: Giver) -> None:
    one = drawn(1, WIDTH, HEIGHT)
    board.showing.show(hub.add(one))
    board.until(shows(board, one))
    assert board.showing.show(None)
    board.until(lambda: board.panel == b"")
    board.power_cut()
    board.rest(1000)
    assert board.panel == b""
    asked = len(hub.asked)
    board.showing.show(one.show())
    board.until(shows(board, one))
    assert len(hub.asked) == asked


def test_a_cut_at_any_byte_of_the_download_goes_on_there_and_keeps_the_last_good_one(
    board: Board, hub: Giver
) -> None:
    one, two = drawn(1, WIDTH, HEIGHT), drawn(2, WIDTH, HEIGHT, busy_rows=200)
    board.showing.show(hub.add(one))
    board.until(shows(board, one))
    hub.add(two)
    part = Path(board.files) / "showing" / "picture.new"
    whole = picture_file.MAGIC + len(two.data).to_bytes(4, "little") + bytes.fromhex(two.sha256) + two.data
    chance = random.Random(8)
    for cut in [0, 1, 3, 39, 40, 41, len(whole) - 1, len(whole), *chance.sample(range(42, len(whole)), 8)]:
        part.write_bytes(whole[:cut])
        board.power_cut()
        board.round()
        assert board.panel == one.bitmap
        hub.asked.clear()
        board.showing.show(two.show())
        board.until(shows(board, two))
        assert hub.asked[:1] == ([max(0, cut - 40)] if cut < len(whole) else [])
        board.showing.show(one.show())
        board.until(shows(board, one))


def test_a_piece_with_a_wrong_byte_costs_one_more_fetch_and_a_second_one_the_picture(
    board: Board, hub: Giver
) -> None:
    one, two = drawn(1, WIDTH, HEIGHT), drawn(2, WIDTH, HEIGHT)
    hub.flips = 1
    board.showing.show(hub.add(one))
    board.until(shows(board, one))
    assert hub.asked.count(0) == 2
    hub.flips = 10**6
    board.showing.show(hub.add(two))
    board.until(lambda: hub.told[-1]["err"])
    assert hub.told[-1] == {"picture": two.sha256, "shown_ms": 0, "err": "bad_picture"}
    assert board.panel == one.bitmap
    asked = len(hub.asked)
    board.rest(FAILED_MS // 2)
    assert len(hub.asked) == asked  # the hub is not asked for it again and again
    hub.flips = 0
    board.rest(FAILED_MS)
    board.until(shows(board, two))


def of_another_panel() -> Picture:
    return drawn(3, 800, 480)


def cut_short() -> Picture:
    return Picture(b"", drawn(3, WIDTH, HEIGHT).data[:-300])


def no_zlib() -> Picture:
    return Picture(b"", b"GIF89a" + bytes(3000))


def of_too_few_rows() -> Picture:
    return drawn(3, WIDTH, HEIGHT - 8)


def of_too_many_rows() -> Picture:
    return drawn(3, WIDTH, HEIGHT + 8)


@pytest.mark.parametrize("made", [of_another_panel, cut_short, no_zlib, of_too_few_rows, of_too_many_rows])
def test_what_is_no_picture_of_this_panel_is_told_and_the_panel_keeps_what_it_has(
    board: Board, hub: Giver, made: Callable[[], Picture]
) -> None:
    one, wrong = drawn(1, WIDTH, HEIGHT), made()
    board.showing.show(hub.add(one))
    board.until(shows(board, one))
    board.showing.show(hub.add(wrong))
    board.until(lambda: hub.told[-1]["err"])
    assert hub.told[-1] == {"picture": wrong.sha256, "shown_ms": 0, "err": "bad_picture"}
    board.rest(1000)
    assert (board.panel, board.kept()) == (one.bitmap, ["picture"])
    asked = len(hub.asked)
    board.showing.show(one.show())  # told another between: at once again
    board.until(shows(board, one))
    board.showing.show(wrong.show())
    board.until(lambda: hub.told[-1]["err"])
    assert len(hub.asked) > asked


@pytest.mark.parametrize("size", [0, 10**6, -1], ids=["none", "too large", "less than none"])
def test_of_a_size_that_no_picture_has_nothing_is_fetched(board: Board, hub: Giver, size: int) -> None:
    one = drawn(1, WIDTH, HEIGHT)
    board.showing.show({**hub.add(one), "size": size})
    board.until(lambda: hub.told)
    assert (hub.told[-1]["err"], hub.asked) == ("bad_picture", [])


def test_a_hub_whose_picture_has_another_size_than_it_said_gives_none(board: Board, hub: Giver) -> None:
    hub.total = 5000
    board.showing.show(hub.add(drawn(1, WIDTH, HEIGHT)))
    board.until(lambda: hub.told)
    assert hub.told[-1]["err"] == "bad_picture"


@pytest.mark.parametrize("said", [None, 7, "x", {}, {"picture": "AB" * 32, "size": 9}, {"picture": "ab" * 32}])
def test_what_is_no_show_is_none(board: Board, said: object) -> None:
    assert not board.showing.show(said)
    assert board.showing.request() is None


def test_a_full_flash_is_told_and_nothing_is_lost(
    board: Board, hub: Giver, monkeypatch: pytest.MonkeyPatch
) -> None:
    one, two = drawn(1, WIDTH, HEIGHT), drawn(2, WIDTH, HEIGHT)
    board.showing.show(hub.add(one))
    board.until(shows(board, one))
    asked = len(hub.asked)
    monkeypatch.setattr(picture_file, "free_bytes", lambda path: 20_000)
    board.showing.show(hub.add(two))
    board.until(lambda: hub.told[-1]["err"])
    assert (hub.told[-1]["err"], len(hub.asked)) == ("no_space", asked)
    monkeypatch.undo()

    def full(self: object, data: bytes) -> None:
        raise OSError(28, "full")

    monkeypatch.setattr(picture_file.PictureFile, "append", full)
    board.showing.show(one.show())
    board.showing.show(two.show())
    board.until(lambda: hub.told[-1]["err"])
    assert (hub.told[-1]["err"], board.kept()) == ("no_space", ["picture"])
    board.power_cut()
    board.panel = b""
    board.until(lambda: board.panel == one.bitmap)


def test_a_hub_that_is_busy_or_has_it_no_more_is_asked_again_and_that_is_no_error(board: Board, hub: Giver) -> None:
    one = drawn(1, WIDTH, HEIGHT)
    hub.says = ["busy", "busy", "gone"]
    board.showing.show(hub.add(one))
    board.until(lambda: not hub.says)
    board.rest(GONE_MS)
    board.until(shows(board, one))
    assert [told["err"] for told in hub.told] == [""]


def test_a_file_that_rots_is_fetched_anew(board: Board, hub: Giver) -> None:
    one = drawn(1, WIDTH, HEIGHT)
    board.showing.show(hub.add(one))
    board.until(shows(board, one))
    file = Path(board.files) / "showing" / "picture"
    file.write_bytes(file.read_bytes()[:-1] + b"?")
    board.power_cut()
    board.panel = b""
    board.rest(1000)
    assert board.panel == b""
    board.showing.show(one.show())
    board.until(shows(board, one))
    board.showing.begin()
    board.showing.is_not(damaged=True)  # found while it is drawn
    asked = len(hub.asked)
    board.until(lambda: len(hub.asked) > asked and board.showing.picture == one.sha256)


def test_what_is_being_drawn_is_not_exchanged_meanwhile(board: Board, hub: Giver) -> None:
    one, two = drawn(1, WIDTH, HEIGHT), drawn(2, WIDTH, HEIGHT)
    board.showing.show(hub.add(one))
    board.until(shows(board, one))
    sha256 = board.showing.begin()
    rows = board.showing.rows()
    seen = next(rows)
    board.showing.show(hub.add(two))
    for _ in range(200):
        board.ms += 10
        board.showing.step()
        hub.answer(board.showing)
    assert board.showing.picture == one.sha256
    assert seen + b"".join(rows) == one.bitmap
    board.showing.is_shown(sha256)
    board.until(shows(board, two))


@pytest.mark.skipif(not has_micropython(), reason="there is no MicroPython for this Python")
def test_the_power_may_go_at_any_byte_while_one_picture_takes_anothers_place() -> None:
    offset = random.Random().randrange(400)
    machine = [word if not word.startswith("heapsize") else BENCH_HEAP for word in virtual_machine()]
    script = Path(__file__).parent / "showing_cuts.py"
    command = [*machine, script, ROOT / "firmware", str(MOMENTS // CUTS), str(offset)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, ""), done.stdout + done.stderr
    came = json.loads(done.stdout.splitlines()[-1])
    assert came["wrong"] == [], (offset, came)
    assert came["cuts"] >= CUTS // 2
    assert came["heap"] < HEAP_BYTES_MAX
