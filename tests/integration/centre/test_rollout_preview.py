"""What a rollout would be, and who is in a group, as far as the caller reaches; nothing of a preview is kept."""

from __future__ import annotations

from edge.serving.roles import Role
from tests.firmware_bundles import app
from tests.integration.centre.update_hubs import site_with, start, steps, trust, upload
from tests.running_centre import RunningCentre


async def test_a_preview_counts_what_would_begin(centre: RunningCentre) -> None:
    await trust(centre)
    artifact = (await upload(centre, app())).body["id"]
    first = await site_with(centre, *(f"a-{number}" for number in range(8)))
    second = await site_with(centre, "b-1", "b-2")
    await centre.add_key("near", Role.TECHNICIAN, sites=second.site)
    plan = {"waves": [0, 50, 100]}
    wanted = {"artifact": artifact[:10], "target": {"kind": "sensor"}, "plan": plan}
    seen = await centre.ask("POST", "/v1/rollouts/preview", wanted, key="technician")
    assert seen.status == 200, seen.body
    assert (seen.body["artifact"], seen.body["devices"], seen.body["heard"]) == (artifact, 10, 10)
    assert seen.body["waves"] == [1, 4, 5]
    sites = {one["site"]: one for one in seen.body["sites"]}
    assert {site: one["devices"] for site, one in sites.items()} == {first.site: 8, second.site: 2}
    assert [sum(wave) for wave in zip(*(one["waves"] for one in sites.values()), strict=True)] == [1, 4, 5]
    near = await centre.ask("POST", "/v1/rollouts/preview", wanted, key="near")
    assert [(one["site"], one["devices"]) for one in near.body["sites"]] == [(second.site, 2)]
    assert (await centre.ask("POST", "/v1/rollouts/preview", wanted, key="viewer")).status == 403
    for wrong in ({"plan": {"waves": [50]}}, {"target": {}}, {"target": {"kind": "none"}}, {"artifact": "f" * 9}):
        refused = await centre.ask("POST", "/v1/rollouts/preview", {**wanted, **wrong})
        asked = await centre.ask("POST", "/v1/rollouts", {**wanted, **wrong})
        assert (refused.status, refused.body["detail"]) == (asked.status, asked.body["detail"])
    assert (await centre.get("/v1/rollouts")).body["items"] == []

    made = (await start(centre, artifact)).body["id"]
    there = (await centre.get(f"/v1/rollouts/{made}/devices?site={second.site}")).body["items"]
    assert sorted(one["device"] for one in there) == ["b-1", "b-2"]
    assert len(await steps(centre, made)) == 10
    beyond = await centre.get(f"/v1/rollouts/{made}/devices?site={first.site}", key="near")
    assert beyond.status == 404


async def test_a_group_says_who_is_in_it_and_where(centre: RunningCentre) -> None:
    first, second = await site_with(centre, "same", "one"), await site_with(centre, "same")
    await centre.add_key("near", Role.TECHNICIAN, sites=second.site)
    both = {"devices": [f"same@{first.site}", f"same@{second.site}", "one"]}
    made = await centre.ask("PUT", "/v1/groups/hall", both, key="technician")
    assert made.status == 200, made.body
    of_both = [{"site": one.site, "device": "same", "name": "Same", "kind": "sensor", "known": True}
               for one in sorted((first, second), key=lambda one: one.site)]  # fmt: skip
    seen = await centre.get("/v1/groups/hall", key="viewer")
    assert seen.body["members"][1:] == of_both
    assert seen.body["devices"] == ["one", "same", "same"]
    await first.tell_devices("one")
    assert [one["known"] for one in (await centre.get("/v1/groups/hall")).body["members"]] == [False, True, True]
    near = (await centre.get("/v1/groups/hall", key="near")).body
    assert [one["site"] for one in near["members"]] == [second.site]
    listed = (await centre.get("/v1/groups", key="near")).body["items"]
    assert [(one["name"], len(one["members"])) for one in listed] == [("hall", 1)]
    assert (await centre.get("/v1/groups/none")).status == 404
