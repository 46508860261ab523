"""Any page of the list of events is what a walk over all bands would list there, however many there are."""

from __future__ import annotations

import random

import pytest

from edge.assets.model import SECOND_US, Band, Past, State, Sums
from edge.compat.assets.pages import past
from edge.compat.assets.pages.past import KINDS, RUN_END, STOP_END
from edge.compat.assets.pages.plant import Machine
from tests.unit.assets.memory_bands import MemoryBands, run

HOUR_US = 3600 * SECOND_US
BEGAN_US = 1_700_000_000 * SECOND_US


def machine(key: str) -> Machine[str]:
    return Machine(
        key=key, id=key, name=key, line="", input="pin_25", logger="l", state="running", since_us=None,
        short_stop_s=300,
    )  # fmt: skip


def history(chance: random.Random, stops: int) -> list[Band]:
    """A machine that runs and stops by chance, with times at which nobody watched."""
    at_us, sums = BEGAN_US + chance.randrange(HOUR_US), Sums()
    bands = [Band(at_us, State.RUNNING, State.RUNNING, Past.RAN, sums=sums)]

    def on(us: int, state: State, began_us: int, *, stops: int = 0, ended: int = 0) -> None:
        nonlocal at_us, sums
        last = bands[-1]
        at_us = last.at_us + us
        sums = last.sums_at(at_us) + Sums(stops=stops, ended_stops=ended)
        past_ = Past.RAN if state is State.RUNNING else Past.STOPS
        bands.append(
            Band(at_us, state, state, past_, began_us or (at_us if stops else 0), last.stopped_at(at_us), sums)
        )

    for _ in range(stops):
        on(chance.randrange(1, HOUR_US), State.STOPPED, 0, stops=1)
        began_us = bands[-1].began_us
        if chance.random() < 0.2:
            on(chance.randrange(1, HOUR_US), State.UNKNOWN, began_us)
        on(chance.randrange(1, HOUR_US), State.RUNNING, began_us, ended=1)
    if chance.random() < 0.5:
        on(chance.randrange(1, HOUR_US), State.STOPPED, 0, stops=1)
    return bands


def listed(
    bands: MemoryBands, machines: list[Machine[str]], span: tuple[int, int], kinds: frozenset[str]
) -> list[tuple[int, str, str]]:
    """All events of a span, newest first, by looking at each band."""
    found = []
    for one in machines:
        for band in bands.by_asset[one.key]:
            kind = STOP_END if band.ends_stop else RUN_END if band.began_us == band.at_us else ""
            if kind in kinds and span[0] <= band.at_us < span[1]:
                found.append((band.at_us, one.key, kind))
    return sorted(found, reverse=True)


@pytest.mark.parametrize("seed", range(6))
def test_every_page_has_its_rows(seed: int) -> None:
    chance, bands = random.Random(seed), MemoryBands()
    machines = [machine(f"m{number}") for number in range(chance.randrange(1, 5))]
    for one in machines:
        bands.by_asset[one.key] = history(chance, chance.randrange(0, 400))
    end_us = BEGAN_US + 2000 * HOUR_US
    span = BEGAN_US + chance.randrange(20 * HOUR_US), end_us - chance.randrange(1500 * HOUR_US)
    for kinds in (KINDS, frozenset({STOP_END}), frozenset({RUN_END})):
        every = listed(bands, machines, span, kinds)
        for limit in (1, 7, 100):
            for offset in {0, 1, limit, len(every) // 2, max(0, len(every) - limit), len(every), len(every) + 5}:
                rows, total = run(past.Past(bands).page(machines, span, offset, limit, kinds))
                assert total == len(every)
                found = [(row.band.at_us, row.machine.key, row.kind) for row in rows]
                assert found == every[offset : offset + limit]


def test_a_page_of_years_costs_a_few_questions() -> None:
    bands = MemoryBands()
    bands.by_asset["m"] = history(random.Random(1), 20_000)
    span = 0, bands.by_asset["m"][-1].at_us + HOUR_US
    rows, total = run(past.Past(bands).page([machine("m")], span, 20_000, 50))
    assert total > 40_000 - 1
    assert len(rows) == 50
    assert bands.lookups < 30


def test_what_ended_says_how_long_it_had_been() -> None:
    bands = MemoryBands()
    bands.by_asset["m"] = history(random.Random(3), 30)
    rows, _ = run(past.Past(bands).page([machine("m")], (0, 2**60), 0, 100))
    for row in rows:
        before = bands.last_before("m", row.band.at_us)
        assert before is not None
        if row.kind == RUN_END:
            assert row.lasted_us == row.band.at_us - before.at_us
        else:
            assert row.lasted_us == row.band.stopped_us > 0


def test_of_no_machines_there_are_no_events() -> None:
    assert run(past.Past(MemoryBands()).page([], (0, 2**60), 0, 50)) == ([], 0)
