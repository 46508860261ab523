"""Keys over the API: made, shown once, imported and confined, refused from the moment they are revoked."""

from __future__ import annotations

import asyncio
import getpass
import re
import stat
from pathlib import Path

import aiohttp

from tests.integration.running_hub import RunningHub, started

COMPILED_IN = "NIC-DEVICE-API-KEY-2024-CHANGE-ME"


async def made(hub: RunningHub, name: str, role: str = "viewer") -> tuple[str, str]:
    """A new key's id and secret."""
    key = (await hub.ask("POST", "/v1/keys", {"name": name, "role": role})).body
    return key["id"], key["key"]


async def imported(hub: RunningHub, role: str = "admin", secret: str = COMPILED_IN) -> None:
    """A key that old clients have compiled in."""
    body = {"name": f"old {role}", "role": role, "scope": "nic", "secret": secret}
    answer = await hub.ask("POST", "/v1/keys", body)
    assert (answer.status, answer.body["key"]) == (201, "")


async def test_the_first_key_is_for_its_owners_eyes(running_hub: RunningHub) -> None:
    file = running_hub.hub.directory / "admin.key"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert len(file.read_text().split()) == 1


async def test_a_key_is_shown_once_and_stored_as_a_hash(running_hub: RunningHub) -> None:
    key_id, secret = await made(running_hub, "kiosk", "app")
    listed = (await running_hub.get("/v1/keys")).body["items"]
    assert {key["id"] for key in listed} >= {key_id}
    assert secret not in str(listed)
    assert secret not in str(await running_hub.facts())
    await running_hub.hub.store.hub.write(lambda tx: tx.one("SELECT 1"))
    for file in running_hub.hub.directory.glob("hub.db*"):
        assert secret.encode() not in file.read_bytes()


async def test_a_revoked_key_is_refused_at_once_everywhere(running_hub: RunningHub) -> None:
    key_id, secret = await made(running_hub, "going", "technician")
    headers = {"Authorization": f"Bearer {secret}"}
    async with running_hub.http.ws_connect(running_hub.url + "/v1/live", headers=headers) as socket:
        events = await running_hub.http.get(running_hub.url + "/v1/events", headers=headers)
        assert (await running_hub.get("/v1/status", key=secret)).status == 200
        assert (await running_hub.ask("DELETE", f"/v1/keys/{key_id}")).status == 204
        refused = await running_hub.get("/v1/status", key=secret)
        assert (refused.status, refused.code) == (401, "unauthenticated")
        assert refused.headers["WWW-Authenticate"] == "Bearer"
        async with asyncio.timeout(60):
            while (await socket.receive()).type is not aiohttp.WSMsgType.CLOSE:
                pass
            await events.read()
        events.close()
    assert (await running_hub.ask("DELETE", f"/v1/keys/{key_id}")).code == "not-found"
    assert (await running_hub.ask("DELETE", "/v1/keys/%00")).status == 400
    revoked = next(key for key in (await running_hub.get("/v1/keys")).body["items"] if key["id"] == key_id)
    assert revoked["revoked_at"]


async def test_a_key_survives_a_restart_and_so_does_its_revocation(tmp_path: Path) -> None:
    async with started(tmp_path) as hub:
        _, kept = await made(hub, "kept")
        gone_id, gone = await made(hub, "gone")
        await hub.ask("DELETE", f"/v1/keys/{gone_id}")
        first = hub.keys["admin"]
    async with started(tmp_path) as hub:
        assert hub.keys["admin"] == first
        assert (await hub.get("/v1/status", key=kept)).status == 200
        assert (await hub.get("/v1/status", key=gone)).status == 401


async def test_an_imported_key_reaches_nothing_but_its_old_paths(running_hub: RunningHub) -> None:
    for role in ("app", "viewer", "technician", "admin"):
        secret = f"{COMPILED_IN}-{role}"
        await imported(running_hub, role, secret)
        for route in running_hub.hub.routes:
            if route.role is None:
                continue
            path = re.sub(r"\{\w+\}", "1", route.path)
            for headers in ({"Authorization": f"Bearer {secret}"}, {"X_API_Key": secret}):
                refused = await running_hub.ask(route.method, path, {}, key="", **headers)
                assert (refused.status, refused.code) == (403, "forbidden"), (role, path)
    weak = [key for key in (await running_hub.get("/v1/keys")).body["items"] if key["weak"]]
    assert {key["scope"] for key in weak} == {"nic"}


async def test_keys_that_cannot_be_are_refused(running_hub: RunningHub) -> None:
    await imported(running_hub)
    for body, status in (
        ({"name": "x", "role": "none"}, 400),
        ({"name": "x", "role": "root"}, 400),
        ({"name": "x", "role": ""}, 400),
        ({"name": "", "role": "viewer"}, 400),
        ({"name": "x" * 65, "role": "viewer"}, 400),
        ({"name": "a\nb", "role": "viewer"}, 400),
        ({"name": " padded", "role": "viewer"}, 400),
        ({"name": "\x1b[2J", "role": "viewer"}, 400),
        ({"name": "first-admin", "role": "viewer"}, 409),
        ({"name": "x", "role": "admin", "scope": "nic"}, 400),
        ({"name": "x", "role": "app", "scope": "", "secret": "long enough"}, 400),
        ({"name": "x", "role": "app", "scope": "other", "secret": "long enough"}, 400),
        ({"name": "x", "role": "app", "scope": "nic", "secret": "short"}, 400),
        ({"name": "x", "role": "app", "scope": "nic", "secret": COMPILED_IN}, 409),
        ({"name": "x", "role": "app", "scope": "nic", "secret": running_hub.keys["admin"]}, 409),
    ):
        assert (await running_hub.ask("POST", "/v1/keys", body)).status == status, body


async def test_a_header_that_is_no_key_lets_nobody_in(running_hub: RunningHub) -> None:
    for header in ("", "Bearer", "Bearer ", "Basic YWRtaW46YWRtaW4=", "bearer wrong", "Bearer \udcff", "x" * 4000):
        answer = await running_hub.raw(
            f"GET /v1/status HTTP/1.1\r\nHost: h\r\nConnection: close\r\nAuthorization: {header}\r\n\r\n"
        )
        assert answer.startswith(b"HTTP/1.1 401 "), (header, answer[:100])
        assert b'"hint"' in answer


async def test_the_name_of_a_login_is_the_actor_on_the_unix_socket(running_hub: RunningHub) -> None:
    path = running_hub.hub.directory / "hub.sock"
    assert stat.S_IMODE(path.stat().st_mode) == 0o660
    async with aiohttp.ClientSession(connector=aiohttp.UnixConnector(str(path))) as session:
        async with session.get("http://hub/v1/status") as response:
            status = await response.json()
        assert (status["actor"], status["role"]) == (f"login:{getpass.getuser()}", "admin")
        async with session.get("http://hub/v1/status", headers={"X-API-Key": "wrong"}) as response:
            assert response.status == 401
        await (await session.post("http://hub/v1/devices", json={"name": "x", "kind": "display"})).read()
    added = (await running_hub.facts())[-1]
    assert added["body"]["by"] == f"login:{getpass.getuser()}"
