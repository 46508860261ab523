"""The e-paper's panel and what is around its board, without a board: what is drawn when, and what is told."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.firmware.flash import Flash
from tests.firmware.panels import Giver, drawn

from outpost.clock import Clock  # isort: skip
from outpost.log import Log  # isort: skip
from outpost.port import Paper, TagReader  # isort: skip
from outpost.showing import Showing  # isort: skip
from outpost.sleep import KEY, Sleep  # isort: skip
from ports.unix_inflate import PythonInflate  # isort: skip
from variants.eink.face import Face  # isort: skip
from variants.eink.room import LONG, LONG_MS, READER_MS, SHORT, TAG_GONE_MS, Room  # isort: skip
from variants.eink.sheet import RETRY_MS, SETTLE_MS, Sheet  # isort: skip

WIDTH, HEIGHT = 800, 480
REST_MS = 30_000
ROUND_MS = 50


class Panel(Paper):
    """Shows whole what it is given; `dead`: it does not answer. It takes the rows twice, as the real one does."""

    def __init__(self) -> None:
        self.shows = b""
        self.drawn = 0
        self.dead = False

    def slices(self, rows: Callable[[], Iterator[bytes]]) -> Iterator[None]:
        for _ in rows():
            yield
        if self.dead:
            raise OSError(110)
        picture = []
        for piece in rows():
            picture.append(piece)
            yield
        self.shows = b"".join(picture)
        self.drawn += 1


class Reader(TagReader):
    """`tag` lies there; an error instead: it does not answer."""

    def __init__(self) -> None:
        self.tag: str | None = ""
        self.looks = 0

    def look(self, now: int) -> str | None:
        self.looks += 1
        if self.tag == "?":
            raise OSError(19)
        return self.tag


class Board(Flash):
    """A port whose time passes when it is told to, and what the e-paper's board hangs on it."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.hub, self.paper, self.reader = Giver(), Panel(), Reader()
        self.inputs: dict[str, bool] = {"motion": False, "button": False}
        self.says: dict[str, object] = {"temperature": 21.5, "humidity": 40.0, "a0": 1.6}
        self.woke = ""
        self.passed = 0
        self.boot()

    def boot(self) -> None:
        self.clock, self.log = Clock(self), Log(3)
        self.showing = Showing(self, self.clock, self.log, WIDTH, HEIGHT)
        self.sheet = Sheet(self, self.clock, self.log, self.paper, self.showing, REST_MS)
        self.noted: list[dict[str, object]] = []
        self.pressed: list[str] = []
        self.room = Room(self, self.clock, self.log, 10_000, self.noted.append)

    def passed_ms(self) -> int:
        passed, self.passed = self.passed, 0
        return passed

    def forget(self, key: str) -> None:
        self.values.pop(key, None)

    def inflate(self, source: object) -> PythonInflate:  # type: ignore[override]  # a file, as the port has it
        return PythonInflate(source)  # type: ignore[arg-type]  # the same

    def tag_reader(self) -> TagReader:
        return self.reader

    def woken_by(self) -> str:
        return self.woke

    def read_inputs(self) -> dict[str, bool]:
        return self.inputs

    def measured(self) -> dict[str, object]:
        return dict(self.says)

    def live(self, ms: int, face: Face | None = None, *, urgent: bool = False) -> None:
        """So long of its main loop."""
        for _ in range(max(1, ms // ROUND_MS)):
            self.passed += ROUND_MS
            self.showing.step()
            self.sheet.tick(face, urgent)
            self.hub.answer(self.showing)
            pressed = self.room.tick()
            self.pressed += [pressed] if pressed else []


@pytest.fixture
def board(tmp_path: Path) -> Board:
    return Board(tmp_path)


WHO, OTHER = Face("Till 3", ["hub away"]), Face("Till 3", ["hub connected"])


def test_a_face_has_to_hold_and_every_drawing_is_followed_by_a_rest(board: Board) -> None:
    board.live(SETTLE_MS - ROUND_MS, WHO)
    board.live(SETTLE_MS // 2, OTHER)
    assert board.paper.drawn == 0
    board.live(3 * SETTLE_MS, WHO)
    assert board.paper.drawn == 1
    one = drawn(1, WIDTH, HEIGHT)
    board.showing.show(board.hub.add(one))
    board.live(REST_MS // 2)
    assert (board.showing.picture, board.paper.drawn) == (one.sha256, 1)
    assert board.sheet.busy  # it is due soon: who sleeps waits for it
    board.live(REST_MS)
    assert (board.paper.shows, board.paper.drawn, board.hub.told[-1]["picture"]) == (one.bitmap, 2, one.sha256)
    board.live(3 * SETTLE_MS, WHO, urgent=True)  # somebody waits
    assert board.paper.drawn == 3
    board.live(2 * REST_MS)
    assert (board.paper.shows, board.paper.drawn) == (one.bitmap, 4)
    assert [told["picture"] for told in board.hub.told] == ["", one.sha256, "", one.sha256]  # by a face, twice


def test_a_power_cut_while_it_is_drawn_has_it_drawn_again_and_after_it_not(board: Board) -> None:
    one = drawn(1, WIDTH, HEIGHT)
    board.showing.show(board.hub.add(one))
    while board.values.get("panel") != b"" and not board.showing.picture:
        board.live(ROUND_MS)
    board.live(2 * ROUND_MS)
    assert board.paper.drawn == 0
    board.boot()
    board.live(10_000)
    assert (board.paper.shows, board.paper.drawn) == (one.bitmap, 1)
    board.boot()
    board.live(10_000)
    assert board.paper.drawn == 1
    assert board.hub.told[-1] == {"picture": one.sha256, "shown_ms": 0, "err": ""}


def test_a_panel_that_does_not_answer_is_told_and_tried_again_and_keeps_nobody_awake(board: Board) -> None:
    one = drawn(1, WIDTH, HEIGHT)
    board.paper.dead = True
    board.showing.show(board.hub.add(one))
    board.live(20_000)
    assert "the panel does not answer" in board.log.last_error
    assert not board.sheet.busy
    assert board.hub.told == []  # it is not to be seen
    board.paper.dead = False
    board.live(20_000, WHO, urgent=True)
    assert board.paper.drawn == 0
    board.live(RETRY_MS)
    assert (board.paper.shows, board.hub.told[-1]["picture"]) == (one.bitmap, one.sha256)


def test_a_file_that_rots_while_it_is_drawn_is_fetched_anew(board: Board) -> None:
    one = drawn(1, WIDTH, HEIGHT)
    board.showing.show(board.hub.add(one))
    board.live(10_000)
    board.live(2 * SETTLE_MS, WHO, urgent=True)
    file = Path(board.files) / "showing" / "picture"
    file.write_bytes(file.read_bytes()[:2000])
    board.live(3 * REST_MS)
    assert "damaged" in board.log.last_error
    assert board.hub.asked.count(0) == 2
    assert board.paper.shows == one.bitmap


def test_a_short_press_and_a_long_one_each_count_once_and_bounces_not_at_all(board: Board) -> None:
    for ms, press in ((ROUND_MS, ""), (500, SHORT), (LONG_MS - 200, SHORT), (3 * LONG_MS, LONG)):
        board.pressed.clear()
        board.inputs["button"] = True
        board.live(ms)
        board.inputs["button"] = False
        board.live(1000)
        assert board.pressed == ([press] if press else []), ms
    assert not board.room.active


def test_what_is_measured_and_who_moves_is_told(board: Board) -> None:
    board.live(1900)
    assert not board.room.measured
    board.live(200)
    assert board.noted == [{"temperature": 21.5, "humidity": 40.0, "motion": False}]
    board.inputs["motion"] = True
    board.live(500)
    board.inputs["motion"] = False
    board.live(500)
    assert board.noted[1:] == [{"motion": True}, {"motion": False}]
    board.says = {}  # the sensor does not answer
    board.live(10_000)
    assert board.noted[3:] == [{"motion": False}]
    board.woke = "motion"
    board.boot()
    assert board.noted == [{"motion": True}]  # it may be over by now


def test_a_tag_is_told_once_for_each_time_it_is_presented(board: Board) -> None:
    def tags() -> list[object]:
        return [values["nfc"] for values in board.noted if "nfc" in values]

    for tag in ("04AA", None, "04AA", "", "04AA", "04BB"):  # a look that fails for once is no new presentation
        board.reader.tag = tag
        board.live(TAG_GONE_MS // 3)
    assert tags() == ["04AA", "04BB"]
    assert board.room.active
    board.reader.tag = ""
    board.live(2 * TAG_GONE_MS)
    assert not board.room.active
    board.reader.tag = "04BB"
    board.live(200)
    assert tags() == ["04AA", "04BB", "04BB"]
    board.reader.tag = "?"
    looks = board.reader.looks
    board.live(READER_MS - 1000)
    assert board.reader.looks == looks + 1  # it is not asked in every round
    board.reader.tag = "04CC"
    board.live(READER_MS)
    assert tags()[-1] == "04CC"


def test_sleep_is_what_was_desired_last_and_outlives_the_power(board: Board) -> None:
    sleep = Sleep(board, board.log)
    assert (sleep.on, sleep.seconds) == (False, 900)
    assert sleep.apply({"sleep": True, "sleep_s": 600, "v0": True}) == {"sleep": True, "sleep_s": 600}
    assert sleep.apply({"sleep_s": 5}) == {}  # out of bounds: pending
    assert sleep.apply({"sleep": "yes"}) == {}
    again = Sleep(board, board.log)
    assert (again.on, again.seconds) == (True, 600)
    assert (again.ms(0), again.ms(60), again.ms(3600), again.ms(1)) == (600_000, 60_000, 600_000, 30_000)
    for damaged in (b"", b"{", b"[]", b"7", b'{"sleep": 7, "sleep_s": "x"}'):
        board.values[KEY] = damaged
        assert not Sleep(board, board.log).on
