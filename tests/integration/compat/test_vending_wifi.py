"""Old vending machines on the network, unmodified: an order turns a motor once or never, and the books agree."""

from __future__ import annotations

import asyncio
import re
import sys
from asyncio.subprocess import PIPE, STDOUT
from collections.abc import AsyncIterator
from pathlib import Path

import msgspec
import pytest

from edge.compat.vending import machines
from edge.devices.model import PENDING_PER_ADDRESS
from edge.settings import Limits
from edge.sim.vending_wifi import Faults, WifiMachine
from tests.integration.compat.old_vending import (
    COLONS,
    MAC,
    OPEN,
    PACE,
    Shop,
    by_hand,
    confirmation,
    fetched,
    shop_in,
)
from tests.integration.running_hub import until


@pytest.fixture
async def shop(tmp_path: Path) -> AsyncIterator[Shop]:
    async with shop_in(tmp_path) as shop:
        yield shop


async def test_a_vend_turns_the_motor_once_and_is_booked_by_the_machines_word(shop: Shop) -> None:
    machine = await shop.machine()
    answer = await shop.vend(3)
    assert answer.status == 200
    assert answer.body["status"] == "command_sent"
    assert (answer.body["slot"], answer.body["communication"]) == (3, "wifi")
    assert answer.body["device_id"] == f"ESP32_{MAC}"
    await shop.stands("succeeded")
    await shop.polls(machine)
    assert machine.turns == {3: 1}
    [vend] = await shop.hub.vending.inventory.vends(limit=9)
    assert vend.evidence == "machine"
    assert not machine.unreadable


async def test_the_answers_are_exact_to_the_byte(shop: Shop) -> None:
    await by_hand(shop)
    nothing = await shop.running.raw(
        f"GET /esp32/commands/ESP32_{MAC} HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n"
    )
    head, _, body = nothing.partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 200 OK")
    assert b"Content-Length: 5" in head
    assert b"chunked" not in head.lower()
    assert body == b"null\n"
    await shop.vend(3)
    asked = f"GET /esp32/commands/ESP32_{MAC} HTTP/1.1\r\nHost: h\r\nAccept-Encoding: gzip, br\r\n"
    command = await shop.running.raw(f"{asked}Connection: close\r\n\r\n")
    head, _, body = command.partition(b"\r\n\r\n")
    assert f"Content-Length: {len(body)}".encode() in head
    assert b"Content-Encoding" not in head
    assert re.fullmatch(rb'\{"command":"VEND","slot":3,"timestamp":\d+\}', body)
    assert len(body) < 120


async def test_a_pending_machine_lives_and_is_told_nothing_until_it_is_approved(shop: Shop) -> None:
    machine = await shop.machine(approved=False)
    assert (await shop.vend(3, device_id=f"ESP32_{MAC}")).status == 409
    await shop.polls(machine)
    assert not machine.turns
    await shop.approve()
    assert (await shop.vend(3)).status == 200
    await shop.stands("succeeded")
    assert machine.turns == {3: 1}


async def test_one_that_never_registers_is_served_by_its_polls(shop: Shop) -> None:
    machine = await shop.machine(faults=Faults(registers=False))
    await shop.vend(2)
    await shop.stands("succeeded")
    assert machine.turns == {2: 1}


async def test_a_hub_that_lost_its_database_takes_its_machines_in_again(tmp_path: Path) -> None:
    machine = WifiMachine(mac=MAC, pace=PACE)
    for folder in ("first", "second"):
        async with shop_in(tmp_path / folder) as shop:
            machine.server = shop.url
            if folder == "first":
                await machine.boot()
            await machine.turn()
            await shop.approve()
            await machine.turn()
            await shop.vend(1)
            await machine.turn()
            await shop.stands("succeeded")
    assert machine.turns == {1: 2}
    assert machine.starts == 1


async def test_every_form_of_its_id_is_one_machine_and_its_history_ends(shop: Shop) -> None:
    await by_hand(shop)
    for form in (COLONS, MAC, f"esp32_{MAC.lower()}", COLONS.replace(":", "-")):
        assert (await shop.page("GET", f"/esp32/commands/{form}")).status == 200
    assert len([d for d in shop.hub.registry.all() if d.kind == "vending"]) == 1
    await fetched(shop)
    assert (await shop.page("POST", "/esp32/confirm", confirmation())).status == 200
    history = (await shop.page("GET", "/esp32/commands/history")).body["history"]
    assert [(entry["slot"], entry["status"], entry["success"]) for entry in history] == [(3, "succeeded", True)]


async def test_a_double_click_vends_once(shop: Shop) -> None:
    machine = await shop.machine()
    answers = await asyncio.gather(*(shop.vend(3) for _ in range(8)))
    assert sorted(answer.status for answer in answers) == [200] + [409] * 7
    assert all("under way" in answer.body["message"] for answer in answers if answer.status == 409)
    await shop.stands("succeeded")
    await shop.polls(machine)
    assert machine.turns == {3: 1}


async def test_a_second_address_that_speaks_for_a_machine_gets_nothing_and_is_shown(shop: Shop) -> None:
    machine = await shop.machine()
    copy = WifiMachine(shop.url, MAC, pace=PACE, source="127.0.0.2")
    shop.switch_on(copy)
    await shop.polls(copy)
    await shop.vend(3)
    await shop.stands("succeeded")
    await shop.polls(copy)
    assert (machine.turns, copy.turns) == ({3: 1}, {})
    knocks = (await shop.running.get("/v1/knocking")).body["items"]
    assert any("Another address already speaks for" in knock["why"] for knock in knocks)


async def test_a_machine_with_a_new_address_is_served_once_the_old_one_is_silent(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(machines, "SILENT_S", 0.3)
    machine = WifiMachine(shop.url, MAC, pace=PACE)
    power = shop.switch_on(machine)
    await shop.seen()
    await shop.approve()
    power.cancel()
    machine.source = "127.0.0.3"
    shop.switch_on(machine)
    await asyncio.sleep(0.4)  # the old address has to be silent for so long
    await shop.polls(machine)
    await shop.vend(5)
    await shop.stands("succeeded")
    assert machine.turns == {5: 1}


async def test_what_its_sketch_would_ignore_is_refused_and_not_lost(shop: Shop) -> None:
    await shop.machine()
    for kind in ("reboot", "machine_status"):
        refused = await shop.running.send(shop.device(), kind)
        assert refused.status == 422
        assert "over WiFi" in refused.body["detail"]


async def test_a_machine_made_from_the_manual_is_served_by_the_manual(shop: Shop) -> None:
    machine = await shop.machine(faults=Faults(documented=True, empty_slots={4}))
    assert shop.device().facts["fw"] == "1.2.0"
    await shop.vend(3)
    await shop.stands("succeeded")
    await shop.vend(4)
    await shop.stands("succeeded", "failed")
    assert machine.turns == {3: 1}
    await shop.polls(machine)
    for kind, done in (("machine_status", "data"), ("reboot", "register")):
        sent = await shop.running.send(shop.device(), kind)
        assert sent.status == 201, sent.body

        async def ended(command_id: str = sent.body["id"]) -> bool:
            return (await shop.running.get(f"/v1/commands/{command_id}")).body["state"] == "succeeded"

        await until(ended)
        assert shop.hub.presences.of(shop.device().id) is not None, done
    assert machine.starts == 2
    nobody = await shop.page("GET", "/esp32/wifi/command")
    assert (nobody.status, nobody.body) == (200, b"NO_COMMAND")


async def test_nonsense_from_machines_harms_nothing(shop: Shop) -> None:
    await by_hand(shop)
    await fetched(shop)
    for body in (
        {},
        [],
        {"device_id": None, "slot": 3, "success": True},
        {"device_id": COLONS, "slot": "three", "success": True},
        {"device_id": COLONS, "slot": 3},
        {"device_id": COLONS, "slot": 3.5, "success": True},
        {"device_id": COLONS, "slot": 1e308, "success": True},
        {"device_id": COLONS, "slot": True, "success": True},
        {"device_id": COLONS, "slot": 3, "success": "perhaps"},
        {"device_id": COLONS * 100, "slot": 3, "success": True},
    ):
        assert (await shop.page("POST", "/esp32/confirm", body)).status < 500
    assert (await shop.running.ask("POST", "/esp32/confirm", data=b"\xff{" * 50, key="")).status == 400
    assert (await shop.page("GET", "/esp32/commands/" + "%00%ff" * 60)).status == 200
    assert (await shop.page("POST", "/esp32/register", {"device_id": "x"})).status == 400
    assert (await shop.page("POST", "/esp32/data", {"device_id": COLONS, "x": "y" * 20_000})).status == 413
    assert await shop.states() == ["sent"]


async def test_doubled_slashes_lead_to_the_same_place(shop: Shop) -> None:
    await by_hand(shop)
    assert (await shop.page("GET", f"//esp32/commands/ESP32_{MAC}")).body is None
    assert (await shop.page("GET", "//status")).body["status"] == "online"


async def test_it_finds_the_hub_at_the_gateway_by_its_status(shop: Shop) -> None:
    machine = WifiMachine(mac=MAC)
    found = await machine.discover("127.0.0.1", "127.0.0.7", port=shop.running.port)
    assert found == shop.url


async def test_the_sim_is_such_a_machine(shop: Shop) -> None:
    command = [sys.executable, "-m", "edge.cli", "sim", "old-vending", "--hub", shop.url, "--chip", MAC]
    sim = await asyncio.create_subprocess_exec(*command, stdout=PIPE, stderr=STDOUT)
    assert sim.stdout is not None
    try:
        assert await sim.stdout.readline() == f"ready sim ESP32_{MAC}\n".encode()
        await shop.seen()
        await shop.approve()
        assert (await shop.vend(3)).status == 200
        await shop.stands("succeeded")
        await sim.stdout.readuntil(b"The motor of slot 3 turned\n")
    finally:
        sim.terminate()
        await sim.communicate()


async def test_a_flood_of_unknown_machines_is_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    few = msgspec.structs.replace(OPEN, limits=Limits(anonymous_per_minute=20, authenticated_per_minute=1000))
    async with shop_in(tmp_path, few) as shop:
        answers = [await shop.page("GET", f"/esp32/commands/ESP32_{number:012X}") for number in range(40)]
        assert [answer.status for answer in answers] == [200] * 20 + [429] * 20
        assert len(shop.hub.registry.all()) == PENDING_PER_ADDRESS < 20
        for path in ("/esp32/register", "/esp32/confirm", "/esp32/data"):
            assert (await shop.page("POST", path, {})).status == 429  # nonsense counts too
            assert (await shop.running.ask("POST", path, data=b"{", key="")).status == 429
