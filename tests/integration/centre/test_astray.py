"""Older devices that ask the centre: kept alive, told nothing, seen by whose they are. And whose is what."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest

from cloud.compat.devices import ANSWERS
from edge.serving.roles import Role
from tests.filled_centre import DEVICE, Filled
from tests.running_centre import RunningCentre

HEALED: dict[tuple[str, str], Callable[[Any], bool]] = {
    ("POST", "/api/device/register"): lambda body: body["success"] is True,
    ("GET", "/api/device/poll"): lambda body: body == {"has_commands": False, "commands": []},
    ("GET", "/api/devices/{id}/images-sequence"): lambda body: body["dashboard_url"] == "",
    ("GET", "/api/ota/check/{id}"): lambda body: body["update_available"] is False,
    ("GET", "/esp32/commands/{device_id}"): lambda body: body is None,
    ("GET", "/esp32/wifi/command"): lambda body: body == b"NO_COMMAND",
}
"""What keeps a device going, by what it asks."""


@pytest.mark.parametrize("engine", ["sqlite"], indirect=True)  # nothing of it gets as far as the database
@pytest.mark.parametrize(("method", "path"), ANSWERS)
async def test_a_device_gets_what_does_not_hurt_it_and_is_listed(
    centre: RunningCentre, method: str, path: str
) -> None:
    asked = re.sub(r"\{\w+\}", "ESP32_6CC8404FE03C", path)
    body = {"logger_id": "ESP32_001", "device_id": "x"} if method == "POST" else None
    for base in ("", "/"):
        answer = await centre.ask(method, base + asked, body, key="")
        assert answer.status in (200, 404), answer
        assert int(answer.headers["Content-Length"]) > 0
        assert "Location" not in answer.headers
        assert HEALED.get((method, path), lambda body: True)(answer.body), answer.body
    knocks = (await centre.get("/v1/knocking")).body["items"]
    assert {knock["what"] for knock in knocks} == {f"{method} {asked}", f"{method} /{asked}"}
    assert all("point it at the hub of its site" in knock["why"] for knock in knocks)
    assert (await centre.get("/v1/devices")).body["items"] == [], "nothing it says is taken in"


async def test_a_device_with_a_known_key_is_seen_by_its_tenant_alone(centre: RunningCentre) -> None:
    await Filled(centre.centre.db).tenant(2)
    await centre.add_key("theirs", Role.ADMIN, tenant_id=2)
    await centre.add_key("their pages", Role.APP, tenant_id=2, scope="nic")
    await centre.add_key("some", Role.ADMIN, sites="pune")
    await centre.get("/api/device/poll?device_id=a", key="", X_API_Key=centre.keys["their pages"])
    await centre.get("/esp32/commands/a", key="")

    async def seen(key: str) -> list[str]:
        return [knock["what"] for knock in (await centre.get("/v1/knocking", key=key)).body["items"]]

    assert await seen("theirs") == ["GET /api/device/poll"]
    assert await seen("admin") == ["GET /esp32/commands/a"]
    assert (await centre.get("/v1/knocking", key="some")).status == 403


async def test_two_tenants_have_an_agent_of_the_same_number(centre: RunningCentre) -> None:
    filled = Filled(centre.centre.db)
    await filled.tenant(2)
    now_us = centre.centre.clock.now().at_us
    for tenant, site in ((1, 1), (2, 2)):
        await filled.site(site, f"site-{site}", tenant=tenant, seen_us=now_us - 3_600_000_000)
        await filled.state(
            site, "device", f"d{site}", {"id": f"d{site}", **DEVICE}, device=f"d{site}", tenant=tenant
        )
        seat = {"agent": "24", "name": "A", "since": "", "how": "technician", "device": f"d{site}"}
        await filled.state(site, "agent", "24", seat, device=f"d{site}", tenant=tenant)
        await centre.add_key(f"pages {tenant}", Role.APP, tenant_id=tenant, scope="nic")
    for tenant in (1, 2):
        asked: dict[str, Any] = {"agent_id": "24", "qr_image": "hello"}
        answer = await centre.ask("POST", "/api/device/qr", asked, key="", X_API_Key=centre.keys[f"pages {tenant}"])
        assert (answer.status, answer.body["device_id"]) == (200, f"d{tenant}"), answer.body


async def test_an_agent_at_two_sites_is_not_guessed(centre: RunningCentre) -> None:
    filled = Filled(centre.centre.db)
    for site in (1, 2):
        await filled.site(site, f"site-{site}")
        await filled.state(site, "device", f"d{site}", {"id": f"d{site}", **DEVICE}, device=f"d{site}")
        seat = {"agent": "24", "name": "A", "since": "", "how": "technician", "device": f"d{site}"}
        await filled.state(site, "agent", "24", seat, device=f"d{site}")
    answer = await centre.ask("POST", "/api/device/qr", {"agent_id": 24, "qr_image": "hello"}, key="app")
    assert (answer.status, answer.body["error"]) == (404, "No online device linked to this agent")
    assert "Site-1, Site-2" in answer.body["message"]


async def test_browsers_may_ask_from_every_origin(centre: RunningCentre) -> None:
    for path in ("/api/device/qr", "/widgets/0123456789abcdef01234567/state"):
        answer = await centre.ask("OPTIONS", path, key="", Origin="https://lob.example")
        assert (answer.status, answer.headers["Access-Control-Allow-Origin"]) == (204, "*")
    wrong = await centre.ask("POST", "/api/device/qr", {"agent_id": 24}, key="", X_API_Key="guess-guess")
    assert (wrong.status, wrong.body) == (401, {"error": "Unauthorized"})
    assert wrong.headers["Access-Control-Allow-Origin"] == "*"
