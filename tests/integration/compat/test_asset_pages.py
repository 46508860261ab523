"""The older asset logger's web pages at a hub, page by page, as its browsers ask them."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from pathlib import Path

import msgspec
import pytest

from edge.access.accounts.model import ACCESS_S, PAGE_S
from edge.clock import ManualClock, iso
from edge.settings import Accounts
from edge.wire.asked import Asked
from tests.fakes.asset_pages import AssetPages, Refused
from tests.integration.compat.asset_page_site import PASSWORD, logger, person, runs, say, shown
from tests.integration.running_hub import QUIET, RunningHub, started, until


@pytest.fixture
async def hub(tmp_path: Path) -> AsyncIterator[RunningHub]:
    settings = msgspec.structs.replace(QUIET, accounts=Accounts(loggers_of="kate"))
    async with started(tmp_path, settings) as running:
        yield running


async def test_a_day_at_the_pages(hub: RunningHub) -> None:
    """From the first login to a stop with its reason, on every page."""
    ann = await person(hub, "ann")
    assert await ann.dashboard() == []
    assert await ann.loggers() == []
    await ann.every_page()

    device = await logger(hub, "ESP32_001")
    assert await ann.loggers() == []  # nobody's yet
    claimed = await ann.ask("POST", "/loggers", {"logger_id": "ESP32_001", "logger_name": "Hall 1"})
    assert claimed["logger"]["id"] == device.id
    (one,) = await ann.loggers()
    assert (one["logger_id"], one["logger_name"], one["status"]) == ("ESP32_001", "Hall 1", "online")
    written = "".join(f"%{byte:02X}" for byte in device.id.encode())  # as any letter may stand in a path
    asked = Asked(
        id="v_1",
        person=one["user_id"],
        method="PUT",
        path=f"/api/loggers/{written}",
        query={},
        body="{}",
        left_ms=1_000,
    )
    assert (await hub.hub.things.visit(asked)).status == 200

    await runs(hub, "ESP32_001", 25, True)
    asset = await shown(ann, "RUNNING")
    assert asset["pin_number"] == 25
    assert asset["logger_info"]["logger_id"] == "ESP32_001"
    await runs(hub, "ESP32_001", 25, False)
    asset = await shown(ann, "STOPPED")
    assert asset["total_stops"] == 1
    await runs(hub, "ESP32_001", 25, True)
    await shown(ann, "RUNNING")

    listed = await ann.get("/events?page=1&limit=10")
    assert listed["total"] == 2
    assert [row["event_type"] for row in listed["events"]] == ["STOP_END", "RUN_END"]
    assert listed["events"][0]["micro_stop"] is True
    (row,) = (await ann.get("/events?event_type=RUN_END"))["events"]
    assert row["asset_id"] == asset["id"]
    stop = int(listed["events"][1]["id"].rpartition("-")[2])
    assert (await hub.ask("PUT", "/v1/stop-reasons/jam", {"name": "Jam"})).status == 200
    path = f"/v1/assets/{asset['id']}/stops/{stop}/reason"
    given = await hub.ask("PUT", path, {"reason": "jam", "note": "cleared by hand"})
    assert given.status == 200, given.body
    rows = (await ann.get("/events"))["events"]
    assert {row["stop_reason"] for row in rows} == {"Jam"}
    await ann.every_page()


async def test_everything_wants_a_token(hub: RunningHub) -> None:
    nobody = AssetPages(hub.http, hub.url)
    for path in (
        "/assets",
        "/events",
        "/loggers",
        "/reports/daily",
        "/analytics",
        "/alerts",
        "/settings",
        "/csv/events",
    ):
        nobody.logged_out = False
        with pytest.raises(Refused) as refused:
            await nobody.get(path)
        assert refused.value.status == 401
        assert nobody.logged_out, path
    nobody.token = "a.b.c"
    with pytest.raises(Refused):
        await nobody.get("/assets")
    assert nobody.logged_out


async def test_no_other_answer_logs_out(hub: RunningHub) -> None:
    ann = await person(hub, "ann")
    for method, path, body in (
        ("POST", "/backups", {}),
        ("POST", "/shifts/start", {"name": "Early"}),
        ("PUT", "/alerts/stop-1/acknowledge", {}),
        ("POST", "/loggers", {}),
        ("PUT", "/loggers/nothing", {"name": "x"}),
        ("DELETE", "/device/delete/nothing", None),
        ("PUT", "/assets/nothing", {"name": "x"}),
        ("GET", "/assets/nothing", None),
        ("GET", "/reports/daily?date=never", None),
        ("GET", "/reports/monthly?month=13", None),
        ("GET", "/analytics?startDate=2026-02-02&endDate=2026-01-01", None),
        ("GET", "/csv/secrets", None),
        ("GET", "/users/somebody", None),
        ("PUT", "/settings", {"settings": {"much": "x" * 5000}}),
    ):
        with pytest.raises(Refused) as refused:
            await ann.ask(method, path, body)
        assert refused.value.status in (400, 404), path
        assert refused.value.message, path
        assert not ann.logged_out
    await ann.get("/assets")


async def test_the_list_of_displays_is_still_theirs(hub: RunningHub) -> None:
    key = await hub.ask("GET", "/api/device/list", key="admin")
    assert isinstance(key.body, dict)
    assert (await hub.ask("GET", "/api/device/list", key="")).status == 401
    ann = await person(hub, "ann")
    assert await ann.get("/device/list") == []
    async with hub.http.options(f"{hub.url}/api/device/list") as response:
        allowed = response.headers["Access-Control-Allow-Headers"]
        assert ("Authorization" in allowed, "X-API-Key" in allowed) == (True, True)


async def test_two_people_see_and_change_their_own_alone(hub: RunningHub) -> None:
    ann, bob = await person(hub, "ann"), await person(hub, "bob")
    for who, logger_id in ((ann, "ESP32_001"), (bob, "ESP32_002")):
        await logger(hub, logger_id)
        await who.ask("POST", "/loggers", {"logger_id": logger_id})
        await runs(hub, logger_id, 25, True)
        await shown(who, "RUNNING")
    (his,) = await bob.loggers()
    (machine,) = await bob.dashboard()
    for method, path, body in (
        ("GET", f"/loggers/{his['id']}", None),
        ("PUT", f"/loggers/{his['id']}", {"logger_name": "mine"}),
        ("PUT", f"/device/update/{his['id']}", {"name": "mine"}),
        ("DELETE", f"/loggers/{his['id']}", None),
        ("GET", f"/assets/{machine['id']}", None),
        ("PUT", f"/assets/{machine['id']}", {"name": "mine"}),
        ("DELETE", f"/assets/{machine['id']}", None),
        ("GET", f"/events?asset_id={machine['id']}", None),
        ("POST", "/assets", {"name": "x", "pin_number": 26, "logger_id": "ESP32_002"}),
    ):
        with pytest.raises(Refused) as refused:
            await ann.ask(method, path, body)
        assert refused.value.status == 404, path
    with pytest.raises(Refused, match="already registered"):
        await ann.ask("POST", "/loggers", {"logger_id": "ESP32_002"})
    assert [one["logger_id"] for one in await ann.loggers()] == ["ESP32_001"]
    assert "ESP32_002" not in await ann.get("/csv/loggers")

    await bob.ask(
        "PUT", f"/loggers/{his['id']}", {"logger_name": "Hall 2", "location": "north", "description": "old"}
    )
    (his,) = await bob.loggers()
    assert (his["logger_name"], his["location"], his["description"]) == ("Hall 2", "north", "old")
    await say(hub, "/api/device/register", logger_id="ESP32_002", firmware_version="1.0", location="compiled in")
    (his,) = await bob.loggers()
    assert his["location"] == "north"  # what a person wrote is not overwritten by what the sketch says
    renamed = await bob.ask("PUT", f"/assets/{machine['id']}", {"name": "Press", "short_stop_threshold": 60})
    assert (renamed["asset"]["name"], renamed["asset"]["short_stop_threshold"]) == ("Press", 60)
    facts = [fact for fact in await hub.facts() if fact["kind"] == "device.described"]
    assert facts[0]["body"]["by"].startswith("user:")
    await bob.ask("DELETE", f"/assets/{machine['id']}")
    assert await bob.dashboard() == []
    await bob.ask("DELETE", f"/loggers/{his['id']}")
    assert await bob.loggers() == []


async def test_another_pin_of_its_logger_may_tell_of_a_machine(hub: RunningHub) -> None:
    bob = await person(hub, "bob")
    for logger_id in ("ESP32_002", "ESP32_003"):
        await logger(hub, logger_id)
        await bob.ask("POST", "/loggers", {"logger_id": logger_id})
    await runs(hub, "ESP32_002", 25, True)
    machine = await shown(bob, "RUNNING")
    path = f"/assets/{machine['id']}"
    rewired = await bob.ask("PUT", path, {"pin_number": 27, "logger_id": "ESP32_002", "name": "Press"})
    assert (rewired["asset"]["input"], rewired["asset"]["name"]) == ("pin_27", "Press")
    for pin, logger_id in ((99999, "ESP32_002"), (-1, "ESP32_002"), (26, "ESP32_003")):
        with pytest.raises(Refused) as refused:
            await bob.ask("PUT", path, {"pin_number": pin, "logger_id": logger_id})
        assert refused.value.status == 400, pin
    assert (await bob.get(path))["asset"]["input"] == "pin_27"
    for report in ("monthly?month=%s-01", "shifts?date=%s-01-01", "daily?date=%s-01-01"):
        with pytest.raises(Refused) as refused:
            await bob.ask("GET", "/reports/" + report % "0001")
        assert refused.value.status == 400, report
        await bob.ask("GET", "/reports/" + report % "1970")


async def test_a_logger_that_is_registered_at_the_page_waits_for_a_technician(hub: RunningHub) -> None:
    ann = await person(hub, "ann")
    made = await ann.ask("POST", "/loggers", {"logger_id": "ESP32_NEW", "logger_name": "New", "ip_address": "none"})
    assert made["logger"]["status"] == "pending"
    await say(hub, "/api/device/register", logger_id="ESP32_NEW", firmware_version="1.0")
    (one,) = await ann.loggers()
    assert (one["status"], one["logger_name"]) == ("pending", "New")
    await hub.hub.registry.approve(hub.hub.registry.get(one["id"]), actor="tess")
    (one,) = await ann.loggers()
    assert one["status"] == "online"
    added = await ann.ask("POST", "/assets", {"name": "Saw", "pin_number": 26, "logger_id": "ESP32_NEW"})
    assert added["asset"]["input"] == "pin_26"


async def test_what_nobody_has_claimed_is_the_keepers(hub: RunningHub) -> None:
    assert any("loggers_of" in each for each in (await hub.get("/v1/status")).body["problems"])
    kate, ann = await person(hub, "kate"), await person(hub, "ann")
    assert not any("loggers_of" in each for each in (await hub.get("/v1/status")).body["problems"])
    await logger(hub, "ESP32_001")
    assert [one["logger_id"] for one in await kate.loggers()] == ["ESP32_001"]
    assert await ann.loggers() == []
    await ann.ask("POST", "/loggers", {"logger_id": "ESP32_001"})
    assert await kate.loggers() == []


async def test_settings_are_ones_own_and_leave_those_of_the_other_app(hub: RunningHub) -> None:
    ann, bob = await person(hub, "ann"), await person(hub, "bob")
    app = {"Authorization": f"Bearer {ann.token}"}
    await hub.http.put(hub.url + "/me", data=json.dumps({"notification_settings": {"offline": False}}), headers=app)
    await ann.ask("PUT", "/settings", {"refreshInterval": 5})
    assert (await ann.get("/settings"))["settings"]["refreshInterval"] == 5
    assert (await bob.get("/settings"))["settings"]["refreshInterval"] == 30
    async with hub.http.get(hub.url + "/me", headers=app) as response:
        assert (await response.json())["notification_settings"] == {"offline": False}
    await hub.http.put(hub.url + "/me", data=json.dumps({"notification_settings": {"offline": True}}), headers=app)
    assert (await ann.get("/settings"))["settings"]["refreshInterval"] == 5
    assert (await ann.get("/users"))["users"][0]["email"] == "ann@example.com"


async def test_archived_events_are_put_away_and_not_lost(hub: RunningHub) -> None:
    ann = await person(hub, "ann")
    await logger(hub, "ESP32_001")
    await ann.ask("POST", "/loggers", {"logger_id": "ESP32_001"})
    for state in (True, False, True):
        await runs(hub, "ESP32_001", 25, state)
        await shown(ann, "RUNNING" if state else "STOPPED")
    assert (await ann.get("/events"))["total"] == 2
    made = await ann.ask("POST", "/events/archive", {"name": "November"})
    assert made["archive"]["name"] == "November"
    assert (await ann.get("/events"))["total"] == 0
    assert (await ann.get("/events?archived=true"))["total"] == 2
    (asset,) = await ann.dashboard()
    assert asset["total_stops"] == 1


async def test_figures_follow_the_older_formulas_over_the_window_asked_for(hub: RunningHub) -> None:
    ann = await person(hub, "ann")
    device = await logger(hub, "ESP32_001")
    await ann.ask("POST", "/loggers", {"logger_id": "ESP32_001"})
    ingest = hub.hub.telemetry.telemetry.ingest
    began_us = hub.hub.clock.now().at_us // 60_000_000 * 60_000_000 - 4 * 3_600_000_000
    added = await hub.ask("POST", "/v1/assets", {
        "name": "Press", "device": device.id, "input": "pin_25", "at": "1970-01-01T00:00:00Z", "silent_s": 86_400,
    })  # fmt: skip
    assert added.status == 201, added.body
    for minute, runs_ in ((0, True), (60, False), (90, True), (150, False), (152, True)):
        await ingest(device, {"pin_25": runs_}, at_us=began_us + minute * 60_000_000)
    window = "startDate={}&endDate={}".format(*(iso(began_us + minute * 60_000_000) for minute in (0, 152)))

    async def counted() -> bool:
        return bool((await ann.get("/events"))["total"] == 4)

    await until(counted)
    (row,) = (await ann.get(f"/analytics/availability?{window}"))["data"]
    assert (row["runtime"], row["downtime"], row["micro_stops"]) == (120 * 60, 32 * 60, 0)
    assert row["availability"] == pytest.approx(100 * 120 / 152)
    assert row["mtbf"] == pytest.approx(1.0)
    assert row["mttr"] == pytest.approx(16 / 60)
    lengths = (await ann.get(f"/analytics/downtime?{window}"))["data"][0]["stop_lengths"]
    assert lengths == {"short": 1, "medium": 0, "long": 1}
    shares = {
        each["state"]: each["duration"]
        for each in (await ann.get(f"/analytics/state-distribution?{window}"))["data"]
    }
    assert shares == {"RUNNING": 7200, "STOPPED": 1920, "IDLE": 0, "UNKNOWN": 0}
    rest = f"startDate={iso(began_us - 3_600_000_000)}&endDate={iso(began_us)}"
    (row,) = (await ann.get(f"/analytics/availability?{rest}"))["data"]
    assert (row["runtime"], row["total_stops"], row["mtbf"], row["availability"]) == (0, 0, 0, 0)


async def test_shifts_are_the_calendars(hub: RunningHub) -> None:
    ann = await person(hub, "ann")
    assert (await ann.get("/shifts/current"))["shift"] is None
    await hub.ask("PUT", "/v1/shifts/all-day", {"name": "All day", "begins": "00:00", "ends": "24:00"})
    now = (await ann.get("/shifts/current"))["shift"]
    assert (now["shift_name"], now["status"], now["mtbf"]) == ("All day", "active", 0)
    assert (await ann.get("/reports/shifts"))["data"][0]["id"] == now["id"]


async def test_a_token_of_these_pages_lasts_a_working_day_and_others_half_an_hour(tmp_path: Path) -> None:
    clock = ManualClock()
    async with started(tmp_path, clock=clock) as hub:
        ann = await person(hub, "ann")
        answer = await hub.ask("POST", "/login", {"email": "ann@example.com", "password": PASSWORD}, key="")
        app = AssetPages(hub.http, hub.url)
        app.token = answer.body["access_token"]
        clock.advance(ACCESS_S + 1)
        assert await ann.dashboard() == []
        with pytest.raises(Refused):
            await app.dashboard()
        clock.advance(PAGE_S - ACCESS_S)
        with pytest.raises(Refused):
            await ann.dashboard()


async def test_a_login_that_has_ended_logs_out(hub: RunningHub) -> None:
    ann = await person(hub, "ann")
    await ann.ask("POST", "/auth/logout")
    with pytest.raises(Refused):
        await ann.dashboard()
    assert ann.logged_out
    await ann.log_in("ann", PASSWORD)
    assert await ann.dashboard() == []
