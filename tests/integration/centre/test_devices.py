"""Devices, slots, twins and agents at head office: as their hubs last told, and nobody else's."""

from __future__ import annotations

from edge.clock import iso
from edge.serving.roles import Role
from tests.filled_centre import NOW_US, Filled
from tests.running_centre import RunningCentre

MINUTE_US = 60_000_000


async def two_sites(centre: RunningCentre) -> Filled:
    """A site that is live, one that is away, and one of another tenant; with a device each."""
    filled, now_us = Filled(centre.centre.db), centre.centre.clock.now().at_us
    await filled.tenant(2)
    await filled.site(1, "pune", seen_us=now_us)
    await filled.site(2, "delhi", seen_us=now_us - 10 * MINUTE_US)
    await filled.site(3, "foreign", tenant=2, seen_us=now_us)
    await filled.device(1, "d1", name="Till", at_us=now_us - MINUTE_US, aliases=["AA:BB"])
    await filled.device(2, "d2", name="Door", at_us=now_us - 20 * MINUTE_US)
    await filled.device(3, "d3", tenant=2)
    return filled


async def test_devices_are_told_with_their_site_and_how_old_that_is(centre: RunningCentre) -> None:
    await two_sites(centre)
    first, second = (await centre.get("/v1/devices", key="viewer")).body["items"]
    assert (first["id"], first["site"], first["stale"]) == ("d1", "pune", False)
    assert (second["id"], second["site"], second["stale"]) == ("d2", "delhi", True)
    assert 61 <= first["evidence_age_s"] < 71
    assert second["evidence_age_s"] >= 1200
    assert first["as_of"] > second["as_of"] > iso(NOW_US - 10**15)


async def test_a_device_is_found_by_id_name_and_alias(centre: RunningCentre) -> None:
    await two_sites(centre)
    for name in ("d1", "Till", "till", "aa:bb"):
        assert (await centre.get(f"/v1/devices/{name}")).body["id"] == "d1"
    missing = await centre.get("/v1/devices/nobody")
    assert (missing.status, missing.body["code"]) == (404, "not-found")


async def test_what_is_foreign_is_not_there(centre: RunningCentre) -> None:
    filled = await two_sites(centre)
    await filled.state(3, "twin", "d3", {}, tenant=2)
    for path in (
        "/v1/devices/d3",
        "/v1/devices/d3?site=foreign",
        "/v1/devices?site=foreign",
        "/v1/devices/d3/twin",
        "/v1/devices/d3/slots",
        "/v1/devices/d3/readings",
        "/v1/devices/d3/latest",
        "/v1/slots?site=foreign",
        "/v1/agents?site=foreign",
        "/v1/transactions?site=foreign",
    ):
        assert (await centre.get(path)).status == 404, path
    await centre.add_key("guard", Role.VIEWER, sites="delhi")
    assert [one["id"] for one in (await centre.get("/v1/devices", key="guard")).body["items"]] == ["d2"]
    for path in ("/v1/devices/d1", "/v1/devices?site=pune", "/v1/devices/Till"):
        assert (await centre.get(path, key="guard")).status == 404, path


async def test_an_id_at_two_sites_asks_for_the_site(centre: RunningCentre) -> None:
    filled = await two_sites(centre)
    await filled.device(2, "d1", name="Twin brother")
    clash = await centre.get("/v1/devices/d1")
    assert (clash.status, clash.body["hint"]) == (409, "Name the site: ?site=delhi, or --site delhi.")
    assert (await centre.get("/v1/devices/d1?site=pune")).body["name"] == "Till"
    assert (await centre.get("/v1/devices/d1?site=delhi")).body["name"] == "Twin brother"


async def test_pages_go_on_where_the_one_before_ended(centre: RunningCentre) -> None:
    filled = await two_sites(centre)
    for number in range(7):
        await filled.device(1 + number % 2, f"e.{number // 2}")
    told, cursor = [], ""
    while cursor is not None:
        page = (await centre.get(f"/v1/devices?limit=2&cursor={cursor}")).body
        told += [(one["id"], one["site"]) for one in page["items"]]
        cursor = page["next"]
    assert len(told) == 9
    assert told == sorted(set(told), key=lambda one: (one[0], one[1] == "delhi"))
    for wrong in ("x", "1.2", "1.9.ab", "99999999999999999999.1.a.b"):
        assert (await centre.get(f"/v1/devices?cursor={wrong}")).status == 400


async def test_what_is_gone_and_what_cannot_be_read_is_left_out(centre: RunningCentre) -> None:
    filled = await two_sites(centre)
    await filled.state(1, "device", "d1", None)
    await filled.state(2, "device", "odd", {"id": 5})
    assert [one["id"] for one in (await centre.get("/v1/devices")).body["items"]] == ["d2"]
    assert (await centre.get("/v1/devices/d1")).status == 404


async def test_slots_twins_agents_and_latest_values(centre: RunningCentre) -> None:
    filled, now_us = await two_sites(centre), centre.centre.clock.now().at_us
    slot = {
        "device": "d1",
        "slot": 3,
        "item": "Cola",
        "price": 40,
        "currency": "INR",
        "capacity": 10,
        "count": 7,
        "reserved": 0,
        "in_doubt": 0,
        "available": True,
        "why": "",
        "restocked_at": None,
    }
    await filled.state(1, "slot", "d1/3", slot, device="d1")
    twin = {
        "device": "d1",
        "version": 2,
        "desired": {"on": True},
        "reported": {},
        "pending": ["on"],
        "changed_at": None,
        "changed_by": "me",
    }
    await filled.state(1, "twin", "d1", twin)
    agent = {"agent": "a7", "name": "Asha", "since": iso(now_us), "how": "technician", "device": "d1"}
    await filled.state(1, "agent", "a7", agent, device="d1")
    latest = {"key": "t", "value": 21.5, "at": iso(now_us), "age_s": 2.0, "quality": "ntp"}
    await filled.state(1, "latest", "d1", [latest], at_us=now_us - MINUTE_US)
    for path in ("/v1/slots", "/v1/slots?device=Till", "/v1/devices/d1/slots", "/v1/slots?site=pune"):
        (told,) = (await centre.get(path)).body["items"]
        assert (told["site"], told["slot"], told["count"], told["stale"]) == ("pune", 3, 7, False)
    assert (await centre.get("/v1/slots?site=delhi")).body["items"] == []
    shown = (await centre.get("/v1/devices/d1/twin")).body
    assert (shown["site"], shown["pending"]) == ("pune", ["on"])
    assert (await centre.get("/v1/devices/d2/twin")).status == 404
    (seated,) = (await centre.get("/v1/agents")).body["items"]
    assert (seated["site"], seated["agent"], seated["device"]) == ("pune", "a7", "d1")
    (newest,) = (await centre.get("/v1/devices/d1/latest")).body["items"]
    assert newest["value"] == 21.5
    assert 62 <= newest["age_s"] < 72
    assert (await centre.get("/v1/devices/d2/latest")).body["items"] == []
