"""At most once: the firmware's ledger, the power cut at any write to flash, the hub asking again and again."""

from __future__ import annotations

import binascii
import sys
from collections.abc import Callable

from hypothesis import given
from hypothesis import strategies as st

from tests.firmware.board import ROOT

sys.path.insert(0, str(ROOT / "firmware"))

from outpost.clock import Clock
from outpost.commands import Command, Commands
from outpost.ledger import RESULTS_MAX, Ledger
from outpost.log import Log
from outpost.port import Port


class PowerCut(BaseException):
    """Not an Exception: nothing on the board can catch it."""


class Flash(Port):
    """Non-volatile storage that outlives its board. `cut_after` writes succeed, then the power goes in the next.

    A write the power goes in is there or is not, as `torn_is_there` says.
    """

    def __init__(self) -> None:
        self.values: dict[str, bytes] = {}
        self.cut_after: int | None = None
        self.torn_is_there = False
        self.time_ms = 0

    def passed_ms(self) -> int:
        passed, self.time_ms = self.time_ms, 0
        return passed

    def load(self, key: str) -> bytes | None:
        return self.values.get(key)

    def save(self, key: str, value: bytes) -> None:
        if self.cut_after == 0:
            self.cut_after = None
            if self.torn_is_there:
                self.values[key] = value
            raise PowerCut
        if self.cut_after is not None:
            self.cut_after -= 1
        self.values[key] = value


class Vendor:
    """A board that turns a motor; `turned` is what a customer finds in the tray."""

    def __init__(self) -> None:
        self.flash = Flash()
        self.turned: list[str] = []
        self.boot()

    def boot(self) -> None:
        """Power on. A cut while it starts is only another start."""
        try:
            self._start()
        except PowerCut:
            self._start()

    def _start(self) -> None:
        self.ledger = Ledger(self.flash)
        handlers: dict[str, Callable[[Command], None]] = {"turn": lambda command: self.turned.append(command.id)}
        self.commands = Commands(self.ledger, Clock(self.flash), Log(), handlers)

    def receive(self, seq: int, *, id: str = "", ttl_ms: int = 1000, late_ms: int = 0) -> dict[str, object] | None:
        """The result, or None when the power went; it has booted again then."""
        blob = b"blob"
        header = {
            "id": id or f"c{seq}", "seq": seq, "kind": "turn", "ttl_ms": ttl_ms,
            "blob_size": len(blob), "blob_crc": binascii.crc32(blob),
        }  # fmt: skip
        self.flash.time_ms = late_ms
        try:
            return dict(self.commands.run(Command(header, memoryview(blob), 0)))
        except PowerCut:
            self.boot()
            return None


steps = st.lists(
    st.tuples(st.integers(1, 6), st.none() | st.integers(0, 1), st.booleans()), min_size=1, max_size=30
)


@given(steps)
def test_nothing_turns_twice_and_every_answer_is_true(steps: list[tuple[int, int | None, bool]]) -> None:
    board = Vendor()
    for seq, cut_after, torn_is_there in steps:
        board.flash.cut_after, board.flash.torn_is_there = cut_after, torn_is_there
        result = board.receive(seq)
        board.flash.cut_after = None
        if result is not None and result["err"] != "in_doubt":
            assert (f"c{seq}" in board.turned) is result["ok"]
    assert len(board.turned) == len(set(board.turned))


def test_a_cut_before_the_claim_leaves_it_free_and_one_after_leaves_it_in_doubt() -> None:
    board = Vendor()
    board.flash.cut_after = 0
    assert board.receive(1) is None
    assert board.turned == []
    assert board.ledger.in_doubt is None
    board.flash.cut_after = 1
    assert board.receive(1) is None
    assert board.turned == ["c1"]
    assert board.ledger.in_doubt == {"id": "c1", "seq": 1}
    board.receive(2)
    for _ in range(2):
        result = board.receive(1)
        assert result is not None
        assert (result["ok"], result["err"]) == (False, "in_doubt")
        board.boot()
    assert board.turned == ["c1", "c2"]


def test_the_last_results_are_remembered_whatever_the_gaps_between_numbers() -> None:
    board = Vendor()
    numbers = [n * RESULTS_MAX for n in range(1, 2 * RESULTS_MAX)]
    for seq in numbers:
        board.receive(seq)
    board.boot()
    remembered = [seq for seq in numbers if (board.receive(seq) or {})["ok"]]
    assert remembered == numbers[-RESULTS_MAX:]
    assert len(board.turned) == len(numbers)


def test_a_known_number_with_another_id_is_stale() -> None:
    board = Vendor()
    board.receive(5)
    result = board.receive(5, id="somebody else's")
    assert result is not None
    assert result["err"] == "stale"


def test_what_comes_too_late_is_refused_and_its_number_stays_free() -> None:
    board = Vendor()
    result = board.receive(1, ttl_ms=500, late_ms=500)
    assert result is not None
    assert (result["err"], board.turned, board.ledger.hwm) == ("expired", [], 0)


def test_a_torn_result_is_doubt_and_not_a_second_turn() -> None:
    board = Vendor()
    board.receive(1)
    board.flash.values["result0"] = b'{"id": "c1", "se'
    board.boot()
    result = board.receive(1)
    assert result is not None
    assert result["err"] == "in_doubt"
    assert board.turned == ["c1"]
