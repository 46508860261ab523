"""Assets of all sites: who sees and changes which, what they did, and what waits for a hub that is away."""

from __future__ import annotations

from typing import Any

import msgspec
from sqlalchemy import select, update

from cloud.db.models import InboxItem, Site
from edge.assets.deriving import Wiring
from edge.assets.model import ALIVE, SECOND_US
from edge.clock import iso
from edge.serving.roles import Role
from edge.wire.assets import AssetRules, ReasonView, ShiftView
from tests.fakes.sync_hub import SyncHub
from tests.integration.centre.asset_hubs import heard, view_of, wired
from tests.integration.centre.hubs import enrolled, site_of
from tests.running_centre import RunningCentre

MINUTE_US = 60 * SECOND_US
HOURS = 6
RULES = AssetRules(
    timezone="Europe/Berlin",
    reasons=[ReasonView(id="jam", name="Jam")],
    shifts=[ShiftView(id="early", name="Early", begins="06:00", ends="14:00")],
)


async def plant(centre: RunningCentre, stops: int, *, name: str = "Press") -> tuple[SyncHub, int]:
    """A site with a press and a saw, which is removed; the press stood still for ten minutes so many times within
    six hours of yesterday. When those began."""
    hub = await enrolled(centre)
    assert (await hub.hello()).status == 200
    from_us = (centre.centre.clock.now().at_us // MINUTE_US - 36 * 60) * MINUTE_US
    press, saw = wired("press", Wiring(0, "log-1", "in1")), wired("saw", Wiring(0, "log-1", "in2"))
    rows: list[Any] = [
        ("asset_rules", "rules", "", 1, hub.at_us, msgspec.json.encode(RULES)),
        ("asset", "press", "log-1", 1, hub.at_us, msgspec.json.encode(view_of(press, name=name))),
        ("asset", "saw", "log-1", 1, hub.at_us, msgspec.json.encode(view_of(saw, removed=True))),
        (
            "device",
            "log-1",
            "log-1",
            1,
            hub.at_us,
            msgspec.json.encode({"id": "log-1", "name": "Hall", "aliases": []}),
        ),
    ]
    assert (await hub.send_states(*rows)).status == 200
    for minute in range(HOURS * 60 + 1):
        heard(hub, from_us + minute * MINUTE_US, 60.0 * minute, key=ALIVE)
    heard(hub, from_us, True)
    for stop in range(stops):
        heard(hub, from_us + (30 + 30 * stop) * MINUTE_US, False)
        heard(hub, from_us + (40 + 30 * stop) * MINUTE_US, True)
    assert (await hub.send_readings(1, len(hub.readings))).status == 200
    await centre.centre.assets.worker.turn()
    return hub, from_us


async def items(centre: RunningCentre, path: str, key: str = "viewer") -> list[dict[str, Any]]:
    """What is listed there."""
    answer = await centre.get(path, key=key)
    assert answer.status == 200, answer.body
    return list(answer.body["items"])


async def away(centre: RunningCentre, hub: SyncHub) -> None:
    """The hub has not been heard for an hour."""
    seen_us = centre.centre.clock.now().at_us - 3600 * SECOND_US
    async with centre.centre.db.write() as connection:
        await connection.execute(update(Site).where(Site.slug == hub.site).values(seen_us=seen_us))


async def waiting(centre: RunningCentre, hub: SyncHub) -> list[tuple[str, Any]]:
    """Kind and body of what waits for a hub."""
    site = await site_of(centre, hub)
    query = select(InboxItem.kind, InboxItem.body).where(InboxItem.site_id == site.id).order_by(InboxItem.seq)
    async with centre.centre.db.read() as connection:
        return [(row.kind, msgspec.json.decode(row.body)) for row in await connection.execute(query)]


async def test_what_assets_did_at_all_sites(centre: RunningCentre) -> None:
    one, from_us = await plant(centre, 4)
    other, _ = await plant(centre, 7, name="Oven")
    span = f"from={iso(from_us)}&to={iso(from_us + HOURS * 60 * MINUTE_US)}"
    (press,) = await items(centre, f"/v1/availability?{span}&site={one.site}")
    hours = HOURS * 3600.0
    assert (press["of"], press["site"], press["stops"], press["stop_s"]) == ("press", one.site, 4, 2400.0)
    assert press["availability"] == (hours - 2400) / hours
    assert press["coverage"] == 1.0
    by_site = await items(centre, f"/v1/availability?{span}&by=site")
    assert {row["of"]: row["stops"] for row in by_site} == {one.site: 4, other.site: 7}
    (whole,) = await items(centre, f"/v1/availability?{span}&by=all")
    assert (whole["stops"], whole["stop_s"], whole["site"]) == (11, 6600.0, "")
    assert sum(row["stops"] for row in await items(centre, f"/v1/availability?{span}&by=day")) == 11
    (hall,) = await items(centre, f"/v1/availability?{span}&by=device&site={one.site}&device=hall")
    assert (hall["of"], hall["name"]) == ("log-1", "Hall")

    first = await centre.get(f"/v1/stops?{span}&limit=6", key="viewer")
    rest = await centre.get(f"/v1/stops?{span}&limit=6&cursor={first.body['next']}", key="viewer")
    every = first.body["items"] + rest.body["items"]
    assert [stop["at"] for stop in every] == sorted((stop["at"] for stop in every), reverse=True)
    assert (len(every), {stop["site"] for stop in every}) == (11, {one.site, other.site})
    (row,) = await items(centre, f"/v1/pareto?{span}")
    assert (row["reason"], row["stops"], row["share"]) == ("", 11, 1.0)

    lost = await centre.get(f"/v1/assets/press/timeline?{span}", key="viewer")
    assert (lost.status, lost.code) == (409, "conflict"), "two sites have one"
    bands = await items(centre, f"/v1/assets/press/timeline?{span}&site={one.site}")
    assert [band["state"] for band in bands] == ["running", "stopped"] * 4 + ["running"]
    assert (await items(centre, f"/v1/assets/Oven/timeline?{span}"))[0]["asset"] == "press"
    page = (await centre.get(f"/v1/assets/press/timeline?{span}&site={one.site}&limit=4")).body
    assert page["items"] == bands[:4]
    assert (await centre.get("/v1/availability?shift=late")).status == 400
    assert (await centre.get("/v1/availability?by=week")).status == 400
    assert (await centre.get("/v1/stops?cursor=x.y.z")).status == 400

    tables = [
        ("availability.csv", "site,of,name", 3),
        ("stops.csv", "site,id,asset", 12),
        ("pareto.csv", "reason", 2),
    ]
    for path, heading, count in tables:
        lines = (await centre.get(f"/v1/{path}?{span}", key="viewer")).body.decode().splitlines()
        assert (lines[0].startswith(heading), len(lines)) == (True, count), path
    sheet = (await centre.get(f"/v1/assets/press/timeline.csv?{span}&site={one.site}")).body.decode()
    assert len(sheet.splitlines()) == 10


async def test_who_reaches_a_site_sees_its_assets_and_no_others(centre: RunningCentre) -> None:
    one, from_us = await plant(centre, 2)
    other, _ = await plant(centre, 3)
    await centre.add_key("narrow", Role.TECHNICIAN, sites=one.site)
    span = f"from={iso(from_us)}"
    assert {asset["site"] for asset in await items(centre, "/v1/assets", "narrow")} == {one.site}
    assert [row["of"] for row in await items(centre, f"/v1/availability?{span}&by=site", "narrow")] == [one.site]
    assert {stop["site"] for stop in await items(centre, f"/v1/stops?{span}", "narrow")} == {one.site}
    assert {rule["site"] for rule in await items(centre, "/v1/stop-reasons", "narrow")} == {one.site}
    for path in ("/v1/assets", "/v1/availability", "/v1/stops", "/v1/pareto", "/v1/shifts", "/v1/assets/press"):
        assert (await centre.get(f"{path}?site={other.site}", key="narrow")).status == 404, path
    refused = await centre.ask("PATCH", f"/v1/assets/press?site={other.site}", {"line": "B"}, key="narrow")
    assert refused.status == 404
    late = {"name": "Late", "begins": "14:00", "ends": "22:00"}
    refused = await centre.ask("PUT", f"/v1/shifts/late?site={other.site}", late, key="narrow")
    assert refused.status == 404
    await centre.add_key("stranger", Role.ADMIN, tenant_id=2)
    assert await items(centre, "/v1/assets", "stranger") == []
    assert await items(centre, f"/v1/stops?{span}", "stranger") == []


async def test_what_is_asked_of_a_hub_that_is_away_is_pending(centre: RunningCentre) -> None:
    hub, from_us = await plant(centre, 1)
    await away(centre, hub)
    assert [asset["id"] for asset in await items(centre, "/v1/assets")] == ["press"]
    (shown, gone) = await items(centre, "/v1/assets?removed=1")
    assert (shown["state"], shown["stale"], gone["removed"]) == ("running", True, True)
    assert shown["age_s"] > 0
    assert await items(centre, "/v1/assets?line=b") == []
    changed = await centre.ask("PATCH", "/v1/assets/press", {"line": "B", "short_stop_s": 300})
    assert (changed.body["line"], changed.body["pending"]) == ("B", ["line"])
    wanted = {"device": "Hall", "input": "in7"}
    moved = await centre.ask("PUT", "/v1/assets/press/wiring", wanted)
    assert (moved.body["device"], moved.body["input"], moved.body["pending"]) == ("log-1", "in7", ["input"])
    again = (await centre.get("/v1/assets/press")).body
    assert (again["line"], again["input"], again["pending"]) == ("B", "in7", ["input", "line"])
    assert [each["pending"] for each in await items(centre, "/v1/assets")] == [again["pending"]]
    made = await centre.ask("POST", "/v1/assets", {**wanted, "name": "Mill"})
    assert (made.status, made.body["name"], made.body["state"], made.body["pending"]) == (
        201,
        "Mill",
        "unknown",
        ["name"],
    )
    (stop,) = await items(centre, f"/v1/stops?from={iso(from_us)}")
    given = await centre.ask(
        "PUT", f"/v1/assets/press/stops/{stop['id']}/reason", {"reason": "jam", "note": "belt"}
    )
    assert (given.body["at"], given.body["reason_name"], given.body["pending"]) == (stop["at"], "Jam", True)
    reason = await centre.ask("PUT", f"/v1/stop-reasons/no-material?site={hub.site}", {"name": "No material"})
    assert (reason.body["name"], reason.body["pending"]) == ("No material", True)
    same = await centre.ask("PUT", f"/v1/stop-reasons/jam?site={hub.site}", {"name": "Jam"})
    assert same.body["pending"] is False
    assert (await centre.ask("DELETE", f"/v1/shifts/early?site={hub.site}")).status == 204
    assert (await centre.ask("DELETE", "/v1/shifts/early")).status == 404, "of which site?"
    asked = await waiting(centre, hub)
    assert {kind for kind, _ in asked} == {"asset"}
    assert [body["do"] for _, body in asked] == ["change", "wire", "add", "explain", "reason", "reason", "no_shift"]
    assert asked[0][1] == {"do": "change", "asset": "press", "line": "B", "short_stop_s": 300.0}
    asked_us = centre.centre.clock.now().at_us
    for _, body in asked[1:3]:
        assert (body["device"], body["at"]) == ("log-1", None)
        assert asked_us - 60 * MINUTE_US < body["asked_us"] <= asked_us, "the hub hears of it later"
    assert (asked[2][1]["asset"], asked[3][1]["stop"]) == (made.body["id"], stop["id"])
    audit = await items(centre, "/v1/audit", "admin")
    assert {"asset.changed", "asset.wired", "asset.added", "asset.explained", "asset.rules"} <= {
        each["what"] for each in audit
    }


async def test_what_is_so_already_is_not_pending_however_it_is_written(centre: RunningCentre) -> None:
    hub, _ = await plant(centre, 1)
    await away(centre, hub)
    changed = await centre.ask("PATCH", "/v1/assets/press", {"name": "  Press ", "line": " A "})
    assert (changed.body["name"], changed.body["pending"]) == ("Press", [])
    early = {"name": " Early", "begins": "06:00", "ends": "14:00", "days": [7, 6, 5, 4, 3, 2, 1]}
    same = await centre.ask("PUT", f"/v1/shifts/early?site={hub.site}", early)
    assert (same.body["name"], same.body["days"], same.body["pending"]) == ("Early", [1, 2, 3, 4, 5, 6, 7], False)
    once = {"name": "Stocktaking", "at": "2026-12-01T00:00:00+01:00", "to": "2026-12-02T00:00:00Z"}
    planned = await centre.ask("PUT", f"/v1/planned/stock?site={hub.site}", {**once, "assets": ["PRESS"]})
    assert (planned.body["at"], planned.body["assets"]) == ("2026-11-30T23:00:00.000Z", ["press"])
    night = {"name": "Night", "begins": "22:00", "ends": "06:00"}
    weekly = await centre.ask("PUT", f"/v1/planned/night?site={hub.site}", night)
    assert (weekly.body["days"], weekly.body["pending"]) == ([1, 2, 3, 4, 5, 6, 7], True)


async def test_what_no_hub_would_do_is_refused_though_it_is_away(centre: RunningCentre) -> None:
    hub, from_us = await plant(centre, 1)
    await away(centre, hub)
    (stop,) = await items(centre, f"/v1/stops?from={iso(from_us)}")
    night = {"name": "Night", "begins": "22:00", "ends": "06:00"}
    wire = {"device": "Hall", "input": "in7"}
    for status, method, path, body in (
        (400, "PATCH", "/v1/assets/press", {"name": "   "}),
        (400, "PUT", "/v1/assets/press/wiring", {**wire, "input": "alive"}),
        (400, "PUT", "/v1/assets/press/wiring", {**wire, "at": "nonsense"}),
        (400, "PUT", "/v1/assets/press/wiring", {**wire, "at": "2999-01-01T00:00:00Z"}),
        (400, "POST", "/v1/assets", {**wire, "name": "\n"}),
        (400, "PUT", f"/v1/planned/p?site={hub.site}", {"name": "P", "at": "nonsense", "to": "z"}),
        (400, "PUT", f"/v1/planned/p?site={hub.site}", {"name": "P"}),
        (400, "PUT", f"/v1/planned/P!?site={hub.site}", night),
        (400, "PUT", f"/v1/shifts/a..b?site={hub.site}", night),
        (400, "PUT", f"/v1/stop-reasons/A?site={hub.site}", {"name": "A"}),
        (404, "PUT", "/v1/assets/press/stops/12345/reason", {"reason": "jam"}),
        (404, "PUT", f"/v1/assets/press/stops/{stop['id']}/reason", {"reason": "never-made"}),
    ):
        answer = await centre.ask(method, path, body)
        assert answer.status == status, (path, body, answer.body)
    assert await waiting(centre, hub) == []
    await centre.ask("PUT", f"/v1/stop-reasons/tool?site={hub.site}", {"name": "Tool"})
    given = await centre.ask("PUT", f"/v1/assets/press/stops/{stop['id']}/reason", {"reason": "tool"})
    assert (given.status, given.body["pending"]) == (200, True), "its hub will have made it before"


async def test_of_what_was_said_of_one_time_the_last_counts(centre: RunningCentre) -> None:
    hub, from_us = await plant(centre, 2)
    span = {"from_us": from_us, "to_us": from_us + HOURS * 60 * MINUTE_US}
    for reason in ("jam", "tool", "belt"):
        hub.fact("asset.explained", "press", asset="press", **span, reason=reason, reason_name=reason.title())
    hub.fact("asset.explained", "press", asset="press", from_us=1, to_us=2, reason="jam")
    assert (await hub.send_facts(1, 4)).status == 200
    (row,) = await items(centre, f"/v1/pareto?from={iso(from_us)}")
    assert (row["reason"], row["name"], row["stops"]) == ("belt", "Belt", 2)
    stops = await items(centre, f"/v1/stops?from={iso(from_us)}")
    assert [stop["reason_name"] for stop in stops] == ["Belt", "Belt"]


async def test_what_a_hub_says_amiss_is_as_if_it_were_not_there(centre: RunningCentre) -> None:
    hub, from_us = await plant(centre, 2)
    views: list[Any] = [
        [],
        {"id": "x"},
        view_of(wired("x", Wiring(0, "log-1", "in3")), wirings=[{"at": "soon", "device": "d", "input": "i"}]),
        view_of(wired("x", Wiring(0, "log-1", "in3")), wirings=[], silent_s=-1),
        view_of(wired("x", Wiring(0, "log-1", "in3")), wirings=[{"at": iso(0), "device": "d\0", "input": "i"}]),
    ]
    rows: list[Any] = [
        ("asset", f"x{number}", "log-1", 5, hub.at_us, msgspec.json.encode(view))
        for number, view in enumerate(views)
    ]
    rules = {
        "timezone": "Mars",
        "planned": [{"id": "p", "name": "P", "begins": "25:99", "ends": "x"}],
        "shifts": [{}],
    }
    rows.append(("asset_rules", "rules", "", 5, hub.at_us, msgspec.json.encode(rules)))
    assert (await hub.send_states(*rows)).status == 200
    await centre.centre.assets.worker.turn()
    (press,) = await items(centre, f"/v1/availability?from={iso(from_us)}&asset=press")
    assert press["stops"] == 2
    hub.fact("asset.explained", "press", asset="press", from_us=-5, to_us="late", clock="x", reason=["jam"])
    hub.fact(
        "asset.explained", "press", asset="press", from_us=from_us, to_us=from_us + 60 * MINUTE_US, reason="jam"
    )
    assert (await hub.send_facts(1, 2)).status == 200
    assert [row["reason"] for row in await items(centre, f"/v1/pareto?from={iso(from_us)}")] == ["", "jam"]
