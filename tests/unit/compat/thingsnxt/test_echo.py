"""An order wins over every stale report, and a hand at the board wins over an order that was done."""

from __future__ import annotations

from hypothesis import example, given, settings
from hypothesis import strategies as st

from edge.compat.thingsnxt.echo import SILENT_S, Echoes
from tests.tools import share

DEVICE, KEY = "dev-1", "v0"
STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("order"), st.integers(0, 1)),
        st.tuples(st.just("hand"), st.integers(0, 1)),
        st.tuples(st.sampled_from(["poll", "lost poll", "report", "restart", "silence"]), st.just(0)),
    ),
    max_size=40,
)


class Porch:
    """A board, its owner, and the hub between them."""

    def __init__(self) -> None:
        self.echoes = Echoes()
        self.desired: dict[str, int] = {}
        self.output = self.uptime_ms = 0
        self.now_s = 0.0

    def step(self, kind: str, state: int = 0) -> None:
        """One thing happens."""
        self.now_s += 1
        self.uptime_ms += 1000
        if kind == "order":
            self.desired = {KEY: state}
            self.echoes.ordered(DEVICE, [KEY])
        elif kind == "hand":
            self.output = state
        elif kind == "restart":
            self.output = self.uptime_ms = 0
        elif kind == "silence":
            self.now_s += SILENT_S + 1
        elif kind == "report":
            values = {KEY: self.output}
            self.echoes.reported(DEVICE, values, self.uptime_ms, self.desired, self.now_s)
            self.desired |= self.echoes.by_hand(DEVICE)
        else:
            self.echoes.told(DEVICE, self.desired, self.now_s)
            if kind == "poll" and KEY in self.desired:
                self.output = self.desired[KEY]


@given(STEPS, st.integers(0, 1), st.integers(0, 3))
@settings(max_examples=share(200, 5000))
@example([("order", 1), ("poll", 0), ("report", 0), ("hand", 0)], 1, 1)
def test_an_order_is_carried_out_whatever_came_before(steps: list[tuple[str, int]], state: int, stale: int) -> None:
    porch = Porch()
    for kind, to in steps:
        porch.step(kind, to)
    porch.step("order", state)
    for _ in range(stale):
        porch.step("report")  # what was so before the board has asked
    assert porch.desired == {KEY: state}, "a stale report undid it"
    for _ in range(3):
        porch.step("poll")
        porch.step("report")
        assert (porch.output, porch.desired) == (state, {KEY: state})


@given(STEPS, st.integers(0, 1))
@settings(max_examples=share(200, 5000))
def test_a_hand_at_the_board_stays_once_the_order_was_done(steps: list[tuple[str, int]], state: int) -> None:
    porch = Porch()
    for kind, to in steps:
        porch.step(kind, to)
    porch.step("order", state)
    porch.step("poll")
    porch.step("report")
    porch.step("hand", 1 - state)
    porch.step("report")
    for _ in range(3):
        porch.step("poll")
        porch.step("report")
        assert (porch.output, porch.desired) == (1 - state, {KEY: 1 - state})


@given(STEPS)
@settings(max_examples=share(200, 5000))
def test_hub_and_board_never_switch_against_each_other(steps: list[tuple[str, int]]) -> None:
    porch = Porch()
    for kind, to in steps:
        porch.step(kind, to)
    seen = []
    for _ in range(6):
        porch.step("poll")
        porch.step("report")
        seen.append((porch.output, dict(porch.desired)))
    assert len({str(one) for one in seen[1:]}) == 1
