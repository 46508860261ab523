"""An update and a picture at once: they take turns, and neither holds up the other."""

from __future__ import annotations

from collections.abc import Generator
from pathlib import Path

import pytest

from tests.firmware.flash import Flash

from outpost.backoff import Backoff  # isort: skip
from outpost.clock import Clock  # isort: skip
from outpost.errands import PAUSE_MS_MAX, TRIES_MAX, Errands  # isort: skip
from outpost.http import HttpError  # isort: skip
from outpost.request import Request  # isort: skip

PANEL, UPDATE = 0, 1


class Stats:
    def count(self, name: str) -> None:
        """Nobody looks at it here."""


class Wants:
    """Always has something to ask; `mark` for the poll, and what it was told."""

    able = True

    def __init__(self, mark: str) -> None:
        self.mark = mark
        self.said: list[object] = []

    def request(self) -> Request:
        return Request(None, {})

    def show(self, said: object) -> bool:
        self.said.append(said)
        return True

    offer = show


class Board(Flash):
    ms = 0

    def passed_ms(self) -> int:
        passed, self.ms = self.ms, 0
        return passed

    def random(self, count: int) -> bytes:
        return b"\x01" * count


class Bench:
    """Errands whose requests are answered as `statuses` says, by whose they are."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.port = Board(folder)
        self.asked: list[int] = []
        self.statuses = {PANEL: 206, UPDATE: 206}
        self.panel, self.update = Wants("p"), Wants("u")
        self.pauses = Backoff(self.port)
        self.errands = Errands(self.port, Clock(self.port), Stats(), self.update, self.panel)  # type: ignore[arg-type]  # fewer words than the real ones
        monkeypatch.setattr(self.errands, "_exchange", self._exchange)

    def _exchange(self, number: int, session: object, request: Request) -> Generator[None, None, tuple[int, int]]:
        self.asked.append(number)
        yield
        if not self.statuses[number]:
            raise HttpError("gone")
        return self.statuses[number], 3000

    def run(self) -> bool:
        work = self.errands.run(None, self.pauses)  # type: ignore[arg-type]  # it is passed on
        try:
            while True:
                next(work)
                self.port.ms += 1000
        except StopIteration as ended:
            return bool(ended.value)


@pytest.fixture
def bench(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Bench:
    return Bench(tmp_path, monkeypatch)


def test_one_piece_of_each_in_turn(bench: Bench) -> None:
    for _ in range(3):
        assert bench.run()
    assert bench.asked == [PANEL, UPDATE] * 3
    assert bench.errands.query() == "&offer=u&show=p"


def test_one_that_is_told_to_wait_does_not_hold_up_the_other(bench: Bench) -> None:
    bench.statuses[UPDATE] = 503
    bench.run()
    for _ in range(2):
        bench.run()
    assert bench.asked == [PANEL, UPDATE, PANEL, PANEL]
    bench.port.ms += PAUSE_MS_MAX
    bench.run()
    assert bench.asked[4:] == [PANEL, UPDATE]


def test_a_connection_that_fails_is_left_after_some_tries(bench: Bench) -> None:
    bench.statuses[PANEL] = 0
    for _ in range(TRIES_MAX - 1):
        assert bench.run()
    with pytest.raises(HttpError):
        bench.run()
    assert bench.asked == [PANEL] * TRIES_MAX


def test_a_hub_that_has_not_approved_the_board_says_nothing_of_its_panel(bench: Bench) -> None:
    assert bench.errands.take({"show": {}}, approved=False)
    assert (bench.panel.said, bench.update.said) == ([], [None])
    assert bench.errands.take({"show": {}, "offer": 7}, approved=True)
    assert (bench.panel.said, bench.update.said) == ([{}], [None, 7])
