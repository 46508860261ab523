"""At most once: the firmware's ledger, the power cut at any write to flash, the hub asking again and again."""

from __future__ import annotations

import binascii
import sys
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.firmware.board import ROOT

sys.path.insert(0, str(ROOT / "firmware"))

from outpost.backoff import Backoff
from outpost.clock import Clock
from outpost.commands import Command, Commands, Refused
from outpost.health import Health
from outpost.identity import Identity
from outpost.ledger import IN_DOUBT, NOT_BEGUN, RESULTS_MAX, Ledger
from outpost.log import Log
from outpost.port import Port
from outpost.stats import Stats


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

    def heap_free(self) -> int:
        return 1000

    def random(self, count: int) -> bytes:
        return bytes(count)

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


# What the variant knows better


@pytest.mark.parametrize(("err", "evidence"), [(NOT_BEGUN, ""), ("", "sensor"), (IN_DOUBT, "")])
def test_a_variant_settles_a_claim_whose_result_is_missing(err: str, evidence: str) -> None:
    flash = Flash()
    Ledger(flash).claim("c7", 7)
    asked: list[tuple[str, int]] = []

    def settle(id: str, seq: int) -> tuple[str, str]:
        asked.append((id, seq))
        return err, evidence

    ledger = Ledger(flash, settle)
    assert asked == [("c7", 7)]
    assert ledger.in_doubt == ({"id": "c7", "seq": 7} if err == IN_DOUBT else None)
    answer = ledger.answer("c7", 7)
    assert answer is not None
    assert (answer["ok"], answer["err"], answer.get("evidence", "")) == (not err, err, evidence)
    again = Ledger(flash, settle)
    assert again.answer("c7", 7) == answer
    assert asked == [("c7", 7)]  # settled once and for all


def command(seq: int, kind: str = "turn") -> Command:
    return Command({"id": f"c{seq}", "seq": seq, "kind": kind, "ttl_ms": 1000}, memoryview(b""), 0)


def test_evidence_is_kept_with_the_result_and_told_again() -> None:
    flash = Flash()

    def turn(command: Command) -> None:
        command.evidence = "sensor"

    commands = Commands(Ledger(flash), Clock(flash), Log(), {"turn": turn})
    assert commands.run(command(1))["evidence"] == "sensor"
    commands = Commands(Ledger(flash), Clock(flash), Log(), {"turn": turn})
    again = commands.run(command(1))
    assert (again["evidence"], again["repeated"]) == ("sensor", True)


def test_what_comes_over_the_other_link_meanwhile_is_not_begun() -> None:
    flash = Flash()
    meanwhile: list[dict[str, object]] = []

    def turn(_: Command) -> None:
        meanwhile.extend([commands.run(command(2)), commands.run(command(1))])

    commands = Commands(Ledger(flash), Clock(flash), Log(), {"turn": turn})
    assert commands.run(command(1))["ok"]
    assert [result["err"] for result in meanwhile] == ["busy", IN_DOUBT]
    assert commands.run(command(1))["ok"]
    flash_again = Ledger(flash)
    assert flash_again.hwm == 1


# What a device counts


def test_ends_of_commands_are_counted_and_told_with_the_rest() -> None:
    flash = Flash()
    clock = Clock(flash)
    stats = Stats(Identity(flash), Health(flash, clock))

    def refuse(_: Command) -> None:
        raise Refused("no_drop")

    handlers: dict[str, Callable[[Command], None]] = {"turn": lambda _: None, "refuse": refuse}
    commands = Commands(Ledger(flash), clock, Log(), handlers, stats)
    for seq, kind in ((1, "turn"), (2, "refuse"), (3, "turn"), (3, "turn")):
        commands.run(command(seq, kind))
    flash.time_ms = 70
    report = stats.report()
    assert (report["commands_done"], report["commands_failed"], report["commands_in_doubt"]) == (2, 1, 0)
    assert (report["boot"], report["uptime_ms"], report["heap_free"]) == (1, 70, 1000)
    with pytest.raises(KeyError):
        stats.count("no such counter")


def test_the_debug_level_says_what_is_kept_and_what_is_shed_is_counted() -> None:
    log = Log(level=1)
    log.debug("no")
    log.info("yes")
    log.error("bad")
    lines = [log.take(), log.take()]
    assert [line["level"] for line in lines if line] == ["info", "error"]
    assert log.last_error == "bad"
    log.level = 0
    log.info("no")
    assert log.take() is None
    for n in range(20):
        log.error(str(n))
    oldest = log.take()
    assert oldest is not None
    assert (oldest["text"], oldest["dropped"]) == ("4", 4)


def test_the_hubs_time_goes_on_by_the_boards_own_clock() -> None:
    flash = Flash()
    clock = Clock(flash)
    assert clock.utc_us() == 0
    clock.learn(1_800_000_000_000_000)
    flash.time_ms = 1500
    assert clock.utc_us() == 1_800_000_001_500_000
    clock.learn(0)
    assert clock.utc_us() == 0


@given(st.integers(0, 40), st.binary(min_size=4, max_size=4))
def test_waits_grow_to_their_cap_and_are_anything_below_it(failures: int, luck: bytes) -> None:
    flash = Flash()
    flash.random = lambda count: luck[:count]  # type: ignore[method-assign]  # luck, injected
    backoff = Backoff(flash, base_ms=500, cap_ms=60_000)
    waits = [backoff.next_ms() for _ in range(failures + 1)]
    assert all(0 <= wait <= min(60_000, 500 << n) for n, wait in enumerate(waits))
    backoff.reset()
    assert backoff.next_ms() <= 500
