"""Documents over the API of a real hub: written, published, gone back to, removed, told live, and who may."""

from __future__ import annotations

from typing import Any

from tests.integration.api.test_live import Events
from tests.integration.running_hub import Answer, RunningHub

BOX = {"x": 0, "y": 0, "w": 100, "h": 50}
HALL = "/v1/content/layouts/hall"


def says(text: str) -> dict[str, Any]:
    return {"elements": [{"kind": "text", "box": BOX, "text": text}]}


async def save(hub: RunningHub, path: str, body: Any, revision: int = 0, **headers: str) -> Answer:
    wanted = {"body": body, "revision": revision}
    return await hub.ask("PUT", path, wanted, key="technician", **headers)


async def publish(hub: RunningHub, path: str, **which: Any) -> Answer:
    return await hub.ask("POST", f"{path}/publish", which, key="technician")


async def test_a_layout_from_its_first_draft_to_its_removal(running_hub: RunningHub) -> None:
    hub = running_hub
    async with Events(hub, "?topics=content").connected() as events:
        made = await save(hub, HALL, says("one"))
        assert (made.status, made.headers["Etag"], made.body["draft"]) == (200, '"1"', True)
        assert (made.body["body"], made.body["published"]) == (
            {"elements": [{"box": {"h": 50.0, "w": 100.0, "x": 0.0, "y": 0.0}, "kind": "text", "text": "one"}]},
            None,
        )
        shown = await publish(hub, HALL, revision=1, note="first")
        assert (shown.status, shown.body["version"], shown.body["draft"]) == (200, 1, False)
        assert shown.body["published"] == shown.body["body"]
        told = [await anext(events) for _ in range(2)]
        assert [(one.topic, one.data["id"], one.data["version"]) for one in told] == [
            ("content", "hall", 0),
            ("content", "hall", 1),
        ]
    stale = await save(hub, HALL, says("two"), If_Match='"0"')
    assert (stale.status, stale.code) == (409, "conflict")
    assert "technician" in stale.body["detail"]
    assert "outpost content show layout hall" in stale.body["hint"]
    assert (await save(hub, HALL, says("two"), If_Match='W/"1"')).headers["Etag"] == '"2"'
    assert (await save(hub, HALL, says("two"), If_Match="x")).status == 400
    assert (await publish(hub, HALL, revision=2)).body["version"] == 2
    for large in (2**53 + 1, 2**63, 2**80):
        assert (await publish(hub, HALL, version=large)).status == 400
    back = (await publish(hub, HALL, version=1)).body
    assert (back["version"], back["body"]["elements"][0]["text"]) == (3, "one")

    versions = (await hub.get(f"{HALL}/versions?limit=2", key="viewer")).body
    assert [(one["version"], one["state"], one["back_to"]) for one in versions["items"]] == [
        (3, "published", 1),
        (2, "earlier", 0),
    ]
    rest = (await hub.get(f"{HALL}/versions?cursor={versions['next']}", key="viewer")).body
    assert [(one["version"], one["note"]) for one in rest["items"]] == [(1, "first")]
    second = await hub.get(f"{HALL}/versions/2", key="viewer")
    assert second.body["body"]["elements"][0]["text"] == "two"
    assert (await hub.get(f"{HALL}/versions/x")).status == 404
    assert (await hub.get(f"{HALL}/versions/9")).status == 404

    await save(hub, "/v1/content/schedules/all", {"rules": [{"layout": "hall"}]})
    await publish(hub, "/v1/content/schedules/all", revision=1)
    listed = (await hub.get("/v1/content?limit=1", key="viewer")).body
    assert [(one["kind"], one["id"], one["used_by"]) for one in listed["items"]] == [("layout", "hall", 1)]
    rest = (await hub.get(f"/v1/content?cursor={listed['next']}", key="viewer")).body
    assert ([one["id"] for one in rest["items"]], rest["next"]) == (["all"], None)
    of_kind = (await hub.get("/v1/content?kind=schedules", key="viewer")).body["items"]
    assert [one["id"] for one in of_kind] == ["all"]
    named = await hub.ask("DELETE", HALL, key="technician")
    assert (named.status, "schedule all" in named.body["detail"]) == (409, True)
    await hub.ask("DELETE", "/v1/content/schedules/all", key="technician")
    assert (await hub.ask("DELETE", HALL, key="technician", If_Match='"1"')).status == 409
    assert (await hub.ask("DELETE", HALL, key="technician")).status == 204
    assert (await hub.get(HALL)).status == 404
    facts = [one for one in await hub.facts() if one["kind"].startswith("content.")]
    assert [one["kind"] for one in facts] == [*["content.published"] * 4, *["content.removed"] * 2]
    assert not any("one" in str(fact["body"]) for fact in facts), "hashes alone, no texts"


async def test_what_is_wrong_is_told_in_words_and_to_whom_it_may(running_hub: RunningHub) -> None:
    hub = running_hub
    wrong = await save(
        hub, HALL, {"elements": [{"kind": "value", "box": BOX, "device": "d", "key": "k", "unti": ""}]}
    )
    assert (wrong.status, wrong.body["detail"]) == (400, "Element 1 (value): `unti` is not known here.")
    missing = {"elements": [{"kind": "source", "box": BOX, "source": "weather"}]}
    made = await save(hub, HALL, missing)
    assert made.body["notes"] == [
        {"element": 0, "level": "error", "text": "The source weather is not there."},
    ]
    refused = await publish(hub, HALL, revision=1)
    assert (refused.status, refused.code) == (422, "rejected")
    assert (await hub.ask("PUT", HALL, {"body": {}, "revision": 1}, key="viewer")).status == 403
    assert (await hub.ask("POST", f"{HALL}/publish", {"revision": 1}, key="viewer")).status == 403
    assert (await hub.get("/v1/content/posters/hall")).status == 404
    assert (await hub.get("/v1/content?kind=posters")).status == 400
    assert (await save(hub, "/v1/content/layouts/Hall%201", {})).status == 400
