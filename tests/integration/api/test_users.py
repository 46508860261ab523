"""/v1/users: accounts as an administrator has them, and whose a device is."""

from __future__ import annotations

from typing import Any

from tests.integration.running_hub import RunningHub, until

NEW = {"email": "Ann.Lee@Example.com", "password": "Passw0rd"}


async def added(hub: RunningHub, **more: Any) -> dict[str, Any]:
    """An account made by an administrator."""
    answer = await hub.ask("POST", "/v1/users", {**NEW, **more})
    assert answer.status == 201, answer.body
    return dict(answer.body)


async def test_an_administrator_makes_lists_shuts_and_erases_accounts(running_hub: RunningHub) -> None:
    user = await added(running_hub)
    assert (user["email"], user["username"], user["state"]) == ("ann.lee@example.com", "Ann-Lee", "active")
    again = await running_hub.ask("POST", "/v1/users", NEW)
    assert (again.status, again.code) == (409, "conflict")
    token = (await running_hub.ask("POST", "/login", NEW, key="")).body["access_token"]
    (listed,) = (await running_hub.get("/v1/users")).body["items"]
    assert listed["logins"] == 1
    path = f"/v1/users/{user['id']}"
    assert (await running_hub.ask("POST", f"{path}/disable")).body["state"] == "disabled"
    assert (await running_hub.get("/me", key=token)).status == 401
    assert (await running_hub.ask("POST", "/login", NEW, key="")).body == {"detail": "Inactive user"}
    assert (await running_hub.ask("POST", f"{path}/enable")).body["state"] == "active"
    weak = await running_hub.ask("PUT", f"{path}/password", {"password": "weak"})
    assert weak.status == 422
    assert "weak" not in weak.body["detail"].split()
    assert (await running_hub.ask("PUT", f"{path}/password", {"password": "N3w-password"})).status == 204
    assert (await running_hub.ask("POST", "/login", {**NEW, "password": "N3w-password"}, key="")).status == 200
    assert (await running_hub.ask("DELETE", path)).status == 204
    assert (await running_hub.ask("DELETE", path)).status == 404
    assert (await running_hub.get("/v1/users")).body["items"] == []


async def test_no_secret_is_ever_shown(running_hub: RunningHub) -> None:
    user = await added(running_hub)
    await running_hub.ask("POST", f"/v1/users/{user['id']}/reset")
    shown = str((await running_hub.get("/v1/users")).body) + str(await running_hub.facts())
    for private in ("argon2", "Passw0rd"):
        assert private not in shown
    assert "ann.lee@example.com" not in str(await running_hub.facts())


async def test_a_device_has_an_owner_until_his_account_is_erased(running_hub: RunningHub) -> None:
    user, device = await added(running_hub), await running_hub.display()
    path = f"/v1/devices/{device.id}/owner"
    owned = await running_hub.ask("PUT", path, {"user": "ann.lee@example.com"}, key="technician")
    assert (owned.status, owned.body["owner"]) == (200, user["id"])
    assert (await running_hub.get("/v1/users")).body["items"][0]["devices"] == 1
    assert (await running_hub.ask("PUT", path, {"user": "nobody"})).status == 404
    await running_hub.ask("DELETE", f"/v1/users/{user['id']}")

    async def is_nobodys() -> bool:
        return bool((await running_hub.get(f"/v1/devices/{device.id}")).body["owner"] == "")

    await until(is_nobodys)


async def test_there_is_no_account_that_nobody_made(running_hub: RunningHub) -> None:
    assert (await running_hub.get("/v1/users")).body == {"items": [], "next": None}
    for name in ("admin", "admin@example.com", "root", "user"):
        login = await running_hub.ask("POST", "/login", {"email": name, "password": "admin"}, key="")
        assert login.status == 400
