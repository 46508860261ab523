"""Somebody at the pages without a browser: he holds his cookie, sends forms as they are, reads what comes."""

from __future__ import annotations

import contextlib
import io
from collections.abc import AsyncIterator, Mapping

import aiohttp

from tests.running_centre import RunningCentre
from tests.web.entering import PASSWORD
from tests.web.html import Element, parsed


class Seen:
    """What came back. `at`: the path it came from, behind all redirects."""

    def __init__(self, status: int, headers: Mapping[str, str], raw: str, at: str, hops: list[str]) -> None:
        self.status, self.headers, self.raw, self.at, self.hops = status, headers, raw, at, hops

    @property
    def page(self) -> Element:
        """The page, parsed."""
        assert self.headers["Content-Type"].startswith("text/html"), self.headers["Content-Type"]
        return parsed(self.raw)

    @property
    def main(self) -> Element:
        """What is between its head and its foot."""
        return self.page.one("main")

    @property
    def text(self) -> str:
        """What is read there."""
        return self.main.text


class Visitor:
    """One person; every page of his has to be one that can be parsed."""

    def __init__(self, url: str, http: aiohttp.ClientSession, language: str) -> None:
        self.url, self._http, self._language = url, http, language

    async def get(self, path: str, **headers: str) -> Seen:
        """A page, by its path behind /office."""
        return await self._ask("GET", path, None, headers)

    async def post(self, path: str, fields: Mapping[str, str], origin: str = "", **headers: str) -> Seen:
        """A form sent to a path. `origin`: the page it came from, if it is not one of the centre's."""
        sent = {"Sec_Fetch_Site": "cross-site", "Origin": origin} if origin else {"Origin": self.url}
        return await self._ask("POST", path, fields, {**sent, **headers})

    async def send(self, seen: Seen, **typed: str) -> Seen:
        """The form in a page, as it stands and with what is typed in; `__` stands for the colon of a name."""
        form = seen.main.one("form", method="post")
        given = {name.replace("__", ":"): value for name, value in typed.items()}
        to = form.get("action") or seen.at
        return await self.post(to.removeprefix("/office"), {**form.fields(), **given})

    async def upload(self, path: str, name: str, data: bytes, origin: str = "", **fields: str) -> Seen:
        """A form with a file in it, as a browser sends one without any script."""
        form = aiohttp.FormData()
        for field, value in fields.items():
            form.add_field(field, value)
        form.add_field("file", io.BytesIO(data), filename=name, content_type="application/octet-stream")
        return await self._ask("POST", path, form, {"Origin": origin or self.url})

    async def _ask(
        self,
        method: str,
        path: str,
        fields: Mapping[str, str] | aiohttp.FormData | None,
        headers: Mapping[str, str],
    ) -> Seen:
        given = {name.replace("_", "-"): value for name, value in headers.items()}
        given.setdefault("Accept-Language", self._language)
        async with self._http.request(
            method, f"{self.url}/office{path}", data=fields, headers=given, allow_redirects=True
        ) as response:
            hops = [str(each.headers["Location"]) for each in response.history]
            raw = await response.text()
            seen = Seen(response.status, dict(response.headers), raw, response.url.path_qs, hops)
        if seen.headers.get("Content-Type", "").startswith("text/html"):
            assert seen.page
        return seen


@contextlib.asynccontextmanager
async def visitor(centre: RunningCentre, username: str = "", *, language: str = "en") -> AsyncIterator[Visitor]:
    """Somebody logged in with PASSWORD; with no name, a stranger."""
    jar = aiohttp.CookieJar(unsafe=True)
    async with aiohttp.ClientSession(cookie_jar=jar) as http:
        somebody = Visitor(centre.url, http, language)
        if username:
            seen = await somebody.post("/login", {"name": username, "password": PASSWORD})
            assert (seen.status, seen.at) == (200, "/office/")
        yield somebody
