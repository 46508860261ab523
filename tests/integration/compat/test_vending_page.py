"""The old vending page's API: what it reads, who may act, and that the machine it means vends or none does."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import msgspec
import pytest

from edge.serving.roles import Role
from edge.settings import Hub, Limits, Vending
from tests.integration.compat.old_vending import MAC, OPEN, OTHER_MAC, Shop, shop_in
from tests.integration.running_hub import QUIET, until

CLOSED = msgspec.structs.replace(QUIET, vending=Vending(pages=()))

ACTS = [
    "/vend/3",
    "/vend",
    "/esp32/devices/select",
    "/esp32/devices/auto-select",
    "/esp32/communication/log/clear",
    "/esp32/communication/log/test",
    "/esp32/serial/connect",
    "/esp32/serial/disconnect",
]
READS = [
    "/status",
    "/esp32/communication/mode",
    "/esp32/communication/log",
    "/esp32/devices/list",
    "/esp32/devices",
    "/esp32/serial/scan",
    "/esp32/serial/status",
    "/esp32/commands/history",
]


@pytest.fixture
async def shop(tmp_path: Path) -> AsyncIterator[Shop]:
    async with shop_in(tmp_path) as shop:
        yield shop


@pytest.fixture
async def closed(tmp_path: Path) -> AsyncIterator[Shop]:
    """Nobody is listed: seen from anywhere but its own machine, a new hub is so."""
    async with shop_in(tmp_path, CLOSED) as shop:
        yield shop


async def test_everybody_may_read_and_nobody_may_act_until_a_technician_says_so(closed: Shop) -> None:
    machine = await closed.machine()
    for path in READS:
        assert (await closed.page("GET", path)).status == 200, path
    for path in ACTS:
        refused = await closed.page("POST", path, {"slot": "A1", "device_id": f"ESP32_{MAC}"})
        assert refused.status == 401, path
        assert "vending.pages" in refused.body["message"]
    await closed.polls(machine)
    assert await closed.states() == []
    knocks = (await closed.running.get("/v1/knocking")).body["items"]
    assert any("not in vending.pages" in knock["why"] for knock in knocks)


async def test_a_page_on_the_hubs_own_machine_vends_and_on_a_bench_every_page(tmp_path: Path) -> None:
    async with shop_in(tmp_path / "new", QUIET) as shop:
        await shop.machine()
        assert (await shop.page("POST", "/vend/1")).status == 200
    bench = msgspec.structs.replace(QUIET, hub=Hub(auto_approve=True), vending=Vending(pages=()))
    async with shop_in(tmp_path / "bench", bench) as shop:
        await shop.machine()
        assert (await shop.page("POST", "/vend/1")).status == 200


async def test_a_key_of_an_app_or_a_technician_vends_and_others_do_not(closed: Shop) -> None:
    machine = await closed.machine()
    _, old = "x", await closed.hub.keys.import_("old", Role.APP, "nic", "a-key-of-another-system", actor="t")
    assert old.scope == "nic"
    for key, status in (("viewer", 403), ("op_wrong", 401), ("a-key-of-another-system", 403)):
        assert (await closed.running.ask("POST", "/vend/1", key=key)).status == status, key
    secret = closed.running.keys["app"]
    answer = await closed.page("POST", "/vend/1", X_API_Key=secret)
    assert answer.status == 200
    await closed.stands("succeeded")
    assert (await closed.running.ask("POST", "/vend/1", key="technician")).status == 200
    await closed.stands("succeeded", "succeeded")
    assert machine.turns == {1: 2}


async def test_a_strange_page_in_a_listed_computers_browser_may_not(shop: Shop) -> None:
    await shop.machine()
    evil = await shop.page("POST", "/vend/3", Origin="http://evil.example")
    assert evil.status == 401
    assert "Access-Control-Allow-Origin" not in evil.headers
    asked = await shop.page("OPTIONS", "/vend/3", Origin="http://evil.example")
    assert "Access-Control-Allow-Origin" not in asked.headers
    own = await shop.page("POST", "/vend/3", Origin=shop.url)
    assert own.status == 200
    assert await shop.states() in (["queued"], ["sent"], ["succeeded"])


async def test_the_page_reads_what_it_looks_for(shop: Shop) -> None:
    await shop.machine()
    await shop.hub.vending.inventory.restock(shop.device(), 2, 7, actor="tess")
    status = (await shop.page("GET", "/status")).body
    assert status["status"] == "online"
    assert (status["online_devices"], status["esp32_wifi_devices"], status["total_devices"]) == (1, 1, 1)
    assert status["communication_modes"]["serial"] == {"status": "disconnected", "port": None}
    assert status["devices"][f"ESP32_{MAC}"]["connected"] is True
    assert status["inventory"][f"ESP32_{MAC}"]["2"]["count"] == 7
    listed = (await shop.page("GET", "/esp32/devices/list")).body
    assert (listed["active_device"], listed["connected_devices"]) == (f"ESP32_{MAC}", 1)
    [row] = listed["devices"]
    assert (row["device_id"], row["type"], row["status"]) == (f"ESP32_{MAC}", "wifi", "online")
    assert row["ip_address"] == "127.0.0.1"
    assert (await shop.page("GET", "/esp32/communication/mode")).body["current_mode"] == "wifi"
    assert (await shop.page("GET", "/esp32/serial/scan")).body["ports"] == []


async def test_the_monitor_shows_what_is_said_and_can_be_emptied(shop: Shop) -> None:
    await shop.machine()
    await shop.vend(3)
    await shop.stands("succeeded")
    log = (await shop.page("GET", "/esp32/communication/log")).body
    said = [entry["message"] for entry in log["log_entries"]]
    assert log["total_entries"] == len(said)
    assert "VEND slot 3" in said
    assert any(line.startswith("confirms slot 3: success") for line in said)
    await shop.page("POST", "/esp32/communication/log/clear")
    await shop.page("POST", "/esp32/communication/log/test")
    [only] = (await shop.page("GET", "/esp32/communication/log")).body["log_entries"]
    assert only["message"].startswith("Test entry")
    assert any("confirms slot 3" in line for line in await shop.log())  # the record stays


async def test_slots_by_shelf_and_bad_ones(shop: Shop) -> None:
    machine = await shop.machine()
    answer = await shop.page("POST", "/vend", {"slot": "B2"})
    assert (answer.status, answer.body["slot"]) == (200, 5)
    await shop.stands("succeeded")
    for slot in ("0", "6", "99", "x", "-1", "1e1"):
        assert (await shop.vend(slot)).status == 400, slot
    for body in ({"slot": "B3"}, {"slot": "C1"}, {}, {"slot": None}, {"slot": [1]}, {"slot": True}):
        bad = await shop.page("POST", "/vend", body)
        assert (bad.status, bad.body["status"]) == (400, "error"), body
    assert machine.turns == {5: 1}


async def test_without_a_machine_nothing_is_vended_and_it_says_so(shop: Shop) -> None:
    answer = await shop.vend(3)
    assert answer.status == 503
    assert "No vending machine" in answer.body["message"]
    assert (await shop.page("GET", "/esp32/communication/mode")).body["current_mode"] == "none"


async def test_a_machine_that_waits_for_approval_is_named(shop: Shop) -> None:
    await shop.machine(approved=False)
    answer = await shop.vend(3)
    assert (answer.status, "waits for approval" in answer.body["message"]) == (503, True)
    assert f"outpost device approve {shop.device().id}" in answer.body["message"]


async def test_machines_with_our_firmware_are_not_what_the_old_buttons_are_for(shop: Shop) -> None:
    ours, _ = await shop.hub.registry.add("Ours", "vending", "native", actor="tess")
    shop.hub.presences.seen(ours.id, "test")
    assert (await shop.vend(3)).status == 503
    await shop.machine()
    assert (await shop.vend(3)).body["device_id"] == f"ESP32_{MAC}"


async def test_an_offline_machine_is_never_replaced_by_another(shop: Shop) -> None:
    first = await shop.machine()
    second = await shop.machine(OTHER_MAC)
    unclear = await shop.vend(3)
    assert unclear.status == 409
    assert "Choose a machine: 2 are online" in unclear.body["message"]
    assert f"ESP32_{MAC}" in unclear.body["message"]
    assert 'POST /esp32/devices/select {"device_id": …}' in unclear.body["message"]
    chosen = await shop.page("POST", "/esp32/devices/select", {"device_id": f"ESP32_{MAC}"})
    assert (chosen.status, chosen.body["active_device"]) == (200, f"ESP32_{MAC}")
    first.faults.broken_polls = 10**6
    first.server = "http://127.0.0.1:9"  # its WiFi is away

    async def last_poll_is_over() -> bool:
        return first.faults.broken_polls < 10**6

    await until(last_poll_is_over)
    shop.hub.presences.gone(shop.device().id)
    gone = await shop.vend(3)
    assert gone.status == 503
    assert "offline; nothing was vended" in gone.body["message"]
    assert (await shop.page("POST", "/esp32/devices/select", {"device_id": f"ESP32_{MAC}"})).status == 400
    assert (await shop.page("POST", "/esp32/devices/select", {"device_id": "ESP32_NOBODY"})).status == 404
    named = await shop.vend(3, device_id=f"ESP32_{OTHER_MAC}")
    assert named.status == 200
    await shop.stands("succeeded")
    assert (first.turns, second.turns) == ({}, {3: 1})


async def test_auto_select_takes_the_only_machine_and_guesses_among_none(shop: Shop) -> None:
    assert (await shop.page("POST", "/esp32/devices/auto-select")).status == 404
    await shop.machine()
    assert (await shop.page("POST", "/esp32/devices/auto-select")).body["active_device"] == f"ESP32_{MAC}"
    await shop.machine(OTHER_MAC)
    assert (await shop.page("POST", "/esp32/devices/auto-select")).status == 409


async def test_a_stranger_reads_at_a_strangers_rate_and_a_listed_page_at_its_own(tmp_path: Path) -> None:
    limits = Limits(anonymous_per_minute=10, authenticated_per_minute=50)
    async with shop_in(tmp_path / "a", msgspec.structs.replace(CLOSED, limits=limits)) as shop:
        answers = [(await shop.page("GET", "/esp32/communication/log")).status for _ in range(20)]
        assert answers == [200] * 10 + [429] * 10
    async with shop_in(tmp_path / "b", msgspec.structs.replace(OPEN, limits=limits)) as shop:
        assert {(await shop.page("GET", "/esp32/communication/log")).status for _ in range(40)} == {200}


async def test_an_empty_slot_is_told_to_the_page(shop: Shop) -> None:
    machine = await shop.machine()
    await shop.hub.vending.inventory.restock(shop.device(), 1, 1, actor="tess")
    assert (await shop.vend(1)).status == 200
    await shop.stands("succeeded")
    empty = await shop.vend(1)
    assert empty.status == 409
    assert "is empty" in empty.body["message"]
    assert machine.turns == {1: 1}
