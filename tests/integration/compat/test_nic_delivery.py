"""A code comes up once, in time, or not at all; and what goes wrong is seen."""

from __future__ import annotations

from edge.settings import Settings
from edge.wire.commands import State
from tests.fakes.nic_browser import NicBrowser
from tests.fakes.nic_client import NicClient
from tests.integration.compat.conftest import NicSite

ANN = {"id": 24, "name": "Ann"}


async def seated(site: NicSite) -> tuple[NicClient, NicBrowser]:
    client, page = await site.desk("PC1"), site.browser()
    page.visit(client.link)
    await page.login(ANN)
    return client, page


async def state_of(site: NicSite, sent: dict[str, object]) -> State:
    return (await site.hub.commands.get(str(sent["command_id"]))).state


async def test_an_old_code_does_not_pop_up_when_the_pc_wakes(site: NicSite) -> None:
    client, page = await seated(site)
    sent = await page.show_qr("PAY:1")
    site.clock.advance(61)
    assert await client.turn() == 0
    assert await state_of(site, sent) is State.EXPIRED


async def test_the_agent_is_told_that_his_display_is_offline(site: NicSite) -> None:
    client, page = await seated(site)
    site.clock.advance(6.5)
    answer = await page.show_qr("PAY:1")
    assert answer["error"] == "No online device linked to this agent"
    assert "offline" in str(answer["message"])
    link: dict[str, object] = {"agent_id": 24, "agent_name": "Ann", "device_id": client.device_id}
    status, refused = await site.post("/api/device/link", link)
    assert (status, refused["error"]) == (404, "Device offline")
    assert set(refused) == {"error", "message", "debug_info"}
    assert await site.hub.agents.claims() == []  # nothing a technician could decide


async def test_a_display_busy_with_an_upload_still_takes_the_next_code(site: NicSite) -> None:
    client, page = await seated(site)
    await page.show_qr("PAY:1")
    assert len(await client.poll()) == 1  # it uploads for 26 s and does not poll meanwhile
    site.clock.advance(20)
    status, _ = await site.post("/api/device/qr", {"agent_id": 24, "qr_image": "PAY:2"})
    assert status == 200


async def test_a_newer_code_replaces_one_that_still_waits(site: NicSite) -> None:
    client, page = await seated(site)
    await page.show_qr("PAY:1")
    await page.show_qr("PAY:2")
    while await client.turn():
        pass
    assert [site.scan(screen) for screen in client.screen] == ["PAY:2"]


async def test_a_lost_report_shows_the_code_at_most_twice(site: NicSite) -> None:
    client, page = await seated(site)
    client.lose_reports = True
    sent = await page.show_qr("PAY:1")
    for _ in range(6):
        await client.turn()
        site.clock.advance(2)
    assert len(client.screen) == 2
    assert len({command["command_id"] for command in client.commands}) == 1
    assert await state_of(site, sent) is State.IN_DOUBT


async def test_a_lost_poll_answer_is_sent_again(site: NicSite) -> None:
    client, page = await seated(site)
    sent = await page.show_qr("PAY:1")
    client.lose_replies = True
    assert await client.turn() == 0
    client.lose_replies = False
    site.clock.advance(2)
    assert await client.turn() == 1
    assert await state_of(site, sent) is State.SUCCEEDED


async def test_a_report_that_comes_late_settles_the_doubt(site: NicSite) -> None:
    client, page = await seated(site)
    client.lose_reports = True
    sent = await page.show_qr("PAY:1")
    for _ in range(4):
        await client.turn()
        site.clock.advance(2)
    assert await state_of(site, sent) is State.IN_DOUBT
    late = {"device_id": client.device_id, "command_id": sent["command_id"], "status": "success"}
    assert await site.post("/api/device/status", late) == (200, {"success": True})
    assert await state_of(site, sent) is State.SUCCEEDED


async def test_a_program_that_dies_at_work_leaves_a_doubt_and_no_replay(site: NicSite) -> None:
    client, page = await seated(site)
    sent = await page.show_qr("PAY:1")
    await client.poll()
    site.clock.advance(120)
    assert await client.turn() == 0
    assert await state_of(site, sent) is State.IN_DOUBT


async def test_a_delivery_that_nobody_answers_is_given_up_though_nobody_polls(site: NicSite) -> None:
    client, page = await seated(site)
    sent = await page.show_qr("PAY:1")
    await client.poll()
    site.clock.advance(30)
    await site.hub.nic.facade.sweep()
    assert await state_of(site, sent) is State.SENT
    site.clock.advance(31)
    await site.hub.nic.facade.sweep()
    assert await state_of(site, sent) is State.IN_DOUBT
    assert (await site.get("/api/device/list"))[1]["stats"] != {}
    assert (await page.show_qr("PAY:2"))["success"] is False


async def test_one_command_is_under_way_at_a_time_and_in_order(site: NicSite) -> None:
    client, page = await seated(site)
    await page.show_qr("PAY:1")
    [first] = await client.poll()
    await page.close_qr()
    assert await client.poll() == []
    report = {"device_id": client.device_id, "command_id": first["command_id"], "status": "success"}
    await site.post("/api/device/status", report)
    [second] = await client.poll()
    assert second["type"] == "start_rotation"
    assert set(second) == {"command_id", "type", "created_at", "status"}


async def test_a_failure_without_a_reason_is_a_failure(site: NicSite) -> None:
    client, page = await seated(site)
    sent = await page.show_qr("PAY:1")
    await client.poll()
    report = {
        "device_id": client.device_id,
        "command_id": sent["command_id"],
        "status": "failed",
        "error": None,
        "execution_time": 1.2,
    }
    assert await site.post("/api/device/status", report) == (200, {"success": True})
    command = await site.hub.commands.get(str(sent["command_id"]))
    assert command.state is State.FAILED
    assert "client says" in command.reason
    assert command.duration_s == 1.2


async def test_another_displays_report_settles_nothing(site: NicSite) -> None:
    client, page = await seated(site)
    other = await site.desk("PC2")
    sent = await page.show_qr("PAY:1")
    await client.poll()
    forged = {"device_id": other.device_id, "command_id": sent["command_id"], "status": "success"}
    assert (await site.post("/api/device/status", forged))[0] == 200
    assert await state_of(site, sent) is State.SENT


async def test_a_program_with_a_wrong_key_is_seen_by_the_technician(site: NicSite) -> None:
    client = site.client("PC1", key="an-older-key")
    assert await client.turn() == 0  # it says nothing itself
    status, answer = await site.get(f"/api/device/poll?device_id={client.device_id}", key="an-older-key")
    assert (status, answer) == (401, {"error": "Unauthorized"})
    [knock] = site.hub.knocking.views()
    assert knock.what == "GET /api/device/poll"
    assert knock.count == 2


async def test_programs_come_back_by_themselves_after_the_hub_lost_its_database(site: NicSite) -> None:
    client = site.client("PC1")
    assert await client.turn() == 0  # it never registers again: polling is all it does
    device = site.device(client)
    assert device.state.value == "pending"
    await site.hub.registry.approve(device, actor="tess")
    await site.hub.agents.seat("24", "Ann", device.id, actor="tess")
    await client.turn()
    page = site.browser()
    page.user = ANN
    await page.show_qr("PAY:1")
    assert await client.turn() == 1


async def test_a_pending_display_is_sent_nothing(site: NicSite) -> None:
    client, page = site.client("PC1"), site.browser()
    await client.start()
    page.visit(client.link)
    assert not await page.login(ANN)
    assert await client.poll() == []


async def test_registering_again_never_ends_the_program(site: NicSite) -> None:
    for computer in ("PC1", "PC1", "P\u00c4C 2", "x" * 300):
        await site.client(computer, device_id=f"device_{computer}"[:120]).start()


async def test_the_counter_counts_codes_and_starts_anew_each_local_day(site: NicSite) -> None:
    client, page = await seated(site)
    await page.show_qr("PAY:1")
    await client.turn()
    await page.close_qr()
    await client.turn()
    _, listed = await site.get("/api/device/list")
    assert listed["stats"] == {"total_devices": 1, "online_devices": 1, "total_qr_today": 1}
    site.clock.advance(24 * 3600)
    _, listed = await site.get("/api/device/list")
    devices = listed["devices"]
    assert isinstance(devices, list)
    assert (devices[0]["qr_count_today"], devices[0]["qr_count_total"]) == (0, 1)
    assert devices[0]["status"] == "offline"


async def test_a_hub_restarted_between_poll_and_report_shows_the_code_at_most_twice(site: NicSite) -> None:
    client, page = await seated(site)
    sent = await page.show_qr("PAY:1")
    client.lose_reports = True
    await client.turn()
    await site.hub.commands.start()  # what a start does with a command that was under way
    await client.turn()
    site.clock.advance(2)
    await client.turn()
    assert len(client.screen) == 2
    assert await state_of(site, sent) is State.IN_DOUBT
    assert Settings().content.qr_ttl_s == 60.0
