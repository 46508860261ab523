"""Somebody who logs in to a centre, as his browser does it: it keeps the cookie, and says which page sends what."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import Any
from urllib.parse import urlencode

import aiohttp
import msgspec

from edge.serving.roles import Role
from tests.filled_centre import Filled
from tests.integration.running_hub import Answer
from tests.patience import AT_ONCE_S
from tests.running_centre import RunningCentre

PASSWORD = "Passw0rd"
OWN_PAGE = {"Sec-Fetch-Site": "same-origin"}


class Somebody:
    """A browser. `cookie`: what it sends, as `name=value`."""

    def __init__(self, centre: RunningCentre, cookie: str = "") -> None:
        self.centre, self.cookie = centre, cookie

    async def log_in(self, name: str, password: str = PASSWORD, **headers: str) -> int:
        """Send the form of the login page, with whatever cookie there is; the status (303 is in)."""
        form = urlencode({"name": name, "password": password})
        given = {"Content-Type": "application/x-www-form-urlencoded", **OWN_PAGE, **_named(headers)}
        answer = await self._ask("POST", "/office/login", form.encode(), given)
        set_cookie = answer.headers.get("Set-Cookie", "")
        if answer.status == 303 and set_cookie:
            self.cookie = set_cookie.partition(";")[0]
        return answer.status

    async def ask(self, method: str, path: str, json: Any = None, **headers: str) -> Answer:
        """A request of a page of the centre's own."""
        body = None if json is None else msgspec.json.encode(json)
        return await self._ask(method, path, body, {**OWN_PAGE, **_named(headers)})

    async def bare(self, method: str, path: str, json: Any = None, **headers: str) -> Answer:
        """A request that says of its origin just what `headers` say."""
        body = None if json is None else msgspec.json.encode(json)
        return await self._ask(method, path, body, _named(headers))

    async def is_in(self) -> bool:
        """Whether he is still logged in."""
        return (await self.ask("GET", "/v1/me")).status == 200

    async def _ask(self, method: str, path: str, body: bytes | None, headers: dict[str, str]) -> Answer:
        given = {**({"Cookie": self.cookie} if self.cookie else {}), **headers}
        async with (
            aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar()) as http,
            http.request(
                method, self.centre.url + path, data=body, headers=given, allow_redirects=False
            ) as response,
        ):
            raw = await response.read()
            is_json = "json" in response.headers.get("Content-Type", "")
            return Answer(response.status, dict(response.headers), msgspec.json.decode(raw) if is_json else raw)


async def add(centre: RunningCentre, email: str, role: str = "viewer", *, key: str = "admin", **more: Any) -> Any:
    """Somebody new, with PASSWORD; his view."""
    body = {"email": email, "role": role, "password": PASSWORD, **more}
    answer = await centre.ask("POST", "/v1/people", body, key=key)
    assert answer.status == 201, answer.body
    return answer.body["person"]


async def come_in(centre: RunningCentre, name: str, password: str = PASSWORD) -> Somebody:
    """Somebody who is logged in."""
    somebody = Somebody(centre)
    assert await somebody.log_in(name, password) == 303
    return somebody


async def second_tenant(centre: RunningCentre) -> str:
    """Another tenant, with an admin key named "theirs"."""
    await Filled(centre.centre.db).tenant(2)
    return await centre.add_key("theirs", Role.ADMIN, tenant_id=2)


async def until(is_so: Callable[[], Awaitable[bool]]) -> None:
    """Wait until something is so."""
    end_s = time.monotonic() + AT_ONCE_S
    while not await is_so():
        assert time.monotonic() < end_s, "it never was so"
        await asyncio.sleep(0.05)


def _named(headers: dict[str, str]) -> dict[str, str]:
    return {name.replace("_", "-"): value for name, value in headers.items()}
