"""The older switch platform's paths, each with the answers that its boards and its app were built on."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from edge.compat.thingsnxt import port
from tests.fakes.thingsnxt_app import Refused, ThingsApp
from tests.integration.compat.things_site import PASSWORD, TOKEN, ThingsSite, things_site

NAIVE = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}")
HEX24, HEX32 = re.compile(r"[0-9a-f]{24}"), re.compile(r"[0-9a-f]{32}")
NOBODYS = "f" * 24


@pytest.fixture
async def site(tmp_path: Path) -> AsyncIterator[ThingsSite]:
    async with things_site(tmp_path) as site:
        yield site


@pytest.fixture
async def anna(site: ThingsSite) -> ThingsApp:
    return await site.person()


async def refused(asking: Any) -> tuple[int, Any]:
    """Status and detail of what is refused."""
    with pytest.raises(Refused) as error:
        await asking
    return error.value.status, error.value.detail


async def test_a_poll_of_a_new_board(site: ThingsSite, anna: ThingsApp) -> None:
    made = await anna.ask("POST", "/devices", {"name": "Porch"})
    status, answer = await site.get(f"/telemetry/latest?device_token={made['device_token']}")
    assert (status, answer) == (200, {"device_id": made["id"], "data": {}, "timestamp": None})


async def test_a_poll_without_a_token(site: ThingsSite) -> None:
    status, answer = await site.get("/telemetry/latest")
    assert status == 422
    assert answer["detail"][0]["loc"] == ["query", "device_token"]
    assert await site.get("/telemetry/latest?device_token=") == (404, {"detail": "Device not found"})


async def test_a_poll_by_an_address_with_a_slash_too_many(site: ThingsSite, anna: ThingsApp) -> None:
    made = await anna.ask("POST", "/devices", {"name": "Porch"})
    status, _ = await site.get(f"//telemetry/latest?device_token={made['device_token']}")
    assert status == 200
    status, _ = await site.post("//telemetry", {"device_token": made["device_token"], "data": {"a": 1}})
    assert status == 200


async def test_a_report(site: ThingsSite, anna: ThingsApp) -> None:
    made = await anna.ask("POST", "/devices", {"name": "Porch"})
    data = {"v0": 1, "led": 1, "temperature": 25.5, "timestamp": 12345}
    status, answer = await site.post("/telemetry", {"device_token": made["device_token"], "data": data})
    assert status == 200
    assert NAIVE.fullmatch(answer.pop("timestamp"))
    assert answer == {"message": "ok", "device_id": made["id"], "led": 1, "updated_data": data}
    latest = site.hub.telemetry.telemetry.latest(site.device(made["id"]).id)
    assert {key: newest.value for key, newest in latest.items()} == {"v0": 1, "led": 1, "temperature": 25.5}


async def test_a_report_by_the_newer_path(site: ThingsSite, anna: ThingsApp) -> None:
    made = await anna.ask("POST", "/devices", {"name": "Porch"})
    lamp = await anna.led(made["id"])
    await anna.switch(lamp, 1)
    path, body = (
        f"/devices/{made['id']}/telemetry",
        {"device_token": made["device_token"], "data": {"v0": 0, "t": 5}},
    )
    status, answer = await site.post(path, body)
    assert status == 200
    assert NAIVE.fullmatch(answer.pop("timestamp"))
    assert answer == {
        "message": "ok",
        "device_id": made["id"],
        "data": {"v0": 1, "t": 5},  # the state for sync: what it shall be
        "iot_derived": {},
    }
    wrong = {"device_token": TOKEN, "data": {}}
    assert await site.post(path, wrong) == (403, {"detail": "Invalid device_token for device"})
    assert await site.post("/devices/nonsense/telemetry", body) == (400, {"detail": "Invalid device ID"})
    assert await site.post(f"/devices/{NOBODYS}/telemetry", wrong) == (404, {"detail": "Device not found"})


async def test_a_board_of_the_newer_path_is_known_by_its_id_once_it_is_approved(site: ThingsSite) -> None:
    path, body = f"/devices/{NOBODYS}/telemetry", {"device_token": TOKEN, "data": {"t": 5}}
    assert (await site.post(path, body))[0] == 404
    await site.hub.registry.approve(site.device(NOBODYS), actor="tess")
    assert (await site.post(path, body))[1]["device_id"] == NOBODYS


@pytest.mark.parametrize(
    ("body", "field"),
    [
        (b"", []),
        (b"{", []),
        (b"[]", []),
        (b"\xff\xfe", []),
        (b"[" * 5000, []),
        (b'{"data":{}}', ["device_token"]),
        (b'{"device_token":5}', ["device_token"]),
        (b'{"device_token":"x","data":null}', ["data"]),
        (b'{"device_token":"x","data":{"a":"\\ud800"}}', []),
        (b'{"device_token":"x","data":[1]}', ["data"]),
    ],
)
async def test_a_report_that_is_none(site: ThingsSite, body: bytes, field: list[str]) -> None:
    status, answer = await site.post("/telemetry", body)
    assert status == 422
    assert answer["detail"][0]["loc"] == ["body", *field]


async def test_a_report_with_a_bad_value_keeps_the_rest(site: ThingsSite, anna: ThingsApp) -> None:
    made = await anna.ask("POST", "/devices", {})
    data = b'{"a":NaN,"b":2,"c":{"d":1},"bad key":1,"e":1e999,"f":99999999999999999999}'
    body = b'{"device_token":"%b","data":%b}' % (made["device_token"].encode(), data)
    status, answer = await site.post("/telemetry", body)
    assert (status, len(answer["refused"])) == (200, 5)
    assert set(site.hub.telemetry.telemetry.latest(site.device(made["id"]).id)) == {"b"}


async def test_a_report_too_large(site: ThingsSite) -> None:
    status, answer = await site.post("/telemetry", b'{"device_token":"' + b"x" * 70_000)
    assert (status, list(answer)) == (413, ["detail"])


async def test_a_device_and_its_token_which_is_shown_once(site: ThingsSite, anna: ThingsApp) -> None:
    made = await anna.ask("POST", "/devices", {"name": "Porch"})
    assert HEX24.fullmatch(made["id"])
    assert HEX32.fullmatch(made["device_token"])
    assert (made["_id"], made["name"], made["status"]) == (made["id"], "Porch", "offline")
    [listed] = await anna.ask("GET", "/devices")
    assert listed == {**made, "device_token": f"hidden-{made['id']}"}
    assert (await anna.ask("POST", "/devices", {}))["name"] == "Unnamed Device"
    ledger = str([tuple(row) for row in await site.hub.store.hub.read("SELECT kind, body FROM ledger")])
    assert made["device_token"] not in ledger


async def test_an_app_reads_what_its_device_reports_without_knowing_its_token(
    site: ThingsSite, anna: ThingsApp
) -> None:
    device_id, board = await site.equipped(anna)
    await board.report()
    [listed] = await anna.ask("GET", "/devices")
    answer = await anna.ask("GET", f"/telemetry/latest?device_token={listed['device_token']}")
    assert answer["device_id"] == device_id
    assert answer["data"] == {"v0": 0, "v1": 0, "v2": 0, "v3": 0, "v4": 0, "led": 0}
    assert NAIVE.fullmatch(answer["timestamp"])
    status, _ = await site.get(f"/telemetry/latest?device_token={listed['device_token']}")
    assert status == 404, "and nobody else can use that in place of the token"
    assert len(site.hub.registry.all()) == 1


async def test_a_device_renamed_and_removed(site: ThingsSite, anna: ThingsApp) -> None:
    made = await anna.ask("POST", "/devices", {"name": "Porch"})
    lamp = await anna.led(made["id"])
    await anna.ask("POST", f"/widgets/{lamp['_id']}/timer", {"state": True, "duration_seconds": 60})
    assert (await anna.ask("PATCH", f"/devices/{made['id']}", {"name": "Hall"}))["name"] == "Hall"
    assert await anna.ask("DELETE", f"/devices/{made['id']}") == {"message": "Device deleted"}
    assert await anna.ask("GET", "/devices") == []
    assert await anna.ask("GET", f"/widgets/{lamp['dashboard_id']}") == []
    assert (await site.get(f"/telemetry/latest?device_token={made['device_token']}"))[0] == 404
    assert await refused(anna.ask("DELETE", f"/devices/{made['id']}")) == (404, "Device not found")
    assert await refused(anna.ask("DELETE", "/devices/nonsense")) == (400, "Invalid Device ID")


async def test_a_status_is_evidence_and_cannot_be_set(site: ThingsSite, anna: ThingsApp) -> None:
    made = await anna.ask("POST", "/devices", {})
    answer = await anna.ask("PATCH", "/devices/bulk/status", {"device_ids": [made["id"], "x"], "status": "online"})
    assert answer == {
        "message": "Devices updated",
        "modified_count": 0,
        "devices": [{"id": made["id"], "status": "offline"}],
    }
    none = {"device_ids": [NOBODYS], "status": "online"}
    assert await refused(anna.ask("PATCH", "/devices/bulk/status", none)) == (400, "No valid device IDs provided")
    status, _ = await refused(anna.ask("PATCH", "/devices/bulk/status", {**none, "status": "on fire"}))
    assert status == 422


async def test_dashboards_and_their_layout(anna: ThingsApp) -> None:
    first = await anna.ask("POST", "/dashboards", {"name": " Home "})
    second = await anna.ask("POST", "/dashboards", {"name": "Garden", "description": "all of it"})
    assert (first["name"], first["description"], second["description"]) == ("Home", "", "all of it")
    assert [board["_id"] for board in await anna.ask("GET", "/dashboards")] == [second["_id"], first["_id"]]
    assert await refused(anna.ask("POST", "/dashboards", {"name": " "})) == (400, "Dashboard name required")
    gauge = await anna.ask("POST", "/widgets", {"dashboard_id": first["_id"], "type": "gauge", "value": 7})
    layout = {"layout": [{"id": gauge["_id"], "width": 2, "height": 3}]}
    answer = await anna.ask("PUT", f"/dashboards/{first['_id']}/layout", layout)
    assert answer == {"message": "Layout updated successfully"}
    [drawn] = await anna.ask("GET", f"/widgets/{first['_id']}")
    assert (drawn["order"], drawn["width"], drawn["height"], drawn["value"]) == (0, 2, 3, 7)
    assert await anna.ask("DELETE", f"/dashboards/{first['_id']}") == {"message": "Dashboard deleted"}
    assert await refused(anna.ask("GET", f"/widgets/{first['_id']}")) == (404, "Dashboard not found")


async def test_a_button_answers_what_has_been_done(site: ThingsSite, anna: ThingsApp) -> None:
    """The old server switched the lamp and answered that it had failed."""
    made = await anna.ask("POST", "/devices", {})
    lamp = await anna.led(made["id"])
    for asked, state in ((1, 1), (True, 1), ("1", 1), (0, 0), (False, 0), ("0", 0)):
        answer = await anna.switch(lamp, asked)
        assert NAIVE.fullmatch(answer.pop("timestamp"))
        assert answer == {"message": "ok", "state": state, "virtual_pin": "v0"}
        desired = site.hub.twins.twins.of(site.device(made["id"]).id).desired
        assert desired == {"v0": state}
    assert await refused(anna.switch(lamp, "on")) == (400, "Invalid state value. Must be 0/1 or true/false")
    assert await refused(anna.switch(lamp, None)) == (400, "Missing state parameter")


async def test_two_dashboards_never_drive_one_pin(anna: ThingsApp) -> None:
    made = await anna.ask("POST", "/devices", {})
    lamps = [await anna.led(made["id"]) for _ in range(3)]
    assert [lamp["config"]["virtual_pin"] for lamp in lamps] == ["v0", "v1", "v2"]
    assert len({lamp["dashboard_id"] for lamp in lamps}) == 3
    assert (await anna.led(made["id"], virtual_pin="V1"))["config"]["virtual_pin"] == "v3", "v1 is taken"
    assert (await anna.led(made["id"], virtual_pin="V9"))["config"]["virtual_pin"] == "v9"
    await anna.ask("DELETE", f"/widgets/{lamps[1]['_id']}")
    assert (await anna.led(made["id"]))["config"]["virtual_pin"] == "v1"


async def test_a_widget_changed(site: ThingsSite, anna: ThingsApp) -> None:
    made = await anna.ask("POST", "/devices", {})
    lamp = await anna.led(made["id"])
    path = f"/widgets/{lamp['_id']}"
    changed = await anna.ask("PATCH", path, {"label": "Hall", "config": {"colour": "red", "virtual_pin": "v7"}})
    assert (changed["label"], changed["config"]) == ("Hall", {"colour": "red", "virtual_pin": "v0"})
    assert (await anna.ask("PATCH", path, {}))["message"] == "no_changes"
    assert await refused(anna.ask("PATCH", "/widgets/nonsense", {})) == (400, "Invalid widget ID")
    assert await refused(anna.ask("PATCH", f"/widgets/{NOBODYS}", {})) == (404, "Widget not found")
    gauge = {"dashboard_id": lamp["dashboard_id"], "device_id": made["id"], "type": "gauge", "config": {"key": "t"}}
    shown = await anna.ask("POST", "/widgets", gauge)
    assert await refused(anna.switch(shown, 1)) == (400, "Widget is not an LED widget")
    await site.post("/telemetry", {"device_token": made["device_token"], "data": {"t": 21.5}})
    widgets = await anna.ask("GET", f"/widgets/{lamp['dashboard_id']}")
    assert [widget["value"] for widget in widgets] == [None, 21.5]
    assert await anna.ask("DELETE", path) == {"message": "Widget deleted"}


async def test_a_dashboards_widgets_need_its_owner(site: ThingsSite, anna: ThingsApp) -> None:
    """The old server showed every dashboard to everybody."""
    made = await anna.ask("POST", "/devices", {})
    lamp = await anna.led(made["id"])
    assert await site.get(f"/widgets/{lamp['dashboard_id']}") == (401, {"detail": "Not authenticated"})


async def test_a_chart_shows_what_was_measured_or_nothing(site: ThingsSite, anna: ThingsApp) -> None:
    """The old server drew random points."""
    made = await anna.ask("POST", "/devices", {})
    asked = f"/telemetry/history?device_id={made['id']}&key=t"
    assert await anna.ask("GET", asked) == []
    for value in (20, 21, 22):
        await site.post("/telemetry", {"device_token": made["device_token"], "data": {"t": value}})
        site.clock.advance(300)
    points = await anna.ask("GET", asked + "&period=24h")
    assert [point["value"] for point in points] == [22, 21, 20]
    assert all(NAIVE.fullmatch(point["timestamp"]) for point in points)
    assert [point["value"] for point in await anna.ask("GET", asked + "&period=1h")] == [22, 21, 20]
    site.clock.advance(7200)
    await anna.log_in("person1", PASSWORD)
    assert await anna.ask("GET", asked + "&period=1h") == []
    status, detail = await refused(anna.ask("GET", asked + "&period=ever"))
    assert (status, detail[0]["loc"]) == (422, ["query", "period"])


async def test_notifications(site: ThingsSite, anna: ThingsApp) -> None:
    user = (await anna.ask("GET", "/me"))["id"]
    for number in range(3):
        await site.hub.twins.notices.tell(user, type="device_offline", title=f"T{number}", message="M")
    told = (await anna.ask("GET", "/notifications"))["notifications"]
    assert [notice["title"] for notice in told] == ["T2", "T1", "T0"]
    assert (told[0]["type"], told[0]["read"], told[0]["device_id"]) == ("warning", False, None)
    assert await anna.ask("PUT", f"/notifications/{told[0]['id']}/read") == {"message": "marked as read"}
    unread = (await anna.ask("GET", "/notifications?unread_only=true&limit=10"))["notifications"]
    assert [notice["title"] for notice in unread] == ["T1", "T0"]
    assert await anna.ask("PUT", "/notifications/read-all") == {"message": "all notifications marked as read"}
    assert (await anna.ask("GET", "/notifications?unread_only=true"))["notifications"] == []
    assert await anna.raw("DELETE", f"/notifications/{told[0]['id']}") == (204, None)
    assert (await anna.raw("DELETE", f"/notifications/{told[0]['id']}"))[0] == 404


async def test_a_wrong_token_is_refused_on_every_path(site: ThingsSite) -> None:
    app = ThingsApp(site.http, site.base, "nonsense")
    for path in ("/devices", "/dashboards", f"/widgets/{NOBODYS}", "/notifications", "/events/stream"):
        assert await app.raw("GET", path) == (401, {"detail": "Could not validate credentials"})


async def test_the_dump_of_all_tokens_is_gone(site: ThingsSite) -> None:
    assert (await site.get("/__debug/devices"))[0] == 404


async def test_a_browser_may_ask_across_origins(site: ThingsSite) -> None:
    async with site.http.options(site.base + "/widgets/x/state") as response:
        assert response.status == 204
        assert "Authorization" in response.headers["Access-Control-Allow-Headers"]


async def test_what_several_systems_claim_is_this_ones_on_its_own_port_alone(
    site: ThingsSite, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert (await site.get("/"))[0] == 404
    assert (await site.get("/health"))[1]["status"] == "online"
    monkeypatch.setattr(port, "PORT", int(site.base.rsplit(":", 1)[1]))
    assert (await site.get("/"))[1]["message"] == "Outpost"
    assert (await site.get("/health"))[1]["status"] == "healthy"


@pytest.mark.parametrize("token", ["%ff%00%0a", "%ED%A0%80", "x" * 5000, "short", "%C3%A4" * 20])
async def test_what_is_no_token_is_taken_in_by_nobody(site: ThingsSite, token: str) -> None:
    assert await site.get(f"/telemetry/latest?device_token={token}") == (404, {"detail": "Device not found"})
    assert site.hub.registry.all() == []


@pytest.mark.parametrize(
    "wanted", [{"label": 5}, {"config": [1]}, {"value": float("nan")}, {"label": "\ud800"}, {"device_id": "x" * 24}]
)
async def test_a_widget_that_is_none(anna: ThingsApp, wanted: dict[str, Any]) -> None:
    board = await anna.ask("POST", "/dashboards", {"name": "Home"})
    status, answer = await anna.raw("POST", "/widgets", {"dashboard_id": board["id"], **wanted})
    assert (status in (400, 422), list(answer)) == (True, ["detail"])
