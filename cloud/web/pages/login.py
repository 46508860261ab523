"""In and out: the page that asks for a name and a password, and the button that ends it."""

from __future__ import annotations

from aiohttp import hdrs, web

from cloud.accounts.logins import COOKIE, SECURE_COOKIE, WEB_S, Logins, WrongLogin
from cloud.accounts.member import Member
from cloud.web.frame import ROOT, PageRoute, Result, Shown, Visit, Went, own_path
from edge.errors import RateLimited
from edge.serving.addresses import address_of


class LoginPage:
    """/office/login and /office/logout."""

    def __init__(self, logins: Logins) -> None:
        self._logins = logins

    def all(self) -> list[PageRoute]:
        """Its routes."""
        return [
            PageRoute("GET", "/login", self.show, None),
            PageRoute("POST", "/login", self.enter, None),
            PageRoute("POST", "/logout", self.leave, None),
        ]

    async def show(self, visit: Visit) -> Result:
        """The form; who is logged in already goes where he wanted to, who was is told that he is not any more."""
        if isinstance(visit.principal, Member) and visit.member.login:
            return Went(own_path(visit.query("next")))
        ended = self._cookie in visit.request.cookies and not isinstance(visit.principal, Member)
        values = {"next": own_path(visit.query("next")), "name": "", "refused": None, "ended": ended}
        return Shown("login.html", values)

    async def enter(self, visit: Visit) -> Result:
        """A name and a password: a new login. That of the cookie that came with them, whoever's, ends: nothing in
        this browser can reach it any more."""
        name, to = visit.form.get("name", ""), own_path(visit.form.get("next", ""))
        try:
            cookie = await self._logins.begin(
                name,
                visit.form.get("password", ""),
                address=address_of(visit.request),
                agent=visit.request.headers.get(hdrs.USER_AGENT, ""),
                instead=self._logins.who(visit.request),
            )
        except (WrongLogin, RateLimited) as error:
            values = {"next": to, "name": name, "refused": error, "ended": False}
            return Shown("login.html", values, status=error.status)
        response = web.Response(status=303, headers={hdrs.LOCATION: to, hdrs.CACHE_CONTROL: "no-store"})
        response.set_cookie(
            self._cookie,
            cookie,
            max_age=WEB_S,
            path="/",
            httponly=True,
            samesite="Lax",
            secure=self._logins.secure,
        )
        return response

    async def leave(self, visit: Visit) -> Result:
        """Log out; who is not logged in is out already."""
        if isinstance(visit.principal, Member) and visit.member.login:
            await self._logins.end(visit.member, visit.member.login)
        response = web.Response(
            status=303, headers={hdrs.LOCATION: f"{ROOT}/login", hdrs.CACHE_CONTROL: "no-store"}
        )
        response.del_cookie(self._cookie, path="/", httponly=True, samesite="Lax", secure=self._logins.secure)
        return response

    @property
    def _cookie(self) -> str:
        return SECURE_COOKIE if self._logins.secure else COOKIE
