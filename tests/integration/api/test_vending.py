"""Vending over the API: set up, stocked, vended once, in doubt and settled, and every count explained."""

from __future__ import annotations

import asyncio
import csv
import io
import sqlite3
from typing import Any

import pytest

from edge.devices.model import Device
from edge.wire.orders import Outcome, Verdict
from tests.integration.running_hub import Answer, RunningHub

DONE = Outcome(verdict=Verdict.DONE)
SEEN = Outcome(verdict=Verdict.DONE, evidence="sensor")
UNKNOWN = Outcome(verdict=Verdict.UNKNOWN, reason="No word came back.")
COLA = {"item": "Cola", "price": 150, "currency": "eur", "capacity": 10}


class Site:
    """A running hub with one older machine of five slots, which has just been heard of."""

    def __init__(self, hub: RunningHub, machine: Device) -> None:
        self.hub, self.machine = hub, machine

    def path(self, slot: int | str = 1, rest: str = "") -> str:
        return f"/v1/devices/{self.machine.id}/slots/{slot}{rest}"

    async def stocked(self, slot: int = 1, add: int = 3) -> None:
        assert (await self.hub.ask("PUT", self.path(slot), COLA, key="technician")).status == 200
        assert (await self.restock(slot, add=add)).status == 200

    async def restock(self, slot: int = 1, **body: Any) -> Answer:
        return await self.hub.ask("POST", self.path(slot, "/restock"), body, key="technician")

    async def vend(self, slot: int = 1, key: str = "app", **headers: str) -> Answer:
        return await self.hub.ask("POST", self.path(slot, "/vend"), {}, key=key, **headers)

    async def vended(self, outcome: Outcome = DONE, slot: int = 1) -> str:
        """A vend that came to this; its id."""
        made = await self.vend(slot)
        assert made.status == 201, made.body
        await self.ends(made.body["command"]["id"], outcome)
        return str(made.body["command"]["id"])

    async def ends(self, command_id: str, outcome: Outcome) -> None:
        commands = self.hub.hub.commands
        begun = await commands.begin(await commands.get(command_id), "test line")
        assert begun is not None
        await commands.settle(begun, outcome)

    async def slot(self, slot: int = 1) -> dict[str, Any]:
        found = (await self.hub.get(f"/v1/slots?device={self.machine.id}", key="app")).body["items"]
        return next(dict(one) for one in found if one["slot"] == slot)

    async def transaction(self, command_id: str) -> dict[str, Any]:
        return dict((await self.hub.get(f"/v1/transactions/{command_id}", key="viewer")).body)

    async def agrees(self) -> bool:
        return (await self.hub.get("/v1/vending/agreement", key="viewer")).body["disagreements"] == []


@pytest.fixture
async def site(running_hub: RunningHub) -> Site:
    """A machine nobody has set up yet."""
    machine, _ = await running_hub.hub.registry.add("Lobby", "vending", "vending", actor="test")
    running_hub.hub.presences.seen(machine.id, "test")
    return Site(running_hub, machine)


async def test_what_is_vended_is_taken_from_the_count_and_told_with_its_evidence(site: Site) -> None:
    await site.stocked(add=3)
    by_word = await site.vended(DONE)
    by_sensor = await site.vended(SEEN)
    slot = await site.slot()
    assert (slot["item"], slot["price"], slot["currency"], slot["count"]) == ("Cola", 150, "EUR", 1)
    assert (slot["available"], slot["why"], slot["reserved"], slot["in_doubt"]) == (True, "", 0, 0)
    assert [(await site.transaction(id_))["evidence"] for id_ in (by_word, by_sensor)] == ["machine", "sensor"]
    moves = (await site.hub.get(f"/v1/movements?device={site.machine.id}&slot=1", key="viewer")).body["items"]
    assert [(move["what"], move["change"], move["count"], move["command"]) for move in moves] == [
        ("vend", -1, 1, by_sensor),
        ("vend", -1, 2, by_word),
        ("restock", 3, 3, None),
    ]
    assert await site.agrees()


async def test_while_one_is_under_way_there_is_no_other(site: Site) -> None:
    await site.stocked(1)
    await site.stocked(2)
    first = await site.vend(1)
    assert first.body["slot"]["reserved"] == 1
    for slot in (1, 2):
        refused = await site.vend(slot)
        assert (refused.status, refused.code) == (409, "busy")
        assert first.body["command"]["id"] in refused.body["detail"]
    await site.ends(first.body["command"]["id"], DONE)
    assert (await site.vend(2)).status == 201


async def test_of_many_who_press_at_once_one_gets_it(site: Site) -> None:
    await site.stocked(add=9)
    answers = await asyncio.gather(*(site.vend() for _ in range(20)))
    assert sorted(answer.status for answer in answers) == [201] + [409] * 19
    assert len((await site.hub.get("/v1/transactions?state=open")).body["items"]) == 1


async def test_nothing_is_vended_that_is_not_there(site: Site) -> None:
    await site.stocked(1, add=1)
    await site.vended()
    empty = await site.vend(1)
    assert (empty.status, empty.code, "slot restock" in empty.body["hint"]) == (409, "conflict", True)
    not_set_up = await site.vend(2)
    assert (not_set_up.status, "slot set" in not_set_up.body["hint"]) == (409, True)
    absent = await site.vend(6)
    assert (absent.status, "1 to 5" in absent.body["detail"]) == (404, True)
    site.hub.hub.presences.gone(site.machine.id)
    offline = await site.vend(1)
    assert (offline.status, offline.code, "offline" in offline.body["detail"]) == (409, "device-unavailable", True)
    slot = await site.slot(1)
    assert (slot["available"], "empty" in slot["why"]) == (False, True)


async def test_the_door_for_all_commands_leads_through_the_same_rule(site: Site) -> None:
    await site.stocked(add=1)
    for wrong in (
        {},
        {"slot": "1"},
        {"slot": 1.5},
        {"slot": True},
        {"slot": 0},
        {"slot": 1, "x": 2},
        {"slot": None},
    ):
        assert (await site.hub.send(site.machine, "vend", args=wrong)).code == "bad-input", wrong
    made = await site.hub.send(site.machine, "vend", args={"slot": 1}, key="app")
    assert made.status == 201
    assert (await site.hub.send(site.machine, "vend", args={"slot": 1})).code == "busy"
    assert (await site.transaction(made.body["id"]))["state"] == "queued"


async def test_a_request_sent_again_vends_nothing_more(site: Site) -> None:
    await site.stocked(add=3)
    first = await site.vend(Idempotency_Key="order-17")
    command_id = first.body["command"]["id"]
    await site.ends(command_id, DONE)
    site.hub.hub.presences.gone(site.machine.id)  # the answer is there all the same
    again = await site.vend(Idempotency_Key="order-17")
    assert (again.status, again.body["command"]["id"]) == (201, command_id)
    assert (await site.vend(2, Idempotency_Key="order-17")).status == 422
    assert (await site.slot())["count"] == 2


async def test_a_doubt_is_explained_blocks_its_slot_and_is_settled_by_a_person(site: Site) -> None:
    await site.stocked(1)
    await site.stocked(2)
    doubtful = await site.vended(UNKNOWN)
    found = (await site.hub.get("/v1/transactions?state=in_doubt", key="viewer")).body["items"]
    assert [vend["id"] for vend in found] == [doubtful]
    assert found[0]["reason"] == "No word came back."
    for said in ("Cola", "slot 1 of Lobby", "2 left when it fell, 3 when it did not", f"resolve {doubtful}"):
        assert said in found[0]["todo"], said
    blocked = await site.vend(1)
    assert (blocked.status, doubtful in blocked.body["hint"]) == (409, True)
    assert (await site.slot(1))["in_doubt"] == 1
    await site.vended(slot=2)
    said = {"outcome": "succeeded", "note": "It lay in the tray."}
    await site.hub.ask("POST", f"/v1/commands/{doubtful}/resolve", said, key="technician")
    settled = await site.transaction(doubtful)
    assert (settled["state"], settled["evidence"], settled["todo"]) == ("succeeded", "person", "")
    assert (settled["resolved_by"], settled["note"]) == ("key:technician", "It lay in the tray.")
    assert settled["reason"] == "No word came back."
    assert ((await site.slot(1))["count"], (await site.slot(1))["available"]) == (2, True)
    assert await site.agrees()


async def test_what_did_not_fall_is_still_there(site: Site) -> None:
    await site.stocked(add=2)
    await site.vended(Outcome(verdict=Verdict.FAILED, reason="It jammed.", evidence="sensor"))
    doubtful = await site.vended(UNKNOWN)
    said = {"outcome": "failed", "note": "The spiral has not moved."}
    await site.hub.ask("POST", f"/v1/commands/{doubtful}/resolve", said)
    cancelled = (await site.vend()).body["command"]["id"]
    await site.hub.ask("POST", f"/v1/commands/{cancelled}/cancel", key="app")
    assert ((await site.transaction(cancelled))["evidence"], (await site.slot())["count"]) == ("", 2)
    assert await site.agrees()


async def test_the_machines_late_word_settles_a_doubt_once(site: Site) -> None:
    await site.stocked(add=2)
    doubtful = await site.vended(UNKNOWN)
    commands = site.hub.hub.commands
    command = await commands.get(doubtful)
    await commands.evidence(command, SEEN)
    late = {"outcome": "failed", "note": "x"}
    assert (await site.hub.ask("POST", f"/v1/commands/{doubtful}/resolve", late)).status == 409
    assert ((await site.transaction(doubtful))["evidence"], (await site.slot())["count"]) == ("sensor", 1)


async def test_who_counts_settles_first(site: Site) -> None:
    """Else what fell would be taken off twice: by the person who counted, and by the vend."""
    await site.stocked(add=3)
    doubtful = await site.vended(UNKNOWN)
    refused = await site.restock(count=2)
    assert (refused.status, doubtful in refused.body["hint"]) == (409, True)
    assert (await site.restock(add=2)).body["count"] == 5
    await site.hub.ask("POST", f"/v1/commands/{doubtful}/resolve", {"outcome": "succeeded", "note": "Gone."})
    assert (await site.restock(count=4, note="counted")).body["count"] == 4
    moves = (await site.hub.get("/v1/movements?limit=1")).body["items"]
    assert [(move["what"], move["change"], move["note"]) for move in moves] == [("correction", 0, "counted")]


async def test_a_machine_nobody_set_up_vends_as_it_always_did(site: Site) -> None:
    slots = (await site.hub.get(f"/v1/slots?device={site.machine.id}")).body["items"]
    assert [(slot["slot"], slot["count"], slot["available"]) for slot in slots] == [
        (number, None, True) for number in range(1, 6)
    ]
    await site.vended(slot=3)
    assert (await site.hub.get("/v1/movements")).body["items"] == []
    await site.stocked(1)
    assert [(await site.slot(number))["available"] for number in (1, 2, 3)] == [True, False, False]
    assert await site.agrees()


async def test_a_machine_says_how_many_slots_it_has(running_hub: RunningHub) -> None:
    hub = running_hub.hub
    machine, _ = await hub.registry.add("Hall", "vending", "native", actor="test")
    hub.presences.seen(machine.id, "test")
    vend = f"/v1/devices/{machine.id}/slots/7/vend"
    assert (await running_hub.ask("POST", vend, {})).status == 409
    for said in (True, "7", 0, 100, 10**30, 7.0, None, [7]):
        await hub.vending.hear_health(machine, {"slots": said})
        assert (await running_hub.get("/v1/slots")).body["items"] == [], said
    await hub.vending.hear_health(machine, {"slots": 7})
    assert [slot["slot"] for slot in (await running_hub.get("/v1/slots")).body["items"]] == list(range(1, 8))
    assert (await running_hub.ask("POST", vend, {})).status == 201
    await hub.vending.hear_health(machine, {"slots": 6})
    assert (await running_hub.ask("POST", vend.replace("/7/", "/8/"), {})).status == 404


async def test_a_vend_nobody_counted_is_not_taken_from_a_count_begun_meanwhile(site: Site) -> None:
    doubtful = await site.vended(UNKNOWN, slot=1)
    assert (await site.restock(1, add=5)).status == 409
    await site.stocked(2)
    await site.hub.ask("POST", f"/v1/commands/{doubtful}/resolve", {"outcome": "succeeded", "note": "Gone."})
    assert (await site.restock(1, add=5)).body["count"] == 5
    assert await site.agrees()


async def test_a_slot_is_set_up_within_reason(site: Site) -> None:
    for wrong in (
        {"item": "x" * 65},
        {"item": "a\x1b[31mb"},
        {"price": -1},
        {"price": 10**9 + 1},
        {"currency": "EURO"},
        {"currency": "€€€"},
        {"capacity": 10_000},
        {"price": 1.5},
        {"count": 3},
    ):
        assert (await site.hub.ask("PUT", site.path(), wrong)).code == "bad-input", wrong
    assert (await site.hub.ask("PUT", site.path(), {"price": 100})).code == "rejected"
    await site.stocked(add=3)
    assert (await site.hub.ask("PUT", site.path(), {"capacity": 2})).code == "rejected"
    assert (await site.hub.ask("PUT", site.path(), {"price": 200})).body["item"] == "Cola"
    assert (await site.restock(add=8)).code == "rejected"
    for wrong in ({}, {"add": 1, "count": 1}, {"add": 0}, {"count": -1}, {"add": 1, "note": "x" * 501}):
        assert (await site.restock(**wrong)).code == "bad-input", wrong
    for slot in ("0", "100", "x", "1e1", "٣", "9" * 400):
        assert (await site.hub.ask("PUT", site.path(slot), COLA)).status in (400, 404), slot
    display = await site.hub.display()
    assert (await site.hub.ask("PUT", f"/v1/devices/{display.id}/slots/1", COLA)).code == "rejected"


async def test_an_app_vends_and_looks_and_does_not_stock(site: Site) -> None:
    await site.stocked()
    assert (await site.vend(key="viewer")).status == 403
    for method, rest, body in (("PUT", "", COLA), ("POST", "/restock", {"add": 1})):
        assert (await site.hub.ask(method, site.path(1, rest), body, key="app")).status == 403
    assert (await site.hub.get("/v1/transactions", key="app")).status == 403
    made = await site.vend(key="app")
    assert (await site.hub.get(f"/v1/commands/{made.body['command']['id']}", key="app")).status == 200


async def test_everything_is_there_as_csv_and_safe_to_open(site: Site) -> None:
    await site.stocked(add=3)
    await site.hub.ask("PUT", site.path(), {"item": '=HYPERLINK("http://x")'})
    command_id = await site.vended()
    answer = await site.hub.get("/v1/transactions.csv", key="viewer")
    assert answer.headers["Content-Type"] == "text/csv; charset=utf-8"
    (row,) = csv.DictReader(io.StringIO(answer.body.decode()))
    assert (row["id"], row["item"], row["state"]) == (command_id, '\'=HYPERLINK("http://x")', "succeeded")
    moves = await site.hub.get(f"/v1/movements.csv?device={site.machine.id}&slot=1")
    assert [row["what"] for row in csv.DictReader(io.StringIO(moves.body.decode()))] == ["vend", "restock"]
    assert (await site.hub.get("/v1/transactions.csv?state=sold")).code == "bad-input"


async def test_lists_go_on_where_the_page_before_ended(site: Site) -> None:
    await site.stocked(add=9)
    made = [await site.vended() for _ in range(5)]
    found: list[str] = []
    cursor = ""
    while True:
        page = (await site.hub.get(f"/v1/transactions?limit=2{cursor}")).body
        found += [vend["id"] for vend in page["items"]]
        if page["next"] is None:
            break
        cursor = f"&cursor={page['next']}"
    assert found == made[::-1]


async def test_every_change_of_a_slot_and_a_vend_is_told_live(site: Site) -> None:
    told: list[dict[str, Any]] = []

    async def listen() -> None:
        headers = {"Authorization": f"Bearer {site.hub.keys['viewer']}"}
        async with site.hub.http.ws_connect(site.hub.url + "/v1/live", headers=headers) as socket:
            listening.set()
            async for message in socket:
                told.append(message.json())
                if told[-1]["topic"] == "transaction" and told[-1]["data"]["state"] == "succeeded":
                    ended.set()

    listening, ended = asyncio.Event(), asyncio.Event()
    task = asyncio.create_task(listen())
    await asyncio.wait_for(listening.wait(), 60)
    await site.stocked(add=2)
    await site.vended()
    await asyncio.wait_for(ended.wait(), 60)
    states = [event["data"]["state"] for event in told if event["topic"] == "transaction"]
    assert states == ["queued", "sent", "succeeded"]
    slots = [event["data"]["count"] for event in told if event["topic"] == "slot" and event["data"]["slot"] == 1]
    counts = [count for count in slots if count is not None]  # none yet, where the machine's coming is told of
    assert counts == [0, 2, 2, 1]
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


async def test_the_ledger_tells_it_in_numbers(site: Site) -> None:
    await site.stocked(add=1)
    await site.vended(Outcome(verdict=Verdict.FAILED, reason="canary-of-the-machine"))
    doubtful = await site.vended(UNKNOWN)
    note = {"outcome": "succeeded", "note": "canary: Ms Customer got it"}
    await site.hub.ask("POST", f"/v1/commands/{doubtful}/resolve", note, key="technician")
    facts = [fact for fact in await site.hub.facts() if fact["kind"].split(".")[0] in ("slot", "vend")]
    assert [fact["kind"] for fact in facts] == [
        "slot.set",
        "slot.restocked",
        "vend.started",
        "vend.failed",
        "vend.started",
        "vend.in_doubt",
        "vend.resolved",
    ]
    assert "canary" not in str(facts)
    assert facts[-1]["body"] == {
        "device": site.machine.id,
        "slot": 1,
        "state": "succeeded",
        "by": "key:technician",
    }
    metrics = (await site.hub.get("/metrics")).body.decode()
    assert 'outpost_vends{state="succeeded"} 1' in metrics
    assert 'outpost_vends{state="in_doubt"} 0' in metrics


async def test_a_forgotten_machine_takes_its_slots_along_and_leaves_its_history(site: Site) -> None:
    await site.stocked(add=3)
    doubtful = await site.vended(UNKNOWN)
    await site.hub.ask("DELETE", f"/v1/devices/{site.machine.id}")
    assert (await site.hub.get("/v1/slots")).body["items"] == []
    said = {"outcome": "succeeded", "note": "Gone with the machine."}
    settled = await site.hub.ask("POST", f"/v1/commands/{doubtful}/resolve", said)
    assert (settled.status, (await site.transaction(doubtful))["state"]) == (200, "succeeded")
    assert [move["change"] for move in (await site.hub.get("/v1/movements")).body["items"]] == [-3, 3]
    assert await site.agrees()


async def test_a_count_that_was_tampered_with_is_found(site: Site) -> None:
    await site.stocked(add=3)
    await site.vended()
    raw = sqlite3.connect(site.hub.hub.store.directory / "hub.db")
    with raw:
        raw.execute("UPDATE slots SET count = 7")
        with pytest.raises(sqlite3.IntegrityError, match="append-only"):
            raw.execute("UPDATE movements SET change = 9")
        with pytest.raises(sqlite3.IntegrityError, match="append-only"):
            raw.execute("DELETE FROM movements")
        with pytest.raises(sqlite3.IntegrityError):
            raw.execute("UPDATE slots SET count = -1")
    raw.close()
    found = (await site.hub.get("/v1/vending/agreement")).body["disagreements"]
    assert found == [f"Slot 1 of {site.machine.id} holds 7, its movements say 2"]
