"""Nobody keeps others from logging in, and nobody guesses faster: by a namesake, from the same address, from behind
a proxy, through somebody's browser, or by having passwords hashed."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from urllib.parse import urlencode

import msgspec
import pytest

from cloud.accounts.app_logins import SIGN_UPS
from cloud.accounts.logins import Logins
from cloud.accounts.people import OWN_PASSWORDS
from cloud.settings import Accounts
from edge.access.accounts import throttle
from edge.access.accounts.model import WAITING_PER_ADDRESS
from edge.clock import ManualClock
from tests.filled_centre import Filled
from tests.integration.accounts.somebody import PASSWORD, Somebody, add, come_in, second_tenant
from tests.integration.running_hub import Answer
from tests.running_centre import QUIET, RunningCentre, started

HOME, OFFICE, ELSEWHERE = "192.0.2.1", "192.0.2.80", "198.51.100.7"
FORM = "application/x-www-form-urlencoded"
SETTINGS = msgspec.structs.replace(
    QUIET,
    centre=msgspec.structs.replace(QUIET.centre, trusted_proxies=("127.0.0.1",)),
    accounts=Accounts(signup="approve"),
)


@pytest.fixture
async def proxied(tmp_path: Path) -> AsyncIterator[RunningCentre]:
    """A centre that believes this machine's X-Forwarded-For, where people may sign up."""
    async with started(tmp_path / "centre", settings=SETTINGS) as centre:
        yield centre


async def tried(logins: Logins, name: str, address: str, password: str = "Wr0ng-password") -> str:
    """What comes of a login: whose it is, or the code of what was wrong."""
    try:
        return str((await logins.person(name, password, address=address))["tenant_id"])
    except Exception as error:
        return str(getattr(error, "code", error))


async def app_login(centre: RunningCentre, name: str, password: str = PASSWORD, **headers: str) -> Answer:
    """The older app's own login."""
    form = urlencode({"username": name, "password": password})
    return await centre.ask("POST", "/token", data=form, key="", Content_Type=FORM, **headers)


async def test_neither_a_namesake_nor_a_neighbour_changes_what_may_be_guessed(
    centre: RunningCentre, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(throttle, "PER_NAME", 8)
    monkeypatch.setattr(throttle, "PER_ADDRESS", 12)
    await second_tenant(centre)
    await add(centre, "ann@example.com")
    await add(centre, "bob@example.com")
    await add(centre, "ann@example.com", key="theirs", password="Attacker1pw")
    logins = Logins(centre.centre.db, centre.centre.signals, ManualClock(), secure=False)
    await logins.start()
    assert await tried(logins, "ann", HOME, PASSWORD) == "1"
    stored = (await logins.person("ann", PASSWORD, address=HOME))["password"]
    passwords, checked = logins.passwords, 0
    verify = passwords.verify

    async def counted(one: str | None, password: str, **how: bool) -> bool:
        nonlocal checked
        checked += one == stored
        return await verify(one, password, **how)

    monkeypatch.setattr(passwords, "verify", counted)
    guessed = []
    for address in (ELSEWHERE, "198.51.100.8"):
        for _ in range(3):  # the namesake's owner logs in between his guesses
            guessed.append(await tried(logins, "ann", address))
            assert await tried(logins, "ann", address, "Attacker1pw") == "2"
    assert checked == 8  # five from one address, and no more than eight in all
    assert guessed == ["wrong-login"] * 5 + ["rate-limited"]
    assert await tried(logins, "ann", ELSEWHERE, PASSWORD) == "rate-limited"
    assert await tried(logins, "ann", HOME, PASSWORD) == "1"  # she works on
    for number in range(20):
        await tried(logins, f"nobody{number}", HOME)
    assert await tried(logins, "bob", HOME, PASSWORD) == "rate-limited"
    assert await tried(logins, "ann", HOME, PASSWORD) == "1"
    assert await tried(logins, "bob", OFFICE, PASSWORD) == "1"


async def test_behind_a_proxy_each_client_has_his_own_address(proxied: RunningCentre) -> None:
    await add(proxied, "ann@example.com")
    guesser = Somebody(proxied)
    statuses = [
        await guesser.log_in("ann", "Wr0ng", X_Forwarded_For=f"203.0.113.{number}, {ELSEWHERE}")
        for number in range(6)
    ]
    assert statuses == [401] * 5 + [429]
    hers = Somebody(proxied)
    assert await hers.log_in("ann", X_Forwarded_For=HOME) == 303
    (login,) = (await hers.ask("GET", "/v1/logins")).body["items"]
    assert login["address"] == HOME
    begun = next(row for row in (await proxied.get("/v1/audit")).body["items"] if row["what"] == "login.begun")
    assert HOME in str(begun)
    await proxied.ask("GET", "/nowhere", key="", X_Forwarded_For=OFFICE)
    assert OFFICE in str((await proxied.get("/v1/knocking")).body)


async def test_another_sites_page_has_a_browser_try_nothing(proxied: RunningCentre) -> None:
    await add(proxied, "ann@example.com")
    there = {"Origin": "https://evil.example", "X_Forwarded_For": ELSEWHERE}
    for said in (
        {"Sec_Fetch_Site": "cross-site", "Sec_Fetch_Mode": "navigate", "Sec_Fetch_Dest": "document"},
        {"Sec_Fetch_Site": "same-site", "Sec_Fetch_Mode": "navigate", "Sec_Fetch_Dest": "iframe"},
        {"Sec_Fetch_Site": "cross-site", "Sec_Fetch_Mode": "no-cors"},
        {"Sec_Fetch_Site": "cross-site"},
    ):
        for _ in range(3):
            assert (await app_login(proxied, "ann", "Wr0ng", **there, **said)).status == 403
        for path in ("/login", "/signup", "/api/auth/login", "/api/auth/register"):
            body = {"email": "ann@example.com", "username": "ann", "password": PASSWORD}
            assert (await proxied.ask("POST", path, body, key="", **there, **said)).status == 403, path
    for said in (
        {"Sec_Fetch_Site": "cross-site", "Sec_Fetch_Mode": "cors", "Origin": "https://console.example"},
        {"Sec_Fetch_Site": "same-origin", "Sec_Fetch_Mode": "navigate"},
        {"Sec_Fetch_Site": "none", "Sec_Fetch_Mode": "navigate"},
        {},
    ):
        assert (await app_login(proxied, "ann", X_Forwarded_For=ELSEWHERE, **said)).status == 200


async def test_who_changes_his_password_again_and_again_keeps_nobody_out(centre: RunningCentre) -> None:
    await add(centre, "ann@example.com")
    await add(centre, "eve@example.com")
    eves = await come_in(centre, "eve")
    same = {"old": PASSWORD, "new": PASSWORD}
    changes = [asyncio.create_task(eves.ask("POST", "/v1/me/password", same)) for _ in range(20)]
    assert await Somebody(centre).log_in("ann") == 303
    first = [answer.status for answer in await asyncio.gather(*changes)]
    assert set(first) <= {204, 429}
    done = first.count(204)
    assert 1 <= done <= OWN_PASSWORDS
    assert first.count(429) >= 20 - OWN_PASSWORDS
    one_by_one = [(await eves.ask("POST", "/v1/me/password", same)).status for _ in range(OWN_PASSWORDS + 1 - done)]
    assert one_by_one == [204] * (OWN_PASSWORDS - done) + [429]
    anns = await come_in(centre, "ann")
    assert (await anns.ask("POST", "/v1/me/password", same)).status == 204


async def test_who_signs_up_waits_for_approval_and_for_sites(proxied: RunningCentre) -> None:
    await Filled(proxied.centre.db).site(1, "pune")
    body = {"email": "Zoe@example.com", "username": "zoe", "password": PASSWORD, "full_name": "Zoe Lee"}
    assert (await proxied.ask("POST", "/signup", body, key="")).status == 403  # made, and waits
    assert (await app_login(proxied, "zoe")).status == 400
    assert await Somebody(proxied).log_in("zoe") == 401
    zoe = (await proxied.get("/v1/people/zoe")).body
    assert (zoe["state"], zoe["email"], zoe["full_name"]) == ("waiting", "zoe@example.com", "Zoe Lee")
    opened = await proxied.ask("PATCH", "/v1/people/zoe", {"state": "active", "sites": ["pune"]})
    assert (opened.status, opened.body["sites"]) == (200, ["pune"])
    login = await app_login(proxied, "zoe")
    assert login.status == 200
    me = await proxied.get("/me", key=login.body["access_token"])
    assert (me.body["username"], me.body["is_active"]) == ("zoe", True)
    assert await Somebody(proxied).log_in("zoe") == 303


async def test_strangers_who_sign_up_have_little_hashed(
    proxied: RunningCentre, monkeypatch: pytest.MonkeyPatch
) -> None:
    passwords, hashed = proxied.centre.accounts.logins.passwords, 0
    real = passwords.hash

    async def counted(password: str) -> str:
        nonlocal hashed
        hashed += 1
        return await real(password)

    monkeypatch.setattr(passwords, "hash", counted)

    async def sign_up(name: str, address: str = ELSEWHERE) -> int:
        body = {"email": f"{name}@example.com", "username": name, "password": PASSWORD}
        return (await proxied.ask("POST", "/signup", body, key="", X_Forwarded_For=address)).status

    assert [await sign_up(f"one{n}") for n in range(WAITING_PER_ADDRESS)] == [403] * WAITING_PER_ADDRESS
    assert await sign_up("one9") == 400  # too many of this address wait
    assert await sign_up("one1", HOME) == 400  # taken
    assert hashed == WAITING_PER_ADDRESS
    for number in range(WAITING_PER_ADDRESS):
        answer = await proxied.ask("PATCH", f"/v1/people/one{number}", {"state": "disabled"})
        assert answer.status == 200
    more = [await sign_up(f"two{number}") for number in range(WAITING_PER_ADDRESS)]
    assert more == [403] * WAITING_PER_ADDRESS
    for number in range(WAITING_PER_ADDRESS):
        await proxied.ask("PATCH", f"/v1/people/two{number}", {"state": "disabled"})
    assert await sign_up("three") == 429
    assert hashed == SIGN_UPS
    assert await sign_up("three", HOME) == 403
