"""The right picture on the right screen, or none: the old page and the old program, as a user meets them."""

from __future__ import annotations

import pytest

from tests.integration.compat.conftest import NicSite

ANN, BOB = {"id": 24, "name": "Ann"}, {"id": 25, "name": "Bob"}


async def test_a_customer_scans_the_code_that_the_agent_sent(site: NicSite) -> None:
    client, page = await site.desk("PC1"), site.browser()
    page.visit(client.link)
    assert await page.login(ANN)
    sent = await page.show_qr("PAY:1", customer_name="John Doe", policy_number="LIFE/1", amount=1500)
    assert sent.get("success") is True, sent
    assert sent["device_id"] == client.device_id
    assert await client.turn() == 1
    assert site.scan(client.screen[0]) == "PAY:1"
    [command] = client.commands
    assert command["command_id"] == sent["command_id"]
    assert (command["customer_name"], command["policy_number"], command["amount"]) == ("John Doe", "LIFE/1", 1500)
    assert command["status"] == "pending"
    assert "\n" not in command["qr_image"]
    closed = await page.close_qr()
    assert closed["success"] is True
    await client.turn()
    assert client.screen[-1] == "rotation"
    assert await client.turn() == 0


async def test_an_agent_without_a_display_does_not_get_somebody_elses(site: NicSite) -> None:
    client, page = await site.desk("PC1"), site.browser()
    assert not await page.login(ANN)
    answer = await page.show_qr("PAY:1")
    assert answer["error"] == "No online device linked to this agent"
    assert await client.turn() == 0
    [claim] = await site.hub.agents.claims() or [None]
    assert claim is None  # the page knew no display to ask for
    status, _ = await site.post("/api/device/link", {"agent_id": 24, "agent_name": "Ann", "computer_name": "PC1"})
    assert status == 404
    [claim] = await site.hub.agents.claims()
    assert claim is not None
    assert claim.computer_name == "PC1"


async def test_a_code_shows_on_its_agents_display_alone(site: NicSite) -> None:
    one, two = await site.desk("PC1"), await site.desk("PC2")
    ann, bob = site.browser(), site.browser()
    ann.visit(one.link)
    bob.visit(two.link)
    await ann.login(ANN)
    await bob.login(BOB)
    await ann.show_qr("PAY:ANN")
    await bob.show_qr("PAY:BOB")
    await one.turn()
    await two.turn()
    assert [site.scan(screen) for screen in one.screen] == ["PAY:ANN"]
    assert [site.scan(screen) for screen in two.screen] == ["PAY:BOB"]


async def test_after_a_desk_change_the_old_desk_shows_nothing_of_his(site: NicSite) -> None:
    one, two, page = await site.desk("PC1"), await site.desk("PC2"), site.browser()
    page.visit(one.link)
    await page.login(ANN)
    await page.show_qr("PAY:1")
    page.visit(two.link)
    await page.show_qr("PAY:2")
    assert await one.turn() == 0
    await two.turn()
    assert site.scan(two.screen[0]) == "PAY:2"


async def test_a_shared_pc_passes_to_the_next_agent_who_logs_in_and_the_first_is_told(site: NicSite) -> None:
    client = await site.desk("PC1", bound=True)
    ann, bob = site.browser(), site.browser()
    ann.visit(client.link)
    bob.visit(client.link)
    await ann.login(ANN)
    await ann.show_qr("PAY:ANN")
    assert await bob.login(BOB)
    assert await client.turn() == 0  # Ann's waiting code is gone
    status, answer = await site.post("/api/device/qr", {"agent_id": 24, "qr_image": "PAY:ANN"})
    assert status == 404
    assert str(answer["error"]).startswith("No online device linked to this agent")
    assert "taken over by Bob" in str(answer["message"])
    await bob.show_qr("PAY:BOB")
    await client.turn()
    assert site.scan(client.screen[-1]) == "PAY:BOB"


async def test_a_code_still_up_at_a_takeover_is_taken_down(site: NicSite) -> None:
    client = await site.desk("PC1", bound=True)
    ann, bob = site.browser(), site.browser()
    ann.visit(client.link)
    bob.visit(client.link)
    await ann.login(ANN)
    await ann.show_qr("PAY:ANN")
    await client.turn()
    await bob.login(BOB)
    await client.turn()
    assert client.screen[-1] == "rotation"


async def test_a_shift_change_as_the_manual_describes_it(site: NicSite) -> None:
    client, ann, bob = await site.desk("PC1"), site.browser(), site.browser()
    ann.visit(client.link)
    await ann.login(ANN)
    await client.start()  # Ann exits the program, Bob starts it
    bob.visit(client.link)
    assert await bob.login(BOB)
    await bob.show_qr("PAY:BOB")
    await client.turn()
    assert site.scan(client.screen[-1]) == "PAY:BOB"


async def test_a_display_remembered_for_months_does_not_outrank_who_sits_there(site: NicSite) -> None:
    client, ann, bob = await site.desk("PC1"), site.browser(), site.browser()
    ann.visit(client.link)
    await ann.login(ANN)
    bob.storage["linked_device_id"] = client.device_id
    assert not await bob.login(BOB)
    assert bob.error == "Device not found"
    await client.start()  # even when the program has just started anew
    assert not await bob.link()
    answer = await bob.show_qr("PAY:BOB")
    assert answer["success"] is False
    assert await client.turn() == 0


async def test_a_wrong_host_name_leads_nowhere(site: NicSite) -> None:
    await site.desk("DESKTOP-1")
    page = site.browser()
    page.storage["computer_name"] = "Win32-4711"
    assert not await page.login(ANN)
    assert page.error == "Device not found"


async def test_a_technician_seats_the_agent_who_waits(site: NicSite) -> None:
    client, page = await site.desk("PC1"), site.browser()
    page.storage["computer_name"] = "Win32-4711"
    await page.login(ANN)
    await site.hub.agents.approve_claim("24", site.device(client).id, actor="tess")
    await page.show_qr("PAY:1")
    await client.turn()
    assert site.scan(client.screen[0]) == "PAY:1"


@pytest.mark.parametrize("user", [{"email": "Ann@Example.com", "name": "Ann"}, {"id": "12abc", "name": "Ann"}])
async def test_agents_known_by_e_mail_or_letters_get_their_codes(site: NicSite, user: dict[str, str]) -> None:
    client, page = await site.desk("PC1"), site.browser()
    page.visit(client.link)
    assert await page.login(user)
    assert (await page.show_qr("PAY:1"))["success"] is True
    assert await client.turn() == 1


async def test_24_and_the_text_24_are_one_agent(site: NicSite) -> None:
    client = await site.desk("PC1")
    link = {"agent_id": 24, "agent_name": "Ann", "device_id": client.device_id}
    assert (await site.post("/api/device/link", link))[0] == 200
    assert (await site.post("/api/device/qr", {"agent_id": "24", "qr_image": "PAY:1"}))[0] == 200


async def test_two_unidentified_users_never_see_each_others_codes(site: NicSite) -> None:
    one, two = await site.desk("PC1"), await site.desk("PC2")
    first, second = site.browser(address="127.0.0.2"), site.browser(address="127.0.0.3")
    first.visit(one.link)
    second.visit(two.link)
    assert await first.login({})
    assert await second.login({})
    await first.show_qr("PAY:1")
    await second.show_qr("PAY:2")
    await one.turn()
    await two.turn()
    assert [site.scan(screen) for screen in one.screen] == ["PAY:1"]
    assert [site.scan(screen) for screen in two.screen] == ["PAY:2"]
    _, listed = await site.get("/api/device/list")
    devices = listed["devices"]
    assert isinstance(devices, list)
    assert [device["agent_id"] for device in devices] == [1, 1]
    thief = {"agent_id": "1@127.0.0.2", "qr_image": "PAY:STOLEN"}
    assert (await site.post("/api/device/qr", thief))[0] == 404


async def test_two_agents_logging_in_at_once_many_times_never_cross(site: NicSite) -> None:
    one, two = await site.desk("PC1", bound=True), await site.desk("PC2", bound=True)
    for turn in range(15):
        ann, bob = site.browser(), site.browser()
        ann.visit((one, two)[turn % 2].link)
        bob.visit((two, one)[turn % 2].link)
        for page, user in ((ann, ANN), (bob, BOB)):
            await page.login(user)
        await ann.show_qr(f"ANN:{turn}")
        await bob.show_qr(f"BOB:{turn}")
        for desk, name in ((one, ("ANN", "BOB")[turn % 2]), (two, ("BOB", "ANN")[turn % 2])):
            desk.screen.clear()
            while await desk.turn():
                pass
            shown = [site.scan(screen) for screen in desk.screen if screen != "rotation"]
            assert shown == [f"{name}:{turn}"]
        site.clock.advance(1)


async def test_cloned_pcs_with_one_id_do_not_get_each_others_codes(site: NicSite) -> None:
    client, page = await site.desk("PC1"), site.browser()
    page.visit(client.link)
    await page.login(ANN)
    await page.show_qr("PAY:1")
    clone = site.browser(address="127.0.0.9")
    _, answer = await clone.call("GET", f"/api/device/poll?device_id={client.device_id}", None)
    assert answer == {"has_commands": False, "commands": []}
    assert any("Another computer" in knock.why for knock in site.hub.knocking.views())
    assert await client.turn() == 1
