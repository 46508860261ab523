"""What gets lost between the hub and an old vending machine: the vend ends in doubt or as it was, never twice."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from edge.compat.vending import handout, machines
from edge.sim.vending_wifi import Faults, WifiMachine
from tests.integration.compat.old_vending import MAC, Shop, by_hand, confirmation, fetched, shop_in
from tests.integration.running_hub import until


@pytest.fixture
async def shop(tmp_path: Path) -> AsyncIterator[Shop]:
    async with shop_in(tmp_path) as shop:
        yield shop


@pytest.fixture
def hasty(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody waits ten seconds for a confirmation."""
    monkeypatch.setattr(handout, "CONFIRM_S", 0.4)


@pytest.mark.usefixtures("hasty")
async def test_a_lost_confirmation_ends_in_doubt_and_never_in_a_second_turn(shop: Shop) -> None:
    machine = await shop.machine(faults=Faults(lost_confirms=1))
    await shop.vend(3)
    await shop.stands("in_doubt")
    await shop.polls(machine)
    assert machine.turns == {3: 1}
    refused = await shop.vend(3)
    assert refused.status == 409
    assert "in doubt" in refused.body["message"]
    assert (await shop.vend(4)).status == 200  # the other slots go on
    await shop.stands("in_doubt", "succeeded")
    assert machine.turns == {3: 1, 4: 1}


@pytest.mark.usefixtures("hasty")
async def test_a_lost_answer_to_the_poll_is_never_sent_again(shop: Shop) -> None:
    machine = await shop.machine(approved=False)
    await shop.approve()
    await shop.vend(3)
    machine.faults.lost_replies = 3
    await shop.stands("in_doubt")
    await shop.polls(machine)
    assert machine.turns == {}


async def test_a_connection_that_broke_before_the_answer_costs_nothing(shop: Shop) -> None:
    machine = await shop.machine()
    machine.faults.broken_polls = 5
    await shop.polls(machine, 2)
    await shop.vend(3)
    await until(lambda: _settled(shop))
    await shop.polls(machine, 6)
    states = await shop.states()
    assert machine.turns == ({3: 1} if states == ["succeeded"] else {}), states


async def _settled(shop: Shop) -> bool:
    return not any(state in ("queued", "sent") for state in await shop.states())


async def test_what_would_leave_too_late_is_not_handed_out(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    await by_hand(shop)
    await shop.vend(3)
    monkeypatch.setattr(machines, "ANSWER_S", -1.0)
    assert (await shop.page("GET", f"/esp32/commands/ESP32_{MAC}")).body is None
    assert await shop.states() == ["queued"]
    monkeypatch.undo()
    assert (await shop.page("GET", f"/esp32/commands/ESP32_{MAC}")).body["command"] == "VEND"


async def test_a_confirmation_after_a_restart_of_the_hub_settles_the_vend(tmp_path: Path) -> None:
    async with shop_in(tmp_path) as shop:
        await by_hand(shop)
        await fetched(shop)
    async with shop_in(tmp_path) as shop:
        assert await shop.states() == ["in_doubt"]
        assert (await shop.page("GET", f"/esp32/commands/ESP32_{MAC}")).body is None
        await shop.page("POST", "/esp32/confirm", confirmation())
        assert await shop.states() == ["succeeded"]
        assert (await shop.page("GET", f"/esp32/commands/ESP32_{MAC}")).body is None


async def test_a_vend_that_waited_over_a_restart_is_handed_out_once(tmp_path: Path) -> None:
    async with shop_in(tmp_path) as shop:
        await by_hand(shop)
        await shop.vend(2)
    async with shop_in(tmp_path) as shop:
        machine = await shop.machine(approved=False)
        await shop.stands("succeeded")
        await shop.polls(machine)
        assert machine.turns == {2: 1}


@pytest.mark.usefixtures("hasty")
async def test_a_late_confirmation_settles_what_was_in_doubt(shop: Shop) -> None:
    await by_hand(shop)
    await fetched(shop)
    await shop.stands("in_doubt")
    await shop.page("POST", "/esp32/confirm", confirmation(success=False))
    assert await shop.states() == ["failed"]


async def test_no_success_is_a_failure_and_the_count_stays(shop: Shop) -> None:
    await by_hand(shop)
    await shop.hub.vending.inventory.restock(shop.device(), 3, 5, actor="tess")
    await fetched(shop)
    await shop.page("POST", "/esp32/confirm", confirmation(success=False))
    assert await shop.states() == ["failed"]
    assert (await shop.hub.vending.inventory.slot(shop.device(), 3)).count == 5


async def test_a_confirmation_that_nothing_waits_for_changes_nothing_and_is_kept(shop: Shop) -> None:
    await by_hand(shop)
    await fetched(shop)
    await shop.page("POST", "/esp32/confirm", confirmation(4))  # of another slot
    assert await shop.states() == ["sent"]
    for _ in range(2):
        assert (await shop.page("POST", "/esp32/confirm", confirmation())).status == 200
    assert await shop.states() == ["succeeded"]
    lines = [line for line in await shop.log() if "no vend of it waits" in line]
    assert len(lines) == 2
    assert "slot 4" in lines[1]


@pytest.mark.usefixtures("hasty")
async def test_a_late_word_about_one_order_is_never_taken_for_the_next(shop: Shop) -> None:
    await by_hand(shop)
    await fetched(shop)
    await shop.stands("in_doubt")
    [doubtful] = shop.hub.commands.open()
    await shop.hub.commands.resolve(doubtful, True, "the customer has it", actor="tess")
    assert (await shop.vend(3)).status == 200
    assert (await shop.page("GET", f"/esp32/commands/ESP32_{MAC}")).body is None  # the late word may still come
    await shop.page("POST", "/esp32/confirm", confirmation())
    assert await shop.states() == ["succeeded", "queued"]
    assert (await shop.page("GET", f"/esp32/commands/ESP32_{MAC}")).body["slot"] == 3


async def test_a_restart_in_mid_vend_is_in_doubt_at_once(shop: Shop) -> None:
    machine = await shop.machine(faults=Faults(resets_in_vend=1))
    await shop.vend(3)
    await shop.stands("in_doubt")
    [vend] = await shop.hub.vending.inventory.vends(limit=9)
    assert "restarted" in vend.reason
    await shop.polls(machine)
    assert machine.turns == {3: 1}


async def test_a_jam_is_booked_as_the_machines_word_only(shop: Shop) -> None:
    machine = await shop.machine(faults=Faults(jam_share=1.0))
    await shop.vend(3)
    await shop.stands("succeeded")
    [vend] = await shop.hub.vending.inventory.vends(limit=9)
    assert vend.evidence == "machine"  # not `sensor`: its firmware says success before it could know
    assert machine.fallen == {}


async def test_somebody_elses_confirmation_does_not_count(shop: Shop) -> None:
    await by_hand(shop)
    await fetched(shop)
    stranger = WifiMachine(shop.url, MAC, source="127.0.0.9")
    await stranger._confirm(3, success=True, message="mine")
    assert await shop.states() == ["sent"]
    await shop.page("POST", "/esp32/confirm", confirmation())
    assert await shop.states() == ["succeeded"]


async def test_a_restart_of_the_hub_gives_a_machines_place_to_nobody_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    thief = WifiMachine(mac=MAC, source="127.0.0.9")
    async with shop_in(tmp_path) as shop:
        await by_hand(shop)
        await shop.vend(3)
    async with shop_in(tmp_path) as shop:
        thief.server = shop.url
        await thief.boot()  # it is there first, and registers
        await thief.turn()
        await thief._confirm(3, success=True, message="mine")
        assert await shop.states() == ["queued"]
        assert thief.turns == {}
        assert (await shop.page("GET", f"/esp32/commands/ESP32_{MAC}")).body["slot"] == 3
        await shop.page("POST", "/esp32/confirm", confirmation())
        assert await shop.states() == ["succeeded"]
    monkeypatch.setattr(machines, "RETURN_S", 0.2)
    async with shop_in(tmp_path) as shop:  # the machine itself got another address meanwhile
        thief.server = shop.url

        async def comes_back() -> bool:
            await thief.turn()
            return shop.device().facts["address"] == "127.0.0.9"

        await until(comes_back)
        await shop.vend(4)
        await thief.turn()
        assert thief.turns == {4: 1}
        assert any("speaks from 127.0.0.9 now" in line for line in await shop.log())
