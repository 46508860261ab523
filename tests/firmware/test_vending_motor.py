"""The vending machine on this Python, with the power cut before and after all that is stored or turned."""

from __future__ import annotations

import json
import sys
import tempfile
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.firmware.board import ROOT
from tests.firmware.machine import CHIP, FAST

sys.path.insert(0, str(ROOT / "firmware"))

from outpost.commands import Command
from outpost.port import Port
from variants.vending.app import STEP_MS, Vending


class PowerCut(BaseException):
    """Not an Exception: nothing on the board can catch it."""


class Bench(Port):
    """A machine on a bench: its time passes when it waits, its items fall unless they jam."""

    chip = CHIP

    def __init__(self, folder: str, *, sensor: bool) -> None:
        self.files = folder
        self.values: dict[str, bytes] = {}
        self.turned: list[int] = []  # the number of the command each turn was for
        self.fallen: list[int] = []
        self.seq = 0
        self.jam = False
        self.cut_after: int | None = None  # so many steps are done, then the power goes
        self.done_all_the_same = False  # the step the power goes in
        self.fed_ms: list[int] = []
        self.orders: list[tuple[int, int]] = []  # when its motor was told to turn for so long, 0: to stop
        self.breaks_at_ms: int | None = None
        self._sensor = sensor
        self._time_ms = self._told_ms = 0
        self._fell = False

    def passed_ms(self) -> int:
        passed, self._told_ms = self._time_ms - self._told_ms, self._time_ms
        return passed

    def wait(self, ms: int) -> bool:
        self._time_ms += ms
        if self.breaks_at_ms is not None and self._time_ms >= self.breaks_at_ms:
            self.breaks_at_ms = None
            raise RuntimeError("something nobody thought of")
        return False

    def write(self, data: bytes) -> None:
        pass

    def random(self, count: int) -> bytes:
        return bytes(count)

    def heap_free(self) -> int:
        return 0

    def load(self, key: str) -> bytes | None:
        return self.values.get(key)

    def save(self, key: str, value: bytes) -> None:
        self._step(lambda: self.values.update({key: value}))

    def feed_watchdog(self) -> None:
        self.fed_ms.append(self._time_ms)

    def motor(self, slot: int, most_ms: int) -> None:
        self.orders.append((self._time_ms, most_ms))
        if most_ms:
            self._step(self._turn)

    def has_drop_sensor(self) -> bool:
        return self._sensor

    def dropped(self) -> bool:
        fell, self._fell = self._fell, False
        return fell

    def _turn(self) -> None:
        self.turned.append(self.seq)
        if not self.jam:
            self.fallen.append(self.seq)
            self._fell = True

    def _step(self, do: Callable[[], None]) -> None:
        if self.cut_after == 0:
            self.cut_after = None
            if self.done_all_the_same:
                do()
            raise PowerCut
        if self.cut_after is not None:
            self.cut_after -= 1
        do()

    def start(self) -> Vending:
        """Power on. A cut while it starts is only another start."""
        self._fell = False
        try:
            return Vending(self)
        except PowerCut:
            return Vending(self)


vends = st.lists(
    st.tuples(st.integers(1, 5), st.none() | st.integers(0, 8), st.booleans(), st.booleans()),
    min_size=1, max_size=15,
)  # fmt: skip


@given(st.booleans(), vends)
def test_no_schedule_of_cuts_makes_it_turn_twice_or_lie(
    sensor: bool, vends: list[tuple[int, int | None, bool, bool]]
) -> None:
    with tempfile.TemporaryDirectory() as folder:
        bench = Bench(folder, sensor=sensor)
        bench.values["config"] = json.dumps(FAST).encode()
        machine = bench.start()
        for seq, cut_after, done_all_the_same, bench.jam in vends:
            bench.seq, bench.cut_after, bench.done_all_the_same = seq, cut_after, done_all_the_same
            header = {"id": f"c{seq}", "seq": seq, "kind": "vend", "ttl_ms": 60_000, "args": {"slot": 2}}
            try:
                result = machine._commands.run(Command(header, memoryview(b""), machine._clock.ms()))
            except PowerCut:
                machine = bench.start()
                continue
            finally:
                bench.cut_after = None
            truth = bench.fallen if sensor else bench.turned
            if result["err"] not in ("in_doubt", "stale"):
                assert result["ok"] is (seq in truth)
            if result["err"] == "not_begun":
                assert seq not in bench.turned
            assert result.get("evidence", "") == ("sensor" if sensor and result["ok"] else "")
        assert len(bench.turned) == len(set(bench.turned))
        assert machine.describe()["turns_2"] >= len(bench.turned)  # type: ignore[operator]  # a number


def order_at(machine: Vending, seq: int) -> Command:
    header = {"id": f"c{seq}", "seq": seq, "kind": "vend", "ttl_ms": 60_000, "args": {"slot": 2}}
    return Command(header, memoryview(b""), machine._clock.ms())


@pytest.mark.parametrize("sensor", [False, True])
def test_a_motor_turns_no_longer_than_it_is_set_and_the_watchdog_is_fed(tmp_path: Path, sensor: bool) -> None:
    bench = Bench(str(tmp_path), sensor=sensor)
    bench.jam = True
    bench.values["config"] = json.dumps({"motor_ms": 9000, "drop_ms": 12_000}).encode()
    machine = bench.start()
    assert machine._commands.run(order_at(machine, 1))["err"] == ("no_drop" if sensor else "")
    began, most_ms = bench.orders[0]
    stopped = next(at for at, most in bench.orders if most == 0)
    assert most_ms == 9000
    assert stopped - began <= 9000 + STEP_MS
    gaps = [after - before for before, after in pairwise(bench.fed_ms)]
    assert max(gaps) <= STEP_MS
    assert bench.fed_ms[-1] - began >= (12_000 if sensor else 9000) - STEP_MS


def test_a_motor_stops_as_soon_as_something_falls(tmp_path: Path) -> None:
    bench = Bench(str(tmp_path), sensor=True)
    machine = bench.start()
    assert machine._commands.run(order_at(machine, 1))["ok"]
    assert [at for at, _ in bench.orders] == [bench.orders[0][0]] * 2


def test_whatever_breaks_in_a_turn_stops_the_motor_and_leaves_it_in_doubt(tmp_path: Path) -> None:
    bench = Bench(str(tmp_path), sensor=False)
    machine = bench.start()
    bench.breaks_at_ms = 300
    with pytest.raises(RuntimeError):
        machine._commands.run(order_at(machine, 1))
    assert bench.orders[-1][1] == 0
    machine = bench.start()
    assert machine._commands.run(order_at(machine, 1))["err"] == "in_doubt"
    assert bench.turned == [0]


def test_slots_without_a_pin_are_not_there(tmp_path: Path) -> None:
    bench = Bench(str(tmp_path), sensor=False)
    bench.values["config"] = json.dumps({"slots": 5, "motor_pins": [4]}).encode()
    machine = bench.start()
    assert machine._commands.run(order_at(machine, 1))["err"] == "bad_args"
    assert bench.orders == []
