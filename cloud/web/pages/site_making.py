"""A new site, a new code for one, and the end of one: what an administrator does with sites as such."""

from __future__ import annotations

from cloud.web.confirming import confirm
from cloud.web.frame import ROOT, PageRoute, Result, Shown, Visit, Went
from cloud.web.words import isolated
from edge.errors import BadInput, Conflict, Forbidden, OutpostError
from edge.serving.roles import Role
from edge.wire.centre import SiteCode, SiteView

HERE = ROOT + "/sites"


class SiteMakingPage:
    """/office/sites/new, /office/sites/{site}/code and /office/sites/{site}/revoke."""

    def all(self) -> list[PageRoute]:
        """Its routes."""
        admin, code, revoke = Role.ADMIN, "/sites/{site}/code", "/sites/{site}/revoke"
        return [
            PageRoute("GET", "/sites/new", self.ask, admin),
            PageRoute("POST", "/sites/new", self.make, admin),
            PageRoute("GET", code, self.ask_for_code, admin),
            PageRoute("POST", code, self.code, admin),
            PageRoute("GET", revoke, self.ask_to_revoke, admin),
            PageRoute("POST", revoke, self.revoke, admin),
        ]

    async def ask(self, visit: Visit) -> Result:
        """The form."""
        return _form(visit)

    async def make(self, visit: Visit) -> Result:
        """A new site, and the code that enrols its hub."""
        try:
            made = await visit.act("POST", "/v1/sites", {"name": visit.form.get("name", "").strip()})
        except (BadInput, Conflict, Forbidden) as error:
            return _form(visit, error)
        return _shown(visit, made)

    async def ask_for_code(self, visit: Visit) -> Result:
        """Are you sure?"""
        site, words = await _site(visit), visit.words
        says = [words("site_code.does", site=isolated(site.name)), words("site_code.before")]
        if site.seen_at:
            says.append(words("site_code.takes_over"))
        return confirm(
            words("site_code.title", site=isolated(site.name)),
            says,
            button=words("site_code.button"),
            back=f"{HERE}/{site.id}",
            danger=bool(site.seen_at),
        )

    async def code(self, visit: Visit) -> Result:
        """A new code."""
        return _shown(visit, await visit.act("POST", "/v1/sites/{site}/code", site=visit.param("site")))

    async def ask_to_revoke(self, visit: Visit) -> Result:
        """Are you sure?"""
        site, words = await _site(visit), visit.words
        return confirm(
            words("site_revoke.title", site=isolated(site.name)),
            [
                words("site_revoke.does", site=isolated(site.name)),
                words("site_revoke.waiting"),
                words("site_revoke.stays"),
            ],
            button=words("site_revoke.button"),
            back=f"{HERE}/{site.id}",
        )

    async def revoke(self, visit: Visit) -> Result:
        """Refuse its hub from now on; a site that was revoked meanwhile is what was wanted."""
        site = await _site(visit)
        if site.state != "revoked":
            await visit.act("POST", "/v1/sites/{site}/revoke", site=site.id)
        return Went(f"{HERE}/{site.id}", said="site_revoked")


async def _site(visit: Visit) -> SiteView:
    found: SiteView = await visit.get("/v1/sites/{site}", site=visit.param("site"))
    return found


def _form(visit: Visit, refused: OutpostError | None = None) -> Shown:
    values = {"name": visit.form.get("name", ""), "refused": refused}
    return Shown("site_new.html", values, status=refused.status if refused else 200)


def _shown(visit: Visit, made: SiteCode) -> Shown:
    words = visit.words
    url = made.url or str(words("site_code.address"))
    return Shown(
        "once.html",
        {
            "title": words("site_code.made", site=isolated(made.name)),
            "says": [words("site_code.once"), words("site_code.type")],
            "secrets": [
                (words("site_code.code"), made.code),
                (words("site_code.command"), f"outpost site enrol {made.code} --cloud {url}"),
            ],
            "until": made.expires_at,
            "on": f"{HERE}/{made.site}",
        },
        once=True,
    )
