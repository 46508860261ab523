"""One hub that says amiss takes nothing from the others: not at /v1, not at the older asset logger's pages."""

from __future__ import annotations

import asyncio
import itertools
from typing import Any
from urllib.parse import quote

import msgspec

from cloud.sites.gate import HubCaller
from cloud.sync.visits import Request
from edge.assets.deriving import Wiring
from edge.wire.asked import Answered, Asked
from edge.wire.assets import AssetRules, ShiftView
from edge.wire.sync import SESSION_HEADER
from edge.wire.values import TIME_MAX_US
from tests.fakes.asset_pages import AssetPages
from tests.fakes.sync_hub import SyncHub
from tests.filled_centre import DEVICE
from tests.integration.centre.asset_hubs import view_of, wired
from tests.integration.centre.hubs import enrolled, site_of
from tests.integration.centre.test_assets import away, items, plant
from tests.integration.centre.test_inbox import tell
from tests.patience import AT_ONCE_S
from tests.running_centre import RunningCentre

PASSWORD = "Passw0rd"
LISTS = ("/v1/assets", "/v1/availability", "/v1/stops", "/v1/pareto")
PAGES = ("/loggers", "/alerts", "/analytics", "/events?page=1&limit=5", "/reports/daily", "/shifts/current")
AMISS: list[dict[str, Any]] = [
    *({"evidence_at": at} for at in ("nonsense", "now", "-5d", "2026-11-21T00:00:00", "0001-01-01T00:00:00+14:00")),
    *({"since": at} for at in ("9999-99", "0001-01-01T00:00:00Z", "9999-12-31T23:59:59-14:00")),
    {"short_stop_s": 1e308},
    {"silent_s": -5},
    {"wirings": [{"at": "soon", "device": "d", "input": "i"}]},
]
_versions = itertools.count(2)


async def pages_of(centre: RunningCentre) -> AssetPages:
    """An administrator's older pages."""
    wanted = {"email": "root@example.com", "username": "root", "role": "admin", "sites": [], "password": PASSWORD}
    assert (await centre.ask("POST", "/v1/people", wanted)).status == 201
    pages = AssetPages(centre.http, centre.url)
    await pages.log_in("root", PASSWORD)
    return pages


async def tells(hub: SyncHub, kind: str, of: str, view: object) -> None:
    """A state of the logger or of what it watches."""
    device = "" if kind == "asset_rules" else "log-1"
    row: Any = (kind, of, device, next(_versions), hub.at_us, msgspec.json.encode(view))
    assert (await hub.send_states(row)).status == 200


async def test_what_one_hub_says_amiss_hides_nothing_of_the_others(centre: RunningCentre) -> None:
    hub, _ = await plant(centre, 2)
    ill = await enrolled(centre)
    assert (await ill.hello()).status == 200
    for each in (hub, ill):
        await tells(each, "device", "log-1", {**DEVICE, "id": "log-1", "kind": "logger"})
    pages, oven = await pages_of(centre), wired("oven", Wiring(0, "log-1", "in1"))
    for amiss in AMISS:
        await tells(ill, "asset", "oven", view_of(oven, **amiss))
        for path in LISTS:
            assert "oven" not in str(await items(centre, path)), (amiss, path)
        assert [one["id"] for one in await items(centre, "/v1/assets")] == ["press"]
        assert (await centre.get("/v1/assets/oven")).status == 404
        assert [one["site"] for one in await pages.loggers()] == [hub.site, ill.site]
        assert [one["name"] for one in (await pages.get("/assets"))["assets"]] == ["Press"], amiss

    for digits in (9, 10, 5_000):
        await tells(ill, "asset", "oven", view_of(oven, input="in" + "9" * digits))
        assert len((await pages.get("/assets"))["assets"]) == 2, digits
    times = [("25:99", "14:00"), ("z", "z"), ("06:00", "99999999999:00"), ("06:00", "14:00")]
    told = [
        ShiftView(id=f"s{number}", name="S", begins=one, ends=other) for number, (one, other) in enumerate(times)
    ]
    await tells(ill, "asset_rules", "rules", AssetRules(timezone="UTC", shifts=told))
    for path in ("/assets", *PAGES):
        assert (await pages.raw("GET", path))[0] == 200, path
    assert [shift["id"] for shift in await items(centre, f"/v1/shifts?site={ill.site}")] == ["s3"]


async def test_no_stop_is_later_than_the_last_year(centre: RunningCentre) -> None:
    hub, _ = await plant(centre, 1)
    await away(centre, hub)
    for began_us in (TIME_MAX_US + 1, 10**18 - 1, 10**40):
        given = await centre.ask("PUT", f"/v1/assets/press/stops/{began_us}/reason", {"reason": "jam"})
        assert (given.status, given.code) == (404, "not-found"), began_us


async def test_an_answer_that_cannot_be_passed_on_is_told_as_that(centre: RunningCentre) -> None:
    hub = await enrolled(centre)
    assert (await hub.hello()).status == 200
    site, visits = await site_of(centre, hub), centre.centre.sync.visits
    caller = HubCaller(tenant_id=1, tenant="default", site_id=site.id, slug=site.slug, name=site.name)
    request = Request(person="ann", method="PUT", path="/api/assets/a")

    async def answer(status: int, body: str) -> Answered:
        waits = asyncio.create_task(visits.ask(1, site.id, request, wait_s=AT_ONCE_S))
        handed: list[Asked] = []
        while not handed:
            await asyncio.sleep(0.01)
            handed = await visits.hand_out(caller)
        said = Answered(id=handed[0].id, status=status, body=body)
        assert (await hub.ask("answers", msgspec.json.encode(said))).status == 200
        return await waits

    for status, body in ((200, "not json"), (200, "[" * 100_000), (99, "{}"), (302, "{}"), (99_999, "")):
        told = await answer(status, body)
        assert told.status == 502, (status, body[:10])
        assert "cannot be read" in msgspec.json.decode(told.body)["detail"]
    for status, body in ((200, ""), (409, '{"detail":"no"}')):
        told = await answer(status, body)
        assert (told.status, told.body) == (status, body)


async def test_an_id_with_marks_of_a_path_reaches_its_hub_as_it_is(centre: RunningCentre) -> None:
    hub, machine = await enrolled(centre), "a/b?c#d"
    assert (await hub.hello()).status == 200
    pages = await pages_of(centre)
    person = (await pages.get("/auth/me"))["user"]["id"]
    await tells(hub, "device", "log-1", {**DEVICE, "id": "log-1", "kind": "logger", "owner": person})
    await tells(hub, "asset", machine, view_of(wired(machine, Wiring(0, "log-1", "in1"))))
    (one,) = (await pages.get("/assets"))["assets"]
    changed = asyncio.create_task(pages.ask("PUT", f"/assets/{quote(one['id'], safe='')}", {"name": "Oven"}))
    asked: list[dict[str, Any]] = []
    after = 0
    while not asked:
        answer = await look(hub, after)
        asked = answer["asked"]
        for item in answer["items"]:
            after = item["seq"]
            await tell(hub, "inbox.applied", item["id"], kind=item["kind"], code="", detail="")
        await asyncio.sleep(0.01)
    assert asked[0]["path"] == "/api/assets/a%2Fb%3Fc%23d"
    said = Answered(id=asked[0]["id"], status=200, body='{"asset": {"id": "a/b?c#d"}}')
    assert (await hub.ask("answers", msgspec.json.encode(said))).status == 200
    assert (await changed)["asset"]["id"] == one["id"]


async def look(hub: SyncHub, after: int) -> dict[str, Any]:
    """What waits for a hub behind an item, with what people ask of it."""
    headers = {"Authorization": f"Bearer {hub.token}", SESSION_HEADER: str(hub.session)}
    async with hub.http.get(f"{hub.url}/sync/v1/inbox?after={after}&asked=1", headers=headers) as response:
        return dict(msgspec.json.decode(await response.read()))
