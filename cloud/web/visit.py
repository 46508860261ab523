"""One look at a page: by whom, in which language, with what, and the ways to ask the API for what it shows."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from aiohttp import hdrs, web

from cloud.accounts.member import Member
from cloud.web.figures import Figures
from cloud.web.inner import Api, Pieces, Values
from cloud.web.words import Words, catalogue, language_of
from edge.clock import Clock
from edge.errors import Forbidden
from edge.serving.roles import Principal, Role
from edge.serving.routing import Call

LANGUAGE_COOKIE = "outpost_language"
SAID_COOKIE = "outpost_said"  # what a form has done, for the page it leads to: no link says it
PAGE_DEST = ("", "document")  # of Sec-Fetch-Dest: a look by a script is none of its owner's


class Visit:
    """One look at a page, or one form sent: by whom, in which language, with what."""

    def __init__(
        self,
        request: web.Request,
        principal: Principal,
        api: Api,
        clock: Clock,
        form: Mapping[str, str],
        *,
        url: str,
        still_allowed: Callable[[], bool],
    ) -> None:
        self.request, self.principal, self.form, self._api = request, principal, form, api
        self._url, self._still_allowed = url, still_allowed
        language = language_of(
            request.cookies.get(LANGUAGE_COOKIE, ""), request.headers.get(hdrs.ACCEPT_LANGUAGE, "")
        )
        self.words: Words = catalogue()[language]
        self.figures = Figures(language)
        self.now_us = clock.now().at_us

    @property
    def member(self) -> Member:
        """Who looks. Raises Forbidden for nobody."""
        if not isinstance(self.principal, Member):
            raise Forbidden("This is for members of a tenant.")
        return self.principal

    def may(self, role: Role) -> bool:
        """Whether he has at least this role: what he may not do is not drawn. The API decides all the same."""
        return not self.principal.scope and role <= self.principal.role

    @property
    def call(self) -> Call:
        """The request as the API's services take it."""
        return Call(self.request, self.principal, None, self._still_allowed)

    @property
    def origin(self) -> str:
        """Where the centre is for others, such as https://office.example: as set, else as this browser has it."""
        return self._url or f"{self.request.scheme}://{self.request.host}"

    @property
    def said(self) -> str:
        """What the form that led here has done, a name of the group `said` of the catalogue; '' for nothing."""
        if self.request.headers.get("Sec-Fetch-Dest", "") not in PAGE_DEST:
            return ""
        said = self.request.cookies.get(SAID_COOKIE, "")
        return said if self.words.has(f"said.{said}") else ""

    def param(self, name: str) -> str:
        """A part of the page's path."""
        return self.call.param(name)

    def query(self, name: str) -> str:
        """A parameter of the page, '' when it is not there."""
        return self.call.query(name)

    async def get(self, path: str, query: Values | None = None, /, **params: object) -> Any:
        """What the API answers to the reader: a view, or a `Page` of them. Raises what the API raises."""
        return await self._api.ask(self.request, self.principal, "GET", path, params=params, query=query)

    async def every(self, path: str, query: Values | None = None, /, **params: object) -> Any:
        """All items of a list of the API's, page after page: an async iterator of lists."""
        asked = dict(query or {}) | {"limit": 500}
        while True:
            page = await self.get(path, asked, **params)
            yield page.items
            if page.next is None:
                return
            asked["cursor"] = page.next

    async def act(
        self,
        method: str,
        path: str,
        body: Values | None = None,
        query: Values | None = None,
        key: str = "",
        /,
        **params: object,
    ) -> Any:
        """Ask the API to change something, as the reader; once for each `key`. Raises what the API raises."""
        return await self._api.ask(
            self.request, self.principal, method, path, params=params, query=query, body=body, key=key
        )

    async def give(self, path: str, query: Values, file: Pieces, /) -> tuple[Any, bool]:
        """Hand the API a file, as the reader: what it answers, and whether that is new. Raises as the API does."""
        return await self._api.give(self.request, self.principal, path, query=query, file=file)
