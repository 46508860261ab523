"""Head office commands a device: through a real centre and a real hub to a conversation that answers."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import msgspec
import pytest
from sqlalchemy import select

from cloud.db.models import InboxItem
from edge.devices.model import Device
from edge.wire.orders import Order, Outcome, Verdict
from tests.e2e import cli
from tests.integration.running_hub import RunningHub
from tests.integration.sync.conftest import Pair, until
from tests.running_centre import ENGINES

DONE = Outcome(verdict=Verdict.DONE, duration_s=0.2)
TRIES = 9
PAYLOAD = "upi://pay?pa=a@b"


class Answering:
    """A conversation that does at once what it is told, and keeps what it was told."""

    def __init__(self, outcome: Outcome = DONE) -> None:
        self.orders: list[Order] = []
        self.outcome = outcome

    async def deliver(self, order: Order) -> Outcome:
        """Done."""
        self.orders.append(order)
        return self.outcome


@pytest.fixture
async def hub(pair: Pair) -> AsyncIterator[RunningHub]:
    """A hub that is enrolled and live."""
    async with pair.hub() as running:
        await pair.enrolled(running)
        yield running


async def display(pair: Pair, hub: RunningHub, outcome: Outcome = DONE) -> tuple[Device, Answering]:
    """A display with a conversation, of which head office knows."""
    device = await hub.display()
    answering = Answering(outcome)
    hub.hub.dispatcher.up(device.id, answering, "serial test")
    await known(pair, device)
    return device, answering


async def machine(pair: Pair, hub: RunningHub, outcome: Outcome = DONE) -> tuple[Device, Answering]:
    """A vending machine with something in slot 1, likewise."""
    device, _ = await hub.hub.registry.add("Lobby", "vending", "native", actor="test")
    hub.hub.presences.seen(device.id, "test")
    path = f"/v1/devices/{device.id}/slots/1"
    await hub.ask("PUT", path, {"item": "Cola", "price": 150, "currency": "EUR"})
    await hub.ask("POST", path + "/restock", {"add": 3})
    answering = Answering(outcome)
    hub.hub.dispatcher.up(device.id, answering, "serial test")
    await known(pair, device)
    await until(lambda: pair.states("slot"))
    return device, answering


async def known(pair: Pair, device: Device) -> None:
    """Wait until head office knows of it."""

    async def there() -> bool:
        return device.id in await pair.states("device")

    await until(there)


async def give(pair: Pair, device: Device, kind: str = "display_qr", **more: Any) -> Any:
    """A command from head office; its answer."""
    query = more.pop("query", "")
    headers = {"Idempotency_Key": more.pop("idempotency")} if "idempotency" in more else {}
    key = more.pop("key", "admin")
    if kind == "display_qr":
        more.setdefault("args", {"payload": PAYLOAD, "caption": "Ann Lee"})
    path = f"/v1/devices/{device.id}/commands{query}"
    return await pair.centre.ask("POST", path, {"kind": kind, **more}, key=key, **headers)


async def becomes(pair: Pair, command_id: str, state: str) -> dict[str, Any]:
    """Wait until head office says that of it."""

    async def there() -> dict[str, Any] | None:
        body: dict[str, Any] = (await pair.centre.get(f"/v1/commands/{command_id}")).body
        return body if body["state"] == state else None

    found: dict[str, Any] = await until(there, f"{command_id} {state}")
    return found


async def items(pair: Pair) -> list[Any]:
    """Every item there ever was."""
    async with pair.centre.centre.db.read() as connection:
        return list((await connection.execute(select(InboxItem.__table__).order_by(InboxItem.seq))).mappings())


async def test_a_code_reaches_its_screen_and_its_result_comes_back(pair: Pair, hub: RunningHub) -> None:
    device, answering = await display(pair, hub)
    given = await give(pair, device, query="?wait=10")
    assert given.status == 201, given.body
    assert given.body["state"] == "succeeded"
    assert given.body["where"] == "site"
    assert given.body["duration_s"] == 0.2
    assert "Ann" not in str(given.body)
    (order,) = answering.orders
    assert order.id == given.body["id"], "one command has one id everywhere"
    own = (await hub.get(f"/v1/commands/{order.id}")).body
    assert own["actor"] == "centre:key:first-admin"
    (item,) = await items(pair)
    assert (item["outcome"], item["body"]) == ("applied", ""), "what was private is gone"
    tries = (await pair.centre.get(f"/v1/commands/{order.id}/attempts")).body["items"]
    assert [(each["attempt"], each["link"], each["verdict"]) for each in tries] == [(1, "serial test", "done")]
    audit = (await pair.centre.get("/v1/audit")).body["items"]
    assert "command.given" in {row["what"] for row in audit}


async def test_each_of_a_row_of_orders_arrives(pair: Pair, hub: RunningHub) -> None:
    device, answering = await display(pair, hub)
    for number in range(TRIES):
        given = await give(pair, device, args={"payload": f"{PAYLOAD}&n={number}"})
        await becomes(pair, given.body["id"], "succeeded")
    assert len(answering.orders) == TRIES


async def test_a_site_that_is_away_is_said_to_be(pair: Pair) -> None:
    async with pair.hub() as running:
        await pair.enrolled(running)
        device, _ = await display(pair, running)
    given = await give(pair, device, ttl_s=0.6)
    assert (given.status, given.body["state"], given.body["where"]) == (201, "queued", "centre")
    ended = await becomes(pair, given.body["id"], "expired")
    assert ended["reason"] == "Its time ran out before its site could take it."
    (item,) = await items(pair)
    assert (item["outcome"], item["body"]) == ("expired", "")


async def test_what_waits_is_taken_when_the_site_is_back(pair: Pair) -> None:
    async with pair.hub() as running:
        await pair.enrolled(running)
        device, _ = await display(pair, running)
    given = await give(pair, device)
    async with pair.hub() as running:
        answering = Answering()
        running.hub.dispatcher.up(device.id, answering, "serial test")
        await becomes(pair, given.body["id"], "succeeded")
        assert [order.id for order in answering.orders] == [given.body["id"]]
        assert answering.orders[0].ttl_ms < 60_000, "its time ran on while it waited"


@pytest.mark.parametrize("engine", ENGINES, indirect=True)
async def test_what_is_taken_back_in_time_is_never_sent(pair: Pair) -> None:
    async with pair.hub() as running:
        await pair.enrolled(running)
        device, _ = await display(pair, running)
    given = await give(pair, device)
    cancelled = await pair.centre.ask("POST", f"/v1/commands/{given.body['id']}/cancel")
    assert (cancelled.status, cancelled.body["state"]) == (200, "cancelled")
    again = await pair.centre.ask("POST", f"/v1/commands/{given.body['id']}/cancel")
    assert again.status == 409
    async with pair.hub() as running:
        answering = Answering()
        running.hub.dispatcher.up(device.id, answering, "serial test")
        other = await give(pair, device, query="?wait=10")
        assert other.body["state"] == "succeeded"
        assert [order.id for order in answering.orders] == [other.body["id"]]


async def test_its_hub_takes_back_what_it_has(pair: Pair, hub: RunningHub) -> None:
    device = await hub.display()
    await known(pair, device)
    given = await give(pair, device)

    async def there() -> bool:
        return (await pair.centre.get(f"/v1/commands/{given.body['id']}")).body["where"] == "site"

    await until(there)
    cancelled = await pair.centre.ask("POST", f"/v1/commands/{given.body['id']}/cancel")
    assert (cancelled.status, cancelled.body["state"]) == (200, "cancelled")
    assert (await hub.get(f"/v1/commands/{given.body['id']}")).body["state"] == "cancelled"


@pytest.mark.parametrize("engine", ENGINES, indirect=True)
async def test_a_vend_is_dispensed_once_and_told(pair: Pair, hub: RunningHub) -> None:
    device, answering = await machine(pair, hub)
    path = f"/v1/devices/{device.id}/slots/1/vend?wait=10"
    first = await pair.centre.ask("POST", path, {"note": "for Ann"}, Idempotency_Key="k1")
    assert first.status == 201, first.body
    again = await pair.centre.ask("POST", path, {"note": "for Ann"}, Idempotency_Key="k1")
    assert again.body["command"]["id"] == first.body["command"]["id"]
    assert first.body["command"]["state"] == "succeeded"
    assert first.body["slot"]["item"] == "Cola"
    assert len(answering.orders) == 1
    other = await pair.centre.ask("POST", path, {"note": "for Bob"}, Idempotency_Key="k1")
    assert (other.status, other.code) == (422, "rejected")
    command_id = first.body["command"]["id"]
    here = (await pair.centre.get(f"/v1/transactions/{command_id}")).body
    there = (await hub.get(f"/v1/transactions/{command_id}")).body
    same = ("id", "device", "slot", "item", "price", "currency", "state", "evidence", "note", "resolved_by")
    assert {name: here[name] for name in same} == {name: there[name] for name in same}
    facts = str([fact["body"] for fact in await hub.facts()])
    assert "for Ann" not in facts, "what a person wrote about a customer is in no ledger"


async def test_a_doubt_is_settled_from_head_office(pair: Pair, hub: RunningHub) -> None:
    device, _ = await machine(pair, hub, Outcome(verdict=Verdict.IN_DOUBT, reason="Nobody knows."))
    given = await give(pair, device, "vend", args={"slot": 1}, query="?wait=10")
    assert given.body["state"] == "in_doubt"
    settled = await pair.centre.ask(
        "POST", f"/v1/commands/{given.body['id']}/resolve", {"outcome": "failed", "note": "The camera shows it."}
    )
    assert (settled.status, settled.body["state"]) == (200, "failed")
    assert settled.body["resolved_by"] == "centre:key:first-admin"
    assert (await hub.get(f"/v1/commands/{given.body['id']}")).body["state"] == "failed"
    vend = (await pair.centre.get(f"/v1/transactions/{given.body['id']}")).body
    assert (vend["state"], vend["evidence"], vend["note"]) == ("failed", "person", "The camera shows it.")


async def test_what_a_hub_refuses_failed_with_its_reason(pair: Pair, hub: RunningHub) -> None:
    device, answering = await machine(pair, hub)
    given = await give(pair, device, "vend", args={"slot": 7}, query="?wait=10")
    assert given.body["state"] == "failed"
    assert "not set up" in given.body["reason"]
    assert not answering.orders
    vend = (await pair.centre.get(f"/v1/transactions/{given.body['id']}")).body
    assert (vend["state"], vend["reason"]) == ("failed", given.body["reason"])


@pytest.mark.parametrize("engine", ENGINES, indirect=True)
async def test_what_is_given_at_the_site_is_seen_too(pair: Pair, hub: RunningHub) -> None:
    device, _ = await display(pair, hub)
    sent = await hub.send(device)
    seen = await until(lambda: _succeeded(pair, sent.body["id"]), "the hub's own command is seen at head office")
    assert (seen["device"], seen["kind"], seen["actor"]) == (device.id, "display_qr", "key:first-admin")
    assert seen["where"] == "site"
    listed = (await pair.centre.get("/v1/commands?state=succeeded")).body["items"]
    assert [command["id"] for command in listed] == [sent.body["id"]]
    assert (await pair.centre.get("/v1/commands?state=open")).body["items"] == []


async def _succeeded(pair: Pair, command_id: str) -> dict[str, Any] | None:
    answer = await pair.centre.get(f"/v1/commands/{command_id}")
    return answer.body if answer.status == 200 and answer.body["state"] == "succeeded" else None


async def test_desired_values_and_desks_are_set(pair: Pair, hub: RunningHub) -> None:
    device, _ = await display(pair, hub)
    twin = await pair.centre.ask("PATCH", f"/v1/devices/{device.id}/twin", {"desired": {"v1": True}})
    assert (twin.status, twin.body["desired"], twin.body["pending"]) == (200, {"v1": True}, ["v1"])
    assert (await hub.get(f"/v1/devices/{device.id}/twin")).body["changed_by"] == "centre:key:first-admin"
    refused = await pair.centre.ask("PATCH", f"/v1/devices/{device.id}/twin", {"desired": {"v1": ["no"]}})
    assert (refused.status, refused.code) == (422, "rejected")
    seated = await pair.centre.ask("PUT", f"/v1/devices/{device.id}/agent", {"agent": "24", "name": "Ann"})
    assert seated.status == 200, seated.body
    assert [each["agent"] for each in (await hub.get("/v1/agents")).body["items"]] == ["24"]
    assert (await pair.centre.ask("DELETE", f"/v1/devices/{device.id}/agent")).status == 204
    assert (await hub.get("/v1/agents")).body["items"] == []


async def test_an_app_sends_what_apps_send_and_sees_its_own(pair: Pair, hub: RunningHub) -> None:
    device, _ = await display(pair, hub)
    own = await give(pair, device, key="app", query="?wait=10")
    assert (own.status, own.body["state"]) == (201, "succeeded")
    assert (await give(pair, device, "reboot", key="app")).status == 403
    assert (await give(pair, device, key="viewer")).status == 403
    others = await give(pair, device)
    assert (await pair.centre.get(f"/v1/commands/{own.body['id']}", key="app")).status == 200
    assert (await pair.centre.get(f"/v1/commands/{others.body['id']}", key="app")).status == 404
    assert (await pair.centre.get("/v1/commands", key="app")).status == 403


async def test_too_much_for_a_site_that_is_away_is_refused(pair: Pair) -> None:
    async with pair.hub() as running:
        await pair.enrolled(running)
        device, _ = await display(pair, running)
    pair.centre.centre.sync.inbox._limit = 2
    assert [(await give(pair, device)).status for _ in range(3)] == [201, 201, 409]
    assert (await pair.centre.get("/v1/commands?state=open&limit=2")).body["next"]


@pytest.mark.parametrize("engine", ENGINES, indirect=True)
async def test_many_at_once_are_each_done_once(pair: Pair, hub: RunningHub) -> None:
    pairs = [await display(pair, hub) for _ in range(4)]
    given = await asyncio.gather(*(give(pair, device) for device, _ in pairs for _ in range(5)))
    assert {answer.status for answer in given} == {201}
    ids = {answer.body["id"] for answer in given}

    async def ended() -> bool:
        return not (await pair.centre.get("/v1/commands?state=open")).body["items"]

    await until(ended)
    told = [order.id for _, answering in pairs for order in answering.orders]
    assert len(told) == len(set(told))
    assert set(told) <= ids


async def outpost(pair: Pair, *words: str) -> tuple[int, str, str]:
    """The command line, as an administrator at head office: exit code, output, messages."""
    key = pair.folder / "key"
    key.write_text(pair.centre.keys["admin"])
    where = ("--hub", pair.centre.url, "--key-file", str(key))
    done = await asyncio.to_thread(cli.outpost, *words, *where)
    return done.code, done.out, done.err


@pytest.mark.parametrize("engine", ["sqlite"], indirect=True)
async def test_the_command_line_speaks_to_head_office_as_to_a_hub(pair: Pair, hub: RunningHub) -> None:
    shown, _ = await display(pair, hub)
    _, answering = await machine(pair, hub)
    code, out, err = await outpost(pair, "command", "send", "Desk", "display_qr", f"payload={PAYLOAD}", "--json")
    assert code == 0, err
    sent = msgspec.json.decode(out)
    assert (sent["device"], sent["site"]) == (shown.id, "pune")
    await becomes(pair, sent["id"], "succeeded")
    code, out, err = await outpost(pair, "vend", "Lobby", "1")
    assert (code, out.strip()) == (0, "Cola was dispensed from slot 1 of Lobby (by the machine's word)."), err
    answering.outcome = Outcome(verdict=Verdict.IN_DOUBT, reason="Nobody knows.")
    code, out, err = await outpost(pair, "vend", "Lobby", "1", "--json")
    assert code == 1, err
    doubtful = msgspec.json.decode(out)["id"]
    code, out, err = await outpost(pair, "command", "resolve", doubtful, "failed", "--note", "Seen on camera.")
    assert (code, f"{doubtful} is failed." in err) == (0, True), err
    code, out, err = await outpost(pair, "command", "list", "--json")
    assert code == 0, err
    assert len(msgspec.json.decode(out)) == 3
    code, out, err = await outpost(pair, "command", "show", doubtful, "--json")
    assert code == 0, err
    assert [each["verdict"] for each in msgspec.json.decode(out)["tries"]] == ["in_doubt"]
    code, out, err = await outpost(pair, "twin", "set", "Desk", "v1=true", "--json")
    assert code == 0, err
    assert msgspec.json.decode(out)["desired"] == {"v1": True}
    code, out, err = await outpost(pair, "command", "cancel", doubtful)
    assert code == 1, err
