"""Commands over the API: accepted, refused, taken back, sent again, settled, and what is kept of them."""

from __future__ import annotations

import asyncio
import logging

import pytest

from edge.commands.model import Command
from edge.devices.model import Device
from edge.wire.orders import Outcome, Verdict
from tests.integration.conftest import Start
from tests.integration.running_hub import RunningHub, until

PAYLOAD = "upi://pay?pa=canary-payload@bank"
SECRETS = {"payload": PAYLOAD, "caption": "Canary Customer", "amount": "Rs 987654", "reference": "CANARY-REF-1"}


async def handed_out(hub: RunningHub, command_id: str) -> Command:
    """The command, as if its first byte had just left."""
    begun = await hub.hub.commands.begin(await hub.hub.commands.get(command_id), "test line")
    assert begun is not None
    return begun


async def in_doubt(hub: RunningHub, device: Device, kind: str = "reboot") -> str:
    """A command nobody can know the outcome of; its id."""
    made = await hub.send(device, kind)
    begun = await handed_out(hub, made.body["id"])
    outcome = Outcome(verdict=Verdict.IN_DOUBT, reason="The power went.")
    if kind == "reboot":
        await hub.hub.commands.settle(begun, outcome)
    return str(made.body["id"])


async def test_a_command_is_accepted_shown_and_listed(running_hub: RunningHub) -> None:
    device = await running_hub.display()
    made = await running_hub.send(device, key="app")
    assert made.status == 201
    assert (made.body["state"], made.body["device"], made.body["actor"]) == ("queued", device.id, "key:app")
    assert 55 < made.body["expires_in_s"] <= 60
    shown = await running_hub.get(f"/v1/commands/{made.body['id']}", key="app")
    assert shown.body["id"] == made.body["id"]
    for path in ("/v1/commands", "/v1/commands?state=open", f"/v1/devices/{device.id}/commands"):
        assert [item["id"] for item in (await running_hub.get(path)).body["items"]] == [made.body["id"]]
    assert (await running_hub.get("/v1/commands?state=succeeded")).body["items"] == []
    assert (await running_hub.get("/v1/commands?state=lost")).code == "bad-input"


async def test_only_an_approved_device_is_told_to_do_anything(running_hub: RunningHub) -> None:
    pending = await running_hub.hub.registry.take_in("serial", "AABBCC001122", "native", facts={})
    assert pending is not None
    refused = await running_hub.send(pending)
    assert (refused.status, refused.code, refused.body["retryable"]) == (409, "device-unavailable", True)
    assert pending.id in refused.body["hint"]
    assert (await running_hub.get("/v1/commands")).body["items"] == []


async def test_a_time_to_live_is_shortened_never_lengthened(running_hub: RunningHub) -> None:
    device = await running_hub.display()
    assert (await running_hub.send(device, ttl_s=5)).body["expires_in_s"] <= 5
    assert (await running_hub.send(device, ttl_s=86_400)).body["expires_in_s"] <= 60
    for wrong in (0, -1, -1e300):
        assert (await running_hub.send(device, ttl_s=wrong)).code == "rejected"
    assert (await running_hub.send(device, ttl_s="5")).code == "bad-input"


async def test_what_nobody_took_in_time_expires_and_is_erased(running_hub: RunningHub) -> None:
    device = await running_hub.display()
    made = await running_hub.send(device, ttl_s=0.05, args={"payload": PAYLOAD})
    one = f"/v1/commands/{made.body['id']}"

    async def is_over() -> bool:
        return (await running_hub.get(one)).body["state"] != "queued"

    await until(is_over)
    ended = await running_hub.get(one)
    assert (ended.body["state"], ended.body["args"], ended.body["expires_in_s"]) == ("expired", {}, None)


async def test_a_newer_code_takes_the_place_of_one_not_yet_sent(running_hub: RunningHub) -> None:
    device = await running_hub.display()
    first = (await running_hub.send(device)).body["id"]
    second = (await running_hub.send(device)).body["id"]
    shown = (await running_hub.get(f"/v1/commands/{first}")).body
    assert (shown["state"], second in shown["reason"]) == ("superseded", True)
    assert [command.id for command in running_hub.hub.commands.open()] == [second]


async def test_a_key_and_body_again_give_the_same_command(running_hub: RunningHub) -> None:
    device = await running_hub.display()
    first = await running_hub.send(device, idempotency="one")
    again = await running_hub.send(device, idempotency="one")
    assert (again.status, again.body["id"]) == (201, first.body["id"])
    other = await running_hub.send(device, idempotency="one", args={"payload": "another"})
    assert (other.status, other.code) == (422, "rejected")
    elsewhere = await running_hub.send(await running_hub.display("B"), idempotency="one")
    assert elsewhere.code == "rejected"
    of_another_caller = await running_hub.send(device, idempotency="one", key="app")
    assert of_another_caller.body["id"] != first.body["id"]


async def test_the_same_key_at_the_same_moment_makes_one_command(running_hub: RunningHub) -> None:
    device = await running_hub.display()
    answers = await asyncio.gather(*(running_hub.send(device, idempotency="same") for _ in range(20)))
    assert {answer.status for answer in answers} == {201}
    assert len({answer.body["id"] for answer in answers}) == 1
    assert len((await running_hub.get("/v1/commands")).body["items"]) == 1


async def test_an_idempotency_key_nobody_could_repeat_is_refused(running_hub: RunningHub) -> None:
    device = await running_hub.display()
    for key in ("x" * 129, "é", "in\tside", "\udcff"):
        answer = await running_hub.raw(
            f"POST /v1/devices/{device.id}/commands HTTP/1.1\r\nHost: h\r\nConnection: close\r\n"
            "Content-Length: 25\r\n"
            f"Authorization: Bearer {running_hub.keys['admin']}\r\nIdempotency-Key: {key}\r\n\r\n"
            '{"kind":"start_rotation"}'
        )
        assert answer.startswith(b"HTTP/1.1 400 "), (key, answer[:200])
        assert b"bad-input" in answer


async def test_a_waiting_command_is_taken_back_once(running_hub: RunningHub) -> None:
    device = await running_hub.display()
    made = (await running_hub.send(device, key="app")).body["id"]
    taken = await running_hub.ask("POST", f"/v1/commands/{made}/cancel", key="app")
    assert (taken.body["state"], taken.body["reason"]) == ("cancelled", "Cancelled by key:app.")
    assert (await running_hub.ask("POST", f"/v1/commands/{made}/cancel")).code == "conflict"


async def test_an_app_does_what_a_desk_does_and_sees_its_own_commands_only(running_hub: RunningHub) -> None:
    device = await running_hub.display()
    for kind in ("reboot", "store_picture", "erase_picture"):
        assert (await running_hub.send(device, kind, key="app")).code == "forbidden", kind
    others = (await running_hub.send(device)).body["id"]
    assert (await running_hub.ask("GET", f"/v1/commands/{others}", key="app")).code == "not-found"
    assert (await running_hub.ask("POST", f"/v1/commands/{others}/cancel", key="app")).code == "not-found"
    own = (await running_hub.send(device, key="app")).body["id"]
    assert (await running_hub.ask("GET", f"/v1/commands/{own}", key="app")).body["id"] == own


async def test_what_is_on_its_way_is_not_taken_back(running_hub: RunningHub) -> None:
    made = (await running_hub.send(await running_hub.display(), "start_rotation")).body["id"]
    await handed_out(running_hub, made)
    assert (await running_hub.ask("POST", f"/v1/commands/{made}/cancel")).code == "conflict"


async def test_a_person_settles_what_nobody_can_know(running_hub: RunningHub) -> None:
    command_id = await in_doubt(running_hub, await running_hub.display())
    one = f"/v1/commands/{command_id}"
    assert (await running_hub.get("/v1/commands?state=in_doubt")).body["items"][0]["id"] == command_id
    for body in ({"outcome": "maybe", "note": "x"}, {"outcome": "failed", "note": " "}, {"outcome": "failed"}):
        assert (await running_hub.ask("POST", one + "/resolve", body)).code == "bad-input"
    assert (await running_hub.ask("POST", one + "/resolve", {"outcome": "failed", "note": "y" * 501})).status == 400
    said = {"outcome": "failed", "note": "It still shows the old code."}
    settled = await running_hub.ask("POST", one + "/resolve", said, key="technician")
    assert (settled.body["state"], settled.body["resolved_by"]) == ("failed", "key:technician")
    assert (await running_hub.ask("POST", one + "/resolve", said)).code == "conflict"
    tries = (await running_hub.get(one + "/attempts")).body["items"]
    assert [(attempt["attempt"], attempt["verdict"]) for attempt in tries] == [(1, "in_doubt")]


async def test_sent_again_only_where_that_does_no_harm(running_hub: RunningHub) -> None:
    device = await running_hub.display()
    doubtful = await in_doubt(running_hub, device)
    refused = await running_hub.ask("POST", f"/v1/commands/{doubtful}/retry")
    assert (refused.code, doubtful in refused.body["hint"]) == ("conflict", True)
    harmless = (await running_hub.send(device, "start_rotation")).body["id"]
    assert (await running_hub.ask("POST", f"/v1/commands/{harmless}/retry")).code == "conflict"
    await running_hub.ask("POST", f"/v1/commands/{harmless}/cancel")
    again = await running_hub.ask("POST", f"/v1/commands/{harmless}/retry", key="technician")
    assert (again.status, again.body["kind"], again.body["state"]) == (201, "start_rotation", "queued")


async def test_a_full_queue_says_so_and_takes_more_when_there_is_room(start_hub: Start) -> None:
    async with start_hub(queue_per_device=3) as hub:
        device = await hub.display()
        made = [(await hub.send(device, "stop_rotation")).body["id"] for _ in range(3)]
        full = await hub.send(device, "stop_rotation")
        assert (full.status, full.code, full.body["retryable"]) == (409, "device-unavailable", True)
        await hub.ask("POST", f"/v1/commands/{made[0]}/cancel")
        assert (await hub.send(device, "stop_rotation")).status == 201


async def test_bodies_are_erased_at_the_end_and_never_written_elsewhere(
    running_hub: RunningHub, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    device = await running_hub.display()
    made = (await running_hub.send(device, args=SECRETS, idempotency="erase")).body
    assert made["args"] == {}
    begun = await handed_out(running_hub, made["id"])
    told = [await running_hub.get(path) for path in ("/v1/commands", f"/v1/commands/{made['id']}", "/v1/ledger")]
    await running_hub.hub.commands.settle(begun, Outcome(verdict=Verdict.DONE, duration_s=0.4))
    told += [await running_hub.get(path) for path in ("/v1/commands", "/v1/ledger", "/v1/devices", "/metrics")]
    rows = await running_hub.hub.store.hub.read("SELECT args FROM commands")
    assert [row[0] for row in rows] == [None]
    for secret in SECRETS.values():
        assert secret not in str(told), secret
        assert secret not in caplog.text, secret
    await running_hub.hub.store.hub.write(lambda tx: tx.one("SELECT 1"))


async def test_no_erased_body_is_left_in_the_files(start_hub: Start) -> None:
    async with start_hub() as hub:
        made = (await hub.send(await hub.display(), args=SECRETS)).body["id"]
        await hub.ask("POST", f"/v1/commands/{made}/cancel")
        folder = hub.hub.directory
    for file in folder.glob("*.db*"):
        for secret in SECRETS.values():
            assert secret.encode() not in file.read_bytes(), file.name


UNUSABLE: list[tuple[str, object]] = [
    ("vend", {}),
    ("", {}),
    ("k" * 100_000, {}),
    ("display_qr", {}),
    ("display_qr", {"payload": "a", "image": "b"}),
    ("display_qr", {"payload": ""}),
    ("display_qr", {"payload": 7}),
    ("display_qr", {"payload": None}),
    ("display_qr", {"payload": "x" * 2001}),
    ("display_qr", {"payload": "a", "caption": "c" * 201}),
    ("display_qr", {"payload": "a", "caption": ["c"]}),
    ("display_qr", {"payload": "a", "unknown" * 1000: 1}),
    ("erase_picture", {"slot": True}),
    ("erase_picture", {"slot": 10**40}),
    ("erase_picture", {"slot": 0}),
    ("store_picture", {"slot": 1}),
]


async def test_arguments_that_cannot_be_used_are_named(running_hub: RunningHub) -> None:
    device = await running_hub.display()
    for kind, args in UNUSABLE:
        refused = await running_hub.send(device, kind, args=args)
        assert refused.status in (400, 422), (kind, args)
        assert refused.headers["Content-Type"] == "application/problem+json"
        assert refused.body["hint"]
        assert len(refused.body["detail"]) <= 501
    assert (await running_hub.get("/v1/commands")).body["items"] == []


async def test_commands_come_page_by_page_each_once(running_hub: RunningHub) -> None:
    device = await running_hub.display()
    made = [(await running_hub.send(device, "stop_rotation")).body["id"] for _ in range(7)]
    found, path = [], "/v1/commands?limit=3"
    while True:
        page = (await running_hub.get(path)).body
        found += [item["id"] for item in page["items"]]
        if page["next"] is None:
            break
        path = f"/v1/commands?limit=3&cursor={page['next']}"
    assert found == made[::-1]


async def test_a_limit_or_cursor_past_its_bounds_is_refused(running_hub: RunningHub) -> None:
    limits = ["0", "501", "-1", "1e2", "x", "000000001" + "9" * 5000, "000000005999999999", "²", "+1", "1_0"]
    cursors = ["x", "-1", "9" * 19]
    for query in [*(f"limit={limit}" for limit in limits), *(f"cursor={cursor}" for cursor in cursors)]:
        for path in ("/v1/commands", "/v1/ledger"):
            refused = await running_hub.get(f"{path}?{query}")
            assert (refused.status, refused.code) == (400, "bad-input"), query


async def test_a_command_that_is_none_is_not_found(running_hub: RunningHub) -> None:
    for command_id in ("nope", "%ff", "..%2f..%2fkeys", "'%20OR%201=1", "x" * 5000, "%ed%a0%80"):
        for path in (f"/v1/commands/{command_id}", f"/v1/commands/{command_id}/attempts"):
            found = await running_hub.get(path)
            assert (found.status, found.code) == (404, "not-found"), path
    assert (await running_hub.get("/v1/commands/%00")).code == "bad-input"
