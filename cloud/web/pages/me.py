"""Who I am here: my role and sites, where I am logged in, my password, and how pages look."""

from __future__ import annotations

from cloud.web.confirming import confirm
from cloud.web.frame import ROOT, PageRoute, Result, Shown, Visit, Went
from cloud.web.listing import Listing
from cloud.web.pages.person import LOGIN_COLUMNS, ask_to_end_login, end_logins, login_rows
from edge.access.accounts.model import PASSWORD_MIN_CHARS
from edge.errors import BadInput, Conflict, Forbidden, NotFound, OutpostError, RateLimited
from edge.serving.roles import Role
from edge.wire.people import LoginView, MeView

HERE = ROOT + "/me"


class MePage:
    """/office/me, and behind it /name, /password, /logins/{login}/end and /end-others."""

    def all(self) -> list[PageRoute]:
        """Its routes."""
        viewer, end, others = Role.VIEWER, "/me/logins/{login}/end", "/me/end-others"
        return [
            PageRoute("GET", "/me", self.show, viewer, tables={"logins": self.logins}),
            PageRoute("POST", "/me/name", self.rename, viewer),
            PageRoute("POST", "/me/password", self.set_password, viewer),
            PageRoute("GET", end, self.ask_to_end, viewer),
            PageRoute("POST", end, self.end, viewer),
            PageRoute("GET", others, self.ask_to_end_others, viewer),
            PageRoute("POST", others, self.end_others, viewer),
        ]

    async def show(self, visit: Visit) -> Result:
        """Myself."""
        return await _shown(visit)

    def logins(self, visit: Visit) -> Listing:
        """My open logins, as a file."""
        return Listing("logins", LOGIN_COLUMNS, login_rows(visit, visit.member.person))

    async def rename(self, visit: Visit) -> Result:
        """What people call me."""
        try:
            await visit.act("PATCH", "/v1/me", {"full_name": visit.form.get("full_name", "").strip()})
        except (BadInput, Conflict, Forbidden) as error:
            return await _shown(visit, error)
        return Went(HERE, said="me_changed")

    async def set_password(self, visit: Visit) -> Result:
        """A new one, for the old one."""
        new = visit.form.get("new", "")
        try:
            if new != visit.form.get("again", ""):
                raise BadInput(str(visit.words("me.differ")), hint="")
            await visit.act("POST", "/v1/me/password", {"old": visit.form.get("old", ""), "new": new})
        except (BadInput, Conflict, Forbidden, RateLimited) as error:
            return await _shown(visit, error)
        return Went(HERE, said="password_changed")

    async def ask_to_end(self, visit: Visit) -> Result:
        """Are you sure?"""
        return ask_to_end_login(visit, await _login(visit), back=HERE)

    async def end(self, visit: Visit) -> Result:
        """Over."""
        await end_logins(visit, [(await _login(visit)).id])
        return Went(HERE, said="login_ended")

    async def ask_to_end_others(self, visit: Visit) -> Result:
        """Are you sure?"""
        words = visit.words
        says = [words("me.others_do")]
        return confirm(words("me.others_title"), says, button=words("me.others"), back=HERE)

    async def end_others(self, visit: Visit) -> Result:
        """All but the one this is sent with."""
        await end_logins(visit, [login.id for login in await _logins(visit) if not login.current])
        return Went(HERE, said="logins_ended")


async def _logins(visit: Visit) -> list[LoginView]:
    if not visit.member.person:
        return []
    found: list[LoginView] = (await visit.get("/v1/logins", {"person": visit.member.person})).items
    return found


async def _login(visit: Visit) -> LoginView:
    for login in await _logins(visit):
        if login.id == visit.param("login"):
            return login
    raise NotFound("There is no such open login.")


async def _shown(visit: Visit, refused: OutpostError | None = None) -> Shown:
    me: MeView = await visit.get("/v1/me")
    full_name = me.person.full_name if me.person else ""
    return Shown(
        "me.html",
        {
            "me": me,
            "logins": await _logins(visit),
            "full_name": visit.form.get("full_name", full_name),
            "least": PASSWORD_MIN_CHARS,
            "refused": refused,
        },
        status=refused.status if refused else 200,
    )
