"""The old sensors-and-switches platform's accounts, byte for byte as its apps and its document have them."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode

import msgspec
import pytest

from edge.settings import Accounts
from tests.integration.running_hub import QUIET, Answer, RunningHub, started

GOOD = "Passw0rd"
ANN = {"email": "ann@example.com", "username": "ann_1", "password": GOOD, "full_name": "Ann Lee"}


@contextlib.asynccontextmanager
async def site(folder: Path, signup: str = "open", **limits: Any) -> AsyncIterator[RunningHub]:
    """A hub whose people may sign up as said."""
    settings = msgspec.structs.replace(
        QUIET, accounts=Accounts(signup=signup), limits=msgspec.structs.replace(QUIET.limits, **limits)
    )
    async with started(folder, settings) as hub:
        yield hub


async def post(hub: RunningHub, path: str, body: object = None, *, token: str = "", **headers: str) -> Answer:
    """A POST as an app sends it."""
    return await hub.ask("POST", path, body, key=token, **headers)


async def form(hub: RunningHub, name: str, password: str = GOOD) -> Answer:
    """The app's own login: a form at /token."""
    body = urlencode({"username": name, "password": password})
    return await hub.ask("POST", "/token", data=body, key="", Content_Type="application/x-www-form-urlencoded")


async def test_a_life_of_an_account_as_the_app_knows_it(tmp_path: Path) -> None:
    async with site(tmp_path) as hub:
        made = await post(hub, "/signup", ANN)
        assert made.status == 200
        assert set(made.body) == {"access_token", "refresh_token", "token_type", "user"}
        assert made.body["token_type"] == "bearer"
        user = made.body["user"]
        assert len(user.pop("id")) == 24
        assert user == {
            "email": "ann@example.com",
            "username": "ann_1",
            "full_name": "Ann Lee",
            "is_active": True,
            "notification_settings": None,
        }
        token = made.body["access_token"]
        assert (await hub.get("/me", key=token)).body["username"] == "ann_1"
        changed = await hub.ask(
            "PUT", "/me", {"full_name": "", "notification_settings": {"email": True}, "x": 1}, key=token
        )
        assert (changed.body["full_name"], changed.body["notification_settings"]) == (None, {"email": True})
        nothing = await hub.ask("PUT", "/me", {"username": ""}, key=token)
        assert (nothing.status, nothing.body) == (400, {"detail": "No update fields provided"})
        gone = await hub.ask("DELETE", "/me", key=token)
        assert gone.body == {"message": "Account and all associated data deleted successfully"}
        assert (await hub.get("/me", key=token)).body == {"detail": "Could not validate credentials"}
        assert (await form(hub, "ann_1")).body == {"detail": "Incorrect username or password"}


async def test_three_ways_to_log_in(tmp_path: Path) -> None:
    async with site(tmp_path) as hub:
        await post(hub, "/signup", ANN)
        answers = [
            await form(hub, "ann_1"),
            await form(hub, "ANN@example.com"),
            await post(hub, "/login", {"email": "Ann@Example.com", "password": GOOD}),
        ]
        for answer in answers:
            assert answer.status == 200
            assert set(answer.body) == {"access_token", "refresh_token", "token_type", "user"}
            assert answer.headers["Access-Control-Allow-Origin"] == "*"
        wrong = await post(hub, "/login", {"email": "ann@example.com", "password": "x"})
        nobody = await post(hub, "/login", {"email": "bob@example.com", "password": "x"})
        assert wrong.body == nobody.body == {"detail": "Invalid email or password"}
        assert wrong.status == nobody.status == 400


async def test_a_refresh_comes_as_a_parameter_or_as_a_body_and_is_good_once(tmp_path: Path) -> None:
    async with site(tmp_path) as hub:
        first = (await post(hub, "/signup", ANN)).body["refresh_token"]
        second = await post(hub, f"/refresh?refresh_token={first}")
        assert second.status == 200
        assert set(second.body) == {"access_token", "refresh_token", "token_type"}
        third = await post(hub, "/refresh", {"refresh_token": second.body["refresh_token"]})
        assert (await hub.get("/me", key=third.body["access_token"])).status == 200
        again = await post(hub, f"/refresh?refresh_token={first}")
        assert (again.status, again.body) == (401, {"detail": "Invalid refresh token"})
        assert (await hub.get("/me", key=third.body["access_token"])).status == 401  # copied, so all of it ended
        in_body = await post(hub, "/refresh", {"refresh_token": third.body["refresh_token"]})
        assert (in_body.status, in_body.body) == (400, {"detail": "Invalid refresh token"})
        missing = await post(hub, "/refresh")
        assert missing.status == 422
        assert missing.body["detail"][0]["loc"] == ["query", "refresh_token"]


async def test_the_logout_storm_cannot_happen(tmp_path: Path) -> None:
    """A session that has ended is logged out of with 200, as often as an app likes, past every limit."""
    async with site(tmp_path, anonymous_per_minute=5) as hub:
        token = (await post(hub, "/signup", ANN)).body["access_token"]
        first = await post(hub, "/logout", token=token)
        assert first.body == {
            "message": "Logged out successfully",
            "tokens_deleted": 1,
            "already_logged_out": False,
        }
        for given in [token] * 20 + ["", "expired.or.worse", hub.keys["viewer"]]:
            again = await post(hub, "/logout", token=given)
            assert again.status == 200
            assert again.body == {"message": "Already logged out", "tokens_deleted": 0, "already_logged_out": True}
        assert (await hub.get("/me", key=token)).status == 401


async def test_one_user_knows_nothing_of_another(tmp_path: Path) -> None:
    async with site(tmp_path) as hub:
        ann = (await post(hub, "/signup", ANN)).body
        bob = (await post(hub, "/signup", {**ANN, "email": "bob@example.com", "username": "bob"})).body
        assert (await hub.get("/me", key=bob["access_token"])).body["id"] == bob["user"]["id"]
        taken = await hub.ask("PUT", "/me", {"email": "ann@example.com"}, key=bob["access_token"])
        assert (taken.status, taken.body) == (400, {"detail": "Email or username already registered"})
        again = await post(hub, "/signup", ANN)
        assert (again.status, again.body) == (400, {"detail": "Email or username already registered"})
        await post(hub, "/logout", token=bob["access_token"])
        assert (await hub.get("/me", key=ann["access_token"])).status == 200


async def test_a_token_of_an_account_is_no_key_of_this_hub(tmp_path: Path) -> None:
    async with site(tmp_path) as hub:
        token = (await post(hub, "/signup", ANN)).body["access_token"]
        refused = await hub.get("/v1/status", key=token)
        assert (refused.status, refused.code) == (403, "forbidden")
        assert "key create" in refused.body["hint"]
        forged = await hub.get("/v1/status", key="a.b.c")
        assert forged.status == 401
        by_header = await hub.ask("POST", "/api/device/link", {"agent_id": 1}, key="", X_API_Key=token)
        assert by_header.status in (401, 403)


@pytest.mark.parametrize(("signup", "status"), [("closed", 403), ("approve", 403), ("open", 200)])
async def test_who_may_sign_up(tmp_path: Path, signup: str, status: int) -> None:
    async with site(tmp_path, signup) as hub:
        answer = await post(hub, "/signup", ANN)
        assert answer.status == status
        if signup != "open":
            assert isinstance(answer.body["detail"], str)  # what the app shows
        login = await form(hub, "ann_1")
        assert login.status == (200 if signup == "open" else 400)
        if signup == "approve":
            assert login.body == {"detail": "This account waits for an administrator's approval."}
            await hub.ask("POST", "/v1/users/ann@example.com/approve")
            assert (await form(hub, "ann_1")).status == 200


async def test_forgot_password_never_tells_and_an_administrators_code_resets(tmp_path: Path) -> None:
    async with site(tmp_path) as hub:
        await post(hub, "/signup", ANN)
        told = [await post(hub, "/forgot-password", {"email": mail}) for mail in ("ann@example.com", "no@one.com")]
        assert told[0] == msgspec.structs.replace(told[1], headers=told[0].headers)
        assert told[0].body == {"message": "If your email is registered, you will receive a reset code"}
        code = (await hub.ask("POST", f"/v1/users/{quote('ann@example.com', safe='')}/reset")).body["code"]
        assert (await hub.get(f"/verify-reset-token?token={code}", key="")).body == {"message": "Token is valid"}
        wrong = await hub.get("/verify-reset-token?token=AAAABBBB", key="")
        assert (wrong.status, wrong.body) == (404, {"detail": "Token not found or has been used"})
        weak = await post(hub, "/reset-password", {"token": code, "new_password": "weak"})
        assert (weak.status, weak.body["detail"][0]["loc"]) == (422, ["body", "new_password"])
        for status in (200, 400):
            answer = await post(hub, "/reset-password", {"token": code, "new_password": "N3w-password"})
            assert answer.status == status
        assert answer.body == {"detail": "Invalid or used token"}
        assert (await form(hub, "ann_1")).status == 400
        assert (await form(hub, "ann_1", "N3w-password")).status == 200


async def test_guessing_is_slowed_alike_for_names_that_exist_and_names_that_do_not(tmp_path: Path) -> None:
    async with site(tmp_path) as hub:
        await post(hub, "/signup", ANN)
        for name in ("ann_1", "nobody"):
            answers = [await form(hub, name, "Wr0ng-one") for _ in range(7)]
            assert [answer.status for answer in answers] == [400] * 5 + [429] * 2
            assert int(answers[-1].headers["Retry-After"]) >= 1
        assert (await post(hub, "/signup", {**ANN, "email": "b@c.de", "username": "bob"})).status == 200
        assert (await form(hub, "bob")).status == 200


WRONG_FORMS = [
    ("/signup", {**ANN, "password": "weak"}, "password"),
    ("/signup", {**ANN, "username": "a b"}, "username"),
    ("/signup", {**ANN, "email": "nope"}, "email"),
    ("/signup", {"email": "a@b.co"}, "username"),
    ("/login", {"email": "a@b.co"}, "password"),
    ("/login", {"email": 1, "password": "x"}, "email"),
    ("/reset-password", {"token": "x"}, "new_password"),
    ("/forgot-password", {}, "email"),
    ("/login", [], ""),
    ("/login", None, ""),
]
HOSTILE = [b"\xff" * 100, b"[" * 50_000, b"&" * 5000, b"username=%ff&password", b"{" + b" " * 70_000]


async def test_a_wrong_form_is_told_field_by_field(running_hub: RunningHub) -> None:
    for path, body, field in WRONG_FORMS:
        answer = await post(running_hub, path, body)
        assert answer.status == 422, (path, body)
        (wrong,) = answer.body["detail"]
        assert ".".join(wrong["loc"][1:]) == field
        assert wrong["loc"][0] == "body"
        assert wrong["msg"]


async def test_hostile_bodies_are_refused_and_never_a_fault(running_hub: RunningHub) -> None:
    for body in HOSTILE:
        for path in ("/signup", "/login", "/token", "/refresh", "/reset-password", "/forgot-password"):
            answer = await running_hub.ask("POST", path, data=body, key="")
            assert 400 <= answer.status < 500, (path, answer.status)
            assert "detail" in answer.body
        assert (await running_hub.ask("POST", "/logout", data=body, key="")).status == 200


async def test_a_browser_may_ask_first(running_hub: RunningHub) -> None:
    answer = await running_hub.ask("OPTIONS", "/token", key="", Origin="https://console.example")
    assert answer.status == 204
    assert "Authorization" in answer.headers["Access-Control-Allow-Headers"]
