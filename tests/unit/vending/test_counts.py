"""Counts where the world and the book part, and what a technician is told about it."""

from __future__ import annotations

import asyncio
import contextlib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.errors import BadInput, Conflict, DeviceUnavailable
from edge.vending import store as sql
from edge.vending.events import SlotChanged
from edge.vending.model import SLOTS_MAX, Machine, Stock, Unsettled, slot_number, slots_said
from edge.vending.views import vend_view
from edge.vending.watch import Watch
from edge.wire.commands import State
from edge.wire.orders import Verdict
from tests.unit.vending.vend_site import vend_site

DEADLINE_S = 60.0


async def test_a_vend_that_succeeds_though_the_count_said_none_shows_that_the_count_was_wrong(
    tmp_path: Path,
) -> None:
    async with vend_site(tmp_path) as site:
        machine = await site.machine()
        await site.stocked(machine, count=2)
        vend = await site.vend(machine)
        stock = (await site.inventory.slot(machine, 1)).stock
        await site.store.hub.write(lambda tx: sql.move(tx, stock, "correction", -2, "tess", note="a wrong count"))
        assert (await site.ended(vend, Verdict.DONE)).state is State.SUCCEEDED
        moves = await site.inventory.movements(limit=2)
        assert [(move.what, move.change, move.count, move.actor) for move in moves] == [
            ("vend", -1, 0, "ann"),
            ("correction", 1, 1, "hub"),
        ]
        assert (await site.inventory.agreement()).disagreements == []


async def test_what_a_person_did_not_see_is_not_settled_by_counting(tmp_path: Path) -> None:
    async with vend_site(tmp_path) as site:
        machine = await site.machine()
        await site.stocked(machine)
        vend = await site.vend(machine)
        with pytest.raises(Conflict, match="not settled"):
            await site.inventory.correct(machine, 1, 2, actor="tess")
        await site.ended(vend, Verdict.UNKNOWN)
        with pytest.raises(Conflict, match="not settled"):
            await site.inventory.correct(machine, 1, 2, actor="tess")
        await site.commands.resolve(await site.commands.get(vend.id), True, "I looked.", actor="tess")
        assert (await site.inventory.correct(machine, 1, 2, actor="tess")).count == 2


async def test_slots_are_told_when_their_machine_comes_and_goes(tmp_path: Path) -> None:
    async with vend_site(tmp_path) as site:
        machine = await site.machine()
        await site.stocked(machine)
        told = site.bus.subscribe(only=(SlotChanged,))
        watching = asyncio.create_task(Watch(site.bus, site.registry, site.presences, site.inventory).run())
        await asyncio.sleep(0)
        for change in (lambda: site.presences.gone(machine.id), lambda: site.presences.seen(machine.id, "poll")):
            change()
            async with asyncio.timeout(DEADLINE_S):
                slots = [await told.get() for _ in range(5)]
            assert [slot.slot.stock.slot for slot in slots if isinstance(slot, SlotChanged)] == [1, 2, 3, 4, 5]
        watching.cancel()
        await asyncio.gather(watching, return_exceptions=True)


facts = st.dictionaries(
    st.sampled_from(["slots", "slots_available", "fw"]),
    st.one_of(st.integers(), st.text(max_size=5), st.booleans(), st.floats(), st.none()),
)


@given(said=facts, profile=st.sampled_from(["native", "vending"]))
def test_a_machine_may_say_anything_of_itself(said: dict[str, object], profile: str) -> None:
    number = slots_said(profile, said)
    assert number is None or 1 <= number <= SLOTS_MAX
    assert number is not None or profile == "native"


@given(st.one_of(st.integers(), st.text(), st.booleans(), st.floats(), st.none(), st.lists(st.integers())))
def test_a_slot_is_a_number_from_1_to_99(value: object) -> None:
    with contextlib.suppress(BadInput):
        assert 1 <= slot_number(value) <= SLOTS_MAX


@given(
    said=st.none() | st.integers(1, SLOTS_MAX),
    counts=st.dictionaries(st.integers(1, 9), st.integers(0, 3)),
    unsettled=st.dictionaries(st.integers(1, 9), st.sampled_from([State.QUEUED, State.SENT, State.IN_DOUBT])),
    number=st.integers(1, SLOTS_MAX),
)
def test_what_vends_is_there_counted_and_free(
    said: int | None, counts: dict[int, int], unsettled: dict[int, State], number: int
) -> None:
    vends = tuple(Unsettled(command_id=f"cmd_{n}", slot=n, state=state) for n, state in unsettled.items())
    stocks = {n: Stock(device_id="m", slot=n, count=count) for n, count in counts.items()}
    machine = Machine(device_id="m", name="Lobby", said=said, stocks=stocks, unsettled=vends)
    refusal = machine.refusal(number)
    free = unsettled.get(number) is None and all(state is State.IN_DOUBT for state in unsettled.values())
    there = number <= (said or SLOTS_MAX)
    filled = counts.get(number, 0) > 0 if counts or said is None else True
    assert (refusal is None) is (free and there and filled)
    assert refusal is None or (refusal.detail and refusal.advice)
    assert bool(machine.slot(number).objection) is (refusal is not None)


async def test_a_machine_that_is_away_with_an_open_vend_names_the_vend_first(tmp_path: Path) -> None:
    async with vend_site(tmp_path) as site:
        machine = await site.machine()
        await site.stocked(machine)
        vend = await site.ended(await site.vend(machine), Verdict.UNKNOWN)
        site.presences.gone(machine.id)
        with pytest.raises(Conflict, match=f"in doubt .{vend.id}"):
            await site.vend(machine)
        await site.commands.resolve(vend, False, "It has not moved.", actor="tess")
        with pytest.raises(DeviceUnavailable, match="is offline; nothing was vended"):
            await site.vend(machine)
        assert len(await site.inventory.vends(limit=9)) == 1
        assert await site.count(machine) == 3


async def test_a_vend_that_was_sent_says_when_it_can_be_settled(tmp_path: Path) -> None:
    async with vend_site(tmp_path) as site:
        machine = await site.machine()
        await site.stocked(machine)
        vend = await site.handed_out(await site.vend(machine))
        with pytest.raises(Conflict, match="this one is sent") as refused:
            await site.commands.resolve(vend, True, "It fell.", actor="tess")
        assert "becomes in doubt by itself, about 20" in refused.value.advice
        assert f"outpost transaction show {vend.id}" in refused.value.advice


async def test_a_vend_has_no_reason_until_it_has_an_end(tmp_path: Path) -> None:
    async with vend_site(tmp_path) as site:
        machine = await site.machine()
        await site.stocked(machine)
        await site.ended(await site.vend(machine), Verdict.NOT_SENT, reason="the device did not ask for it")
        (waiting,) = await site.inventory.vends(limit=1)
        assert (waiting.state, vend_view(waiting, "Lobby").reason) == (State.QUEUED, "")
