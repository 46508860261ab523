"""Keys of the centre: who makes them, whom they reach, and how they end."""

from __future__ import annotations

import asyncio
import stat
from pathlib import Path

import aiohttp
import pytest

from cloud.service import SOCKET_NAME
from edge.serving.roles import Role
from tests.integration.running_hub import until
from tests.running_centre import RunningCentre, StartCentre, started

OLD_SECRET = "compiled-into-old-clients"


async def made(centre: RunningCentre, name: str, key: str = "admin", **more: object) -> str:
    """A new key's secret."""
    answer = await centre.ask("POST", "/v1/keys", {"name": name, "role": "viewer", **more}, key=key)
    assert answer.status == 201, answer.body
    return str(answer.body["key"])


async def names(centre: RunningCentre, key: str = "admin") -> set[str]:
    """The names of the keys in use that the owner of `key` sees."""
    page = (await centre.get("/v1/keys", key=key)).body
    return {item["name"] for item in page["items"] if item["revoked_at"] is None}


async def a_site(centre: RunningCentre, name: str) -> str:
    """A new site's slug."""
    return str((await centre.ask("POST", "/v1/sites", {"name": name})).body["site"])


async def test_the_first_key_is_the_owners_alone(centre: RunningCentre, tmp_path: Path) -> None:
    file = tmp_path / "centre" / "admin.key"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert (await centre.get("/v1/keys")).status == 200


async def test_a_key_is_made_used_and_revoked(centre: RunningCentre) -> None:
    secret = await made(centre, "wall display")
    assert (await centre.get("/v1/sites", key=secret)).status == 200
    assert (await centre.get("/v1/keys", key=secret)).status == 403
    (mine,) = [item for item in (await centre.get("/v1/keys")).body["items"] if item["name"] == "wall display"]
    assert mine["last_used_at"] is not None
    assert (await centre.ask("DELETE", f"/v1/keys/{mine['id']}")).status == 204
    assert (await centre.get("/v1/sites", key=secret)).status == 401
    assert (await centre.ask("DELETE", f"/v1/keys/{mine['id']}")).status == 404


async def test_a_name_is_used_once_until_it_is_revoked(centre: RunningCentre) -> None:
    await made(centre, "till")
    again = await centre.ask("POST", "/v1/keys", {"name": "till", "role": "viewer"})
    assert (again.status, again.body["code"]) == (409, "conflict")


@pytest.mark.parametrize("engine", ["postgresql"], indirect=True)
async def test_a_revoked_key_is_refused_by_every_instance(start_centre: StartCentre) -> None:
    async with start_centre(folder="a") as first, start_centre(folder="b", admin=first.keys["admin"]) as second:
        secret = await made(first, "both")

        async def is_let_in() -> bool:
            return (await second.get("/v1/sites", key=secret)).status == 200

        async def is_refused() -> bool:
            return not await is_let_in()

        await until(is_let_in)
        (key,) = [k for k in (await first.get("/v1/keys")).body["items"] if k["name"] == "both"]
        assert (await first.ask("DELETE", f"/v1/keys/{key['id']}")).status == 204
        assert (await first.get("/v1/sites", key=secret)).status == 401
        await until(is_refused)


async def test_an_imported_key_is_weak_and_confined(centre: RunningCentre) -> None:
    wanted = {"name": "old", "role": "app", "scope": "nic", "secret": OLD_SECRET}
    answer = await centre.ask("POST", "/v1/keys", wanted)
    assert (answer.status, answer.body["key"]) == (201, "")
    (old,) = [k for k in (await centre.get("/v1/keys")).body["items"] if k["name"] == "old"]
    assert (old["weak"], old["scope"]) == (True, "nic")
    refused = await centre.get("/v1/sites", key=OLD_SECRET)
    assert refused.status == 403
    assert "nic" in refused.body["detail"]
    assert (await centre.ask("POST", "/v1/keys", {**wanted, "name": "again"})).status == 409
    for wrong in ({"scope": "x"}, {"scope": ""}, {"secret": "short"}, {"secret": ""}):
        assert (await centre.ask("POST", "/v1/keys", {**wanted, "name": "n", **wrong})).status == 400


async def test_a_key_of_one_site_makes_and_sees_no_key_that_reaches_more(centre: RunningCentre) -> None:
    here, there = await a_site(centre, "Here"), await a_site(centre, "There")
    await centre.add_key("local", Role.ADMIN, sites=here)
    for sites, status in (([], 403), ([there], 404), ([here, there], 404), (["nowhere"], 404), ([here], 201)):
        wanted = {"name": f"k{status}{len(sites)}", "role": "viewer", "sites": sites}
        assert (await centre.ask("POST", "/v1/keys", wanted, key="local")).status == status, sites
    assert await names(centre, "local") == {"local", "k2011"}
    everything = (await centre.get("/v1/keys")).body["items"]
    wide = next(key["id"] for key in everything if key["name"] == "first-admin")
    assert (await centre.ask("DELETE", f"/v1/keys/{wide}", key="local")).status == 404


async def test_every_change_is_in_the_audit(centre: RunningCentre) -> None:
    slug = await a_site(centre, "Depot")
    await made(centre, "till", sites=[slug])
    rows = (await centre.get("/v1/audit")).body["items"]
    assert [row["what"] for row in rows] == ["key.created", "site.created", "key.created"]
    assert rows[0]["actor"] == "key:first-admin"
    assert rows[0]["detail"] == {"name": "till", "role": "viewer", "scope": "", "sites": [slug]}
    page = (await centre.get(f"/v1/audit?site={slug}")).body["items"]
    assert [(row["what"], row["site"]) for row in page] == [("site.created", slug)]
    first = (await centre.get("/v1/audit?limit=2")).body
    second = (await centre.get(f"/v1/audit?limit=2&cursor={first['next']}")).body
    assert [row["id"] for row in first["items"] + second["items"]] == [row["id"] for row in rows]
    await centre.add_key("local", Role.ADMIN, sites=slug)
    assert [r["what"] for r in (await centre.get("/v1/audit", key="local")).body["items"]] == ["site.created"]
    assert (await centre.get("/v1/audit?site=%00")).status == 400


async def test_tenants_are_made_on_the_machine_alone(centre: RunningCentre, tmp_path: Path) -> None:
    refused = await centre.ask("POST", "/v1/tenants", {"name": "other"})
    assert (refused.status, refused.body["code"]) == (403, "forbidden")
    assert (await centre.get("/v1/tenants")).status == 403
    async with aiohttp.ClientSession(
        "http://centre", connector=aiohttp.UnixConnector(str(tmp_path / "centre" / SOCKET_NAME))
    ) as here:
        async with here.post("/v1/tenants", json={"name": "other"}) as answer:
            assert answer.status == 201
            secret = (await answer.json())["key"]
        async with here.post("/v1/tenants", json={"name": "other"}) as answer:
            assert answer.status == 409
        async with here.get("/v1/tenants") as answer:
            assert [item["name"] for item in (await answer.json())["items"]] == ["main", "other"]
    assert await names(centre, secret) == {"first-admin"}


@pytest.mark.parametrize("engine", ["postgresql"], indirect=True)
async def test_of_two_that_start_at_once_one_makes_the_first_key(tmp_path: Path, database: str) -> None:
    async def run(folder: str) -> bool:
        async with started(tmp_path / folder, database=database, admin="-") as centre:
            key = tmp_path / folder / "admin.key"
            made = key.exists()
            if made:
                assert (await centre.get("/v1/keys", key=key.read_text().strip())).status == 200
            return made

    assert sorted(await asyncio.gather(run("a"), run("b"))) == [False, True]
