"""People of a tenant: who may add and change whom, and that what is changed holds at once."""

from __future__ import annotations

from typing import Any

from edge.serving.roles import Role
from tests.filled_centre import Filled
from tests.integration.accounts.somebody import PASSWORD, Somebody, add, come_in, second_tenant
from tests.running_centre import RunningCentre


async def problem(
    centre: RunningCentre, method: str, path: str, body: Any, *, key: str = "admin"
) -> tuple[int, str]:
    """Status and code of a refusal."""
    answer = await centre.ask(method, path, body, key=key)
    return answer.status, answer.code


async def test_somebody_is_added_changed_shut_out_and_let_in_again(centre: RunningCentre) -> None:
    made = await centre.ask("POST", "/v1/people", {"email": "Ann.Lee@Example.com ", "role": "technician"})
    assert (made.status, len(made.body["code"])) == (201, 8)
    ann = made.body["person"]
    assert (ann["email"], ann["username"], ann["state"], ann["has_password"], ann["seen_at"]) == (
        "ann.lee@example.com", "ann-lee", "active", False, None,
    )  # fmt: skip
    for name in (ann["id"], "ANN.LEE@example.com", "Ann-Lee"):
        assert (await centre.get(f"/v1/people/{name}")).body == ann
    bob = await add(centre, "bob@example.com", "admin", full_name="Bob\u202e B", username="Bobby")
    assert (bob["username"], bob["full_name"], bob["created_by"]) == ("bobby", "Bob B", "key:first-admin")
    his = await come_in(centre, "BOBBY")
    assert [one["username"] for one in (await his.ask("GET", "/v1/people")).body["items"]] == ["ann-lee", "bobby"]
    changed = await his.ask("PATCH", "/v1/people/ann-lee", {"full_name": "Ann", "email": "ann@example.com"})
    assert (changed.body["full_name"], changed.body["email"]) == ("Ann", "ann@example.com")
    assert (await his.ask("PATCH", "/v1/people/ann-lee", {"state": "disabled"})).body["state"] == "disabled"
    assert (await his.ask("PATCH", "/v1/people/ann-lee", {"state": "active"})).body["state"] == "active"
    told = (await his.ask("GET", "/v1/audit")).body["items"]
    assert [(row["what"], row["actor"]) for row in told[:6]] == [
        ("person.enabled", "user:bobby"),
        ("person.disabled", "user:bobby"),
        ("person.changed", "user:bobby"),
        ("login.begun", "user:bobby"),
        ("person.added", "key:first-admin"),
        ("person.added", "key:first-admin"),
    ]
    for secret in ("@example.com", PASSWORD, made.body["code"], "argon2"):
        assert secret not in str(told)
    assert "argon2" not in str((await centre.get("/v1/people")).body)


async def test_what_cannot_be_is_refused_and_changes_nothing(centre: RunningCentre) -> None:
    await add(centre, "ann@example.com", "viewer")
    before = (await centre.get("/v1/people")).body
    new = {"email": "bob@example.com", "role": "viewer"}
    for body, status in (
        ({**new, "email": "nobody"}, 422),
        ({**new, "email": "ANN@example.com"}, 409),
        ({**new, "username": "Ann"}, 409),
        ({**new, "username": "a b"}, 422),
        ({**new, "role": "app"}, 400),
        ({**new, "role": "owner"}, 400),
        ({**new, "password": "weak"}, 422),
        ({**new, "sites": ["nowhere"]}, 404),
        *(({**new, field: 1}, 400) for field in ("tenant", "tenant_id", "state", "id", "created_by")),
    ):
        assert (await centre.ask("POST", "/v1/people", body)).status == status, body
    for body, status in (
        ({"role": "app"}, 400),
        ({"state": "waiting"}, 400),
        ({"sites": ["nowhere"]}, 404),
        *(({field: "x"}, 400) for field in ("tenant", "tenant_id", "password", "username", "id", "reset_hash")),
    ):
        assert (await centre.ask("PATCH", "/v1/people/ann", body)).status == status, body
    assert (await centre.ask("PATCH", "/v1/people/ann", {})).status == 200
    assert (await centre.get("/v1/people")).body == before
    his = await come_in(centre, "ann")
    for field in ("role", "state", "sites", "tenant", "email", "password", "username"):
        assert (await his.ask("PATCH", "/v1/me", {"full_name": "A", field: "admin"})).status == 400, field
    assert (await his.ask("PATCH", "/v1/me", {"full_name": "Ann"})).body["person"]["full_name"] == "Ann"
    for method, path in (("GET", "/v1/people"), ("POST", "/v1/people/ann/reset"), ("GET", "/v1/audit")):
        assert (await his.ask(method, path)).status == 403


async def test_nobody_raises_himself_and_the_last_administrator_stays(centre: RunningCentre) -> None:
    ann = await add(centre, "ann@example.com", "admin")
    for body in ({"role": "viewer"}, {"state": "disabled"}):
        assert await problem(centre, "PATCH", "/v1/people/ann", body) == (409, "conflict")
    hers = await come_in(centre, "ann")
    await add(centre, "bob@example.com", "admin")
    for body in ({"role": "viewer"}, {"state": "disabled"}, {"sites": []}):
        assert (await hers.ask("PATCH", f"/v1/people/{ann['id']}", body)).status == 403
    assert (await hers.ask("POST", "/v1/people/ann/reset")).status == 403
    assert (await hers.ask("PUT", "/v1/people/ann/password", {"password": "N3w-password"})).status == 403
    assert (await hers.ask("PATCH", "/v1/people/bob", {"role": "viewer"})).status == 200
    assert await problem(centre, "PATCH", "/v1/people/ann", {"state": "disabled"}) == (409, "conflict")
    assert (await centre.get("/v1/people/ann")).body["state"] == "active"  # it was undone, not half done
    await centre.ask("POST", "/v1/people", {"email": "cy@example.com", "role": "admin"})
    assert await problem(centre, "PATCH", "/v1/people/ann", {"role": "viewer"}) == (
        409,
        "conflict",
    )  # cannot log in


async def test_an_administrator_of_some_sites_gives_and_sees_no_more_than_he_reaches(centre: RunningCentre) -> None:
    filled = Filled(centre.centre.db)
    await filled.site(1, "north")
    await filled.site(2, "south")
    await add(centre, "boss@example.com", "admin")
    await add(centre, "ann@example.com", "admin", sites=["north"])
    await add(centre, "both@example.com", "viewer", sites=["north", "south"])
    await add(centre, "one@example.com", "viewer", sites=["north"])
    hers = await come_in(centre, "ann")
    names = [one["username"] for one in (await hers.ask("GET", "/v1/people")).body["items"]]
    assert names == ["ann", "one"]
    new = {"email": "new@example.com", "role": "admin"}
    assert (await hers.ask("POST", "/v1/people", new)).status == 403
    assert (await hers.ask("POST", "/v1/people", {**new, "sites": ["south"]})).status == 404
    assert (await hers.ask("POST", "/v1/people", {**new, "sites": ["north", "south"]})).status == 404
    assert (await hers.ask("PATCH", "/v1/people/one", {"sites": []})).status == 403
    assert (await hers.ask("PATCH", "/v1/people/one", {"sites": ["south"]})).status == 404
    assert (await hers.ask("PATCH", "/v1/people/one", {"role": "technician"})).status == 200
    for name in ("boss", "both", "boss@example.com"):
        for method, path, body in (
            ("GET", "", None),
            ("PATCH", "", {"state": "disabled"}),
            ("PUT", "/password", {"password": PASSWORD}),
            ("POST", "/reset", None),
        ):
            assert (await hers.ask(method, f"/v1/people/{name}{path}", body)).status == 404, (name, path)
        assert (await hers.ask("GET", f"/v1/logins?person={name}")).status == 404
    assert (await hers.ask("GET", "/v1/me")).body["sites"] == ["north"]


async def test_what_somebody_may_changes_under_his_open_login(centre: RunningCentre) -> None:
    filled = Filled(centre.centre.db)
    await filled.site(1, "north")
    await filled.site(2, "south")
    await add(centre, "ann@example.com", "admin")
    hers = await come_in(centre, "ann")
    await add(centre, "bob@example.com", "admin")
    assert len((await hers.ask("GET", "/v1/sites")).body["items"]) == 2
    await centre.ask("PATCH", "/v1/people/ann", {"sites": ["south"]})
    assert [site["id"] for site in (await hers.ask("GET", "/v1/sites")).body["items"]] == ["south"]
    await centre.ask("PATCH", "/v1/people/ann", {"role": "viewer"})
    assert (await hers.ask("POST", "/v1/sites", {"name": "x"})).status == 403
    await centre.ask("PATCH", "/v1/people/ann", {"state": "disabled"})
    assert not await hers.is_in()
    assert await Somebody(centre).log_in("ann") == 401
    await centre.ask("PATCH", "/v1/people/ann", {"state": "active"})
    assert not await hers.is_in()  # opening the account does not open what was ended
    await come_in(centre, "ann")


async def test_two_tenants_may_have_the_same_person_and_know_nothing_of_it(centre: RunningCentre) -> None:
    await second_tenant(centre)
    ours = await add(centre, "ann@example.com", "admin")
    theirs = await centre.ask(
        "POST",
        "/v1/people",
        {"email": "ann@example.com", "role": "viewer", "password": "Other-passw0rd"},
        key="theirs",
    )
    assert (theirs.status, theirs.body["person"]["username"]) == (201, "ann")
    assert [one["id"] for one in (await centre.get("/v1/people")).body["items"]] == [ours["id"]]
    ann, other = await come_in(centre, "ann"), await come_in(centre, "ann@example.com", "Other-passw0rd")
    assert (await ann.ask("GET", "/v1/me")).body["tenant"] == "main"
    assert (await other.ask("GET", "/v1/me")).body["tenant"] == "tenant 2"
    (login,) = (await other.ask("GET", "/v1/logins")).body["items"]
    assert (await ann.ask("DELETE", f"/v1/logins/{login['id']}")).status == 404
    assert (
        await centre.ask("PATCH", f"/v1/people/{theirs.body['person']['id']}", {"state": "disabled"})
    ).status == 404
    await centre.ask("PATCH", "/v1/people/ann", {"full_name": "Ours"})
    assert (await other.ask("GET", "/v1/me")).body["person"]["full_name"] == ""
    viewer = await centre.add_key("their app", Role.VIEWER, tenant_id=2)
    assert (await centre.get("/v1/logins", key=viewer)).body["items"] == []
