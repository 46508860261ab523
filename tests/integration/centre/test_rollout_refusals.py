"""Rollouts that may not begin or go on: firmware nobody trusted has signed, makers who may less than they did, the
same request several times at once, and texts that no database takes."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from cloud.updates import rollout_store
from edge.serving.roles import Role
from tests.firmware_bundles import app
from tests.firmware_keys import PUBLIC
from tests.integration.centre.test_rollouts import artifact_of
from tests.integration.centre.update_hubs import judged, rollout, site_with, start, steps, trust, upload
from tests.running_centre import RunningCentre

pytestmark = pytest.mark.both_engines

UNTRUSTED = "Nobody who is trusted here has signed this firmware."


async def due(centre: RunningCentre, rollout_id: str) -> dict[str, Any]:
    """Its time to begin comes."""
    async with centre.centre.db.write() as connection:
        await rollout_store.change(connection, (1, rollout_id), starts_us=1)
    await judged(centre)
    return await rollout(centre, rollout_id)


async def test_what_nobody_trusted_has_signed_is_not_rolled_out(centre: RunningCentre) -> None:
    """Neither begun nor gone on with, from when the key is taken out until it is trusted again."""
    artifact = await artifact_of(centre)
    hub = await site_with(centre, "d1", "d2")
    later = (datetime.now(UTC) + timedelta(hours=1)).isoformat()
    waits = (await start(centre, artifact, starts_at=later)).body["id"]
    runs = (await start(centre, artifact)).body["id"]
    assert [order["do"] for order in await hub.take()] == ["offer"]
    key = f"/v1/firmware-keys/{PUBLIC['first'].id}"
    assert (await centre.ask("DELETE", key)).status == 204
    await judged(centre)
    shown = await rollout(centre, runs)
    assert (shown["state"], shown["reason"]) == ("paused", UNTRUSTED)
    assert [order["do"] for order in await hub.take()] == ["pause"]
    assert (await due(centre, waits))["reason"] == UNTRUSTED
    refused = [
        await start(centre, artifact),
        await centre.ask("POST", f"/v1/rollouts/{runs}/resume"),
        await centre.ask("POST", f"/v1/rollouts/{waits}/resume"),
        await centre.ask("PUT", f"/v1/devices/d1/firmware?site={hub.site}", {"artifact": artifact}),
        await centre.ask(
            "POST", "/v1/rollouts/preview", {"artifact": artifact, "target": {"kind": "sensor"}, "plan": {}}
        ),
    ]
    assert {(answer.code, answer.body["detail"]) for answer in refused} == {("rejected", UNTRUSTED)}
    assert await hub.take() == []
    await trust(centre)
    assert (await centre.ask("POST", f"/v1/rollouts/{runs}/resume")).body["state"] == "running"
    assert [order["do"] for order in await hub.take()] == ["resume"]


async def test_whoever_was_thrown_out_begins_nothing(centre: RunningCentre) -> None:
    """A key that was revoked, an account that was narrowed, disabled, or may only look."""
    artifact = await artifact_of(centre)
    one, two = await site_with(centre, "a1"), await site_with(centre, "b1")
    later = (datetime.now(UTC) + timedelta(hours=1)).isoformat()
    await centre.add_key("gone", Role.TECHNICIAN, sites=one.site)
    made = [await start(centre, artifact, key="gone", starts_at=later) for _ in range(2)]
    assert [answer.body["state"] for answer in made] == ["scheduled"] * 2, made
    first, second = (answer.body["id"] for answer in made)
    (row,) = [row for row in (await centre.get("/v1/keys")).body["items"] if row["name"] == "gone"]
    assert (await centre.ask("DELETE", f"/v1/keys/{row['id']}")).status == 204
    shown = await due(centre, first)
    assert (shown["state"], shown["started_at"]) == ("paused", None)
    assert shown["reason"] == "key:gone was removed; resume it if it shall begin."
    assert await one.take() == []
    assert (await centre.ask("POST", f"/v1/rollouts/{first}/resume", key="technician")).body["state"] == "running"
    assert [order["do"] for order in await one.take()] == ["offer"], "somebody who may lets it begin"
    assert (await due(centre, second))["state"] == "paused"

    # people
    body = {"email": "t@example.com", "role": "technician", "sites": [one.site, two.site], "username": "tina"}
    added = await centre.ask("POST", "/v1/people", body)
    assert added.status == 201, added.body
    for change in ({"sites": [two.site]}, {"role": "viewer"}, {"state": "disabled"}):
        mine = (await start(centre, artifact, target={"devices": ["b1"]}, starts_at=later)).body["id"]
        async with centre.centre.db.write() as connection:
            await rollout_store.change(connection, (1, mine), begun_by="user:tina", sites=f"{one.site} {two.site}")
        assert (await centre.ask("PATCH", "/v1/people/tina", change)).status == 200
        shown = await due(centre, mine)
        assert (shown["state"], "user:tina" in shown["reason"]) == ("paused", True), (change, shown)
    assert await two.take() == []


async def test_at_once_and_ill_texts(centre: RunningCentre) -> None:
    """One rollout of requests under one key, a device open in one alone, a NUL refused before the database."""
    artifact = await artifact_of(centre)
    hub = await site_with(centre, "a1", "a2")
    wanted = {"artifact": artifact, "target": {"devices": ["a2"]}}
    same = [centre.ask("POST", "/v1/rollouts", wanted, key="technician", Idempotency_Key="k") for _ in range(6)]
    answers = await asyncio.gather(*same)
    assert {answer.status for answer in answers} == {201}, answers
    assert len({answer.body["id"] for answer in answers}) == 1
    made = await asyncio.gather(*(start(centre, artifact, target={"devices": ["a1"]}) for _ in range(4)))
    assert [answer.status for answer in made] == [201] * 4
    found = [(await steps(centre, answer.body["id"]))[f"{hub.site}/a1"] for answer in made]
    assert sorted(found) == ["offered", "withdrawn", "withdrawn", "withdrawn"]

    path, nul = f"/v1/rollouts/{made[0].body['id']}", "a\0b"
    ill = [
        ("POST", "/v1/rollouts", {"artifact": nul * 3, "target": {"kind": "sensor"}}),
        ("POST", "/v1/rollouts", {"artifact": artifact, "target": {"group": nul}}),
        ("POST", "/v1/rollouts", {"artifact": artifact, "target": {"devices": ["a1"], "sites": [nul]}}),
        ("POST", "/v1/rollouts", {**wanted, "name": "\x1b[2J"}),
        ("PUT", "/v1/groups/doors", {"devices": [nul]}),
        *(
            ("POST", f"{path}/{act}", {"reason": reason})
            for act in ("pause", "abort")
            for reason in (nul, "\x1b[2J")
        ),
    ]
    for method, where, body in ill:
        answer = await centre.ask(method, where, body, key="technician")
        assert (answer.status, answer.code) == (400, "bad-input"), (where, body, answer)
    unknown = await centre.ask("POST", "/login", {"email": nul, "password": "x"}, key="")
    assert unknown.status in (400, 401), "the older app's path, which reads its bodies itself"
    kept = await centre.ask("POST", f"{path}/abort", {"reason": r"C:\u0000 is a path"}, key="technician")
    assert kept.code in ("", "conflict"), "a backslash is none"


async def test_what_a_hub_says_stands_in_one_plain_line(centre: RunningCentre) -> None:
    """No reader of the API gets what moves a terminal."""
    artifact = await artifact_of(centre)
    hub = await site_with(centre, "d1")
    made = (await start(centre, artifact)).body["id"]
    await hub.take()
    problem = {"artifact": artifact, "done": 1, "size": 2, "problem": "\x1b[2Jno\nroom" + "x" * 5000}
    await hub.tell_state("fetching", "", problem)
    (site,) = (await rollout(centre, made))["sites"]
    assert site["problem"].startswith("[2Jno room")
    assert len(site["problem"]) < 1000
    await hub.step(made, "d1", "failed", "\x1b]0;x\x07bad")
    await judged(centre)
    (device,) = (await centre.get(f"/v1/rollouts/{made}/devices")).body["items"]
    assert device["reason"] == "]0;x bad"


async def test_a_signature_counts_only_while_it_holds(centre: RunningCentre) -> None:
    """A second key that is trusted too keeps a rollout going when the first is taken out."""
    await trust(centre)
    await trust(centre, "second")
    artifact = (await upload(centre, app(by=["first", "second"]))).body["id"]
    await site_with(centre, "d1")
    assert (await centre.ask("DELETE", f"/v1/firmware-keys/{PUBLIC['first'].id}")).status == 204
    assert (await start(centre, artifact)).body["state"] == "running"
