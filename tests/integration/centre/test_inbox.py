"""What waits for a hub: handed out, confirmed, ended, also when the hub is not the one that it was."""

from __future__ import annotations

import asyncio
import time
from typing import Any

import msgspec
import pytest
from sqlalchemy import update

from cloud.db.models import InboxItem
from cloud.sync import inbox_route
from edge.wire.sync import CURSOR_MAX, SEQ_MAX, SESSION_HEADER
from tests.fakes.sync_hub import SyncHub
from tests.integration.centre.hubs import enrolled
from tests.integration.running_hub import Answer, until
from tests.patience import AT_ONCE_S
from tests.running_centre import RunningCentre

pytestmark = pytest.mark.both_engines

LOBBY, DESK = "dev-lobby", "dev-desk"


async def site(centre: RunningCentre) -> SyncHub:
    """A hub in a session, with a vending machine and a display that head office knows of."""
    hub = await enrolled(centre)
    await hub.hello()
    devices = (("vending", "Lobby", LOBBY), ("display", "Desk", DESK))
    rows = []
    for number, (kind, name, device) in enumerate(devices):
        view = {"id": device, "name": name, "kind": kind, "state": "approved", "aliases": []}
        rows.append(("device", device, device, number + 1, hub.at_us, msgspec.json.encode(view)))
    assert (await hub.send_states(*rows, snapshot_ends=True)).status == 200
    return hub


async def poll(hub: SyncHub, after: int = 0, wait: int = 0) -> Answer:
    """Ask for what waits."""
    headers = {"Authorization": f"Bearer {hub.token}", SESSION_HEADER: str(hub.session)}
    url = f"{hub.url}/sync/v1/inbox?after={after}&wait={wait}"
    async with hub.http.get(url, headers=headers) as response:
        return Answer(response.status, dict(response.headers), msgspec.json.decode(await response.read()))


async def numbers(hub: SyncHub, after: int = 0) -> list[int]:
    """The numbers of what waits."""
    return [item["seq"] for item in (await poll(hub, after)).body["items"]]


async def give(centre: RunningCentre, kind: str = "vend", **more: Any) -> str:
    """A command; its id."""
    device, args = (LOBBY, {"slot": 1}) if kind == "vend" else (DESK, {})
    body = {"kind": kind, "args": args, **more}
    answer = await centre.ask("POST", f"/v1/devices/{device}/commands", body)
    assert answer.status == 201, answer
    return str(answer.body["id"])


async def standing(centre: RunningCentre, command_id: str) -> tuple[str, str]:
    """State and place of a command."""
    body = (await centre.get(f"/v1/commands/{command_id}")).body
    return body["state"], body["where"]


async def tell(hub: SyncHub, kind: str, subject: str, /, **body: Any) -> None:
    """A fact, which arrives."""
    hub.fact(kind, subject, **body)
    answer = await hub.send_facts(len(hub.facts), len(hub.facts))
    assert answer.status == 200, answer


async def test_items_come_in_order_and_are_confirmed_by_the_next_question(centre: RunningCentre) -> None:
    hub = await site(centre)
    ids = [await give(centre), await give(centre, "start_rotation"), await give(centre)]
    answer = await poll(hub)
    assert [item["id"] for item in answer.body["items"]] == ids
    assert answer.body["items"][0]["body"]["args"] == {"slot": 1}
    assert 0 < answer.body["items"][0]["ttl_ms"] <= 60_000
    assert await numbers(hub) == [1, 2, 3], "the answer was lost: the same hub gets them again"
    assert await numbers(hub, 2) == [3]
    assert await standing(centre, ids[0]) == ("queued", "handed")


async def test_a_waiting_hub_is_answered_at_once(centre: RunningCentre, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(inbox_route, "INBOX_WAIT_MAX_S", 2 * AT_ONCE_S)
    hub = await site(centre)
    asked = asyncio.create_task(poll(hub, wait=2 * int(AT_ONCE_S)))
    await asyncio.sleep(0.2)  # it waits at the centre by then; if it does not, this is a plain question
    began_s = time.monotonic()
    command_id = await give(centre)
    assert [item["id"] for item in (await asked).body["items"]] == [command_id]
    assert time.monotonic() - began_s < AT_ONCE_S


async def test_an_older_session_gets_nothing(centre: RunningCentre) -> None:
    hub = await site(centre)
    await give(centre)
    old = hub.session
    await hub.hello()
    hub.session = old
    assert (await poll(hub)).code == "session-over"


async def test_a_hub_started_anew_gets_again_what_is_harmless_and_no_vend(centre: RunningCentre) -> None:
    hub = await site(centre)
    vend, rotation = await give(centre), await give(centre, "start_rotation")
    assert await numbers(hub) == [1, 2]
    await hub.hello()
    assert await numbers(hub) == [2]
    assert await standing(centre, vend) == ("in_doubt", "centre")
    assert await standing(centre, rotation) == ("queued", "handed")
    settled = await centre.ask("POST", f"/v1/commands/{vend}/resolve", {"outcome": "failed", "note": "Looked."})
    assert (settled.status, settled.body["state"]) == (200, "failed"), "its hub may never have had it"
    assert await numbers(hub, 2) == []


async def test_a_hub_that_took_it_over_before_it_was_started_anew_is_believed(centre: RunningCentre) -> None:
    hub = await site(centre)
    vend = await give(centre)
    assert await numbers(hub) == [1]
    await hub.hello()
    assert await numbers(hub, 1) == []
    assert await standing(centre, vend) == ("queued", "handed")
    await tell(
        hub, "command.queued", vend, device=LOBBY, kind="vend", actor="centre:key:first-admin", ttl_ms=60_000
    )
    await tell(hub, "inbox.applied", vend, kind="command", code="", detail="")
    assert await standing(centre, vend) == ("queued", "site")


async def test_a_hub_put_back_to_before_it_confirmed_gets_no_vend_again(centre: RunningCentre) -> None:
    hub = await site(centre)
    vend, rotation = await give(centre), await give(centre, "start_rotation")
    assert await numbers(hub) == [1, 2]
    assert await numbers(hub, 2) == []
    await hub.hello()
    answer = await poll(hub, 0)
    assert [(item["id"], item["seq"]) for item in answer.body["items"]] == [(rotation, 3)]
    assert await standing(centre, vend) == ("in_doubt", "centre")
    await tell(hub, "command.queued", vend, device=LOBBY, kind="vend", actor="x", ttl_ms=60_000)
    await tell(hub, "command.succeeded", vend, device=LOBBY, reason="")
    assert await standing(centre, vend) == ("succeeded", "site"), "evidence settles it after all"


async def test_numbers_go_on_behind_what_a_hub_has_had(centre: RunningCentre) -> None:
    hub = await site(centre)
    vend = await give(centre)
    answer = await poll(hub, 7)  # this centre is an older copy of itself
    assert [(item["id"], item["seq"]) for item in answer.body["items"]] == [(vend, 8)]


async def test_numbers_stay_where_hubs_take_them(centre: RunningCentre) -> None:
    hub = await site(centre)
    for astray in (CURSOR_MAX + 1, SEQ_MAX + 1, 10**18, 2**63):
        answer = await poll(hub, astray)
        assert (answer.status, answer.code) == (400, "bad-input"), astray
    assert (await poll(hub, CURSOR_MAX)).status == 200
    await give(centre)
    assert await numbers(hub, CURSOR_MAX) == [CURSOR_MAX + 1]
    assert await numbers(hub, CURSOR_MAX + 1) == [], "that one was given"


async def test_a_newer_question_ends_the_one_that_waits(
    centre: RunningCentre, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(inbox_route, "INBOX_WAIT_MAX_S", 2 * AT_ONCE_S)
    hub = await site(centre)
    began_s = time.monotonic()
    waiting = [asyncio.create_task(poll(hub, wait=2 * int(AT_ONCE_S))) for _ in range(30)]
    while sum(one.done() for one in waiting) < len(waiting) - 1:
        assert time.monotonic() - began_s < AT_ONCE_S
        await asyncio.sleep(0.01)
    assert [one.result().body["items"] for one in waiting if one.done()] == [[]] * 29
    vend = await give(centre)
    (last,) = (answer.body["items"] for answer in await asyncio.gather(*waiting) if answer.body["items"])
    assert [item["id"] for item in last] == [vend]


async def test_what_a_hub_refuses_ends(centre: RunningCentre) -> None:
    hub = await site(centre)
    empty, late = await give(centre), await give(centre)
    await poll(hub)
    await tell(hub, "inbox.refused", empty, kind="command", code="conflict", detail="Slot 1 is empty.")
    await tell(hub, "inbox.refused", late, kind="command", code="expired", detail="Too late.")
    assert await standing(centre, empty) == ("failed", "site")
    assert await standing(centre, late) == ("expired", "site")
    assert (await centre.get(f"/v1/commands/{empty}")).body["reason"] == "Slot 1 is empty."
    vends = {vend["id"]: vend["state"] for vend in (await centre.get("/v1/transactions")).body["items"]}
    assert vends == {empty: "failed", late: "expired"}


async def test_what_nobody_fetches_in_time_expires_and_what_was_handed_out_does_not(centre: RunningCentre) -> None:
    hub = await site(centre)
    handed = await give(centre, ttl_s=2.0)
    assert await numbers(hub) == [1]
    waiting = await give(centre, ttl_s=2.5)

    async def over() -> bool:
        return (await standing(centre, waiting))[0] == "expired"

    await until(over)
    assert await standing(centre, handed) == ("queued", "handed"), "only its hub can say"
    again = (await poll(hub)).body["items"]
    assert [(item["id"], item["ttl_ms"]) for item in again] == [(handed, 0)], "it comes with nothing left"


async def test_facts_that_come_again_change_nothing(centre: RunningCentre) -> None:
    hub = await site(centre)
    hub.fact("command.queued", "cmd_1", device=DESK, kind="display_qr", actor="key:app", ttl_ms=60_000)
    hub.fact("command.sent", "cmd_1", device=DESK, seq=4, attempt=1, link="poll")
    hub.fact("command.succeeded", "cmd_1", device=DESK, reason="", duration_s=0.5)
    for first, last in ((1, 2), (1, 3), (2, 3), (1, 3)):
        assert (await hub.send_facts(first, last)).status == 200
    shown = (await centre.get("/v1/commands/cmd_1")).body
    assert (shown["state"], shown["attempts"], shown["seq"], shown["duration_s"]) == ("succeeded", 1, 4, 0.5)
    assert (shown["actor"], shown["kind"], shown["where"]) == ("key:app", "display_qr", "site")


@pytest.mark.parametrize(("kind", "state"), [("vend", "in_doubt"), ("display_qr", "failed")])
async def test_what_a_restored_hub_has_forgotten_does_not_stay_open(
    centre: RunningCentre, kind: str, state: str
) -> None:
    hub = await site(centre)
    hub.fact("command.queued", "cmd_1", device=LOBBY, kind=kind, actor="x", ttl_ms=60_000)
    before = hub.copied()
    hub.fact("command.queued", "cmd_2", device=LOBBY, kind=kind, actor="x", ttl_ms=60_000)
    await hub.catch_up()
    before.session = hub.session
    before.fact("command.sent", "cmd_1", device=LOBBY, seq=1, attempt=1, link="poll")
    await before.catch_up()
    assert await standing(centre, "cmd_1") == ("sent", "site"), "this one it still knows of"
    assert await standing(centre, "cmd_2") == (state, "centre")


async def test_what_waits_for_a_site_that_is_revoked_ends_and_says_so(centre: RunningCentre) -> None:
    hub = await site(centre)
    code, vend = await give(centre, "reboot"), await give(centre)
    assert await numbers(hub) == [1, 2]
    waits = await give(centre)
    await tell(hub, "command.queued", "cmd_1", device=LOBBY, kind="vend", actor="x", ttl_ms=60_000)
    assert (await centre.ask("POST", f"/v1/sites/{hub.site}/revoke")).status == 200
    assert await standing(centre, waits) == ("cancelled", "centre")
    assert await standing(centre, vend) == ("in_doubt", "centre")
    assert (await standing(centre, code))[0] in ("cancelled", "in_doubt")
    for command_id in (waits, vend, code, "cmd_1"):
        assert "revoked" in (await centre.get(f"/v1/commands/{command_id}")).body["reason"], command_id
    refused = await centre.ask("POST", f"/v1/devices/{DESK}/commands", {"kind": "reboot", "args": {}})
    assert refused.status == 409, refused


async def test_strange_facts_stop_nothing(centre: RunningCentre) -> None:
    hub = await site(centre)
    for body in ({}, {"kind": 7, "ttl_ms": "x", "device": None}, {"kind": "a\0b", "ttl_ms": 2**63}):
        hub.fact("command.queued", f"cmd_{len(hub.facts)}", **body)
        hub.fact("command.nonsense", "cmd_x", **body)
        hub.fact("vend.started", f"vend_{len(hub.facts)}", slot=2**63, **body)
        hub.fact("inbox.refused", "nobody", code=["x"])
    answer = await hub.send_facts(1, len(hub.facts))
    assert answer.status == 200, answer
    assert len((await centre.get("/v1/commands")).body["items"]) == 3


async def test_a_device_at_two_sites_needs_its_site_named(centre: RunningCentre) -> None:
    one, other = await site(centre), await enrolled(centre)
    await other.hello()
    view = msgspec.json.encode(
        {"id": LOBBY, "name": "Lobby", "kind": "vending", "state": "approved", "aliases": []}
    )
    await other.send_states(("device", LOBBY, LOBBY, 1, other.at_us, view), snapshot_ends=True)
    wanted = {"kind": "vend", "args": {"slot": 1}}
    answer = await centre.ask("POST", f"/v1/devices/{LOBBY}/commands", wanted)
    assert answer.status == 409
    assert f"?site={min(one.site, other.site)}, " in answer.body["hint"]
    given = await centre.ask("POST", f"/v1/devices/{LOBBY}/commands?site={other.site}", wanted)
    assert (given.status, given.body["site"]) == (201, other.site)
    assert [item["id"] for item in (await poll(other)).body["items"]] == [given.body["id"]]
    listed = (await centre.get(f"/v1/commands?site={one.site}")).body["items"]
    assert listed == []


async def test_a_clock_that_is_set_back_gives_nothing_more_time(centre: RunningCentre) -> None:
    hub = await site(centre)
    handed = await give(centre, ttl_s=60.0)
    assert await numbers(hub) == [1]
    waiting, day_us = await give(centre, ttl_s=60.0), 86_400 * 1_000_000
    later = {"created_us": InboxItem.created_us + day_us, "expires_us": InboxItem.expires_us + day_us}
    async with centre.centre.db.write() as connection:
        await connection.execute(update(InboxItem).values(later))
    items = (await poll(hub)).body["items"]
    assert [(item["id"], item["ttl_ms"] <= 60_000) for item in items] == [(handed, True)]

    async def over() -> bool:
        return (await standing(centre, waiting))[0] == "expired"

    await until(over)
