"""A board that found the hub by itself: it agrees on a key, a technician compares the code, nobody gets more."""

from __future__ import annotations

from pathlib import Path

import pytest
from aiohttp import ClientSession, TCPConnector

from edge.devices import pairing
from edge.devices.model import Trust
from tests.fakes.field_device import CHIP, FieldDevice
from tests.integration.field.conftest import Boards, living
from tests.integration.running_hub import RunningHub, started, until


async def view(hub: RunningHub, device_id: str) -> dict[str, object]:
    return dict((await hub.get(f"/v1/devices/{device_id}")).body)


async def test_a_board_pairs_is_pending_and_is_approved_with_its_code(
    running_hub: RunningHub, board: Boards
) -> None:
    ours = board()
    assert (await ours.pair()).status == 200
    seen = await view(running_hub, ours.id)
    assert (seen["state"], seen["trust"], seen["code_wanted"]) == ("pending", "paired", True)
    assert (seen["id"], seen["facts"]) == (CHIP, {"chip": CHIP, "fw": "1.0", "address": "127.0.0.1"})
    assert (await ours.hello()).body["approved"] is False
    assert (await ours.poll(0)).status == 200
    right = await running_hub.ask("POST", f"/v1/devices/{ours.id}/approve", {"code": ours.code}, key="technician")
    assert (right.body["state"], right.body["trust"], right.body["code_wanted"]) == ("approved", "confirmed", False)
    assert (await ours.poll(0)).code == "new-session"
    assert (await ours.hello()).body["approved"] is True
    reboot = await running_hub.ask("POST", f"/v1/devices/{ours.id}/commands", {"kind": "reboot"})
    assert reboot.status == 201


async def test_a_poll_that_is_held_when_the_board_is_approved_comes_back_at_once(
    running_hub: RunningHub, board: Boards
) -> None:
    ours = board(kind="sensor")
    await ours.pair()
    async with living(ours):
        await until(lambda: _online(running_hub, ours))
        await running_hub.ask("POST", f"/v1/devices/{ours.id}/approve", {"code": ours.code})
        await until(lambda: _knows(ours))


async def _knows(board: FieldDevice) -> bool:
    return board.approved


async def _online(hub: RunningHub, board: FieldDevice) -> bool:
    return bool((await view(hub, board.id))["online"])


async def test_approved_without_its_code_it_does_nothing_that_cannot_be_undone(
    running_hub: RunningHub, board: Boards
) -> None:
    ours = board()
    await ours.pair()
    approved = await running_hub.ask("POST", f"/v1/devices/{ours.id}/approve")
    assert (approved.body["state"], approved.body["trust"], approved.body["code_wanted"]) == (
        "approved", "paired", True,
    )  # fmt: skip
    commands = f"/v1/devices/{ours.id}/commands"
    refused = await running_hub.ask("POST", commands, {"kind": "reboot"})
    assert (refused.status, refused.code) == (409, "device-unavailable")
    assert "--code" in refused.body["hint"]
    assert (await running_hub.ask("POST", commands, {"kind": "machine_status"})).status == 201
    later = await running_hub.ask("POST", f"/v1/devices/{ours.id}/approve", {"code": ours.code})
    assert later.body["trust"] == "confirmed"
    assert (await running_hub.ask("POST", commands, {"kind": "reboot"})).status == 201


async def test_a_wrong_code_approves_nothing_and_the_third_ends_the_pairing(
    running_hub: RunningHub, board: Boards
) -> None:
    ours = board()
    await ours.pair()
    wrong = str((int(ours.code) + 1) % 1_000_000).zfill(6)
    path = f"/v1/devices/{ours.id}/approve"
    for _ in range(2):
        refused = await running_hub.ask("POST", path, {"code": wrong})
        assert (refused.status, refused.code) == (422, "rejected")
        assert (await view(running_hub, ours.id))["state"] == "pending"
    assert "ended" in (await running_hub.ask("POST", path, {"code": wrong})).body["detail"]
    assert (await running_hub.get(f"/v1/devices/{ours.id}")).status == 404
    assert (await ours.hello()).code == "unknown-device"


async def test_whoever_claims_the_chip_of_a_known_device_gets_nothing_of_it(
    running_hub: RunningHub, board: Boards
) -> None:
    real, stranger = board(), board()
    await real.pair()
    await running_hub.ask("POST", f"/v1/devices/{real.id}/approve", {"code": real.code})
    await real.hello()
    await stranger.pair()
    assert stranger.id != real.id
    seen = await view(running_hub, stranger.id)
    assert (seen["state"], seen["facts"]["same_board_as"]) == ("pending", real.id)  # type: ignore[index]
    assert (await real.poll(0)).status == 200
    stranger.id = real.id
    assert (await stranger.hello()).code == "unknown-device"
    assert (await view(running_hub, real.id))["trust"] == "confirmed"


async def test_an_erased_board_comes_back_as_itself_and_vends_only_after_a_look(
    running_hub: RunningHub, board: Boards
) -> None:
    before = board()
    await before.pair()
    await running_hub.ask("POST", f"/v1/devices/{before.id}/approve", {"code": before.code})
    await before.hello()
    await before.poll(0)
    erased = board()
    erased.epoch = "e2"
    await erased.pair()
    await erased.hello()
    await erased.poll(0)
    merged = await running_hub.ask(
        "POST", f"/v1/devices/{erased.id}/approve", {"code": erased.code, "same_as": before.id}
    )
    assert (merged.body["id"], merged.body["trust"], merged.body["epoch_new"]) == (before.id, "confirmed", True)
    assert (await running_hub.get("/v1/devices")).body["items"] == [merged.body]
    assert (await before.hello()).code == "unknown-device"
    assert (await erased.hello()).body["approved"] is True
    assert (await erased.poll(0)).status == 200
    refused = await running_hub.ask(
        "POST", f"/v1/devices/{before.id}/commands", {"kind": "vend", "args": {"slot": 1}}
    )
    assert refused.status in (409, 422)
    confirmed = await running_hub.ask("POST", f"/v1/devices/{before.id}/confirm", key="technician")
    assert confirmed.body["epoch_new"] is False


async def test_another_epoch_of_a_known_board_stops_vending_until_a_person_has_looked(
    running_hub: RunningHub, board: Boards
) -> None:
    for kind, stops in (("vending", True), ("display", False)):
        made = await running_hub.ask("POST", "/v1/devices", {"name": kind, "kind": kind})
        ours = board(kind=kind)
        ours.provision(made.body["id"], made.body["token"])
        for epoch, new in (("e1", False), ("e1", False), ("e2", stops), ("e2", stops)):
            ours.epoch = epoch
            await ours.hello()
            await ours.poll(0)
            assert (await view(running_hub, ours.id))["epoch_new"] is new, (kind, epoch)


async def test_a_board_that_pairs_twice_before_it_is_heard_is_there_once(
    running_hub: RunningHub, board: Boards
) -> None:
    ours = board()
    await ours.pair()
    await ours.pair()
    assert len((await running_hub.get("/v1/devices")).body["items"]) == 1
    assert (await ours.hello()).status == 200


async def test_a_revoked_board_cannot_speak_until_it_has_another_token(
    running_hub: RunningHub, board: Boards
) -> None:
    made = await running_hub.ask("POST", "/v1/devices", {"name": "Snacks", "kind": "vending"})
    ours = board()
    ours.provision(made.body["id"], made.body["token"])
    await ours.hello()
    assert (await ours.poll(0)).status == 200
    one = f"/v1/devices/{ours.id}"
    assert (await running_hub.ask("POST", one + "/revoke", key="technician")).body["trust"] == "revoked"
    assert (await ours.poll(0)).code == "new-session"
    assert (await ours.hello()).code == "unknown-device"
    assert (await running_hub.ask("POST", one + "/commands", {"kind": "reboot"})).status == 409
    again = await running_hub.ask("POST", one + "/token", key="technician")
    ours.provision(again.body["id"], again.body["token"])
    assert (await ours.hello()).body["approved"] is True


async def test_a_new_token_ends_the_old_one_at_once(running_hub: RunningHub, board: Boards) -> None:
    made = await running_hub.ask("POST", "/v1/devices", {"name": "Snacks", "kind": "vending"})
    ours = board()
    ours.provision(made.body["id"], made.body["token"])
    async with living(ours):
        await until(lambda: _online(running_hub, ours))
        await running_hub.ask("POST", f"/v1/devices/{ours.id}/token")
    assert (await ours.hello()).code == "unknown-device"


async def test_a_forgotten_board_comes_back_pending_with_the_key_it_has(
    running_hub: RunningHub, board: Boards
) -> None:
    ours = board()
    await ours.pair()
    await running_hub.ask("POST", f"/v1/devices/{ours.id}/approve", {"code": ours.code})
    await ours.hello()
    await ours.poll(0)
    assert (await running_hub.ask("DELETE", f"/v1/devices/{ours.id}")).status == 204
    assert (await ours.poll(0)).code == "new-session"
    assert (await ours.hello()).body["approved"] is False
    assert (await running_hub.get(f"/v1/devices/{ours.id}")).status == 404
    assert (await ours.poll(0)).status == 200
    assert (await view(running_hub, ours.id))["state"] == "pending"


async def test_keys_outlive_a_restart_of_the_hub_and_so_does_the_code(tmp_path: Path) -> None:
    async with started(tmp_path) as hub:
        ours = FieldDevice(hub.url, hub.http)
        await ours.pair()
    async with started(tmp_path) as hub:
        back = FieldDevice(hub.url, hub.http)
        back.id, back.key = ours.id, ours.key
        assert (await back.hello()).status == 200
        assert hub.hub.registry.known(ours.id).trust is Trust.PAIRED
        right = await hub.ask("POST", f"/v1/devices/{ours.id}/approve", {"code": ours.code})
        assert right.body["trust"] == "confirmed"


async def test_pairing_is_limited_and_what_is_no_pairing_is_refused(
    running_hub: RunningHub, board: Boards, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pairing, "OFFERS_PER_ADDRESS", 100)
    ours = board()
    answers = [await ours.pair() for _ in range(10)]
    assert [said.status for said in answers].count(429) >= 3
    for body in (
        {},
        [],
        {"chip": "x"},
        {"chip": CHIP, "kind": "vending", "fw": "1", "commit": "00" * 31},
        {"chip": CHIP, "kind": "\x1b[31mthing", "fw": "1", "commit": "00" * 32},
        "x" * 5000,
    ):
        said = await ours.post("/v1/device/pair", body)
        assert said.status in (400, 413)
    assert (await ours.post("/v1/device/pair/none", {"public": "00" * 32, "nonce": "00" * 16})).status == 404


async def test_the_hub_tells_nobody_the_code_that_the_board_shows(running_hub: RunningHub, board: Boards) -> None:
    ours = board(kind="sensor")
    await ours.pair()
    for path in ("/v1/devices", f"/v1/devices/{ours.id}", "/v1/ledger"):
        assert ours.code not in str((await running_hub.get(path)).body)


async def test_who_pairs_as_the_same_chip_elsewhere_does_not_displace_a_board_that_waits(
    running_hub: RunningHub, board: Boards
) -> None:
    ours = board()
    await ours.pair()
    async with ClientSession(connector=TCPConnector(local_addr=("127.0.0.2", 0))) as elsewhere:
        thief = FieldDevice(running_hub.url, elsewhere)
        await thief.pair()
    assert thief.id != ours.id
    right = await running_hub.ask("POST", f"/v1/devices/{ours.id}/approve", {"code": ours.code})
    assert right.body["trust"] == "confirmed"
    assert (await ours.hello()).body["approved"] is True


async def test_what_a_stranger_counts_does_not_keep_the_real_board_from_its_commands(
    running_hub: RunningHub, board: Boards
) -> None:
    """A stranger claims the chip with the highest number there is; three wrong codes; the real board pairs."""
    stranger, real = board(), board()
    await stranger.pair()
    for hwm, status in ((2**63 - 1, 400), (2**31 - 1, 200)):
        stranger.hwm = hwm
        assert (await stranger.hello()).status == status
    assert (await stranger.poll(0)).status == 200
    wrong = str((int(stranger.code) + 1) % 1_000_000).zfill(6)
    for _ in range(3):
        await running_hub.ask("POST", f"/v1/devices/{stranger.id}/approve", {"code": wrong})
    await real.pair()
    await running_hub.ask("POST", f"/v1/devices/{real.id}/approve", {"code": real.code})
    async with living(real):
        reboot = await running_hub.ask("POST", f"/v1/devices/{real.id}/commands", {"kind": "reboot"})
        await until(lambda: _ended(running_hub, reboot.body["id"]))
    assert [done["seq"] for done in real.done] == [1]


async def _ended(hub: RunningHub, command_id: str) -> bool:
    return bool((await hub.get(f"/v1/commands/{command_id}")).body["state"] == "succeeded")
