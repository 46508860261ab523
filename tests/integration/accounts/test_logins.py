"""Logins: who gets in, who does not, and that one that was ended is over at once, everywhere."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path

import aiohttp
import pytest
from aiohttp.test_utils import make_mocked_request
from sqlalchemy import select

from cloud.accounts.logins import COOKIE, IDLE_S, LOGINS_PER_PERSON, WEB_S, Logins, WrongLogin
from cloud.db.people_models import Login
from edge.clock import ManualClock
from tests.integration.accounts.somebody import PASSWORD, Somebody, add, come_in, second_tenant, until
from tests.patience import AT_ONCE_S
from tests.running_centre import RunningCentre, database_of, started


async def test_one_logs_in_by_address_or_username_and_out_again(centre: RunningCentre) -> None:
    ann = await add(centre, "ann@example.com")
    for name in ("ann", " ANN ", "ann@example.com", "Ann@Example.COM"):
        hers = await come_in(centre, name)
        assert (await hers.ask("GET", "/v1/me")).body["person"]["id"] == ann["id"]
    logins = (await hers.ask("GET", "/v1/logins")).body["items"]
    assert [login["current"] for login in logins].count(True) == 1
    assert {(login["person"], login["kind"], login["address"]) for login in logins} == {
        (ann["id"], "web", "127.0.0.1")
    }
    other = next(login for login in logins if not login["current"])
    assert (await hers.ask("DELETE", f"/v1/logins/{other['id']}")).status == 204
    assert (await hers.ask("DELETE", f"/v1/logins/{other['id']}")).status == 404
    assert len((await hers.ask("GET", "/v1/logins")).body["items"]) == 3
    kept = hers.cookie
    assert (await hers.ask("POST", "/office/logout")).status == 303
    hers.cookie = kept
    assert not await hers.is_in()
    assert (await centre.get("/v1/people/ann")).body["seen_at"] is not None


async def test_a_wrong_password_and_an_unknown_name_are_told_and_worked_on_alike(
    centre: RunningCentre, monkeypatch: pytest.MonkeyPatch
) -> None:
    await second_tenant(centre)
    await add(centre, "ann@example.com")
    await add(centre, "twice@example.com")
    await add(centre, "twice@example.com", key="theirs")
    await add(centre, "shut@example.com")
    await centre.ask("PATCH", "/v1/people/shut", {"state": "disabled"})
    await centre.ask("POST", "/v1/people", {"email": "new@example.com", "role": "viewer"})
    passwords, checked = centre.centre.accounts.logins.passwords, 0
    verify = passwords.verify

    async def counted(stored: str | None, password: str, **how: bool) -> bool:
        nonlocal checked
        checked += 1
        return await verify(stored, password, **how)

    monkeypatch.setattr(passwords, "verify", counted)
    seen = set()
    for name in ("ann", "ann@example.com", "twice", "shut", "new", "nobody", "nobody@example.com", "\ud7ff", ""):
        checked, somebody = 0, Somebody(centre)
        assert await somebody.log_in(name, "Wr0ng-password") == 401
        assert somebody.cookie == ""
        with pytest.raises(WrongLogin) as refused:
            await centre.centre.accounts.logins.person(name, "Wr0ng-password", address="192.0.2.1")
        seen.add((checked, refused.value.detail, refused.value.advice))
    assert len(seen) == 1
    assert {checks for checks, _, _ in seen} == {4}  # two for each try
    checked = 0
    assert await Somebody(centre).log_in("shut") == 401  # also with the right password
    assert checked == 2


async def test_guessing_is_slow_by_name_by_place_and_by_address(centre: RunningCentre) -> None:
    logins = centre.centre.accounts.logins

    async def tried(name: str, address: str, password: str = "Wr0ng-password") -> str:
        try:
            await logins.person(name, password, address=address)
        except Exception as error:
            return str(getattr(error, "code", error))
        return "in"

    await add(centre, "ann@example.com")
    assert await tried("ann", "192.0.2.1", PASSWORD) == "in"
    for name in ("ann", "ann@example.com", "ANN", "ann@EXAMPLE.com", " ann"):  # one account, one count
        assert await tried(name, "198.51.100.7") == "wrong-login"
    for name in ("ann", "ann@example.com"):
        assert await tried(name, "198.51.100.7", PASSWORD) == "rate-limited"
    assert await tried("ann", "198.51.100.7") == "rate-limited"  # asking again lifts nothing
    for place in range(4):
        for _ in range(5):
            await tried("ann", f"203.0.113.{place}")
    assert await tried("ann", "203.0.113.99", PASSWORD) == "rate-limited"  # from all over
    assert await tried("ann", "192.0.2.1", PASSWORD) == "in"  # but not where she works
    many = [await tried(f"nobody{number}", "198.51.100.8") for number in range(35)]
    assert many.count("wrong-login") == 30
    assert set(many[30:]) == {"rate-limited"}


async def test_no_header_makes_somebody_else_of_who_guesses(centre: RunningCentre) -> None:
    await add(centre, "ann@example.com")
    statuses = [
        await Somebody(centre).log_in("ann", "Wr0ng", X_Forwarded_For=f"192.0.2.{n}", Forwarded=f"for=192.0.2.{n}")
        for n in range(7)
    ]
    assert statuses[-1] == 429
    hers = Somebody(centre)
    assert await hers.log_in("ann") == 429


async def test_a_login_never_keeps_a_cookie_that_was_brought_and_ends_its_login(centre: RunningCentre) -> None:
    await add(centre, "ann@example.com")
    await add(centre, "eve@example.com")
    eves = await come_in(centre, "eve")
    victim = Somebody(centre, cookie=eves.cookie)
    assert await victim.log_in("ann") == 303
    assert victim.cookie != eves.cookie
    assert (await victim.ask("GET", "/v1/me")).body["person"]["username"] == "ann"
    assert not await eves.is_in()
    again = Somebody(centre, cookie=victim.cookie)
    assert await again.log_in("ann", "Wr0ng-password") == 401
    assert await victim.is_in()  # nothing ended, since nothing began
    assert await again.log_in("ann") == 303
    assert not await victim.is_in()
    open_now = (await again.ask("GET", "/v1/logins")).body["items"]
    assert [login["current"] for login in open_now] == [True]
    told = [row for row in (await centre.get("/v1/audit")).body["items"] if row["what"] == "login.ended"]
    assert [row["actor"] for row in told] == ["user:ann", "user:eve"]
    victim = again
    cookie = victim.cookie.partition("=")[2]
    shown, _, signature = cookie.partition(".")
    assert len(shown) >= 43
    for forged in (
        "", ".", shown, f"{shown}.", f".{signature}", f"{shown}.{'0' * 64}", f"{shown[::-1]}.{signature}",
        f"{shown}.{signature}.", f"{signature}.{shown}", "x" * 4000, f"{shown}.\udcff", f"{shown}.é",
    ):  # fmt: skip
        altered = Somebody(centre, cookie=f"{COOKIE}={forged}")
        assert (await altered.ask("GET", "/v1/me")).status in (400, 401), forged
    async with centre.centre.db.read() as connection:  # what is kept opens nothing
        kept = (await connection.execute(select(Login.hash))).scalars().all()
    assert all(shown.encode() not in bytes(value) for value in kept)


async def test_another_origins_page_does_nothing_with_a_cookie(centre: RunningCentre) -> None:
    await add(centre, "ann@example.com", "admin")
    hers = await come_in(centre, "ann")
    new = {"email": "bob@example.com", "role": "admin"}
    origin, host = centre.url, centre.url.partition("//")[2]
    for headers in (
        {},
        {"Sec_Fetch_Site": "cross-site"},
        {"Sec_Fetch_Site": "same-site"},
        {"Sec_Fetch_Site": "none"},
        {"Sec_Fetch_Site": "cross-site", "Origin": origin},
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Origin": f"http://{host}.evil.example"},
        {"Origin": "http://127.0.0.1:1"},
        {"Referer": origin + "/office/"},
        {"Origin": "https://evil.example", "X_Forwarded_Host": "evil.example"},
        {"Origin": "https://evil.example", "Forwarded": "host=evil.example"},
    ):
        for method, path, body in (
            ("POST", "/v1/people", new),
            ("DELETE", "/v1/logins/x", None),
            ("POST", "/office/logout", None),
            ("POST", "/office/login", None),
        ):
            assert (await hers.bare(method, path, body, **headers)).status == 403, (headers, path)
        upgrade = {"Connection": "Upgrade", "Upgrade": "websocket", "Sec_WebSocket_Version": "13"}
        live = await hers.bare("GET", "/v1/live", None, Sec_WebSocket_Key="x" * 22 + "==", **upgrade, **headers)
        assert live.status == 403, headers
    assert await hers.is_in()
    assert (await hers.bare("POST", "/v1/people", new, Origin=origin)).status == 201
    reading = await hers.bare("GET", "/v1/people", None, Origin="https://evil.example")
    assert not any(name.startswith("Access-Control") for name in reading.headers)


async def test_open_streams_end_with_the_login(centre: RunningCentre) -> None:
    await add(centre, "ann@example.com")
    hers = await come_in(centre, "ann")
    headers = {"Cookie": hers.cookie, "Sec-Fetch-Site": "same-origin"}
    async with (
        aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar()) as http,
        http.get(centre.url + "/v1/events", headers=headers) as events,
        http.ws_connect(centre.url + "/v1/live", headers=headers) as live,
    ):
        assert events.status == 200
        (login,) = (await centre.get("/v1/logins")).body["items"]
        assert (await centre.ask("DELETE", f"/v1/logins/{login['id']}")).status == 204
        assert not await hers.is_in()
        async with asyncio.timeout(AT_ONCE_S):
            await events.read()
            assert (await live.receive()).type in (aiohttp.WSMsgType.CLOSE, aiohttp.WSMsgType.CLOSED)


async def test_a_login_that_was_ended_is_over_at_every_instance(tmp_path: Path) -> None:
    async with (
        database_of("postgresql") as database,
        started(tmp_path / "a", database=database) as one,
        started(tmp_path / "b", database=database, admin=one.keys["admin"]) as other,
    ):
        await add(one, "ann@example.com")
        hers = await come_in(one, "ann")
        there = Somebody(other, cookie=hers.cookie)
        assert await there.is_in()
        headers = {"Cookie": hers.cookie}
        async with (
            aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar()) as http,
            http.get(other.url + "/v1/events", headers=headers) as events,
        ):
            await one.ask("PATCH", "/v1/people/ann", {"state": "disabled"})
            assert not await hers.is_in()

            async def is_out() -> bool:
                return not await there.is_in()

            await until(is_out)
            async with asyncio.timeout(AT_ONCE_S):
                await events.read()
        assert await Somebody(other).log_in("ann") == 401


@pytest.fixture
async def clocked(centre: RunningCentre) -> tuple[RunningCentre, Logins, ManualClock]:
    """A centre, and the logins as another instance has them whose clock is moved by hand."""
    clock = ManualClock(int(time.time() * 1_000_000))
    logins = Logins(centre.centre.db, centre.centre.signals, clock, secure=False)
    await logins.start()
    return centre, logins, clock


async def knows(logins: Logins, cookie: str) -> bool:
    """Whether a cookie is good."""
    request = make_mocked_request("GET", "/", headers={"Cookie": f"{COOKIE}={cookie}"})
    await logins.reload()
    await logins.learn(request)
    return logins.who(request) is not None


async def test_a_login_ends_when_it_is_idle_and_when_it_is_old(
    clocked: tuple[RunningCentre, Logins, ManualClock],
) -> None:
    centre, logins, clock = clocked
    await add(centre, "ann@example.com")
    idle = await logins.begin("ann", PASSWORD, address="192.0.2.1")
    used = await logins.begin("ann", PASSWORD, address="192.0.2.1")
    step_s = IDLE_S // 2
    for step in range(WEB_S // step_s + 2):
        good = step * step_s < WEB_S
        assert await knows(logins, used) is good, step
        await logins._tell_seen()
        clock.advance(step_s)
    assert not await knows(logins, idle)


async def test_somebody_has_so_many_logins_and_the_oldest_ends_first(
    clocked: tuple[RunningCentre, Logins, ManualClock],
) -> None:
    centre, logins, clock = clocked
    await add(centre, "ann@example.com")
    cookies = []
    for _ in range(LOGINS_PER_PERSON + 1):
        cookies.append(await logins.begin("ann", PASSWORD, address="192.0.2.1", agent="a\x1b[31m\u2028b" * 100))
        clock.advance(1)
    assert [await knows(logins, cookie) for cookie in (cookies[0], cookies[1], cookies[-1])] == [False, True, True]
    listed = (await centre.get("/v1/logins?person=ann")).body["items"]
    assert len(listed) == LOGINS_PER_PERSON
    assert listed[0]["agent"].isprintable()
    assert len(listed[0]["agent"]) == 200


async def test_a_password_that_was_changed_while_it_was_looked_at_opens_nothing(
    centre: RunningCentre, monkeypatch: pytest.MonkeyPatch
) -> None:
    await add(centre, "ann@example.com")
    logins = centre.centre.accounts.logins
    person = logins.person

    async def slowly(name: str, password: str, *, address: str) -> object:
        found = await person(name, password, address=address)
        await centre.ask("PUT", "/v1/people/ann/password", {"password": "N3w-password"})
        return found

    monkeypatch.setattr(logins, "person", slowly)
    assert await Somebody(centre).log_in("ann") == 401
    assert (await centre.get("/v1/logins")).body["items"] == []
