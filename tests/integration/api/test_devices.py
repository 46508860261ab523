"""Devices over the API: added, listed, shown, renamed, approved, forgotten, and what their names may be."""

from __future__ import annotations

import asyncio

from tests.integration.running_hub import RunningHub

HOSTILE = [
    "../../etc/passwd",
    "'; DROP TABLE devices;--",
    "<img src=x onerror=alert(1)>",
    "[bold red]",
    "[/]",
    "=cmd|' /C calc'!A0",
    "%s%n{0}",
    "नमस्ते 🙂",
]
UNPRINTABLE = ["\x00", "a\x1b[31mb", "a\nb", "\u202egnp.exe", "", "   ", "x" * 65, "x" * 10_000, "\x9b31m"]


async def test_a_device_is_added_listed_shown_renamed_and_forgotten(running_hub: RunningHub) -> None:
    made = await running_hub.ask("POST", "/v1/devices", {"name": "Desk 1", "kind": "display"}, key="technician")
    assert made.status == 201
    assert made.body["token"].startswith("op_")
    one = f"/v1/devices/{made.body['id']}"
    shown = await running_hub.get(one, key="viewer")
    assert (shown.body["name"], shown.body["state"], shown.body["online"]) == ("Desk 1", "approved", False)
    assert "token" not in shown.body
    renamed = await running_hub.ask("PATCH", one, {"name": "Desk 2"}, key="technician")
    assert renamed.body["name"] == "Desk 2"
    assert [device["name"] for device in (await running_hub.get("/v1/devices")).body["items"]] == ["Desk 2"]
    assert (await running_hub.ask("DELETE", one, key="technician")).status == 204
    assert (await running_hub.get(one)).code == "not-found"
    assert (await running_hub.get("/v1/devices")).body["items"] == []
    told = [fact["kind"] for fact in await running_hub.facts() if fact["subject"] == made.body["id"]]
    assert told == ["device.added", "device.renamed", "device.forgotten"]


async def test_a_token_is_stored_as_its_hash_only(running_hub: RunningHub) -> None:
    made = await running_hub.ask("POST", "/v1/devices", {"name": "Desk", "kind": "display"})
    token = made.body["token"].encode()
    await running_hub.hub.store.hub.write(lambda tx: tx.execute("SELECT 1"))
    for file in running_hub.hub.directory.iterdir():
        if file.is_file():
            assert token not in file.read_bytes(), file.name


async def test_an_unknown_kind_or_profile_is_refused_with_those_there_are(running_hub: RunningHub) -> None:
    unknown = (
        ("vending", "nic-client"),
        ("toaster", "native"),
        ("display", "nope"),
        ("", ""),
        ("Display", "native"),
    )
    for kind, profile in unknown:
        refused = await running_hub.ask("POST", "/v1/devices", {"name": "x", "kind": kind, "profile": profile})
        assert (refused.status, refused.code) == (400, "bad-input")
        assert "display/native" in refused.body["hint"]


async def test_hostile_names_stay_what_they_are(running_hub: RunningHub) -> None:
    device = await running_hub.display()
    for name in HOSTILE:
        renamed = await running_hub.ask("PATCH", f"/v1/devices/{device.id}", {"name": name})
        assert (renamed.status, renamed.body["name"]) == (200, name)
        found = await running_hub.get("/v1/devices")
        assert [item["name"] for item in found.body["items"]] == [name]


async def test_names_that_do_not_print_are_refused(running_hub: RunningHub) -> None:
    device = await running_hub.display("before")
    for name in UNPRINTABLE:
        refused = await running_hub.ask("PATCH", f"/v1/devices/{device.id}", {"name": name})
        assert (refused.status, refused.code) == (400, "bad-input"), name
        assert (await running_hub.ask("POST", "/v1/devices", {"name": name, "kind": "display"})).status == 400
    assert (await running_hub.get(f"/v1/devices/{device.id}")).body["name"] == "before"


async def test_what_a_pending_device_claims_as_its_name_is_made_fit_to_be_shown(running_hub: RunningHub) -> None:
    device = await running_hub.hub.registry.take_in(
        "serial", "AA:BB:CC:00:11:22", "native", name="\x1b]0;pwned\x07 Desk \u202e" + "y" * 500, facts={}
    )
    assert device is not None
    assert device.name.isprintable()
    assert len(device.name) <= 64
    assert device.id == "AABBCC001122"


async def test_a_claimed_mac_takes_nothing_from_the_device_that_has_it(running_hub: RunningHub) -> None:
    registry = running_hub.hub.registry
    real = await registry.take_in("serial", "AABBCC001122", "native", name="Till", facts={})
    assert real is not None
    await registry.approve(real, actor="tess")
    impostor = await registry.take_in("nic", "aa:bb:cc:00:11:22", "nic-client", name="Till", facts={})
    assert impostor is not None
    assert impostor.id != real.id
    assert not impostor.approved
    still = registry.known(real.id)
    assert (still.approved, still.profile, still.aliases) == (True, "native", (("serial", "AABBCC001122"),))


async def test_a_forgotten_device_comes_back_pending_with_its_own_id(running_hub: RunningHub) -> None:
    registry = running_hub.hub.registry
    device = await registry.take_in("serial", "AABBCC001122", "native", facts={})
    assert device is not None
    await registry.approve(device, actor="tess")
    await registry.forget(device, actor="tess")
    again = await registry.take_in("serial", "AABBCC001122", "native", facts={})
    assert again is not None
    assert (again.id, again.approved) == (device.id, False)


async def test_changes_at_the_same_moment_all_count(running_hub: RunningHub) -> None:
    registry = running_hub.hub.registry
    device = await registry.take_in("serial", "AABBCC001122", "native", facts={})
    assert device is not None
    await asyncio.gather(
        running_hub.ask("POST", f"/v1/devices/{device.id}/approve"),
        running_hub.ask("PATCH", f"/v1/devices/{device.id}", {"name": "Till 4"}),
        registry.take_in("serial", "AABBCC001122", "native", facts={"fw": "2"}),
        registry.met(device, epoch="e1", last_seq=7, panel="tft-320x480"),
    )
    now = registry.known(device.id)
    assert (now.approved, now.name, now.facts, now.epoch, now.last_seq) == (True, "Till 4", {"fw": "2"}, "e1", 7)


async def test_forgetting_is_not_undone_by_what_was_under_way(running_hub: RunningHub) -> None:
    registry = running_hub.hub.registry
    device = await running_hub.display()
    one = f"/v1/devices/{device.id}"
    answers = await asyncio.gather(
        running_hub.ask("DELETE", one),
        *(running_hub.ask("PATCH", one, {"name": f"n{number}"}) for number in range(5)),
        running_hub.ask("POST", one + "/approve"),
    )
    assert {answer.status for answer in answers} <= {200, 204, 404}
    assert registry.find(device.id) is None
    assert registry.known(device.id).token_hash is None


async def test_a_device_answers_to_id_mac_alias_and_unique_name(running_hub: RunningHub) -> None:
    device = await running_hub.hub.registry.take_in("serial", "AA:BB:CC:00:11:22", "native", facts={})
    assert device is not None
    await running_hub.hub.registry.rename(device, "Front desk", actor="tess")
    for name in ("AABBCC001122", "aa:bb:cc:00:11:22", "aa-bb-cc-00-11-22", "Front%20desk"):
        assert (await running_hub.get(f"/v1/devices/{name}")).body["id"] == device.id
    await running_hub.display("Front desk")
    several = await running_hub.get("/v1/devices/Front%20desk")
    assert (several.status, several.code) == (409, "conflict")
    assert "id" in several.body["hint"]


async def test_desks_agents_and_claims(running_hub: RunningHub) -> None:
    device = await running_hub.display()
    one = f"/v1/devices/{device.id}"
    seated = await running_hub.ask("PUT", one + "/agent", {"agent": "24", "name": "Asha"}, key="technician")
    assert seated.body["agent"]["agent"] == "24"
    assert (await running_hub.get("/v1/agents", key="viewer")).body["items"][0]["how"] == "technician"
    bound = await running_hub.ask("PUT", one + "/workstation", {"computer_name": "PC-7"}, key="technician")
    assert bound.body["workstations"] == ["PC-7"]
    assert (await running_hub.ask("DELETE", one + "/workstation?computer_name=PC-7")).status == 204
    assert (await running_hub.ask("DELETE", one + "/workstation?computer_name=PC-7")).code == "not-found"
    assert (await running_hub.ask("DELETE", one + "/agent")).status == 204
    assert (await running_hub.get(one)).body["agent"] is None
    assert (await running_hub.get("/v1/claims")).body == {"items": [], "next": None}
    for verb, path, body in (
        ("POST", "/v1/claims/24/approve", {"device": device.id}),
        ("DELETE", "/v1/claims/24", None),
    ):
        assert (await running_hub.ask(verb, path, body)).code == "not-found"
    for agent in ("", " ", "a\x00b", "x" * 10_000):
        assert (await running_hub.ask("PUT", one + "/agent", {"agent": agent})).code == "bad-input"
