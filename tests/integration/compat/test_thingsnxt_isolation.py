"""Each account sees and switches its own things: every path, tried with another's ids."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from tests.fakes.thingsnxt_app import ThingsApp
from tests.integration.compat.things_site import ThingsSite, things_site

NOBODYS = "f" * 24
PATHS: list[tuple[str, str, Any]] = [
    ("PATCH", "/devices/{device}", {"name": "Mine"}),
    ("DELETE", "/devices/{device}", None),
    ("PATCH", "/devices/bulk/status", {"device_ids": ["{device}"], "status": "online"}),
    ("GET", "/telemetry/latest?device_token=hidden-{device}", None),
    ("GET", "/telemetry/latest?device_token={token}", None),
    ("GET", "/telemetry/history?device_id={device}&key=v0", None),
    ("DELETE", "/dashboards/{dashboard}", None),
    ("PUT", "/dashboards/{dashboard}/layout", {"layout": []}),
    ("GET", "/widgets/{dashboard}", None),
    ("POST", "/widgets", {"dashboard_id": "{dashboard}", "type": "gauge"}),
    ("POST", "/widgets", {"dashboard_id": "{own}", "device_id": "{device}", "type": "led"}),
    ("PATCH", "/widgets/{widget}", {"label": "Mine"}),
    ("PATCH", "/widgets/{widget}", {}),
    ("DELETE", "/widgets/{widget}", None),
    ("POST", "/widgets/{widget}/state", {"state": 1}),
    ("POST", "/widgets/{widget}/schedule", {"state": True, "execute_at": "2099-01-01T00:00:00Z"}),
    ("POST", "/widgets/{widget}/timer", {"state": True, "duration_seconds": 5}),
    ("GET", "/widgets/{widget}/schedule", None),
    ("DELETE", "/widgets/{widget}/schedule/{schedule}", None),
    ("DELETE", "/widgets/{own_widget}/schedule/{schedule}", None),
    ("PUT", "/notifications/{notice}/read", None),
    ("DELETE", "/notifications/{notice}", None),
]


@pytest.fixture
async def site(tmp_path: Path) -> AsyncIterator[ThingsSite]:
    async with things_site(tmp_path) as site:
        yield site


async def things_of(site: ThingsSite, app: ThingsApp) -> dict[str, str]:
    """One of everything, by what it is."""
    made = await app.ask("POST", "/devices", {"name": "Porch"})
    lamp = await app.led(made["id"])
    timer = await app.ask("POST", f"/widgets/{lamp['_id']}/timer", {"state": True, "duration_seconds": 60})
    user = (await app.ask("GET", "/me"))["id"]
    notice = await site.hub.twins.notices.tell(user, type="info", title="T", message="M")
    return {
        "device": made["id"],
        "token": made["device_token"],
        "dashboard": lamp["dashboard_id"],
        "widget": lamp["_id"],
        "schedule": timer["schedule_id"],
        "notice": notice.id,
    }


def filled(value: Any, names: dict[str, str]) -> Any:
    """A path or body with the ids put in."""
    if isinstance(value, str):
        for name, text in names.items():
            value = value.replace("{" + name + "}", text)
        return value
    if isinstance(value, list):
        return [filled(one, names) for one in value]
    return {key: filled(one, names) for key, one in value.items()} if isinstance(value, dict) else value


async def test_anothers_things_are_as_things_that_do_not_exist(site: ThingsSite) -> None:
    anna, ben = await site.person(), await site.person()
    annas, bens = await things_of(site, anna), await things_of(site, ben)
    own = {"own": bens["dashboard"], "own_widget": bens["widget"]}
    before = await everything(site, anna, annas)
    for method, path, body in PATHS:
        others, none = {**annas, **own}, {**dict.fromkeys(annas, NOBODYS), **own}
        tried = await ben.raw(method, filled(path, others), filled(body, others))
        absent = await ben.raw(method, filled(path, none), filled(body, none))
        assert tried == absent, (method, path)
        assert tried[0] in (400, 404), (method, path, tried)
    assert await everything(site, anna, annas) == before


async def everything(site: ThingsSite, app: ThingsApp, names: dict[str, str]) -> list[Any]:
    """All that a person sees."""
    paths = ("/devices", "/dashboards", "/widgets/{dashboard}", "/widgets/{widget}/schedule", "/notifications")
    seen = [await app.ask("GET", filled(path, names)) for path in paths]
    return [*seen, site.hub.twins.twins.of(site.device(names["device"]).id)]


async def test_a_technician_sees_all_of_it(site: ThingsSite) -> None:
    anna = await site.person()
    annas = await things_of(site, anna)
    key = (site.hub.directory / "admin.key").read_text().strip()
    headers = {"Authorization": f"Bearer {key}"}
    device = site.device(annas["device"])
    assert (await site.get(f"/v1/devices/{device.id}/twin", **headers))[1]["version"] == 0
    assert (await site.get("/v1/notices", **headers))[1]["items"][0]["title"] == "T"
    assert (await site.get("/devices", **headers))[0] == 401, "but a key is no account"


async def test_an_account_that_is_deleted_leaves_no_dashboards(site: ThingsSite) -> None:
    anna, ben = await site.person(), await site.person()
    annas, bens = await things_of(site, anna), await things_of(site, ben)
    await anna.ask("DELETE", "/me")
    await site.hub.twins.widgets.drop_owners(lambda owner: site.hub.people.accounts.user_by_id(owner) is None)
    left = {board.id for board in site.hub.twins.widgets._boards.values()}
    assert left == {bens["dashboard"]}
    assert annas["dashboard"] not in left
