"""Rollouts over many sites: waves, thresholds, silence, orders to hubs and what they say of them."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from cloud.updates import due_store, rollout_store
from edge.serving.roles import Role
from tests.firmware_bundles import app
from tests.integration.centre.update_hubs import (
    UpdateHub,
    judged,
    later,
    rollout,
    site_with,
    start,
    steps,
    trust,
    upload,
)
from tests.running_centre import RunningCentre

UNKNOWN = "This hub does not know how to do 'firmware'; update it."


async def artifact_of(centre: RunningCentre, version: str = "20261121.185500") -> str:
    """Firmware that is here."""
    await trust(centre)
    made = await upload(centre, app(version))
    assert made.status in (200, 201), made.body
    return str(made.body["id"])


async def carry_out(centre: RunningCentre, *hubs: UpdateHub, step: str = "confirmed") -> list[str]:
    """Let every hub take its orders and its devices end so."""
    found = []
    for hub in hubs:
        found += await hub.carry_out(step)
    await judged(centre)
    return found


async def test_waves_go_over_sites_and_stop_when_too_many_fail(centre: RunningCentre) -> None:
    """One device, then a half, then all; the whole of two sites is judged together."""
    artifact = await artifact_of(centre)
    one, two = (
        await site_with(centre, *(f"a{n}" for n in range(6))),
        await site_with(centre, *(f"b{n}" for n in range(4))),
    )
    await one.hub.hello()
    plan = {"waves": [0, 50, 100], "errors_percent": 50, "success_percent": 75}
    made = await start(centre, artifact, plan=plan, name="Spring")
    assert (made.status, made.body["state"], made.body["devices"]) == (201, "running", 10), made.body
    first = made.body["id"]
    assert [(w["devices"], w["state"]) for w in made.body["waves"]] == [(1, "open"), (4, "waiting"), (5, "waiting")]
    assert len(await carry_out(centre, one, two)) == 1, "the canary"
    shown = await rollout(centre, first)
    assert [w["state"] for w in shown["waves"]] == ["done", "open", "waiting"]
    wave = await carry_out(centre, one, two)
    assert len(wave) == 4
    orders = [order for hub in (one, two) for order in hub.orders]
    assert {order["do"] for order in orders} == {"offer"}
    assert {(order["artifact"], order["deadline_s"], order["name"]) for order in orders} == {
        (artifact, 3600, "Spring")
    }
    assert len({hub.site for hub in (one, two) if hub.orders}) == 2, "each wave has devices of both"

    # of the last five three go wrong: two at the one site, one at the other
    left = {hub: [d for order in await hub.take() for d in order["devices"]] for hub in (one, two)}
    failed = 0
    for hub, devices in left.items():
        for device in devices:
            wrong = failed < 3
            failed += wrong
            await hub.step(
                first, device, "rolled-back" if wrong else "confirmed", "no hub in 90 s" if wrong else ""
            )
    await judged(centre)
    shown = await rollout(centre, first)
    assert (shown["state"], shown["waves"][2]["state"]) == ("paused", "stopped"), shown
    assert "3 of 5 devices of wave 3 went wrong" in shown["reason"]
    assert sum(site["bad"] for site in shown["sites"]) == 3
    assert "no hub in 90 s" in {site["problem"] for site in shown["sites"]}

    # a person tries those again, and it ends well
    again = await centre.ask("POST", f"/v1/rollouts/{first}/retry", key="technician")
    assert (again.status, again.body["state"]) == (200, "running"), again.body
    assert len(await carry_out(centre, one, two)) == 3
    assert sum(len(order.get("again", [])) for order in one.orders + two.orders) == 3
    shown = await rollout(centre, first)
    assert (shown["state"], shown["steps"]) == ("done", {"confirmed": 10})
    assert shown["ended_at"] is not None
    summary = (await centre.get("/v1/firmware/summary", key="viewer")).body
    assert (summary["ended"], summary["success_rate"]) == (10, 1.0)
    kinds = [item["what"] for item in (await centre.get("/v1/audit?limit=500")).body["items"]]
    assert {"rollout.created", "rollout.changed", "rollout.retried", "rollout.ended"} <= set(kinds)


async def test_silence_is_failure_but_only_while_somebody_listens(centre: RunningCentre) -> None:
    """A site that is away counts by the deadline; its hub comes later and is given nothing that is over."""
    artifact = await artifact_of(centre)
    here, away = await site_with(centre, "h1", "h2", "h3"), await site_with(centre, "g1")
    first = (await start(centre, artifact, plan={"errors_percent": 50, "deadline_s": 120})).body["id"]
    await carry_out(centre, here)
    await later(centre, 100)
    assert (await rollout(centre, first))["state"] == "running"
    await later(centre, 100)
    assert (await rollout(centre, first))["steps"] == {"confirmed": 3, "offered": 1}, "the hub's own word may come"
    await later(centre, 100)
    shown = await rollout(centre, first)
    assert shown["steps"] == {"confirmed": 3, "timed-out": 1}
    assert (shown["state"], shown["waves"][0]["good"]) == ("short", 3), "75 of 90 percent"
    reason = (await centre.get(f"/v1/rollouts/{first}/devices?step=timed-out")).body["items"][0]["reason"]
    assert "nothing was heard of it" in reason

    # news that comes late is counted as what it is
    await away.step(first, "g1", "offered")
    await away.step(first, "g1", "confirmed")
    await judged(centre)
    assert (await steps(centre, first))[f"{away.site}/g1"] == "confirmed"

    # while no instance looks no time goes by: a jump of the clock is not a deadline
    second = (await start(centre, await artifact_of(centre, "20261122.000000"), plan={"deadline_s": 120})).body[
        "id"
    ]
    await centre.centre.db.close()
    assert (await rollout(centre, second))["state"] == "running"


async def test_a_person_pauses_goes_on_and_aborts(centre: RunningCentre) -> None:
    artifact = await artifact_of(centre)
    one, two = await site_with(centre, "a1", "a2"), await site_with(centre, "b1")
    first = (await start(centre, artifact)).body["id"]
    assert [order["do"] for order in await one.take()] == ["offer"]
    path = f"/v1/rollouts/{first}"
    paused = await centre.ask("POST", path + "/pause", {"reason": "lunch"}, key="technician")
    assert (paused.body["state"], paused.body["reason"]) == ("paused", "lunch")
    assert (await centre.ask("POST", path + "/pause", key="technician")).body["reason"] == "lunch", "once"
    assert [order["do"] for order in await one.take()] == ["pause"]
    await later(centre, 100_000)
    assert (await rollout(centre, first))["steps"] == {"offered": 2, "waiting": 1}, (
        "deadlines stand still, and what no hub has had is taken back"
    )
    resumed = await centre.ask("POST", path + "/resume", key="technician")
    assert (resumed.status, resumed.body["state"]) == (200, "running")
    (order,) = await one.take()
    assert (order["do"], order["until_us"] > 0) == ("resume", True)

    # one device has switched, one has not; the other site never took its order
    await one.step(first, "a1", "testing")
    aborted = await centre.ask("POST", path + "/abort", {"reason": "wrong one"}, key="technician")
    assert (aborted.body["state"], aborted.body["steps"]) == (
        "aborted",
        {"offered": 1, "testing": 1, "withdrawn": 1},
    )
    (order,) = await one.take()
    assert (order["do"], sorted(order["devices"])) == ("withdraw", ["a1", "a2"])
    assert await two.take() == [], "what nobody had is taken back"
    await one.step(first, "a2", "withdrawn")
    await one.step(first, "a1", "confirmed")
    await judged(centre)
    shown = await rollout(centre, first)
    assert (shown["state"], shown["steps"]) == ("aborted", {"confirmed": 1, "withdrawn": 2})
    for act in ("pause", "resume", "retry"):
        assert (await centre.ask("POST", f"{path}/{act}", key="technician")).code == "conflict"
    assert (await centre.ask("POST", path + "/abort", key="technician")).status == 200


async def test_hubs_that_cannot_or_may_not(centre: RunningCentre) -> None:
    """One of an older version, one whose site is revoked, a device that is forgotten, a full inbox."""
    artifact = await artifact_of(centre)
    old, gone, left = (
        await site_with(centre, "o1"),
        await site_with(centre, "r1"),
        await site_with(centre, "x1", "x2"),
    )
    first = (await start(centre, artifact, plan={"errors_percent": 100, "success_percent": 1})).body["id"]
    await old.take(says="inbox.refused", detail=UNKNOWN)
    assert (await centre.ask("POST", f"/v1/sites/{gone.site}/revoke")).status == 200
    await left.carry_out("rejected", "The firmware is for esp32c3, and this is esp32.")
    await judged(centre)
    shown = await rollout(centre, first)
    assert shown["steps"] == {"failed": 1, "rejected": 2, "withdrawn": 1}
    devices = (await centre.get(f"/v1/rollouts/{first}/devices")).body["items"]
    assert {one["device"]: one["reason"] for one in devices}["o1"] == UNKNOWN
    assert "revoked" in {one["device"]: one["reason"] for one in devices}["r1"]
    assert (shown["state"], "0 of 3" in shown["reason"]) == ("short", True), shown

    # a device is forgotten before its wave
    plan = {"waves": [0, 100], "errors_percent": 100, "success_percent": 1}
    target = {"devices": ["x1", "x2"]}
    second = (await start(centre, artifact, plan=plan, target=target)).body["id"]
    (order,) = await left.take()
    (canary,) = order["devices"]
    (other,) = {"x1", "x2"} - {canary}
    await left.tell_devices(other)
    await left.step(second, canary, "confirmed")
    await judged(centre)
    assert (await steps(centre, second))[f"{left.site}/{other}"] == "withdrawn"
    versions = (await centre.get(f"/v1/devices/{canary}/firmware")).body
    assert (versions["step"], versions["rollout"], versions["site"]) == ("confirmed", second, left.site)


async def test_a_newer_rollout_takes_over_but_for_what_has_switched(centre: RunningCentre) -> None:
    first_artifact, second_artifact = await artifact_of(centre), await artifact_of(centre, "20261122.000000")
    hub = await site_with(centre, "d1", "d2", "d3")
    first = (await start(centre, first_artifact)).body["id"]
    await hub.take()
    await hub.step(first, "d1", "testing")
    used = await centre.ask("DELETE", f"/v1/artifacts/{first_artifact}")
    assert used.code == "conflict", "a rollout needs it"
    second = (await start(centre, second_artifact)).body["id"]
    orders = await hub.take()
    assert [(o["do"], sorted(o["devices"])) for o in orders] == [
        ("withdraw", ["d2", "d3"]),
        ("offer", ["d2", "d3"]),
    ]
    for device in ("d2", "d3"):
        await hub.step(first, device, "withdrawn")
        await hub.step(second, device, "already")
    await hub.step(first, "d1", "confirmed")
    await judged(centre)
    assert await steps(centre, first) == {
        f"{hub.site}/{d}": s for d, s in (("d1", "confirmed"), ("d2", "withdrawn"), ("d3", "withdrawn"))
    }
    shown = await rollout(centre, second)
    assert (shown["state"], shown["steps"]) == ("done", {"already": 2, "withdrawn": 1})

    # one device alone, and back
    path = f"/v1/devices/d1/firmware?site={hub.site}"
    assigned = await centre.ask("PUT", path, {"artifact": second_artifact[:12]}, key="technician")
    assert (assigned.status, assigned.body["step"]) == (200, "offered"), assigned.body
    assert (await centre.ask("DELETE", path, key="technician")).status == 204
    assert (await centre.get(path)).body["step"] == "withdrawn"
    assert (await centre.ask("DELETE", path, key="technician")).status == 404


async def test_groups_and_reach(centre: RunningCentre) -> None:
    artifact = await artifact_of(centre)
    one, two = await site_with(centre, "a1", "same"), await site_with(centre, "b1", "same")
    await centre.add_key("only-one", Role.TECHNICIAN, sites=one.site)
    put = await centre.ask("PUT", "/v1/groups/doors", {"devices": ["a1", "B1"]}, key="technician")
    assert (put.status, put.body["devices"]) == (200, ["a1", "b1"])
    twice = await centre.ask("PUT", "/v1/groups/doors", {"devices": ["same"]})
    assert (twice.status, "ID@SITE" in twice.body["hint"]) == (409, True)
    mine = await centre.ask("PUT", "/v1/groups/doors", {"devices": ["same"]}, key="only-one")
    assert (mine.status, mine.body["devices"]) == (200, ["same"])
    (group,) = (await centre.get("/v1/groups", key="viewer")).body["items"]
    assert (group["name"], sorted(group["devices"])) == ("doors", ["b1", "same"])
    assert (await centre.ask("DELETE", "/v1/groups/doors", key="only-one")).status == 403

    both = (await start(centre, artifact, target={"group": "doors"})).body["id"]
    own = await start(centre, artifact, key="only-one", target={"devices": [f"a1@{one.site}"]})
    assert (own.status, own.body["devices"]) == (201, 1)
    seen = await rollout(centre, both, key="only-one")
    assert (seen["devices"], [site["site"] for site in seen["sites"]]) == (1, [one.site])
    assert list(await steps(centre, both, key="only-one")) == [f"{one.site}/same"]
    assert (await centre.ask("POST", f"/v1/rollouts/{both}/pause", key="only-one")).status == 403
    assert (await centre.ask("POST", f"/v1/rollouts/{own.body['id']}/abort", key="only-one")).status == 200
    other = (await start(centre, artifact, target={"devices": ["b1"]})).body["id"]
    assert (await centre.get(f"/v1/rollouts/{other}", key="only-one")).status == 404
    listed = (await centre.get("/v1/rollouts", key="only-one")).body["items"]
    assert {found["id"] for found in listed} == {both, own.body["id"]}
    assert (await start(centre, artifact, key="only-one", target={"kind": "sensor"})).body["devices"] == 2
    assert (await start(centre, artifact, key="only-one", target={"devices": ["b1"]})).status == 404
    assert (await centre.ask("DELETE", "/v1/groups/doors")).status == 204

    # narrowed by site, and what is none
    narrow = await start(centre, artifact, target={"kind": "sensor", "sites": [two.site]})
    assert (narrow.status, narrow.body["devices"]) == (201, 2)
    wrong: tuple[tuple[dict[str, Any], str], ...] = (
        ({"target": {}}, "bad-input"),
        ({"target": {"kind": "sensor", "group": "doors"}}, "bad-input"),
        ({"target": {"kind": "vending"}}, "rejected"),
        ({"target": {"group": "nobody"}}, "not-found"),
        ({"plan": {"waves": [50, 20]}}, "bad-input"),
        ({"plan": {"window": "25:00-26:00"}}, "bad-input"),
        ({"starts_at": "soon"}, "bad-input"),
    )
    for wanted, code in wrong:
        answer = await start(centre, artifact, **wanted)
        assert answer.code == code, (wanted, answer.body)
    key = {"Idempotency_Key": "once"}
    body = {"artifact": artifact, "target": {"devices": ["b1"]}}
    made = [await centre.ask("POST", "/v1/rollouts", body, **key) for _ in range(2)]
    assert made[0].body["id"] == made[1].body["id"]


async def test_a_full_inbox_never_swallows_a_stop(start_centre: Any) -> None:
    """What waits for a site that is away bounds offers, not the words that stop one; and the clock that rollouts
    are judged by is one, whichever instance looks."""
    async with start_centre(inbox_per_site=5) as centre:
        artifact = await artifact_of(centre)
        one, two = await site_with(centre, "a1", "a2", "a3"), await site_with(centre, "b1", "b2", "b3")
        first = (await start(centre, artifact)).body["id"]
        await two.take()

        async def fill() -> None:
            for number in range(6):
                path = f"/v1/devices/b1/firmware/legacy?site={two.site}"
                last = await centre.ask("PUT", path, {"legacy": bool(number % 2)})
            assert last.code == "busy", last.body

        await fill()
        await one.carry_out("rolled-back", "boom")
        await judged(centre)
        assert (await rollout(centre, first))["state"] == "paused"
        await centre.ask("POST", f"/v1/rollouts/{first}/resume", key="technician")
        await centre.ask("POST", f"/v1/rollouts/{first}/pause", key="technician")
        said = [order["do"] for order in await two.take()]
        assert said == ["legacy"] * 5 + ["pause"], "the last word alone"
        await fill()
        aborted = await centre.ask("POST", f"/v1/rollouts/{first}/abort", key="technician")
        assert aborted.body["steps"] == {"rolled-back": 3, "offered": 3}, "it is the hub's to say"
        (stop,) = (await two.take())[5:]
        assert (stop["do"], sorted(stop["devices"])) == ("withdraw", ["b1", "b2", "b3"])
        # one that head office gave up may be offered still where nothing tells the time: it is taken back
        second = (await start(centre, artifact, plan={"deadline_s": 120})).body["id"]
        await one.take()
        await two.carry_out()
        await later(centre, 300)
        assert (await steps(centre, second))[f"{one.site}/a1"] == "timed-out"
        assert "withdraw" in [order["do"] for order in await one.take()]

        # what was taken back is not opened again by a word from before, once its rollout is over
        await one.step(first, "a1", "withdrawn")
        await two.step(first, "b1", "withdrawn")
        await two.step(first, "b1", "offered")
        assert (await steps(centre, first))[f"{two.site}/b1"] == "withdrawn"

        async with centre.centre.db.write() as connection:
            at_us = centre.centre.clock.now().at_us
            before_s = await due_store.tick(connection, at_us, 60)
            for number in range(1, 11):
                after_s = await due_store.tick(connection, at_us + (number % 2) * 10_000_000, 60)
        assert after_s - before_s <= 11, "clocks that differ do not make it run faster"


async def test_what_waits_is_shown_and_what_is_over_is_forgotten(centre: RunningCentre) -> None:
    """One for later, with when it begins, to whoever made it; and to nobody devices that he does not reach."""
    artifact, mine = await artifact_of(centre), "local"
    one, _ = await site_with(centre, "a1", "a2"), await site_with(centre, "b2")
    await centre.add_key(mine, Role.TECHNICIAN, sites=one.site)
    await start(centre, artifact, target={"devices": ["a1"]})
    aim = {"target": {"devices": ["a1"]}, "starts_at": "2027-01-01T00:00:00"}
    waits = await start(centre, artifact, key=mine, **aim)
    assert waits.body["starts_at"].startswith("2027-01-01T00:00:00"), waits.body
    assert waits.body["id"] in [i["id"] for i in (await centre.get("/v1/rollouts", key=mine)).body["items"]]
    far = await start(centre, artifact, **{**aim, "starts_at": "9999-12-31T23:59:59-23:59"})
    assert far.code == "bad-input", far.body
    both = await start(centre, artifact, target={"devices": ["a2", "b2"]})
    assert (await rollout(centre, both.body["id"], key=mine))["target"]["devices"] == ["a2"]

    # paused, and all of it taken over by a newer one: it is over, and is not kept for ever
    await centre.ask("POST", f"/v1/rollouts/{both.body['id']}/pause", key="technician")
    await start(centre, artifact, target={"devices": ["a2", "b2"]})
    await judged(centre)
    assert (await rollout(centre, both.body["id"]))["state"] == "short"
    async with centre.centre.db.write() as connection:
        await rollout_store.prune(connection, 0)
    left = {item["state"] for item in (await centre.get("/v1/rollouts")).body["items"]}
    assert left == {"scheduled", "running"}, "what is over in every device is forgotten in time"


@pytest.mark.parametrize("engine", ["postgresql"], indirect=True)
async def test_two_instances_judge_one_rollout_once(start_centre: Any) -> None:
    """Whatever instance looks, and however often: each device is ordered once."""
    async with start_centre() as first, start_centre(folder="b", admin=first.keys["admin"]) as second:
        artifact = await artifact_of(first)
        hub = await site_with(first, *(f"d{n}" for n in range(8)))
        made = await start(second, artifact, plan={"waves": [50, 100]})
        assert made.status == 201, made.body
        await asyncio.gather(*(judged(each) for each in (first, second) * 3))
        (order,) = await hub.take()
        for device in order["devices"]:
            await hub.step(made.body["id"], device, "confirmed")
        await asyncio.gather(*(judged(each) for each in (first, second) * 3))
        (order,) = await hub.take()
        assert len(order["devices"]) == 4
