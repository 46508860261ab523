"""Whatever the line does to what hubs send, and whichever old card is put back: what was taken is there, once."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any, TypeVar

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule, run_state_machine_as_test

from edge.wire.sync import pack
from tests.fakes.sync_hub import SyncHub
from tests.integration.centre.hubs import chain_of, enrolled, facts_of, held, readings_of
from tests.integration.running_hub import Answer
from tests.running_centre import RunningCentre, database_of, started
from tests.tools import share

T = TypeVar("T")
few = st.integers(1, 6)
spans = st.tuples(st.integers(0, 10_000), st.integers(0, 12))
FORESEEN = {"expects", "forked", "not-a-batch", "row-rejected", "too-large"}


@pytest.fixture
def served(engine: str, tmp_path: Path) -> Iterator[tuple[asyncio.Runner, RunningCentre]]:
    """A centre, and what its loop is run by."""
    with asyncio.Runner() as runner:
        stack = AsyncExitStack()

        async def start() -> RunningCentre:
            url = await stack.enter_async_context(database_of(engine))
            return await stack.enter_async_context(started(tmp_path / "centre", database=url))

        try:
            yield runner, runner.run(start())
        finally:
            runner.run(stack.aclose())


class ExactlyOnce(RuleBasedStateMachine):
    """A site's hub, its old memory cards, and the line. `taken` is what the centre has said it took."""

    def __init__(self, runner: asyncio.Runner, centre: RunningCentre) -> None:
        super().__init__()
        self.run_in, self.centre = runner, centre
        self.hub: SyncHub = self.do(enrolled(centre))
        self.cards = [self.hub.copied()]
        self.facts: set[Any] = set()
        self.readings: set[Any] = set()
        self.do(self.hub.join())

    def do(self, asked: Any) -> Any:
        """Let the centre's loop do it."""
        return self.run_in.run(asked)

    def took(self, stream: str, first: int, last: int, answer: Answer) -> None:
        """Note what an answer says was taken."""
        if answer.status != 200:
            assert answer.code in FORESEEN, answer
        elif stream == "ledger":
            self.facts.update(self.hub.facts[first - 1 : last])
        else:
            self.readings.update(held(self.hub)[first - 1 : last])

    def span(self, span: tuple[int, int], rows: list[Any]) -> tuple[int, int]:
        """Some numbers of rows there are."""
        first = 1 + span[0] % len(rows)
        return first, min(len(rows), first + span[1])

    @rule(facts=few, readings=few, word=st.sampled_from("ab"))
    def write(self, facts: int, readings: int, word: str) -> None:
        """The hub goes on working."""
        for number in range(facts):
            self.hub.fact(word=word, number=number)
        for number in range(readings):
            self.hub.reading(word * number if number % 3 == 2 else float(number), key=f"key {number % 3}")

    @precondition(lambda self: self.hub.facts)
    @rule(span=spans)
    def send_facts(self, span: tuple[int, int]) -> None:
        """Some facts, not always those wanted next."""
        first, last = self.span(span, self.hub.facts)
        self.took("ledger", first, last, self.do(self.hub.send_facts(first, last)))

    @precondition(lambda self: self.hub.readings)
    @rule(asked=st.lists(spans, min_size=1, max_size=4))
    def send_readings(self, asked: list[tuple[int, int]]) -> None:
        """Ranges at once, in any order and overlapping, some of them again."""
        ranges = [self.span(span, self.hub.readings) for span in asked]

        async def all_at_once() -> list[Answer]:
            return await asyncio.gather(*(self.hub.send_readings(*each) for each in ranges))

        for (first, last), answer in zip(ranges, self.do(all_at_once()), strict=True):
            self.took("readings", first, last, answer)

    @precondition(lambda self: self.hub.facts)
    @rule(span=spans, stream=st.sampled_from(["ledger", "readings"]), at=st.floats(0, 0.999), cut=st.booleans())
    def send_damaged(self, span: tuple[int, int], stream: str, at: float, cut: bool) -> None:
        """A batch in which one bit is another one, or which is cut short."""
        first, last = self.span(span, self.hub.facts if stream == "ledger" else self.hub.readings)
        batch: Any = self.hub.ledger_batch if stream == "ledger" else self.hub.readings_batch
        body = bytearray(pack(batch(first, last)))
        place = int(at * len(body))
        if cut:
            del body[place:]
        else:
            body[place] ^= 1 << (place % 8)
        self.took(stream, first, last, self.do(self.hub.ask(stream, bytes(body))))

    @rule()
    def save_card(self) -> None:
        """Somebody keeps a copy of the card."""
        self.cards = [*self.cards[-3:], self.hub.copied()]

    @rule(which=st.integers(0, 3))
    def put_card_back(self, which: int) -> None:
        """The hub starts with an old card."""
        self.hub = self.cards[which % len(self.cards)].copied()
        self.do(self.hub.join())

    @rule()
    def reconnect(self) -> None:
        """A new session; what the one before still sends is refused."""
        before = self.hub.session
        self.do(self.hub.join())
        now, self.hub.session = self.hub.session, before
        if self.hub.facts:
            assert self.do(self.hub.send_facts(1, 1)).code == "session-over"
            assert self.do(self.hub.send_readings(1, 1)).code == "session-over"
        self.hub.session = now

    @invariant()
    def what_was_taken_is_there_once(self) -> None:
        """No row is lost, none is there twice, none is another one."""
        facts = self.do(facts_of(self.centre, self.hub))
        assert len(facts) == len(set(facts))
        assert set(facts) == self.facts
        readings = self.do(readings_of(self.centre, self.hub))
        assert len(readings) == len(set(readings))
        assert set(readings) == self.readings

    def teardown(self) -> None:
        """In the end the hub catches up, and both have the same."""
        self.do(self.hub.catch_up())
        self.facts.update(self.hub.facts)
        self.readings.update(held(self.hub))
        self.what_was_taken_is_there_once()
        assert self.do(chain_of(self.centre, self.hub))["whole"]


def test_what_is_taken_is_there_exactly_once(served: tuple[asyncio.Runner, RunningCentre]) -> None:
    slow = [HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.filter_too_much]
    run_state_machine_as_test(
        lambda: ExactlyOnce(*served),
        settings=settings(
            max_examples=share(3, 200),
            stateful_step_count=25,
            deadline=None,
            suppress_health_check=slow,
            database=None,
        ),
    )
